import type pg from "pg";
import type { Store } from "../../src/store/store.ts";
import { POLICY } from "./rates.ts";
import { BATCH, batchesOf, observe } from "./workload.ts";

export interface SecondPass {
  readonly objects: number;
  readonly rowWrites: number;
  readonly walBytes: number;
  readonly objectsPerSecond: number;
}

/** Takes the same objects in twice, and measures the second time. */
export async function secondPass(pool: pg.Pool, store: Store, objects: number): Promise<SecondPass> {
  const { id } = await store.registerFabric({ namespace: "bench", name: "second-pass", uid: "second-pass" });
  const fence = await store.acquireFence(id, "bench");
  const observations = Array.from({ length: objects }, (_, index) => observe(id, index, 0, index + 1));
  const position = observations.at(-1)?.resourceVersion ?? "";
  const cursors = [{ source: "cluster" as const, scope: "bench", position, completeAt: 1 }];
  const pass = async (): Promise<void> => {
    for (const batch of batchesOf(observations, BATCH)) {
      await store.apply({ fence, policy: POLICY, observations: batch, cursors });
    }
  };
  await pass();
  // What the first pass left to do for the server is done before the clock starts.
  await pool.query("VACUUM (FREEZE, ANALYZE)");
  await pool.query("CHECKPOINT");
  const before = await state(pool, id);
  const started = performance.now();
  await pass();
  const seconds = (performance.now() - started) / 1_000;
  const after = await state(pool, id);
  const known = new Set(before.versions);
  return {
    objects,
    rowWrites: after.versions.filter((version) => !known.has(version)).length,
    walBytes: after.lsn - before.lsn,
    objectsPerSecond: objects / seconds,
  };
}

/** WAL position, and every version of every row that a write could have made. */
async function state(pool: pg.Pool, fabricId: string): Promise<{ lsn: number; versions: string[] }> {
  const { rows } = await pool.query<{ lsn: number; versions: string[] }>(
    `SELECT (pg_current_wal_insert_lsn() - '0/0')::float8 AS lsn, array(
       SELECT id || ' ' || xmin FROM fabric_sync.resource WHERE fabric_id = $1
       UNION ALL SELECT seq || ' ' || xmin FROM fabric_sync.resource_event WHERE fabric_id = $1
       UNION ALL SELECT scope || ' ' || xmin FROM fabric_sync.cursor WHERE fabric_id = $1) AS versions`,
    [fabricId],
  );
  return rows[0] ?? { lsn: 0, versions: [] };
}
