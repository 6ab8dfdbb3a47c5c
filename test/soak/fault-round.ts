import { readFile } from "node:fs/promises";
import { pause } from "../../src/core/pause.ts";
import { waitFor } from "../support/wait.ts";
import type { Fault } from "./faults.ts";
import type { LoadFigures } from "./load.ts";
import type { Rig } from "./rig.ts";

export interface FaultRound {
  readonly fault: string;
  readonly lastedMs: number;
  /** What StoreReady said from its beginning until the table was whole, when that was not True. */
  readonly said: readonly string[];
  /** Writes that were given up for a while: with the fault's own SQLSTATE, where it has one, and in all. */
  readonly refused: { readonly own: number | null; readonly all: number };
  /** While it lasted: changes that the API server took, and observations that the database took. */
  readonly meanwhile: { readonly changes: number; readonly taken: number };
  /** From the end of the fault until no row was stale, missing or a ghost (ms). */
  readonly wholeAfterMs: number;
  readonly load: LoadFigures;
  /** The operator found that confirmed commits were not there. */
  readonly foundLost: boolean;
  /** Peak RSS of the operator since its start (MiB). */
  readonly peakMiB: number;
}

/** What StoreReady must say where commits were lost. */
const LOST = "False CursorsLost";
/** A fault that has not been told of, or met, or has not been under so many changes lasts on, but not for longer than this (ms). */
const TOLD_WITHIN_MS = 120_000;
const CHANGES_MEANWHILE = 50;
/** Of which the container of the operator has 256 MiB. */
const MEMORY_MIB = 256;
/** Rows must be whole so long after the fault (ms); on a machine where one comparison takes more than a third of a second, after so many of them. */
const WHOLE_WITHIN_MS = 10_000;
const WHOLE_WITHIN_CHECKS = 30;
const WHOLE_AT_LAST_MS = 60_000;
/** The load runs on for so long after the end of a fault (ms). */
const LOAD_AFTER_MS = 1_500;
/** A stream whose last confirmed step was a bookmark knows that it is where it was by the next one, a minute later (ms). */
const TAKEN_BACK_WITHIN_MS = 90_000;

/**
 * The fault lasts at least `atLeastMs`, and until it was told of and met.
 * @throws Error when the operator was restarted, grew too large or said nothing, a row is wrong too long after the fault, or the history broke.
 */
export async function faultRound(rig: Rig, fault: Fault, atLeastMs: number, perSecond: number): Promise<FaultRound> {
  const { process } = rig.operator();
  const { pid } = process;
  const assertAlive = async (): Promise<void> => {
    if (rig.operator().process.running() && rig.operator().process.pid === pid) return;
    throw new Error(`${fault.name}: the operator ended\n${await process.logTail()}`);
  };
  // Of the fault before nothing may be left to be told.
  await storeReady(rig);
  const checkMs = await durationOf(() => rig.check(WHOLE_WITHIN_MS));
  const refusedBefore = await refusals(rig, fault);
  const condition = await rig.follow("StoreReady");
  const load = rig.load(perSecond, 1);
  try {
    load.start();
    await load.reached(CHANGES_MEANWHILE, TOLD_WITHIN_MS);
    const begun = performance.now();
    const end = await fault.begin(rig);
    let before: FaultRound["meanwhile"];
    let meanwhile: FaultRound["meanwhile"];
    try {
      before = { changes: load.changes, taken: await taken(rig) };
      await pause(Math.max(0, begun + atLeastMs - performance.now()), new AbortController().signal);
      const lasted = async (): Promise<boolean> => {
        await assertAlive();
        const isMet = ((await refusals(rig, fault)).own ?? 1) > (refusedBefore.own ?? 0);
        const isTold = fault.loses === true ? condition.said.has(LOST) : untrue(condition.said).length > 0;
        return isMet && isTold && load.changes >= before.changes + CHANGES_MEANWHILE;
      };
      await waitFor("it to be met and told", lasted, { timeoutMs: TOLD_WITHIN_MS, intervalMs: 200 }).catch(
        async (error: unknown) => {
          const seen = { said: [...condition.said], refused: await refusals(rig, fault), load: load.figures() };
          throw new Error(`${fault.name}: ${JSON.stringify({ ...seen, unanswered: load.unanswered, before })}`, {
            cause: error,
          });
        },
      );
      meanwhile = { changes: load.changes - before.changes, taken: (await taken(rig)) - before.taken };
    } finally {
      await end();
    }
    const ended = performance.now();
    await pause(LOAD_AFTER_MS, new AbortController().signal);
    const figures = load.figures();
    await load.stop();
    await assertAlive();
    const within = Math.max(WHOLE_WITHIN_MS, Math.min(WHOLE_AT_LAST_MS, WHOLE_WITHIN_CHECKS * checkMs));
    const { findings, unchecked } = await rig.check(Math.max(0, ended + within - performance.now()));
    const wholeAfterMs = Math.round(performance.now() - ended);
    const broken = [...(await rig.brokenHistory()), ...load.errors.slice(0, 1)];
    if (findings.length > 0 || unchecked.length > 0 || broken.length > 0) {
      throw new Error(
        `${fault.name}: ${findings.length} rows wrong, such as ${JSON.stringify(findings[0] ?? null)}; ${unchecked.length} not compared; ${broken.join("; ")}`,
      );
    }
    await storeReady(rig);
    await condition.stop();
    const refused = await refusals(rig, fault);
    const round: FaultRound = {
      fault: fault.name,
      lastedMs: Math.round(ended - begun),
      said: untrue(condition.said),
      refused: {
        own: refused.own === null ? null : refused.own - (refusedBefore.own ?? 0),
        all: refused.all - refusedBefore.all,
      },
      meanwhile,
      wholeAfterMs,
      load: figures,
      foundLost: (await readFile(process.logFile, "utf8")).includes("lost commits"),
      peakMiB: await peakMiB(pid),
    };
    await assertAlive();
    if (round.peakMiB > MEMORY_MIB || round.foundLost !== (fault.loses === true)) {
      throw new Error(`this must not be: ${JSON.stringify(round)}`);
    }
    return round;
  } finally {
    condition.leave();
    await load.stop();
  }
}

async function storeReady(rig: Rig): Promise<void> {
  const isTrue = async () => (await rig.condition("StoreReady")).startsWith("True");
  await waitFor("StoreReady", isTrue, { timeoutMs: TAKEN_BACK_WITHIN_MS });
}

/** Since the operator began. */
async function refusals(rig: Rig, { sqlstate }: Fault): Promise<FaultRound["refused"]> {
  const count = (labels = {}) => rig.operator().metric("fabric_sync_write_retries_total", labels);
  return { own: sqlstate === undefined ? null : await count({ sqlstate }), all: await count() };
}

async function taken(rig: Rig): Promise<number> {
  return rig.operator().metric("fabric_sync_observations_total", { source: "cluster", outcome: "changed" });
}

function untrue(said: ReadonlySet<string>): string[] {
  return [...said].filter((words) => words.startsWith("False"));
}

async function durationOf(act: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await act();
  return performance.now() - begun;
}

async function peakMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
}
