import type pg from "pg";
import { reduce } from "../../src/core/reduce.ts";
import type { ReducePolicy } from "../../src/core/policy.ts";
import type { ResourceRow } from "../../src/core/row.ts";
import { newUuid } from "../../src/core/uuid.ts";
import type { Store } from "../../src/store/store.ts";
import { copyAndMerge, drizzleUpsert } from "./baselines.ts";
import type { Meter } from "./cpu.ts";
import { BATCH, batchesOf, declare, observe, type Make } from "./workload.ts";

export const POLICY: ReducePolicy = {
  driftMode: "local",
  reportExtra: true,
  direction: "observe",
  ignore: [],
  hasGit: true,
};

/** Changes a second when objects are new, and when each of them changes; CPU time a change (µs). */
export interface Rates {
  readonly inserts: number;
  readonly updates: number;
  readonly both: number;
  readonly clientCpu: number;
  readonly serverCpu: number;
}

/** One way to write, measured over `objects` new objects and a change of each. `uid` is new each time. */
export interface Contender {
  readonly name: string;
  measure(objects: number, uid: string): Promise<Rates>;
}

/** Objects a COPY: measured best between 500 and 20,000. */
const COPY_BATCH = 5_000;

/**
 * Our writer: `writers` at once over disjoint parts, each change with its event and each batch with its cursor.
 * @param options `declared`: Git declares the same objects, and was taken in before
 */
export function ours(
  store: Store,
  meter: Meter,
  writers: number,
  make: Make,
  { batch = BATCH, declared = false }: { batch?: number; declared?: boolean } = {},
): Contender["measure"] {
  return async (objects, uid) => {
    const { id } = await store.registerFabric({ namespace: "bench", name: uid, uid });
    const fence = await store.acquireFence(id, "bench");
    if (declared) {
      const desired = Array.from({ length: objects }, (_, index) => declare(id, index, make));
      for (const some of batchesOf(desired, batch))
        await store.apply({ fence, policy: POLICY, observations: some, cursors: [] });
    }
    return measure(objects, meter, async (revision) => {
      const observations = Array.from({ length: objects }, (_, index) =>
        observe(id, index, revision, revision * objects + index + 1, make),
      );
      const batches = batchesOf(observations, batch);
      const lane = async (scope: string): Promise<void> => {
        for (const some of batches) {
          const position = some.at(-1)?.resourceVersion ?? "";
          const cursors = [{ source: "cluster" as const, scope, position, completeAt: null }];
          const { changed } = await store.apply({ fence, policy: POLICY, observations: some, cursors });
          if (changed !== some.length) throw new Error(`${changed} of ${some.length} changed`);
        }
      };
      return () => Promise.all(Array.from({ length: writers }, (_, index) => lane(`lane-${index}`)));
    });
  };
}

export function drizzles(pool: pg.Pool, store: Store, meter: Meter): Contender["measure"] {
  return baseline(store, meter, BATCH, (rows) => drizzleUpsert(pool, rows));
}

export function copies(pool: pg.Pool, store: Store, meter: Meter): Contender["measure"] {
  return baseline(store, meter, COPY_BATCH, (rows) => copyAndMerge(pool, rows));
}

/** The rows are made beforehand: the baselines neither read, nor compare, nor judge. */
function baseline(
  store: Store,
  meter: Meter,
  size: number,
  write: (rows: ResourceRow[]) => Promise<void>,
): Contender["measure"] {
  return async (objects, uid) => {
    const { id: fabricId } = await store.registerFabric({ namespace: "bench", name: uid, uid });
    const ids = Array.from({ length: objects }, newUuid);
    return measure(objects, meter, async (revision) => {
      const rows = ids.map((id, index) => {
        const seen = observe(fabricId, index, revision, revision * objects + index + 1);
        const { row } = reduce(null, seen, POLICY, { now: new Date().toISOString(), newId: () => id });
        if (row === null) throw new Error("an observation made no row");
        return row;
      });
      return async () => {
        for (const batch of batchesOf(rows, size)) await write(batch);
      };
    });
  };
}

/** Prepares outside of the clock and runs inside of it, first with new objects, then with changed ones. */
async function measure(
  objects: number,
  meter: Meter,
  prepare: (revision: number) => Promise<() => Promise<unknown>>,
): Promise<Rates> {
  const seconds: number[] = [];
  let [clientCpu, serverCpu] = [0, 0];
  for (const revision of [0, 1]) {
    const run = await prepare(revision);
    const before = await meter();
    const started = performance.now();
    await run();
    seconds.push((performance.now() - started) / 1_000);
    const after = await meter();
    clientCpu += (after.client - before.client) / (2 * objects);
    serverCpu += (after.server - before.server) / (2 * objects);
  }
  const [first = 0, second = 0] = seconds;
  return {
    inserts: objects / first,
    updates: objects / second,
    both: (2 * objects) / (first + second),
    clientCpu,
    serverCpu,
  };
}

/** The middle of each figure over all rounds. */
export function medianOf(rounds: readonly Rates[]): Rates {
  const middle = (of: (rates: Rates) => number): number =>
    rounds.map(of).sort((a, b) => a - b)[Math.floor(rounds.length / 2)] ?? Number.NaN;
  return {
    inserts: middle(({ inserts }) => inserts),
    updates: middle(({ updates }) => updates),
    both: middle(({ both }) => both),
    clientCpu: middle((rates) => rates.clientCpu),
    serverCpu: middle((rates) => rates.serverCpu),
  };
}

/** Average bytes of an event as it is stored, and of the image in it. */
export async function eventBytes(pool: pg.Pool): Promise<{ event: number; image: number }> {
  const { rows } = await pool.query<{ event: number; image: number }>(
    `SELECT avg(pg_column_size(e.*))::float8 AS event, avg(pg_column_size(image))::float8 AS image
       FROM fabric_sync.resource_event e WHERE kind = 'PortList'`,
  );
  return rows[0] ?? { event: 0, image: 0 };
}
