import { spawn } from "node:child_process";
import { once } from "node:events";
import { pause } from "../../src/core/pause.ts";
import { cpuBetween, cpuByProgram } from "./cpu.ts";
import { percentile } from "./report.ts";
import type { Report } from "./report.ts";
import type { Rig } from "./rig.ts";
import { COLLECTION } from "./workload.ts";

/** Of the other client's time without any suspects, before and after (ms each). */
const QUIET_MS = 8_000;
const COMMIT = "2".repeat(40);

/** Rows that are suspects all at once: until all are told, and what another client's GET takes meanwhile. */
export async function suspectsAtOnce(rig: Rig, first: number, count: number, report: Report): Promise<void> {
  await rig.declare(first, first + count, 2000, COMMIT);
  await pause(2_000, rig.signal); // What writing them left to do is done: autovacuum, garbage.
  const other = await otherClient(rig);
  await pause(QUIET_MS, rig.signal);
  const cpu = cpuByProgram();
  const began = Date.now();
  rig.drift.kick();
  // Seldom enough not to be a load of its own.
  while ((await rig.count(`desired_commit = '${COMMIT}' AND drift_status = 'drifted'`)) < count) {
    await pause(250, rig.signal);
  }
  const ended = Date.now();
  const used = cpuBetween(cpu, cpuByProgram());
  await pause(QUIET_MS, rig.signal);
  const times = await other.end();
  const took = (ended - began) / 1_000;
  report.tell(`${count} suspects at once, until all are told`, "≤ 20 s", `${took.toFixed(1)} s`, took <= 20);

  const during = times.filter(([at]) => at >= began && at <= ended).map(([, ms]) => ms);
  const quiet = times.filter(([at]) => at < began || at > ended).map(([, ms]) => ms);
  const ratio = percentile(during, 0.99) / percentile(quiet, 0.99);
  const [busy, rest] = [percentile(during, 0.99).toFixed(1), percentile(quiet, 0.99).toFixed(1)];
  report.tell(
    "p99 of another client's GET meanwhile",
    "≤ 2 ×",
    `${busy} ms beside ${rest} ms: ${ratio.toFixed(2)} ×`,
    ratio <= 2,
  );
  const median = `${percentile(during, 0.5).toFixed(1)} ms beside ${percentile(quiet, 0.5).toFixed(1)} ms`;
  report.remark(`median of that GET: ${median}; ${during.length} beside ${quiet.length} of them`);
  report.remark(`CPU meanwhile, of ${took.toFixed(1)} s: ${used}`);
  report.remark(`at the end ${rig.pacer.limit} at a time, rest ${rig.pacer.rest}`);
}

/** GETs one object over and over, in a process of its own. */
async function otherClient({ plane }: Rig): Promise<{ end(): Promise<(readonly [at: number, ms: number])[]> }> {
  const program = new URL("gets.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [program, plane.adminKubeconfig.path, `${COLLECTION}/v0`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  const ended = once(child, "close");
  // The first ones open the connection and compile the code.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const warm = Date.now();
  return {
    async end() {
      child.stdin.end();
      await ended;
      return (JSON.parse(text) as [number, number][]).filter(([at]) => at >= warm);
    },
  };
}
