/**
 * Measures projections and the questions over them on one PostgreSQL in one run, and writes `bench/reports/topology.md`.
 *
 *   node bench/topology/main.ts [--switches 200] [--devices 1000] [--flaps 100] [--refusals 500] [--macs 2000]
 */
import { parseArgs } from "node:util";
import { calibrationOf, speedOf } from "./calibration.ts";
import { measureForwarding } from "./forwarding.ts";
import { measureFlaps, measureImpact, measureMap } from "./questions.ts";
import { collecting, writeReport } from "./report.ts";
import { startRig } from "./rig.ts";
import { measureProjection, measureRefusals } from "./writing.ts";

const { values: options } = parseArgs({
  options: {
    switches: { type: "string", default: "200" },
    devices: { type: "string", default: "1000" },
    flaps: { type: "string", default: "100" },
    refusals: { type: "string", default: "500" },
    macs: { type: "string", default: "2000" },
  },
});
const [switches, devices, flaps, refusals, macs] = [
  options.switches,
  options.devices,
  options.flaps,
  options.refusals,
  options.macs,
].map(Number) as [number, number, number, number, number];

const { figures, tell } = collecting();
await using rig = await startRig();
const speed = await speedOf(rig);
const main = await rig.fabric("main");
await measureProjection(rig, main, switches, tell);
await measureFlaps(rig, main, { switches, flaps }, speed, tell);
await measureMap(rig, main, tell);
await measureImpact(rig, await rig.fabric("large"), devices, speed, tell);
await measureForwarding(rig, await rig.fabric("forwarding"), { switches, macs, flaps }, speed, tell);
await measureRefusals(rig, await rig.fabric("refusing"), refusals, tell);
const command = ["node bench/topology/main.ts", ...process.argv.slice(2)].join(" ");
await writeReport(command, calibrationOf([speed, await speedOf(rig)]), figures);
