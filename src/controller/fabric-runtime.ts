/**
 * One Fabric, kept as its object says: a loop that is woken by news and by the clock and takes the same steps each time
 * (`fabric-steps.ts`), whatever the news was (level, not edge). A step that fails says so in the status, and is tried again;
 * after the steps the status is written.
 */
import type { Fabric, UnreadableFabric } from "../api/fabric.ts";
import type { Condition, FabricStatus } from "../api/status.ts";
import { FabricSyncError, messageOf } from "../core/errors.ts";
import { abortable, pause } from "../core/pause.ts";
import type { FabricCounts } from "../core/ports.ts";
import type { Backoff } from "../core/retry.ts";
import type { GitStatus, StreamStatus } from "../core/streams.ts";
import type { Heartbeats, Logger } from "../core/telemetry.ts";
import { Attempts } from "./attempts.ts";
import { FabricSteps } from "./fabric-steps.ts";
import type { StepsOptions } from "./fabric-steps.ts";
import { SMALL_REQUEST_MS } from "./kube-api.ts";
import { StatusWriter } from "./status-writer.ts";
import { fabricStatusOf, tellsOfLoss } from "./status.ts";
import { eventsBetween } from "./transitions.ts";
import { Waker } from "./waker.ts";

/** Nothing happened: look at the clock (ms). Conditions grow stale without news. */
const TICK_MS = 15_000;
/** A status that is due and was held back is looked at again after so long (ms). */
const STATUS_POLL_MS = 250;
/** Lost commits are looked at so often until they are there again (ms): as often as a status is written. */
const LOSS_POLL_MS = 1_000;
/** Least time between two rounds of the loop (ms). */
const ROUND_GAP_MS = 50;
/** A step that failed is a small statement or request; 5 s at most, so that work goes on soon after the end of a fault. */
const STEP_BACKOFF: Backoff = { baseMs: 250, capMs: 5_000 };
/** Longest time between two rounds of the loop when all is well (ms): its clock, and a request or a transaction that hangs. */
const BEAT_MS = 5 * 60_000;

export interface RuntimeOptions extends Omit<StepsOptions, "onNews"> {
  readonly heartbeats: Heartbeats;
}

/** What probes and metrics ask. No I/O. */
export interface FabricReport {
  readonly namespace: string;
  readonly name: string;
  readonly conditions: readonly Condition[];
  readonly streams: readonly StreamStatus[];
  readonly git: GitStatus | null;
  readonly counts: FabricCounts | null;
}

export class FabricRuntime {
  readonly #options: RuntimeOptions;
  readonly #log: Logger;
  readonly #status: StatusWriter;
  readonly #steps: FabricSteps;
  readonly #attempts: Attempts;
  readonly #waker = new Waker();

  constructor(object: Fabric | UnreadableFabric, options: RuntimeOptions) {
    const { namespace, name } = object.metadata;
    this.#options = options;
    this.#log = options.log.child({ namespace, fabric: name });
    this.#status = new StatusWriter(options.api, options.now, object.status);
    this.#steps = new FabricSteps(object, { ...options, log: this.#log, onNews: () => this.#waker.wake() });
    this.#attempts = new Attempts(STEP_BACKOFF, options.now);
  }

  get uid(): string {
    return this.object.metadata.uid;
  }

  get object(): Fabric | UnreadableFabric {
    return this.#steps.object;
  }

  get report(): FabricReport {
    const { namespace, name } = this.object.metadata;
    const { work, rows } = this.#steps;
    return {
      namespace,
      name,
      conditions: this.#status.written.conditions ?? [],
      streams: work?.clusterFacts?.streams ?? [],
      git: work?.gitStatus ?? null,
      counts: rows.counts,
    };
  }

  /** The object as it is now. */
  observe(object: Fabric | UnreadableFabric): void {
    this.#steps.observe(object);
    this.#waker.wake();
  }

  /** The object went without us. */
  async detach(): Promise<void> {
    if (this.#steps.finished) return;
    try {
      await this.#steps.rows.detach(AbortSignal.timeout(SMALL_REQUEST_MS));
    } catch (error) {
      this.#log.warn({ error: messageOf(error) }, "the rows of a removed fabric were not marked as detached");
    }
  }

  /** Somebody pushed. */
  hint(): void {
    this.#steps.work?.hint();
  }

  /**
   * One complete pass, then nothing of it runs any more. Gives the status that it came to, null when the Fabric was being
   * deleted and is gone; what could not be done before `signal` aborts is Unknown or False in it.
   */
  async runOnce(signal: AbortSignal): Promise<FabricStatus | null> {
    const steps = this.#steps;
    try {
      await this.#stepUntil(() => steps.isActed && this.#attempts.failed === 0, signal);
      const pass = steps.work?.sync();
      if (pass !== undefined && !signal.aborted) {
        await abortable(pass, signal).catch(() => undefined); // The status says what is missing.
        await this.#stepUntil(() => steps.isJudged && this.#attempts.failed === 0, signal);
        if (!signal.aborted) await abortable(steps.work?.settled() ?? Promise.resolve(), signal).catch(() => undefined);
        if (!signal.aborted) await steps.rows.count(signal, "now");
      }
      if (steps.finished) return null;
      // Nobody would take it back: of what was lost, only what still is.
      steps.lossTold(this.#options.now());
      const status = fabricStatusOf(steps.facts(), this.#status.written);
      // Also when `signal` has aborted: what it came to is the answer.
      await this.#write(status, AbortSignal.timeout(SMALL_REQUEST_MS));
      return status;
    } finally {
      await this.#end();
    }
  }

  /** Until `signal` aborts or the Fabric is gone. Nothing of it runs any more when this resolves. */
  async run(signal: AbortSignal): Promise<void> {
    const { namespace, name } = this.object.metadata;
    const heartbeat = this.#options.heartbeats.register(`fabric ${namespace}/${name}`, BEAT_MS);
    try {
      while (!signal.aborted && !this.#steps.finished) {
        heartbeat.beat();
        await this.#step(signal);
        if (this.#steps.finished) break;
        // News come in showers; one round serves all that came meanwhile.
        await pause(ROUND_GAP_MS, signal);
        await this.#waker.wait(this.#idleMs(), signal);
      }
    } finally {
      await this.#end();
      heartbeat.end();
    }
  }

  async #end(): Promise<void> {
    const clean = await this.#steps.halt(!this.#steps.finished);
    if (!clean) this.#log.warn({}, "stopped before everything was written; the cursors tell where to go on");
  }

  async #stepUntil(done: () => boolean, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#steps.finished) {
      await this.#step(signal);
      if (done()) return;
      await this.#waker.wait(this.#idleMs(), signal);
    }
  }

  async #step(signal: AbortSignal): Promise<void> {
    if (this.#options.now() >= this.#attempts.dueAt) {
      try {
        await this.#steps.take(signal);
        this.#attempts.success();
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof FabricSyncError && error.code === "FenceLost") await this.#steps.loseFence(error);
        this.#attempts.failure();
        this.#log.warn({ error: messageOf(error), attempt: this.#attempts.failed }, "a step failed and is tried again");
      }
    }
    if (!signal.aborted && !this.#steps.finished) await this.#tell(signal);
  }

  async #tell(signal: AbortSignal): Promise<void> {
    const facts = this.#steps.facts();
    const next = fabricStatusOf(facts, this.#status.written);
    if (this.#status.dueIn(next) !== 0 || !(await this.#write(next, signal))) return;
    if (tellsOfLoss(next)) this.#steps.lossTold(facts.now);
  }

  /** Whether it was written. */
  async #write(next: FabricStatus, signal: AbortSignal): Promise<boolean> {
    const before = this.#status.written;
    const { metadata } = this.object;
    try {
      if (!(await this.#status.write(metadata, next, signal))) return false;
      for (const event of eventsBetween(before, next)) this.#options.events.record(metadata, event);
      return true;
    } catch (error) {
      if (!signal.aborted) this.#log.warn({ error: messageOf(error) }, "the status was not written");
      return false;
    }
  }

  /** How long the loop may sleep when nothing wakes it (ms). */
  #idleMs(): number {
    const now = this.#options.now();
    const due = [now + TICK_MS];
    const facts = this.#steps.facts();
    // That it is repaired is no news from anybody: a cursor was committed.
    if (facts.storeLoss !== null) due.push(now + LOSS_POLL_MS);
    const status = this.#status.dueIn(fabricStatusOf(facts, this.#status.written));
    if (status !== null) due.push(now + Math.max(status, STATUS_POLL_MS));
    // Everything else waits for the step that failed.
    const { rows, work } = this.#steps;
    const steps = this.#attempts.failed > 0 ? [this.#attempts.dueAt] : [rows.countDueAt, work?.dueAt ?? null];
    due.push(...steps.filter((at) => at !== null));
    return Math.max(0, Math.min(...due) - now);
  }
}
