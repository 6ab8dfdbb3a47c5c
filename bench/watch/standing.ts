import { readdirSync, readlinkSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Operator } from "../../test/support/operator.ts";
import { waitFor } from "../../test/support/wait.ts";
import { between, profile } from "./cpu.ts";
import { held, seconds as inSeconds, table } from "./report.ts";
import type { Section } from "./report.ts";
import { usageOf } from "./rig.ts";
import type { Rig } from "./rig.ts";

/** Fifty Fabrics of ten kinds are 500 lists; a machine that has something else to do takes its time (ms). */
const COMPLETE_MS = 1_800_000;
/** After the last row: verdicts, counts and the status are written (ms). */
const SETTLE_MS = 20_000;
const COMPLETE =
  "SELECT count(*)::int AS complete FROM fabric_sync.cursor WHERE source = 'cluster' AND complete_at IS NOT NULL";

interface Standing {
  readonly databaseUrl: string;
  readonly operator: Operator;
}

/** Runs `measure` beside an operator that has read everything and has come to rest. */
export async function watched(
  rig: Rig,
  streams: number,
  measure: (standing: Standing) => Promise<Section>,
): Promise<Section> {
  const database = await rig.database();
  const operator = await rig.operator(database.url);
  try {
    const complete = async (): Promise<boolean> =>
      !operator.process.running() ||
      ((await rig.query<{ complete: number }>(database.url, COMPLETE)).rows[0]?.complete ?? 0) >= streams;
    await waitFor("every stream to be complete", complete, { timeoutMs: COMPLETE_MS, intervalMs: 250 });
    if (!operator.process.running()) throw new Error(`the operator ended:\n${await operator.process.logTail()}`);
    await delay(SETTLE_MS);
    return await measure({ databaseUrl: database.url, operator });
  } finally {
    await operator.process.stop("SIGTERM");
    await database.drop();
  }
}

/** CPU while nothing happens in the cluster. */
export async function idle(rig: Rig, objects: number, kinds: number, seconds: number): Promise<Section> {
  return watched(rig, kinds, async ({ operator }) => {
    const before = rig.meter(operator.process.pid);
    await delay(seconds * 1_000);
    const spent = between(before, rig.meter(operator.process.pid));
    const after = usageOf(operator.process.pid);
    const share = (spent.operator / seconds) * 100;
    const rows = [["below 1 % of a core", `${share.toFixed(2)} %`, held(share < 1)]];
    const told = `${objects} objects of ${kinds} kinds, ${seconds} s without a change. Resident: ${after.rssMiB.toFixed(0)} MiB.`;
    const whose = profile(spent, { count: seconds, unit: "a second", ms: seconds * 1_000 });
    return { title: "Idle", text: [told, table(["goal", "measured", "held"], rows), whose].join("\n\n") };
  });
}

/** Many Fabrics of one cluster, each with every kind. `rig` has one already. */
export async function fabrics(rig: Rig, count: number, kinds: number, seconds: number): Promise<Section> {
  const names = Array.from({ length: count - 1 }, (_, index) => `fabric-${index}`);
  for (const name of names) await rig.fabric(name);
  const begun = Date.now();
  const start = rig.meter();
  const section = await watched(rig, count * kinds, async ({ operator, databaseUrl }) => {
    const loaded = Date.now() - begun - SETTLE_MS;
    const { pid } = operator.process;
    const before = rig.meter(pid);
    await delay(seconds * 1_000);
    const share = (between(before, rig.meter(pid)).operator / seconds) * 100;
    const after = usageOf(pid);
    const ask =
      "SELECT count(*)::int AS connections FROM pg_stat_activity WHERE application_name = 'fabric-sync' AND datname = current_database()";
    const [postgres] = (await rig.query<{ connections: number }>(databaseUrl, ask)).rows;
    const [row] = (
      await rig.query<{ rows: number }>(databaseUrl, "SELECT count(*)::int AS rows FROM fabric_sync.resource")
    ).rows;
    const rows = [
      ["streams", count * kinds],
      ["rows", row?.rows ?? 0],
      ["start to the last row, s", inSeconds(loaded)],
      ["sockets of the process", socketsOf(pid)],
      ["of them to PostgreSQL", postgres?.connections ?? 0],
      ["peak RSS, MiB", after.peakRssMiB.toFixed(0)],
      ["RSS at rest, MiB", after.rssMiB.toFixed(0)],
      ["CPU at rest, % of a core", share.toFixed(1)],
    ];
    const whose = profile(between(start, before), { count: row?.rows ?? 1, unit: "a row", ms: loaded });
    const text = `${table(["what", "measured"], rows)}\n\nUntil every row was there:\n\n${whose}`;
    return { title: `${count} Fabrics of one cluster`, text };
  });
  for (const name of names) await rig.dropFabric(name);
  return section;
}

function socketsOf(pid: number): number {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).filter((fd) => readlinkSync(`${directory}/${fd}`).startsWith("socket:")).length;
}
