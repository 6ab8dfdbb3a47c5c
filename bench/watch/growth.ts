import { loadOnce } from "./loading.ts";
import { held, seconds, table } from "./report.ts";
import type { Section } from "./report.ts";
import type { Rig } from "./rig.ts";

/** µs of CPU a row. */
const CPU = ["operator µs", "PostgreSQL µs", "API server µs", "etcd µs"];

/** The initial load at several sizes, small to large, each into an empty table. Objects are made as they are needed. */
export async function growth(rig: Rig, sizes: readonly number[], kinds: number, bytes: number): Promise<Section> {
  const rows: (string | number)[][] = [];
  let there = 0;
  let peak = 0;
  for (const size of sizes.toSorted((a, b) => a - b)) {
    await rig.objects(there, size, kinds, bytes);
    there = Math.max(there, size);
    const database = await rig.database();
    const load = await loadOnce(rig, database.url, kinds);
    await database.drop();
    peak = Math.max(peak, load.peakRssMiB);
    rows.push([
      load.rows,
      seconds(load.ms),
      ((load.ms * 1_000) / load.rows).toFixed(0),
      load.peakRssMiB.toFixed(0),
      load.walMiB.toFixed(0),
      ((load.walMiB * 1024) / load.rows).toFixed(1),
      ...[load.spent.operator, load.spent.postgres, load.spent.apiServer, load.spent.etcd].map((cpu) =>
        ((cpu * 1e6) / load.rows).toFixed(0),
      ),
    ]);
  }
  const head = ["objects", "seconds", "µs a row", "peak RSS MiB", "WAL MiB", "WAL KiB a row", ...CPU];
  const goal = table(["goal", "measured", "held"], [["peak RSS at most 256 MiB", peak.toFixed(0), held(peak <= 256)]]);
  const title = `Growth: objects of ${bytes} bytes over ${kinds} kinds, up to ${sizes.at(-1)}`;
  return { title, text: `${table(head, rows)}\n\n${goal}` };
}
