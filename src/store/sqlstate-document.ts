import { SQLSTATE_RULES, UNKNOWN_SQLSTATE } from "./sqlstate.ts";

/** What the writer does for each policy. */
const REACTIONS: readonly (readonly [policy: string, reaction: string])[] = [
  [
    "retry",
    "the whole transaction is repeated, six times in all with full jitter (under 2 s); then the pump goes on asking with backoff, and `StoreReady` says why",
  ],
  ["wait", "asked again slowly; somebody must make room first, and `StoreReady` says so"],
  [
    "dead-letter",
    "the batch is written again in halves until the refused object is alone; it goes to `resource_dead_letter`, all others commit",
  ],
  ["stall", "a person must change a credential, a grant or the configuration; asked again slowly"],
  ["fatal", "this program does not fit the database: the process ends, and says why"],
];

/** The text of `docs/sqlstate.md`. */
export function sqlstateDocument(): string {
  const rules = [...SQLSTATE_RULES, { ...UNKNOWN_SQLSTATE, match: "any other" }];
  return [
    "# What happens on each error of Postgres",
    "",
    "Made from `src/store/sqlstate.ts` by `npm run generate`. A code of five characters wins over its class of two. Errors",
    "without a SQLSTATE come from the connection (`ECONNREFUSED`, `ECONNRESET`, a time-out of the client) and are treated like",
    "class 08. Nothing is decided by the text of a message.",
    "",
    "| SQLSTATE | policy | reason in conditions | meaning | connection |",
    "| --- | --- | --- | --- | --- |",
    ...rules.map(
      ({ match, policy, code, meaning, dropConnection }) =>
        `| ${match} | ${policy} | \`${code}\` | ${meaning} | ${dropConnection ? "dropped" : "kept"} |`,
    ),
    "",
    "| policy | what the writer does |",
    "| --- | --- |",
    ...REACTIONS.map(([policy, reaction]) => `| ${policy} | ${reaction} |`),
    "",
    "A COMMIT whose answer was lost is repeated like any other failure: the repetition reads what the first attempt has",
    "committed, and finds nothing left to change.",
    "",
  ].join("\n");
}
