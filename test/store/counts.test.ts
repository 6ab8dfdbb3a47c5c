import type { ReducePolicy } from "../../src/core/policy.ts";
import { actualGone, actualVpc, COMMIT_1, COMMIT_2, desiredGone, desiredVpc, openStore, POLICY } from "./fixture.ts";

const NAIVE = `
  SELECT (count(*) FILTER (WHERE actual_spec IS NOT NULL))::int AS objects,
         (count(*) FILTER (WHERE desired_spec IS NOT NULL))::int AS desired
    FROM fabric_sync.resource WHERE fabric_id = $1`;
/** As people would tell them: what has gone does not drift, and what is not compared yet is not unknown. */
const TOLD = `CASE WHEN drift_details ->> 'code' IN ('GitNotTakenIn', 'KindNotListed', 'AwaitingServer') AND drift_status = 'unknown'
                   THEN 'not_compared' ELSE drift_status END`;
const WORDS = (column: string, where = "true"): string => `
  SELECT coalesce(json_object_agg(word, rows), '{}') AS words FROM (
    SELECT ${column} AS word, count(*) AS rows FROM fabric_sync.resource WHERE fabric_id = $1 AND ${where} GROUP BY 1) AS s`;

/** A generated kind, which Git alone may have too. */
const GENERATED = { apiVersion: "agent.githedgehog.com/v1beta1", kind: "Agent" };

const POLICIES: readonly ReducePolicy[] = [
  POLICY,
  { ...POLICY, hasGit: false },
  { ...POLICY, driftMode: "disabled" },
  { ...POLICY, reportExtra: false },
  { ...POLICY, unread: { git: true, cluster: false, kinds: [] } },
];

test("counts made in the indexes are those of the rows, for every state that a row can be in", async () => {
  await using at = await openStore();
  const states = new Set<string>();
  for (const [turn, policy] of POLICIES.entries()) {
    const name = (what: string): string => `${what}-${turn}`;
    const leaving = { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } };
    const [both, gone, left] = [name("both"), name("gone"), name("left")];
    await at.apply(
      [
        desiredVpc(at, both, COMMIT_1),
        actualVpc(at, both, { rv: "10" }),
        desiredVpc(at, name("differs"), COMMIT_1),
        actualVpc(at, name("differs"), { rv: "10" }, { spec: { other: turn } }),
        desiredVpc(at, name("git"), COMMIT_1),
        actualVpc(at, name("cluster"), { rv: "10" }),
        actualVpc(at, name("leaving"), { rv: "10" }, leaving),
        desiredVpc(at, name("leaving-declared"), COMMIT_1),
        actualVpc(at, name("leaving-declared"), { rv: "10" }, leaving),
        actualVpc(at, gone, { rv: "10" }),
        desiredVpc(at, left, COMMIT_1),
        desiredVpc(at, name("agent-git"), COMMIT_1, GENERATED),
        actualVpc(at, name("agent-cluster"), { rv: "10" }, GENERATED),
        desiredVpc(at, name("agent-both"), COMMIT_1, GENERATED),
        actualVpc(at, name("agent-both"), { rv: "10" }, GENERATED),
      ],
      { policy },
    );
    await at.apply([actualGone(at, gone, { rv: "11" }), desiredGone(at, left, COMMIT_2)], { policy });
    const counts = await at.store.counts(at.fabricId);
    const [naive] = await at.sql<{ objects: number; desired: number }>(NAIVE, [at.fabricId]);
    expect({ objects: counts.objects, desired: counts.desired }).toEqual(naive);
    for (const [words, counted] of [
      [WORDS("resource_state"), counts.byState],
      [WORDS(TOLD, "resource_state <> 'deleted'"), counts.byDrift],
    ] as const) {
      const [found] = await at.sql<{ words: object }>(words, [at.fabricId]);
      expect(counted).toEqual(found?.words);
    }
    for (const { code, reason } of counts.unknown) expect([code, reason]).not.toContain("");
    for (const state of Object.keys(counts.byState)) states.add(state);
  }
  expect([...states].sort()).toEqual(
    ["committed", "deleted", "drifted", "external", "orphaned", "pending", "synced", "terminating"].sort(),
  );
  // By hand, and never seen by any source: the database's own defaults.
  await at.sql("INSERT INTO fabric_sync.resource (fabric_id, kind, name) VALUES ($1, 'k', 'n')", [at.fabricId]);
  const [naive] = await at.sql(NAIVE, [at.fabricId]);
  const { objects, desired } = await at.store.counts(at.fabricId);
  expect({ objects, desired }).toEqual(naive);
});
