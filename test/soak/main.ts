/**
 * `npm run soak -- [kills] [N] [SEED]`: kill -9 of the operator at random instants, N times (200), under load.
 * `npm run soak -- faults [SECONDS] [NAME…]`: every fault of `faults.ts` for so long (20), under 200 changes/s on 24 kinds.
 * `npm run soak -- away [SECONDS]`: the API server is gone for so long (300).
 * Runs the program as this checkout would ship it when it begins. Ends with 1 at the first thing that does not hold.
 */
import { join } from "node:path";
import { bundleInto } from "../../scripts/bundle.ts";
import { createWorkspace } from "../support/workspace.ts";
import { awayRound } from "./away.ts";
import { faultRound } from "./fault-round.ts";
import type { FaultRound } from "./fault-round.ts";
import { FAULTS } from "./faults.ts";
import { killRounds } from "./kills.ts";
import { startRig } from "./rig.ts";

function cells({
  fault,
  lastedMs,
  said,
  refused,
  meanwhile,
  wholeAfterMs,
  load,
  foundLost,
  peakMiB,
}: FaultRound): unknown[] {
  const { changes, perSecond, heldShare, cores } = load;
  return [
    ...[fault, lastedMs, said.join(", "), refused.own === null ? refused.all : `${refused.own} of ${refused.all}`],
    ...[wholeAfterMs, meanwhile.changes, meanwhile.taken],
    ...[changes, perSecond, heldShare, cores, foundLost ? "yes" : "no", peakMiB],
  ];
}

const [what = "kills", count, ...rest] = process.argv.slice(2);
// Of its own: a build meanwhile must not change what runs.
const workspace = await createWorkspace("soak-dist");
await bundleInto(workspace.directory);
const rig = await startRig({ bundle: join(workspace.directory, "fabric-sync.mjs"), kinds: 24 });
try {
  await rig.start();
  await rig.operator().ready(60_000);
  if (what === "faults") {
    const chosen = rest.length === 0 ? FAULTS : FAULTS.filter(({ name }) => rest.includes(name));
    const all: string[] = [
      "| fault | lasted ms | StoreReady said | refused with it | whole after ms | changes meanwhile | taken meanwhile | changes | a second | held | load's cores | lost commits found | peak MiB |",
      `|${" --- |".repeat(13)}`,
    ];
    for (const fault of chosen) {
      // A server that is silent is told of after some seconds, so it lasts longer.
      const seconds = Number(count ?? 20) * (fault.name === "SIGSTOP" ? 1.5 : 1);
      const round = await faultRound(rig, fault, seconds * 1_000, 200);
      all.push(`| ${cells(round).join(" | ")} |`);
      console.log(JSON.stringify(round));
    }
    console.log(all.join("\n"));
  } else if (what === "away") {
    console.log(JSON.stringify(await awayRound(rig, Number(count ?? 300) * 1_000)));
  } else {
    const seed = Number(rest[0] ?? Date.now() % 1_000_000);
    const rounds = Number(count ?? 200);
    console.log(`${rounds} kills, seed ${seed}`);
    const settled: number[] = [];
    await killRounds(rig, { rounds, seed, lifeMs: 4_000 }, (round) => {
      settled.push(round.settledMs);
      console.log(JSON.stringify(round));
    });
    settled.sort((a, b) => a - b);
    const at = (share: number): number =>
      settled[Math.min(settled.length - 1, Math.floor(share * settled.length))] ?? 0;
    console.log(`${rounds} kills, no gap, no double event; start to settled: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
  }
} finally {
  await rig.stop();
  await workspace.dispose();
}
