import { pause } from "../../src/core/pause.ts";
import { waitFor } from "../support/wait.ts";
import type { Rig } from "./rig.ts";

/** A stream that waits asks again at least every 30 s; then it reads what it missed (ms). */
const BACK_WITHIN_MS = 45_000;

export interface AwayRound {
  readonly awayMs: number;
  readonly said: readonly string[];
  readonly rowsBefore: number;
  readonly rowsMeanwhile: number;
  /** From the return of the API server until the table was the cluster again (ms). */
  readonly wholeAfterMs: number;
}

/**
 * The API server is gone for so long: no row goes, the operator lives on, and when it is back what happens there arrives.
 * @throws Error when one of these does not hold.
 */
export async function awayRound(rig: Rig, awayMs: number): Promise<AwayRound> {
  const never = new AbortController().signal;
  const { pid } = rig.operator().process;
  const rows = async (): Promise<number> =>
    (
      await rig.sql<{ n: number }>("SELECT count(*)::int AS n FROM fabric_sync.resource WHERE actual_spec IS NOT NULL")
    )[0]?.n ?? 0;
  const before = rig.load(100, 1);
  before.start();
  await pause(3_000, never);
  await before.stop();
  await rig.check(10_000);
  const rowsBefore = await rows();
  await rig.plane.halt();
  await pause(awayMs, never);
  const rowsMeanwhile = await rows();
  await rig.plane.restart();
  const begun = performance.now();
  const after = rig.load(100, 2);
  after.start();
  await pause(2_000, never);
  await after.stop();
  const { findings } = await rig.check(BACK_WITHIN_MS);
  const wholeAfterMs = Math.round(performance.now() - begun);
  const ready = await waitFor("ClusterReady", async () => {
    const told = await rig.condition("ClusterReady");
    return told.startsWith("True") && told;
  });
  const broken = await rig.brokenHistory();
  const alive = rig.operator().process.running() && rig.operator().process.pid === pid;
  if (findings.length > 0 || broken.length > 0 || !alive || rowsMeanwhile !== rowsBefore) {
    throw new Error(
      `${findings.length} rows wrong, ${rowsBefore} rows became ${rowsMeanwhile}, alive: ${alive}; ${broken.join("; ")}`,
    );
  }
  return { awayMs, said: [ready], rowsBefore, rowsMeanwhile, wholeAfterMs };
}
