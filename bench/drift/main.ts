/**
 * Drift on a real control plane and a real Postgres: `node bench/drift/main.ts [OBJECTS]`, default 10,000; three to five minutes.
 *
 * 1. that many objects in sync: dry runs that the API server sees, and the CPU of this process
 * 2. phase one alone, over that many pairs that agree: objects/s, and the longest the event loop is held
 * 3. the same by the store, as after a change of a Fabric's rules: the longest the event loop is held
 * 4. one edit by hand: until the row says `drifted` with who did it
 * 5. 1,000 rows that are suspects at once: until all are told, and what another client's GET takes meanwhile
 */
import { spawnSync } from "node:child_process";
import { pause } from "../../src/core/pause.ts";
import { waitFor } from "../../test/support/wait.ts";
import { byTheStore, phaseOne } from "./phase-one.ts";
import { percentile, Report } from "./report.ts";
import { startRig } from "./rig.ts";
import type { Rig } from "./rig.ts";
import { suspectsAtOnce } from "./suspects.ts";
import { COLLECTION } from "./workload.ts";

const OBJECTS = Number(process.argv[2] ?? 10_000);
const EDITS = 60;
const SUSPECTS = Math.min(1_000, OBJECTS - EDITS);
/** Long enough for one round of everything that runs on a clock (ms). */
const QUIET_MS = 20_000;

/** As the image runs the operator: small collections of garbage, often. */
const SHIPPED = "--max-semi-space-size=4";
if (!process.execArgv.includes(SHIPPED)) {
  const again = [SHIPPED, ...process.execArgv, ...process.argv.slice(1)];
  process.exit(spawnSync(process.execPath, again, { stdio: "inherit" }).status ?? 1);
}

const report = new Report();
const rig = await startRig(OBJECTS);
try {
  await rig.declare(0, OBJECTS, 1000, "1".repeat(40));
  await waitFor("everything in sync", async () => (await rig.count("drift_status = 'in_sync'")) === OBJECTS, {
    timeoutMs: 120_000,
  });
  // First: to clear up what the others leave behind takes V8 some seconds of CPU.
  await inSync(rig);
  await phaseOne(OBJECTS, rig.policy(), report);
  await byTheStore(rig, report);
  await edits(rig);
  await suspectsAtOnce(rig, EDITS, SUSPECTS, report);
} finally {
  await rig.stop();
}
console.log(report.table());
process.exit(report.holds ? 0 : 1);

async function inSync({ plane, signal }: Rig): Promise<void> {
  const dryRuns = async (): Promise<number> => {
    const text = await plane.request<string>("GET", "/metrics");
    const lines = text
      .split("\n")
      .filter((line) => line.startsWith("apiserver_request_total{") && line.includes('dry_run="All"'));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
  };
  const asked = await dryRuns();
  const cpu = process.cpuUsage();
  await pause(QUIET_MS, signal);
  const used = process.cpuUsage(cpu);
  const share = (used.user + used.system) / 1_000 / QUIET_MS;
  const runs = (await dryRuns()) - asked;
  const what = `${OBJECTS} objects in sync`;
  report.tell(`${what}, dry runs in ${QUIET_MS / 1_000} s`, "0", String(runs), runs === 0);
  report.tell(`${what}, CPU`, "< 1 % of a core", `${(100 * share).toFixed(2)} %`, share < 0.01);
}

async function edits({ plane, signal, count }: Rig): Promise<void> {
  const latencies: number[] = [];
  for (let edit = 0; edit < EDITS; edit += 1) {
    const began = performance.now();
    await plane.request("PATCH", `${COLLECTION}/v${edit}?fieldManager=kubectl-edit`, {
      body: { spec: { subnets: { "subnet-0": { vlan: 3000 } } } },
      headers: { "content-type": "application/merge-patch+json" },
    });
    const blamed = `name = 'v${edit}' AND drift_status = 'drifted' AND drift_details #>> '{paths,0,manager}' = 'kubectl-edit'`;
    while ((await count(blamed)) === 0) await pause(2, signal);
    latencies.push(performance.now() - began);
  }
  const p95 = percentile(latencies, 0.95);
  report.tell(
    "edit by hand → row drifted, with blame, p95",
    "≤ 300 ms",
    `${p95.toFixed(0)} ms (p50 ${percentile(latencies, 0.5).toFixed(0)} ms)`,
    p95 <= 300,
  );
}
