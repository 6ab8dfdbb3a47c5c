import { pause } from "../../src/core/pause.ts";
import { waitFor } from "../support/wait.ts";
import { mulberry32 } from "./load.ts";
import type { Rig } from "./rig.ts";

/** How long the table may take to be the cluster again (ms). */
const SETTLE_MS = 30_000;
const CHANGES_PER_SECOND = 100;
const CHANGES_BEFORE = 10;

export interface Kills {
  readonly rounds: number;
  readonly seed: number;
  /** Longest life of an operator that is about to be killed (ms): from before its first line to well after it is ready. */
  readonly lifeMs: number;
}

export interface KillRound {
  readonly round: number;
  /** How long it had lived (ms), and how long the next one took until the table was the cluster (ms). */
  readonly livedMs: number;
  readonly settledMs: number;
  readonly changes: number;
}

/**
 * kill -9 at random instants while objects come, change and go; after each the next operator must make the table equal to the cluster, with
 * a history in which nothing is missing and nothing is twice. Stops at the first round in which that is not so. An operator runs.
 */
export async function killRounds(
  rig: Rig,
  { rounds, seed, lifeMs }: Kills,
  told: (round: KillRound) => void,
): Promise<void> {
  const random = mulberry32(seed);
  const never = new AbortController().signal;
  for (let round = 1; round <= rounds; round++) {
    const load = rig.load(CHANGES_PER_SECOND, seed + round);
    load.start();
    // Each kill comes amid changes, however slow the servers are; when it comes is left to chance all the same.
    await load.reached(CHANGES_BEFORE, SETTLE_MS);
    // One in four is killed as it starts.
    if (random() < 0.25) {
      await rig.operator().process.stop("SIGKILL");
      await rig.start();
    }
    const livedMs = Math.round(random() * lifeMs);
    await pause(livedMs, never);
    await rig.operator().process.stop("SIGKILL");
    await load.stop();
    const begun = performance.now();
    await rig.start();
    await rig.operator().ready(60_000);
    const { findings, unchecked } = await waitFor(
      "the check",
      async () => {
        const report = await rig.check(SETTLE_MS);
        return { ...report, unchecked: report.unchecked.length };
      },
      { timeoutMs: 3 * SETTLE_MS },
    );
    const broken = [...(await rig.brokenHistory()), ...load.errors.slice(0, 1)];
    if (findings.length > 0 || unchecked > 0 || broken.length > 0) {
      throw new Error(
        `round ${round} (seed ${seed}): ${findings.length} rows wrong, such as ${JSON.stringify(findings[0] ?? null)}; ${unchecked} not compared; ${broken.join("; ")}`,
      );
    }
    told({ round, livedMs, settledMs: Math.round(performance.now() - begun), changes: load.changes });
  }
}
