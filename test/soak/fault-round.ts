import { readFile } from "node:fs/promises";
import { pause } from "../../src/core/pause.ts";
import { waitFor } from "../support/wait.ts";
import type { Fault } from "./faults.ts";
import type { Rig } from "./rig.ts";

export interface FaultRound {
  readonly fault: string;
  readonly lastedMs: number;
  /** What StoreReady said while it lasted. */
  readonly said: readonly string[];
  /** From the end of the fault until no row was stale, missing or a ghost (ms). */
  readonly wholeAfterMs: number;
  readonly changes: number;
  /** The operator found that confirmed commits were not there. */
  readonly foundLost: boolean;
  /** Peak RSS of the operator since its start (MiB). */
  readonly peakMiB: number;
}

/** StoreReady must say what is wrong so long after it began (ms); a server that is silent is told of after five seconds. */
const TOLD_WITHIN_MS = 20_000;
/** Of which the container of the operator has 256 MiB. */
const MEMORY_MIB = 256;
/** Rows must be whole so long after the fault (ms). */
const WHOLE_WITHIN_MS = 10_000;
/** The load runs on for so long after the end of a fault (ms). */
const LOAD_AFTER_MS = 1_500;
const CONDITION_EVERY_MS = 200;

/**
 * The fault lasts at least `atLeastMs`, and until it was told of.
 * @throws Error when the operator was restarted, grew too large or said nothing, a row is wrong too long after the fault, or the history broke.
 */
export async function faultRound(rig: Rig, fault: Fault, atLeastMs: number, perSecond: number): Promise<FaultRound> {
  const never = new AbortController().signal;
  const { pid } = rig.operator().process;
  // Of the fault before nothing may be left to be told.
  await waitFor("StoreReady before the fault", async () => (await rig.condition("StoreReady")).startsWith("True"));
  const load = rig.load(perSecond, 1);
  load.start();
  await pause(LOAD_AFTER_MS, never);
  const said = new Set<string>();
  const begun = performance.now();
  const end = await fault.begin(rig);
  const leastMs = (): number =>
    fault.brief === true || said.size > 0 ? atLeastMs : Math.max(atLeastMs, TOLD_WITHIN_MS);
  while (performance.now() - begun < leastMs()) {
    const condition = await rig.condition("StoreReady");
    if (condition.startsWith("False")) said.add(condition);
    await pause(CONDITION_EVERY_MS, never);
  }
  await end();
  const ended = performance.now();
  await pause(LOAD_AFTER_MS, never);
  await load.stop();
  const { process } = rig.operator();
  const alive = (): boolean => process.running() && process.pid === pid;
  if (!alive()) throw new Error(`${fault.name}: the operator ended\n${await process.logTail()}`);
  const { findings, unchecked } = await rig.check(Math.max(0, ended + WHOLE_WITHIN_MS - performance.now()));
  const wholeAfterMs = Math.round(performance.now() - ended);
  const broken = [...(await rig.brokenHistory()), ...load.errors.slice(0, 1)];
  if (findings.length > 0 || unchecked.length > 0 || broken.length > 0) {
    throw new Error(
      `${fault.name}: ${findings.length} rows wrong, such as ${JSON.stringify(findings[0] ?? null)}; ${unchecked.length} not compared; ${broken.join("; ")}`,
    );
  }
  const round: FaultRound = {
    fault: fault.name,
    lastedMs: Math.round(ended - begun),
    said: [...said],
    wholeAfterMs,
    changes: load.changes,
    foundLost: (await readFile(process.logFile, "utf8")).includes("lost commits"),
    peakMiB: await peakMiB(pid),
  };
  if (!alive()) throw new Error(`${fault.name}: the operator ended\n${await process.logTail()}`);
  const untold = said.size === 0 && fault.brief !== true;
  if (untold || round.peakMiB > MEMORY_MIB || round.foundLost !== (fault.loses === true)) {
    throw new Error(`this must not be: ${JSON.stringify(round)}`);
  }
  return round;
}

async function peakMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
}
