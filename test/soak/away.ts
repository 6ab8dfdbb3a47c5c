import { pause } from "../../src/core/pause.ts";
import { waitFor } from "../support/wait.ts";
import type { Rig } from "./rig.ts";

/** A stream that waits asks again at least every 30 s; then it reads what it missed, on a machine that does other things as well (ms). */
const BACK_WITHIN_MS = 90_000;
const SETTLE_MS = 30_000;
/** Before and after: enough that every kind has objects that came, changed and went. */
const CHANGES = 200;

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
  const change = async (seed: number): Promise<void> => {
    const load = rig.load(100, seed);
    load.start();
    await load.reached(CHANGES, BACK_WITHIN_MS);
    await load.stop();
  };
  await change(1);
  // What is still on its way into the table would come while the API server is away.
  const settled = await rig.check(SETTLE_MS);
  if (settled.findings.length > 0) throw new Error(`before it: ${settled.findings.length} rows wrong`);
  const rowsBefore = await rows();
  await rig.plane.halt();
  await pause(awayMs, never);
  const rowsMeanwhile = await rows();
  await rig.plane.restart();
  const begun = performance.now();
  await change(2);
  const { findings } = await rig.check(BACK_WITHIN_MS);
  const wholeAfterMs = Math.round(performance.now() - begun);
  const isReady = async (): Promise<string | false> => {
    const told = await rig.condition("ClusterReady");
    return told.startsWith("True") && told;
  };
  const ready = await waitFor("ClusterReady", isReady, { timeoutMs: BACK_WITHIN_MS });
  const broken = await rig.brokenHistory();
  const alive = rig.operator().process.running() && rig.operator().process.pid === pid;
  if (findings.length > 0 || broken.length > 0 || !alive || rowsMeanwhile !== rowsBefore) {
    throw new Error(
      `${findings.length} rows wrong, ${rowsBefore} rows became ${rowsMeanwhile}, alive: ${alive}; ${broken.join("; ")}`,
    );
  }
  return { awayMs, said: [ready], rowsBefore, rowsMeanwhile, wholeAfterMs };
}
