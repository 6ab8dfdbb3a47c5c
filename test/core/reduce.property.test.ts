import fc from "fast-check";
import type { JsonValue } from "../../src/core/json.ts";
import type {
  ActualDelete,
  ActualUpsert,
  DesiredDelete,
  DesiredUpsert,
  Observation,
} from "../../src/core/observation.ts";
import { reduce } from "../../src/core/reduce.ts";
import { readSyncMetadata } from "../../src/core/sync-metadata.ts";
import type { ResourceEvent, ResourceRow } from "../../src/core/row.ts";
import { actual, actualDelete, at, desired, desiredDelete, POLICY } from "./observations.ts";

type DesiredSeen = DesiredUpsert | DesiredDelete;
type ActualSeen = ActualUpsert | ActualDelete;

const spec = fc.record(
  { size: fc.integer({ min: 0, max: 2 }), color: fc.constantFrom("red", "blue"), block: fc.constant({ a: 1 }) },
  { requiredKeys: [] },
) as fc.Arbitrary<JsonValue>;

/** What Git says, commit by commit. */
const desiredStream: fc.Arbitrary<DesiredSeen[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(spec, fc.integer({ min: 1, max: 3 })).map(([value, line]) => desired(value, { line })),
    },
    { weight: 1, arbitrary: fc.constant(desiredDelete()) },
  ),
  { maxLength: 6 },
);

type Step = { readonly what: "change" | "delete" | "recreate" | "terminate"; readonly spec: JsonValue };
const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom("change", "change", "change", "delete", "recreate", "terminate"),
  spec,
});

/** What a cluster could tell of one name: resourceVersions rise, a new incarnation has a new uid. */
const actualStream: fc.Arbitrary<ActualSeen[]> = fc.array(step, { maxLength: 8 }).map((steps) => {
  const seen: ActualSeen[] = [];
  let incarnation = 0;
  let alive = false;
  steps.forEach(({ what, spec: value }, index) => {
    const rv = String(8 + index * 3);
    if (what === "delete" && !alive) return;
    if (!alive || what === "recreate") incarnation += 1;
    const uid = `uid-${incarnation}`;
    alive = what !== "delete";
    const metadata = what === "terminate" ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {};
    seen.push(what === "delete" ? actualDelete({ rv, uid }) : actual(value, { rv, uid, metadata }));
  });
  return seen;
});

interface Folded {
  readonly row: ResourceRow | null;
  readonly events: readonly ResourceEvent[];
  readonly outcomes: readonly string[];
}

/** All within one second of our clock, so that the once-a-minute refresh does not come in. */
function fold(observations: readonly Observation[]): Folded {
  let row: ResourceRow | null = null;
  const events: ResourceEvent[] = [];
  const outcomes: string[] = [];
  for (const observation of observations) {
    const result = reduce(row, observation, POLICY, at(1));
    row = result.row;
    outcomes.push(result.outcome);
    if (result.outcome === "changed") events.push(result.event);
  }
  return { row, events, outcomes };
}

/**
 * What must not depend on the order: everything but when and how it came to be. Left out are the columns that tell the way and not the
 * place: times, counters, who wrote last, why and when the state changed, conflicts and outside edits (they are about the order), the
 * last commit that was seen in sync.
 */
const WAY: readonly (keyof ResourceRow)[] = [
  "firstSeen",
  "desiredUpdated",
  "actualUpdated",
  "lastStateChange",
  "stateChangeReason",
  "lastDriftCheck",
  "driftSince",
  "syncAttempts",
  "reconciliationAttempts",
  "lastReconciliation",
  "lastSyncedCommit",
  "lastFileSync",
  "conflictStatus",
  "conflictDetails",
  "externalModifications",
  "writePath",
  "updatedAt",
];
function place(row: ResourceRow | null): unknown {
  if (row === null) return null;
  const kept = Object.entries(row).filter(([column]) => !WAY.some((left) => left === column));
  const metadata = readSyncMetadata(row.syncMetadata);
  const syncMetadata = { ...metadata, sinceAgreed: { desired: null, actual: null } };
  return { ...Object.fromEntries(kept), syncMetadata };
}

/** Merges two streams in some order, each in its own. */
function interleave<T>(a: readonly T[], b: readonly T[], coin: Iterator<boolean>): T[] {
  const [left, right, merged] = [[...a], [...b], [] as T[]];
  while (left.length > 0 || right.length > 0) {
    const from = right.length === 0 || (left.length > 0 && coin.next().value === true) ? left : right;
    merged.push(...from.splice(0, 1));
  }
  return merged;
}

/** The stream as a source that lost its place tells it: now and then it starts again from an earlier point. */
function withReplays<T>(stream: readonly T[], restarts: readonly number[]): T[] {
  const told: T[] = [];
  for (const restart of restarts) {
    const upTo = stream.length === 0 ? 0 : restart % (stream.length + 1);
    told.push(...stream.slice(0, upTo));
  }
  return [...told, ...stream];
}

describe("the reducer", () => {
  const coins = fc.infiniteStream(fc.boolean());

  it("comes to the same row in whatever order the two streams meet, with replays", () => {
    fc.assert(
      fc.property(
        desiredStream,
        actualStream,
        coins,
        fc.array(fc.nat(), { maxLength: 3 }),
        (git, cluster, coin, restarts) => {
          const straight = fold([...git, ...cluster]);
          const repeated = interleave<Observation>(withReplays(git, restarts), withReplays(cluster, restarts), coin);
          expect(place(fold(repeated).row)).toEqual(place(straight.row));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("takes each observation twice and tells it once", () => {
    fc.assert(
      fc.property(desiredStream, actualStream, coins, (git, cluster, coin) => {
        const once = interleave<Observation>(git, cluster, coin);
        const twice = once.flatMap((observation) => [observation, observation]);
        const [a, b] = [fold(once), fold(twice)];
        expect(b.events).toEqual(a.events);
        expect(b.row).toEqual(a.row);
      }),
    );
  });

  it("does nothing at a second pass over what stands", () => {
    fc.assert(
      fc.property(desiredStream, actualStream, (git, cluster) => {
        const last = [git.at(-1), cluster.at(-1)].filter((seen) => seen !== undefined);
        const { row } = fold([...git, ...cluster]);
        for (const seen of last) {
          const again = reduce(row, seen, POLICY, at(2));
          expect(["unchanged", "stale"]).toContain(again.outcome);
          expect(again.row).toBe(row);
        }
      }),
    );
  });

  it("gives one outcome for each observation, and one event for each change", () => {
    fc.assert(
      fc.property(desiredStream, actualStream, coins, (git, cluster, coin) => {
        const seen = interleave<Observation>(git, cluster, coin);
        const { row, events, outcomes } = fold(seen);
        expect(outcomes).toHaveLength(seen.length);
        expect(events).toHaveLength(outcomes.filter((outcome) => outcome === "changed").length);
        const last = events.at(-1);
        expect(last?.stateAfter ?? row?.resourceState).toBe(row?.resourceState);
        events.slice(1).forEach((event, index) => expect(event.stateBefore).toBe(events[index]?.stateAfter));
      }),
    );
  });

  it("lets each side write its own columns alone, and never lets a resourceVersion go back", () => {
    const side = (row: ResourceRow, prefix: string) =>
      Object.entries(row).filter(
        ([column]) => column.startsWith(prefix) || (prefix === "desired" && column.includes("ile")),
      );
    fc.assert(
      fc.property(
        desiredStream,
        actualStream,
        coins,
        fc.array(fc.nat(), { maxLength: 2 }),
        (git, cluster, coin, restarts) => {
          let row: ResourceRow | null = null;
          for (const seen of interleave<Observation>(git, withReplays(cluster, restarts), coin)) {
            const before: ResourceRow | null = row;
            row = reduce(row, seen, POLICY, at(1)).row;
            if (before === null || row === null) continue;
            const other = seen.side === "desired" ? "actual" : "desired";
            expect(side(row, other)).toEqual(side(before, other));
            expect(Number(row.actualResourceVersion)).toBeGreaterThanOrEqual(Number(before.actualResourceVersion));
          }
        },
      ),
    );
  });
});
