/**
 * One Fabric, kept as its object says: a loop that is woken by news and by the clock and takes the same steps each time,
 * whatever the news was (level, not edge). Each step is safe to repeat; one that fails says so in the status, and is tried
 * again.
 *
 * 1. being deleted? stop, retire the rows, let the object go
 * 2. our finalizer is on it
 * 3. the `fabric` row is there, and the fence is ours
 * 4. suspended or unreadable? stop. Else the parts run as the spec says
 * 5. the rows are judged by the policy in force
 * 6. a sync that was asked for is begun
 * 7. figures are counted, and the status is written
 */
import type { Fabric, UnreadableFabric } from "../api/fabric.ts";
import { RECONCILE_AT } from "../api/fabric.ts";
import type { Condition, FabricStatus } from "../api/status.ts";
import { FabricSyncError, messageOf } from "../core/errors.ts";
import { abortable, pause } from "../core/pause.ts";
import type { FabricCounts } from "../core/ports.ts";
import type { Backoff } from "../core/retry.ts";
import type { GitStatus, StreamStatus } from "../core/streams.ts";
import type { Heartbeats, Logger } from "../core/telemetry.ts";
import { Attempts } from "./attempts.ts";
import type { EventRecorder } from "./events.ts";
import { FabricRows } from "./fabric-rows.ts";
import { FabricWork } from "./fabric-work.ts";
import type { FabricFacts } from "./facts.ts";
import { setFinalizer } from "./finalizer.ts";
import { SMALL_REQUEST_MS } from "./kube-api.ts";
import type { KubeApi } from "./kube-api.ts";
import type { ControllerStore, Parts } from "./parts.ts";
import { sourceError } from "./running.ts";
import { SecretReader } from "./secrets.ts";
import { StatusWriter } from "./status-writer.ts";
import { fabricStatusOf } from "./status.ts";
import { eventsBetween } from "./transitions.ts";
import { Waker } from "./waker.ts";

/** Nothing happened: look at the clock (ms). Conditions grow stale without news. */
const TICK_MS = 15_000;
/** A status that is due and was held back is looked at again after so long (ms). */
const STATUS_POLL_MS = 250;
/** Least time between two rounds of the loop (ms). */
const ROUND_GAP_MS = 50;
/** A step that failed is a small statement or request; 5 s at most, so that work goes on soon after the end of a fault. */
const STEP_BACKOFF: Backoff = { baseMs: 250, capMs: 5_000 };
/** Longest time between two rounds of the loop when all is well (ms): its clock, and a request or a transaction that hangs. */
const BEAT_MS = 5 * 60_000;

export interface RuntimeOptions {
  readonly api: KubeApi;
  readonly store: ControllerStore;
  readonly parts: Parts;
  readonly events: EventRecorder;
  readonly heartbeats: Heartbeats;
  readonly log: Logger;
  /** Written beside the fence, for people. */
  readonly holder: string;
  readonly now: () => number;
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
  readonly #secrets: SecretReader;
  readonly #rows: FabricRows;
  readonly #attempts: Attempts;
  readonly #waker = new Waker();
  #object: Fabric | UnreadableFabric;
  #work: FabricWork | null = null;
  /** The last generation that was acted upon. */
  #acted: number | null = null;
  /** The policy by which every row was judged, as JSON. */
  #judged: string | null = null;
  /** The request for a sync that was answered, and the one that is under way. */
  #handled: string;
  #syncing: string | null = null;
  #finished = false;

  constructor(object: Fabric | UnreadableFabric, options: RuntimeOptions) {
    const { namespace, name } = object.metadata;
    this.#options = options;
    this.#object = object;
    this.#log = options.log.child({ namespace, fabric: name });
    this.#status = new StatusWriter(options.api, options.now, object.status);
    this.#secrets = new SecretReader(options.api, namespace);
    this.#rows = new FabricRows(options.store, options.holder, options.now);
    this.#attempts = new Attempts(STEP_BACKOFF, options.now);
    this.#handled = object.status.lastHandledReconcileAt ?? "";
  }

  get uid(): string {
    return this.#object.metadata.uid;
  }

  get object(): Fabric | UnreadableFabric {
    return this.#object;
  }

  get report(): FabricReport {
    const { namespace, name } = this.#object.metadata;
    return {
      namespace,
      name,
      conditions: this.#status.written.conditions ?? [],
      streams: this.#work?.clusterFacts?.streams ?? [],
      git: this.#work?.gitStatus ?? null,
      counts: this.#rows.counts,
    };
  }

  /** The object as it is now. */
  observe(object: Fabric | UnreadableFabric): void {
    this.#object = object;
    this.#waker.wake();
  }

  /** The object went without us. */
  async detach(): Promise<void> {
    if (this.#finished) return;
    try {
      await this.#rows.detach(AbortSignal.timeout(SMALL_REQUEST_MS));
    } catch (error) {
      this.#log.warn({ error: messageOf(error) }, "the rows of a removed fabric were not marked as detached");
    }
  }

  /** Somebody pushed. */
  hint(): void {
    this.#work?.hint();
  }

  /**
   * One complete pass, then nothing of it runs any more. Gives the status that it came to, null when the Fabric was being
   * deleted and is gone; what could not be done before `signal` aborts is Unknown or False in it.
   */
  async runOnce(signal: AbortSignal): Promise<FabricStatus | null> {
    try {
      await this.#stepUntil(
        () => this.#acted === this.#object.metadata.generation && this.#attempts.failed === 0,
        signal,
      );
      const pass = this.#work?.sync();
      if (pass !== undefined && !signal.aborted) {
        await abortable(pass, signal).catch(() => undefined); // The status says what is missing.
        await this.#stepUntil(() => this.#isJudged && this.#attempts.failed === 0, signal);
        if (!signal.aborted) await abortable(this.#work?.settled() ?? Promise.resolve(), signal).catch(() => undefined);
        if (!signal.aborted) await this.#rows.count(signal, "now");
      }
      if (this.#finished) return null;
      const status = fabricStatusOf(this.#facts(), this.#status.written);
      // Also when `signal` has aborted: what it came to is the answer.
      await this.#write(status, AbortSignal.timeout(SMALL_REQUEST_MS));
      return status;
    } finally {
      await this.#end();
    }
  }

  /** Until `signal` aborts or the Fabric is gone. Nothing of it runs any more when this resolves. */
  async run(signal: AbortSignal): Promise<void> {
    const { namespace, name } = this.#object.metadata;
    const heartbeat = this.#options.heartbeats.register(`fabric ${namespace}/${name}`, BEAT_MS);
    try {
      while (!signal.aborted && !this.#finished) {
        heartbeat.beat();
        await this.#step(signal);
        if (this.#finished) break;
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
    const clean = await this.#halt(!this.#finished);
    if (!clean) this.#log.warn({}, "stopped before everything was written; the cursors tell where to go on");
  }

  async #stepUntil(done: () => boolean, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#finished) {
      await this.#step(signal);
      if (done()) return;
      await this.#waker.wait(this.#idleMs(), signal);
    }
  }

  async #step(signal: AbortSignal): Promise<void> {
    if (this.#options.now() >= this.#attempts.dueAt) {
      try {
        await this.#reconcile(signal);
        this.#attempts.success();
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof FabricSyncError && error.code === "FenceLost") await this.#loseFence(error);
        this.#attempts.failure();
        this.#log.warn({ error: messageOf(error), attempt: this.#attempts.failed }, "a step failed and is tried again");
      }
    }
    if (!signal.aborted && !this.#finished) await this.#tell(signal);
  }

  async #reconcile(signal: AbortSignal): Promise<void> {
    const object = this.#object;
    if (object.metadata.deletionTimestamp !== undefined) return this.#finalize(object, signal);
    if (!(await this.#setFinalizer(object, true, signal))) return; // The watch brings what changed.
    const { generation } = object.metadata;
    if ("problem" in object) {
      await this.#halt(true);
      this.#acted = generation;
      return;
    }
    // A fence that was lost while the lease is ours was taken by hand, or by a run that is over: it is taken back.
    if (this.#work?.failure != null) await this.#loseFence(this.#work.failure);
    await this.#rows.own(object, signal);
    if (object.spec.suspend) {
      await this.#halt(true);
      this.#acted = generation;
    } else {
      await this.#operate(object, signal);
      this.#acted = generation;
      await this.#judge(object, signal);
      this.#syncOnRequest(object, signal);
    }
    await this.#rows.count(signal);
  }

  /** Step 1: never waits for Git or for the mirrored cluster; for Postgres only where rows are to be dealt with. */
  async #finalize(object: Fabric | UnreadableFabric, signal: AbortSignal): Promise<void> {
    const { metadata } = object;
    // Whoever wrote a spec that we cannot read may have meant Retain: what is kept can still be deleted.
    const policy = "problem" in object || object.spec.deletionPolicy === "Retain" ? "retain" : "delete";
    await this.#halt(policy === "retain");
    await this.#rows.retire(metadata, policy, signal);
    // Not under `signal`: the watch may tell that the object is gone, which ends this loop, before our answer is here.
    if (!(await this.#setFinalizer(object, false, AbortSignal.timeout(SMALL_REQUEST_MS)))) return;
    this.#options.events.record(metadata, {
      type: "Normal",
      reason: policy === "delete" ? "RowsDeleted" : "RowsRetained",
      action: "Finalize",
      note: policy === "delete" ? "its rows and their history are deleted" : "its rows are kept, marked as detached",
    });
    this.#log.info({ policy }, "fabric retired");
    this.#finished = true;
  }

  async #setFinalizer(object: Fabric | UnreadableFabric, wanted: boolean, signal: AbortSignal): Promise<boolean> {
    const metadata = await setFinalizer(this.#options.api, object.metadata, wanted, signal);
    if (metadata === null) return false;
    if (this.#object === object) this.#object = { ...object, metadata };
    return true;
  }

  async #loseFence(error: FabricSyncError): Promise<void> {
    this.#log.warn({ code: error.code, error: error.message }, "writing ended; the fence is taken again");
    await this.#halt(false);
    this.#rows.loseFence();
  }

  /** Stops what runs. False when something had to be left behind. */
  async #halt(drain: boolean): Promise<boolean> {
    const work = this.#work;
    this.#work = null;
    this.#syncing = null;
    return work === null || work.stop(drain);
  }

  async #operate(object: Fabric, signal: AbortSignal): Promise<void> {
    const { owned } = this.#rows;
    if (owned === null) return;
    this.#work ??= new FabricWork(
      {
        ...owned,
        metadata: object.metadata,
        parts: this.#options.parts,
        store: this.#options.store,
        secrets: this.#secrets,
        log: this.#log,
        now: this.#options.now,
        onChange: () => this.#waker.wake(),
        onRows: () => {
          if (this.#rows.changed()) this.#waker.wake();
        },
      },
      object.spec,
    );
    await this.#work.apply(object.spec, signal);
  }

  /** Step 5. While something is read for the first time verdicts are about to change anyhow, so it waits for the end. */
  async #judge({ metadata, status }: Fabric, signal: AbortSignal): Promise<void> {
    const work = this.#work;
    const { owned } = this.#rows;
    if (work === null || owned === null || work.isReading) return;
    const { policy } = work;
    const wanted = JSON.stringify(policy);
    // Ready=True of this generation was said after the rows were judged by its policy, by whichever process.
    const ready = status.conditions?.find(({ type }) => type === "Ready");
    if (this.#judged === null && ready?.status === "True" && ready.observedGeneration === metadata.generation) {
      this.#judged = wanted;
    }
    if (this.#judged === wanted && !work.usedOtherThan(wanted)) return;
    await this.#rows.judge(owned.fence, policy, signal);
    this.#judged = wanted;
    work.judged(wanted);
  }

  /** Whether every row was judged by the policy in force. */
  get #isJudged(): boolean {
    return this.#judged !== null && this.#work !== null && this.#judged === JSON.stringify(this.#work.policy);
  }

  #syncOnRequest({ metadata }: Fabric, signal: AbortSignal): void {
    const asked = metadata.annotations[RECONCILE_AT] ?? "";
    const work = this.#work;
    if (asked === "" || asked === this.#handled || asked === this.#syncing || work === null) return;
    this.#syncing = asked;
    void work.sync().then(() => {
      // A newer request has its own end; one that was cut off is begun again by whoever comes next.
      if (signal.aborted || this.#syncing !== asked || this.#work !== work) return;
      this.#handled = asked;
      this.#syncing = null;
      this.#rows.changed();
      this.#waker.wake();
    });
  }

  async #tell(signal: AbortSignal): Promise<void> {
    const next = fabricStatusOf(this.#facts(), this.#status.written);
    if (this.#status.dueIn(next) === 0) await this.#write(next, signal);
  }

  async #write(next: FabricStatus, signal: AbortSignal): Promise<void> {
    const before = this.#status.written;
    const { metadata } = this.#object;
    try {
      if (!(await this.#status.write(metadata, next, signal))) return;
      for (const event of eventsBetween(before, next)) this.#options.events.record(metadata, event);
    } catch (error) {
      if (!signal.aborted) this.#log.warn({ error: messageOf(error) }, "the status was not written");
    }
  }

  #facts(): FabricFacts {
    const object = this.#object;
    const readable = "problem" in object ? null : object;
    const { namespace, name, generation } = object.metadata;
    const { asked, error } = this.#rows.facts;
    const health = this.#work?.storeHealth;
    const pumpError = health === undefined || health.ok ? null : { ...health, stalled: false };
    return {
      now: this.#options.now(),
      generation,
      actedGeneration: this.#acted,
      judged: this.#isJudged,
      suspended: readable?.spec.suspend ?? false,
      invalidSpec: "problem" in object ? sourceError(object.problem) : null,
      store: { asked, error: error ?? pumpError },
      cluster: this.#work?.clusterFacts ?? null,
      git: this.#work?.gitStatus ?? null,
      hasGit: readable?.spec.git !== undefined,
      counts: this.#rows.counts,
      handledReconcileAt: this.#handled,
      webhookPath: readable?.spec.webhook === undefined ? "" : `/webhooks/${namespace}/${name}`,
    };
  }

  /** How long the loop may sleep when nothing wakes it (ms). */
  #idleMs(): number {
    const now = this.#options.now();
    const due = [now + TICK_MS];
    const status = this.#status.dueIn(fabricStatusOf(this.#facts(), this.#status.written));
    if (status !== null) due.push(now + Math.max(status, STATUS_POLL_MS));
    // Everything else waits for the step that failed.
    const steps =
      this.#attempts.failed > 0 ? [this.#attempts.dueAt] : [this.#rows.countDueAt, this.#work?.dueAt ?? null];
    due.push(...steps.filter((at) => at !== null));
    return Math.max(0, Math.min(...due) - now);
  }
}
