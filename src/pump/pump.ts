import { CursorsLost, FabricSyncError, messageOf } from "../core/errors.ts";
import type { ApplyResult, Batch, Cursor } from "../core/ports.ts";
import type { Lane, Revision, RevisionSink } from "../core/streams.ts";
import { Batcher } from "./batcher.ts";
import { PUMP_LIMITS } from "./limits.ts";
import { isDue } from "./due.ts";
import type { PumpLimits } from "./limits.ts";
import { backlogOf, PumpLane } from "./pump-lane.ts";
import type { LaneHost } from "./pump-lane.ts";
import { pumpStopped, RetryingWriter } from "./retrying-writer.ts";
import type { StoreHealth, WriterOptions } from "./retrying-writer.ts";
import { Writers } from "./writers.ts";
import type { Writer } from "./writers.ts";

export interface PumpOptions extends WriterOptions {
  /** Aborting it stops the pump at once; `drain` first for an orderly end. */
  readonly signal: AbortSignal;
  readonly limits?: Partial<PumpLimits>;
  /** After each committed batch. */
  readonly onApplied?: (source: "cluster" | "git", result: ApplyResult) => void;
}

/**
 * Everything of one Fabric that goes to Postgres goes through its pump: the lanes of the cluster's streams, a lane in one batch at a
 * time, and the revisions of Git, a transaction each.
 */
export class Pump {
  readonly #options: PumpOptions;
  readonly #limits: PumpLimits;
  readonly #batcher: Batcher;
  readonly #writer: RetryingWriter;
  readonly #writers: Writers;
  readonly #stop = new AbortController();
  readonly #failure = Promise.withResolvers<FabricSyncError>();
  readonly #revisions = new Set<Promise<unknown>>();
  #lanes: PumpLane[] = [];
  /** The first of all waits for nothing: that something comes is seen at once. */
  #gather = { items: 1, ms: 0 };
  #markTimer: NodeJS.Timeout | null = null;
  #gatherTimer: NodeJS.Timeout | null = null;
  #draining = false;
  #ended: Error | null = null;

  constructor(options: PumpOptions) {
    this.#options = options;
    this.#limits = { ...PUMP_LIMITS, ...options.limits };
    this.#batcher = new Batcher(this.#limits);
    this.#writers = new Writers(this.#limits);
    this.#writer = new RetryingWriter(options, this.#stop.signal);
    if (options.signal.aborted) this.#end(pumpStopped());
    else options.signal.addEventListener("abort", () => this.#end(pumpStopped()), { signal: this.#stop.signal });
  }

  /** A new lane; `name` is for people, `saved` the cursor that the database holds. One source offers to it, in its order. */
  lane(name: string, saved: Cursor | null = null): Lane {
    const host: LaneHost = {
      wake: (asked) => this.#wakeFor(asked),
      isFull: (asked) => this.#isFull(asked),
      ended: () => this.#ended,
    };
    const lane = new PumpLane(name, host, saved);
    this.#lanes.push(lane);
    return lane;
  }

  /** Where the Git source of the Fabric puts its revisions. */
  readonly revisions: RevisionSink = { commit: (revision) => this.#commit(revision) };

  storeHealth(): StoreHealth {
    return this.#writer.health();
  }

  /** Resolves with the `fatal` error (`FenceLost`, …) that ended the pump; stays open when it is stopped on purpose. */
  get failure(): Promise<FabricSyncError> {
    return this.#failure.promise;
  }

  /** What waits in the lanes, for metrics. */
  get backlog(): { readonly items: number; readonly bytes: number } {
    return backlogOf(this.#lanes);
  }

  /**
   * Writes what is queued and stops. Gives up after `deadlineMs`: false, and the cursors tell where the next process goes on.
   * Sources are stopped before this is called.
   */
  async drain(deadlineMs: number): Promise<boolean> {
    const deadline = Promise.withResolvers<false>();
    const timer = setTimeout(() => deadline.resolve(false), deadlineMs);
    try {
      this.#draining = true;
      const written = Promise.all([...this.#lanes.map((lane) => lane.drained()), ...this.#revisions]);
      return await Promise.race([written.then(() => true), deadline.promise]);
    } catch (error) {
      this.#options.logger.warn({ error: messageOf(error) }, "pump ended before it was drained");
      return false;
    } finally {
      clearTimeout(timer);
      this.#end(pumpStopped());
    }
  }

  /** Ends now. What is queued or in retry is dropped; no cursor covers it. */
  stop(): void {
    this.#end(pumpStopped());
  }

  /** Called for each observation: what makes no difference is found out first. */
  #wakeFor(lane: PumpLane): void {
    if (lane.busy && !lane.isAwaited) return;
    if (lane.queue.items > this.#limits.laneReserve && !this.#writers.isFree("bulk")) return;
    this.#wake(lane.isAwaited);
  }

  #wake(marksToo: boolean): void {
    if (this.#ended !== null) return;
    for (const writer of ["express", "bulk"] as const) {
      // What is offered in this turn goes with it, so that company stays together.
      if (this.#writers.isGathering(writer)) return;
      if (!this.#writers.isFree(writer)) continue;
      if (!this.#lanesFor(writer).some((lane) => isDue(lane, this.#gather, marksToo || this.#draining))) continue;
      this.#writers.begin(writer);
      void this.#write(writer);
      return;
    }
    this.#lookLater();
  }

  #lookLater(): void {
    const waiting = this.#lanes.filter((lane) => !lane.busy && !lane.isEmpty);
    if (waiting.some((lane) => lane.queue.items > 0)) {
      this.#gatherTimer ??= setTimeout(() => {
        this.#gatherTimer = null;
        this.#wake(false);
      }, this.#limits.gatherMs);
    }
    if (!waiting.some((lane) => lane.queue.marks > 0)) return;
    this.#markTimer ??= setTimeout(() => {
      this.#markTimer = null;
      this.#wake(true);
    }, this.#limits.markDelayMs);
  }

  #lanesFor(writer: Writer): readonly PumpLane[] {
    const free = this.#lanes.filter((lane) => !lane.busy);
    return this.#writers.lanesFor(writer, free);
  }

  /** One writer: batch after batch, as long as there is something for it that no other writer has. */
  async #write(writer: Writer): Promise<void> {
    try {
      // What arrived in the same network read goes into the same batch.
      await new Promise((resolve) => setImmediate(resolve));
      this.#writers.gathered(writer);
      for (;;) {
        const lanes = this.#lanesFor(writer);
        if (this.#ended !== null || !this.#hasWork(lanes)) break;
        await this.#writeNext(lanes);
      }
    } catch (error) {
      const fatal =
        error instanceof FabricSyncError
          ? error
          : new FabricSyncError("PumpFailed", "fatal", messageOf(error), { cause: error });
      this.#end(fatal);
      if (fatal.code !== "PumpStopped") this.#failure.resolve(fatal);
    } finally {
      this.#writers.end(writer);
      this.#lanes = this.#lanes.filter((lane) => !(lane.closed && lane.isEmpty && !lane.busy));
      this.#wake(false);
    }
  }

  #hasWork(lanes: readonly PumpLane[]): boolean {
    const marksAlone = this.#draining || this.#markTimer === null || this.#lanes.some((lane) => lane.isAwaited);
    return lanes.some((lane) => isDue(lane, this.#gather, marksAlone));
  }

  async #writeNext(free: readonly PumpLane[]): Promise<void> {
    const { lanes, ...batch } = this.#batcher.next(free);
    this.#gather = { items: this.#limits.gatherItems, ms: this.#limits.gatherMs };
    for (const lane of this.#lanes) lane.releaseRoom();
    if (lanes.length === 0) return;
    // What is left is for a writer that is free.
    this.#wake(false);
    const result = await this.#writeCluster(batch, lanes);
    this.#batcher.learn(batch.observations.length, result.durationMs);
    this.#options.onApplied?.("cluster", result);
    for (const lane of lanes) lane.committed();
  }

  /** Where the database lost commits, the observations are written all the same: they are true. What they continue is not there. */
  async #writeCluster(batch: Omit<Batch, "fence" | "policy">, lanes: readonly PumpLane[]): Promise<ApplyResult> {
    for (let { cursors } = batch; ;) {
      try {
        return await this.#writer.write("cluster", { ...batch, cursors });
      } catch (error) {
        if (!(error instanceof CursorsLost)) throw error;
        const lost = new Set(error.scopes);
        this.#options.logger.warn({ scopes: error.scopes.slice(0, 5), lost: lost.size }, error.message);
        cursors = cursors.filter(({ scope }) => !lost.has(scope));
        for (const lane of lanes) if (lost.has(lane.saved()?.scope ?? "")) lane.dropMarks();
        this.#options.onInterrupted?.();
      }
    }
  }

  async #commit(revision: Revision): Promise<ApplyResult> {
    if (this.#ended !== null) throw this.#ended;
    const { observations, cursor, after, gitFiles } = revision;
    const expected = after === undefined ? [] : [after];
    const write = this.#writer.write("git", { observations, cursors: [cursor], expected, gitFiles });
    const settled = write.then(
      () => undefined,
      () => undefined, // the caller gets the error; drain only waits for the end
    );
    this.#revisions.add(settled);
    try {
      const result = await write;
      this.#options.onApplied?.("git", result);
      return result;
    } catch (error) {
      if (error instanceof CursorsLost) {
        this.#options.onInterrupted?.();
      } else if (error instanceof FabricSyncError && error.code !== "PumpStopped") {
        this.#end(error);
        this.#failure.resolve(error);
      }
      throw error;
    } finally {
      this.#revisions.delete(settled);
    }
  }

  #isFull(lane: PumpLane): boolean {
    const { laneItems, laneBytes, totalItems, totalBytes, laneReserve } = this.#limits;
    if (lane.queue.items >= laneItems || lane.queue.bytes >= laneBytes) return true;
    if (lane.queue.items < laneReserve) return false;
    const { items, bytes } = this.backlog;
    return items >= totalItems || bytes >= totalBytes;
  }

  #end(error: Error): void {
    if (this.#ended !== null) return;
    this.#ended = error;
    if (this.#markTimer !== null) clearTimeout(this.#markTimer);
    if (this.#gatherTimer !== null) clearTimeout(this.#gatherTimer);
    this.#stop.abort();
    for (const lane of this.#lanes) lane.fail(error);
  }
}
