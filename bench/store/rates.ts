import type pg from "pg";
import { reduce } from "../../src/core/reduce.ts";
import type { ReducePolicy } from "../../src/core/policy.ts";
import type { ResourceRow } from "../../src/core/row.ts";
import { newUuid } from "../../src/core/uuid.ts";
import type { Store } from "../../src/store/store.ts";
import { copyAndMerge, drizzleUpsert } from "./baselines.ts";
import { BATCH, batchesOf, observe } from "./workload.ts";

export const POLICY: ReducePolicy = {
  driftMode: "local",
  reportExtra: true,
  direction: "observe",
  ignore: [],
  hasGit: true,
};

/** Changes a second when objects are new, and when each of them changes. */
export interface Rates {
  readonly inserts: number;
  readonly updates: number;
  readonly both: number;
}

/** Objects a COPY: measured best between 500 and 20,000. */
const COPY_BATCH = 5_000;

/** Our writer: `writers` at once over disjoint parts, each change with its event and each batch with its cursor. */
export async function ourRates(store: Store, objects: number, writers: number, uid: string): Promise<Rates> {
  const { id } = await store.registerFabric({ namespace: "bench", name: uid, uid });
  const fence = await store.acquireFence(id, "bench");
  return measure(objects, async (revision) => {
    const observations = Array.from({ length: objects }, (_, index) =>
      observe(id, index, revision, revision * objects + index + 1),
    );
    const batches = batchesOf(observations, BATCH);
    const lane = async (scope: string): Promise<void> => {
      for (const batch of batches) {
        const position = batch.at(-1)?.resourceVersion ?? "";
        const cursors = [{ source: "cluster" as const, scope, position, completeAt: null }];
        const { changed } = await store.apply({ fence, policy: POLICY, observations: batch, cursors });
        if (changed !== batch.length) throw new Error(`${changed} of ${batch.length} changed`);
      }
    };
    return () => Promise.all(Array.from({ length: writers }, (_, index) => lane(`lane-${index}`)));
  });
}

export function drizzleRates(pool: pg.Pool, objects: number, fabricId: string): Promise<Rates> {
  return baselineRates(objects, fabricId, BATCH, (rows) => drizzleUpsert(pool, rows));
}

export function copyRates(pool: pg.Pool, objects: number, fabricId: string): Promise<Rates> {
  return baselineRates(objects, fabricId, COPY_BATCH, (rows) => copyAndMerge(pool, rows));
}

/** The rows are made beforehand: the baselines neither read, nor compare, nor judge. */
async function baselineRates(
  objects: number,
  fabricId: string,
  size: number,
  write: (rows: ResourceRow[]) => Promise<void>,
): Promise<Rates> {
  const ids = Array.from({ length: objects }, newUuid);
  return measure(objects, async (revision) => {
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
}

/** Prepares outside of the clock and runs inside of it, first with new objects, then with changed ones. */
async function measure(
  objects: number,
  prepare: (revision: number) => Promise<() => Promise<unknown>>,
): Promise<Rates> {
  const seconds: number[] = [];
  for (const revision of [0, 1]) {
    const run = await prepare(revision);
    const started = performance.now();
    await run();
    seconds.push((performance.now() - started) / 1_000);
  }
  const [first = 0, second = 0] = seconds;
  return { inserts: objects / first, updates: objects / second, both: (2 * objects) / (first + second) };
}

/** Average bytes of an event as it is stored, and of the image in it. */
export async function eventBytes(pool: pg.Pool): Promise<{ event: number; image: number }> {
  const { rows } = await pool.query<{ event: number; image: number }>(
    `SELECT avg(pg_column_size(e.*))::float8 AS event, avg(pg_column_size(image))::float8 AS image
       FROM fabric_sync.resource_event e`,
  );
  return rows[0] ?? { event: 0, image: 0 };
}
