import type pg from "pg";
import { createStore } from "../../src/store/store.ts";
import { POLICY } from "./rates.ts";
import { observe } from "./workload.ts";

const WRITERS = 8;
/** Keys that all writers share, and keys of one batch: any two batches overlap. */
const KEYS = 400;
const BATCH_KEYS = 100;

export interface Contention {
  readonly seconds: number;
  readonly batches: number;
  readonly changed: number;
  readonly stale: number;
  /** Transactions repeated inside the store, by SQLSTATE. */
  readonly repeated: Readonly<Record<string, number>>;
  /** Errors that reached a caller. */
  readonly errors: number;
  /** Keys whose row is not the newest version that was offered, and changes without their event. */
  readonly lostUpdates: number;
}

/** Eight writers on overlapping keys, every change a newer version than any before. */
export async function contend(pool: pg.Pool, seconds: number): Promise<Contention> {
  const repeated: Record<string, number> = {};
  const store = createStore(pool, {
    onRetry: (sqlstate) => {
      repeated[sqlstate] = (repeated[sqlstate] ?? 0) + 1;
    },
  });
  const { id } = await store.registerFabric({ namespace: "bench", name: "contention", uid: "contention" });
  const fence = await store.acquireFence(id, "bench");
  const newest = new Map<number, number>();
  let version = 0;
  let batches = 0;
  let changed = 0;
  let stale = 0;
  let errors = 0;
  const deadline = performance.now() + seconds * 1_000;
  const write = async (writer: number): Promise<void> => {
    for (let round = 0; performance.now() < deadline; round += 1) {
      const first = (writer * 97 + round * 31) % KEYS;
      const observations = Array.from({ length: BATCH_KEYS }, (_, offset) => {
        // Neighbours in turn, so that batches begin and end inside each other, in no order.
        const index = (first + offset * 3) % KEYS;
        version += 1;
        newest.set(index, version);
        return observe(id, index, version, version);
      });
      try {
        const result = await store.apply({ fence, policy: POLICY, observations, cursors: [] });
        changed += result.changed;
        stale += result.stale;
        batches += 1;
      } catch {
        errors += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));

  const { rows } = await pool.query<{ name: string; rv: string }>(
    "SELECT name, actual_resource_version AS rv FROM fabric_sync.resource WHERE fabric_id = $1",
    [id],
  );
  const held = new Map(rows.map(({ name, rv }) => [Number(name.slice("leaf-".length)), Number(rv)]));
  const behind = [...newest].filter(([index, rv]) => held.get(index) !== rv).length;
  const events = await pool.query<{ count: number }>(
    "SELECT count(*)::int AS count FROM fabric_sync.resource_event WHERE fabric_id = $1",
    [id],
  );
  const lostUpdates = behind + Math.abs((events.rows[0]?.count ?? 0) - changed);
  return { seconds, batches, changed, stale, repeated, errors, lostUpdates };
}
