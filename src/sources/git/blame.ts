import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { BareRepository } from "./repository/bare-repository.ts";
import { HISTORY_DEPTH } from "./repository/transport.ts";

/** The commit that changed a file last, who made it, and when. */
export interface Change {
  readonly commit: string;
  /** `Name <mail>`; '' when the history at hand does not tell. */
  readonly author: string;
  /** RFC 3339, as `git blame` has it: when the author made it; '' as above. */
  readonly authoredAt: string;
}

/** Who changed what. */
export interface Changes {
  of(path: string): Change;
  /** The newest commit. */
  readonly head: Change;
}

const RECORD = "\u0001";
const FIELD = "\u0002";
const WHO = `%H${FIELD}%an <%ae>${FIELD}%at`;

/**
 * Who changed each of `paths` last, as of `head`: one walk over the history, newest first, that ends when all are found or the history that
 * was fetched is over. What it does not tell is attributed to `head` without an author.
 * @param since the commit taken in before, '' for none: changes since then are all behind it.
 */
export async function lastChanges(
  repository: BareRepository,
  head: string,
  since: string,
  paths: readonly string[],
): Promise<Changes> {
  const alone = since === "" ? null : await onlyCommitSince(repository, head, since);
  if (alone) return { of: () => alone, head: alone };
  const wanted = new Set(paths);
  const found = new Map<string, Change>();
  const borders = await shallowBorders(repository);
  let current: Change | null = null;
  let headChange = null as Change | null;
  const take = (token: string): void => {
    if (token.startsWith(RECORD)) {
      const change = changeOf(token.slice(1));
      if (change.commit === head) headChange = change;
      // Where the history was cut off a commit seems to have made everything there is.
      current = borders.has(change.commit) ? null : change;
    } else if (token !== "" && current && wanted.delete(token)) found.set(token, current);
  };
  const known = since !== "" && (await (await repository.headers()).read(`${since}^{commit}`)) !== null;
  let rest: Buffer = Buffer.alloc(0);
  const args = [
    "log",
    "-z",
    "--no-renames",
    "--name-only",
    `--format=${RECORD}${WHO}`,
    `--max-count=${HISTORY_DEPTH}`,
    head,
  ];
  await repository.stream([...args, ...(known ? [`^${since}`] : []), "--"], (piece) => {
    const data = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let start = 0;
    for (let end = data.indexOf(0, start); end >= 0; end = data.indexOf(0, start)) {
      take(data.toString("utf8", start, end).replace(/^\n/, ""));
      start = end + 1;
    }
    rest = data.subarray(start);
    return wanted.size > 0 || headChange === null;
  });
  const unknown = { commit: head, author: "", authoredAt: "" };
  return { of: (path) => found.get(path) ?? unknown, head: headChange ?? (await changeAt(repository, head)) };
}

/** The head, when it is all that came since: what nearly every push is. */
async function onlyCommitSince(repository: BareRepository, head: string, since: string): Promise<Change | null> {
  const commit = await (await repository.contents()).read(head);
  if (commit?.type !== "commit") return null;
  const text = commit.content.toString("utf8");
  const header = text.slice(0, text.indexOf("\n\n") + 1);
  const parents = [...header.matchAll(/^parent ([0-9a-f]+)$/gm)].map(([, id]) => id);
  const [, author, seconds = ""] = /^author (.*>) (\d+) [-+]\d+$/m.exec(header) ?? [];
  // In another encoding git must read it.
  if (parents.length !== 1 || parents[0] !== since || author === undefined || /^encoding /m.test(header)) return null;
  return { commit: head, author: clean(author), authoredAt: timeOf(seconds) };
}

function clean(author: string): string {
  return author.replace(/\p{Cc}/gu, "").slice(0, 300);
}

/** Where the history ends because no more of it was fetched. */
async function shallowBorders(repository: BareRepository): Promise<ReadonlySet<string>> {
  try {
    const text = await readFile(join(repository.directory, "shallow"), "utf8");
    return new Set(text.split("\n").filter((line) => line !== ""));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Set();
    throw error;
  }
}

/** `since` is at or after `head` (a reset branch): the walk was empty. */
async function changeAt(repository: BareRepository, commit: string): Promise<Change> {
  const { stdout } = await repository.short(["log", "--max-count=1", `--format=${WHO}`, commit, "--"]);
  return { ...changeOf(stdout.trim()), commit };
}

/** What git prints of {@link WHO}. */
function changeOf(text: string): Change {
  const [commit = "", author = "", seconds = ""] = text.split(FIELD);
  return { commit, author: clean(author), authoredAt: timeOf(seconds) };
}

/** Commits may claim any time; '' for one that no calendar has. */
function timeOf(seconds: string): string {
  const date = new Date(Number.parseInt(seconds, 10) * 1_000);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}
