import { hash } from "node:crypto";
import { quantile, timed } from "./report.ts";
import type { Rig } from "./rig.ts";

/** What simple things take on this machine: each a figure for every time that it was measured. */
export interface Calibration {
  readonly commitMs: readonly string[];
  readonly hashMs: readonly string[];
  readonly seriesMs: readonly string[];
}

/** One measurement of a machine, in ms. */
export interface Speed {
  readonly commit: number;
  readonly hash: number;
  readonly series: number;
}

const REPEATS = 21;
const BLOCK = Buffer.alloc(32 * 1024 * 1024, 7);

/** The round trips and the disk by a transaction of one row, Node by a hash, PostgreSQL by counting. */
export async function speedOf({ pool, query }: Rig): Promise<Speed> {
  await query("CREATE TABLE IF NOT EXISTS public.calibration AS SELECT 1 AS id, 0 AS value");
  const repeated = async (times: number, work: () => Promise<unknown>): Promise<number> => {
    const figures: number[] = [];
    for (let count = 0; count < times; count += 1) figures.push(await timed(work));
    return quantile(figures, 0.5);
  };
  const commit = await repeated(REPEATS, async () => {
    const client = await pool.connect();
    await client.query("BEGIN");
    await client.query("UPDATE public.calibration SET value = value + 1");
    await client.query("COMMIT");
    client.release();
  });
  const hashing = await repeated(3, async () => Promise.resolve(hash("sha256", BLOCK)));
  const series = await repeated(3, () => query("SELECT count(*) FROM generate_series(1, 1000000)"));
  return { commit, hash: hashing, series };
}

export function calibrationOf(speeds: readonly Speed[]): Calibration {
  return {
    commitMs: speeds.map(({ commit }) => commit.toFixed(1)),
    hashMs: speeds.map(({ hash: one }) => one.toFixed(0)),
    seriesMs: speeds.map(({ series }) => series.toFixed(0)),
  };
}

/** A time as a multiple of a transaction of one row. */
export function timesACommit(ms: number, { commit }: Speed): string {
  return `${(ms / commit).toFixed(0)}× a transaction of one row`;
}
