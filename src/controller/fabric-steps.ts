/**
 * What is done for one Fabric, in this order, each time. Each step is safe to repeat.
 *
 * 1. being deleted? stop, retire the rows, let the object go
 * 2. our finalizer is on it
 * 3. the `fabric` row is there, and the fence is ours
 * 4. suspended or unreadable? stop. Else the parts run as the spec says
 * 5. the rows are judged by the policy in force
 * 6. a sync that was asked for is begun
 * 7. figures are counted
 */
import type { Fabric, UnreadableFabric } from "../api/fabric.ts";
import { RECONCILE_AT } from "../api/fabric.ts";
import type { FabricSyncError } from "../core/errors.ts";
import type { Logger } from "../core/telemetry.ts";
import type { EventRecorder } from "./events.ts";
import { FabricRows } from "./fabric-rows.ts";
import { FabricWork } from "./fabric-work.ts";
import type { FabricFacts } from "./facts.ts";
import { setFinalizer } from "./finalizer.ts";
import { SMALL_REQUEST_MS } from "./kube-api.ts";
import type { KubeApi } from "./kube-api.ts";
import type { ControllerStore, Parts } from "./parts.ts";
import { policyDigest } from "./policy-digest.ts";
import { sourceError } from "./running.ts";
import { SecretReader } from "./secrets.ts";
import { storeLossOf } from "./store-loss.ts";

export interface StepsOptions {
  readonly api: KubeApi;
  readonly store: ControllerStore;
  readonly parts: Parts;
  readonly events: EventRecorder;
  readonly log: Logger;
  /** Written beside the fence, for people. */
  readonly holder: string;
  readonly now: () => number;
  /** Something happened: take the steps again soon. */
  readonly onNews: () => void;
}

/** The steps, and what is known from having taken them. */
export class FabricSteps {
  readonly #options: StepsOptions;
  readonly #secrets: SecretReader;
  readonly #rows: FabricRows;
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
  /** Lost commits that were found until then are told (ms). */
  #lossToldAt = 0;

  constructor(object: Fabric | UnreadableFabric, options: StepsOptions) {
    this.#options = options;
    this.#object = object;
    this.#secrets = new SecretReader(options.api, object.metadata.namespace);
    this.#rows = new FabricRows(options.store, options.holder, options.now, options.log);
    this.#handled = object.status.lastHandledReconcileAt ?? "";
  }

  get object(): Fabric | UnreadableFabric {
    return this.#object;
  }

  /** The object as it is now. */
  observe(object: Fabric | UnreadableFabric): void {
    this.#object = object;
  }

  get work(): FabricWork | null {
    return this.#work;
  }

  get rows(): FabricRows {
    return this.#rows;
  }

  /** The Fabric was being deleted, and is gone. */
  get finished(): boolean {
    return this.#finished;
  }

  /** Whether the generation that we know of was acted upon. */
  get isActed(): boolean {
    return this.#acted === this.#object.metadata.generation;
  }

  /** Whether every row was judged by the policy in force. */
  get isJudged(): boolean {
    return this.#judged !== null && this.#work !== null && this.#judged === JSON.stringify(this.#work.policy);
  }

  /** @throws what the step that failed threw. */
  async take(signal: AbortSignal): Promise<void> {
    const object = this.#object;
    if (object.metadata.deletionTimestamp !== undefined) return this.#finalize(object, signal);
    if (!(await this.#setFinalizer(object, true, signal))) return; // The watch brings what changed.
    const { generation } = object.metadata;
    if ("problem" in object) {
      await this.halt(true);
      this.#acted = generation;
      return;
    }
    // A fence that was lost while the lease is ours was taken by hand, or by a run that is over: it is taken back.
    if (this.#work?.failure != null) await this.loseFence(this.#work.failure);
    await this.#rows.own(object, signal);
    if (this.#rows.owned !== null) await this.#rows.refresh(this.#rows.owned.fence, signal);
    if (object.spec.suspend) {
      await this.halt(true);
      this.#acted = generation;
    } else {
      await this.#operate(object, signal);
      this.#acted = generation;
      await this.#judge(object, signal);
      this.#syncOnRequest(object, signal);
    }
    await this.#rows.count(signal);
  }

  /** Everything that runs under the fence ends; the next round takes it again. */
  async loseFence(error: FabricSyncError): Promise<void> {
    this.#options.log.warn({ code: error.code, error: error.message }, "writing ended; the fence is taken again");
    await this.halt(false);
    this.#rows.loseFence();
  }

  /** Stops what runs. False when something had to be left behind. */
  async halt(drain: boolean): Promise<boolean> {
    const work = this.#work;
    this.#work = null;
    this.#syncing = null;
    return work === null || work.stop(drain);
  }

  /** A status as of `at` was written that tells of lost commits. */
  lossTold(at: number): void {
    this.#lossToldAt = at;
  }

  /** Everything that the status is made of. */
  facts(): FabricFacts {
    const object = this.#object;
    const readable = "problem" in object ? null : object;
    const { namespace, name, generation } = object.metadata;
    const { asked, error } = this.#rows.facts;
    const cluster = this.#work?.clusterFacts ?? null;
    const health = this.#work?.storeHealth;
    const pumpError = health === undefined || health.ok ? null : { ...health, stalled: false };
    return {
      now: this.#options.now(),
      generation,
      actedGeneration: this.#acted,
      judged: this.isJudged,
      judgedBy: policyDigest(this.#judged),
      suspended: readable?.spec.suspend ?? false,
      invalidSpec: "problem" in object ? sourceError(object.problem) : null,
      store: { asked, error: error ?? pumpError },
      storeLoss: storeLossOf(cluster?.streams ?? [], this.#lossToldAt),
      cluster,
      git: this.#work?.gitStatus ?? null,
      hasGit: readable?.spec.git !== undefined,
      counts: this.#rows.counts,
      landings: this.#rows.landings,
      handledReconcileAt: this.#handled,
      webhookPath: readable?.spec.webhook === undefined ? "" : `/webhooks/${namespace}/${name}`,
    };
  }

  /** Step 1: never waits for Git or for the mirrored cluster; for Postgres only where rows are to be dealt with. */
  async #finalize(object: Fabric | UnreadableFabric, signal: AbortSignal): Promise<void> {
    const { metadata } = object;
    // Whoever wrote a spec that we cannot read may have meant Retain: what is kept can still be deleted.
    const policy = "problem" in object || object.spec.deletionPolicy === "Retain" ? "retain" : "delete";
    await this.halt(policy === "retain");
    await this.#rows.retire(metadata, policy, signal);
    // Not under `signal`: the watch may tell that the object is gone, which ends this loop, before our answer is here.
    if (!(await this.#setFinalizer(object, false, AbortSignal.timeout(SMALL_REQUEST_MS)))) return;
    this.#options.events.record(metadata, {
      type: "Normal",
      reason: policy === "delete" ? "RowsDeleted" : "RowsRetained",
      action: "Finalize",
      note: policy === "delete" ? "its rows and their history are deleted" : "its rows are kept, marked as detached",
    });
    this.#options.log.info({ policy }, "fabric retired");
    this.#finished = true;
  }

  async #setFinalizer(object: Fabric | UnreadableFabric, wanted: boolean, signal: AbortSignal): Promise<boolean> {
    const metadata = await setFinalizer(this.#options.api, object.metadata, wanted, signal);
    if (metadata === null) return false;
    if (this.#object === object) this.#object = { ...object, metadata };
    return true;
  }

  async #operate(object: Fabric, signal: AbortSignal): Promise<void> {
    const { owned } = this.#rows;
    if (owned === null) return;
    const { parts, store, log, now, onNews } = this.#options;
    const onRows = (): void => {
      if (this.#rows.changed()) onNews();
    };
    const rest = { parts, store, log, now, secrets: this.#secrets, onChange: onNews, onRows };
    this.#work ??= new FabricWork({ ...owned, metadata: object.metadata, ...rest }, object.spec);
    await this.#work.apply(object.spec, signal);
  }

  /** Step 5. While something is read for the first time verdicts are about to change anyhow, so it waits for the end. */
  async #judge({ metadata, status }: Fabric, signal: AbortSignal): Promise<void> {
    const work = this.#work;
    const { owned } = this.#rows;
    if (work === null || owned === null || work.isReading) return;
    const { policy } = work;
    const wanted = JSON.stringify(policy);
    // Ready=True of this generation was said after the rows were judged, by whichever process, and the digest says by what: the cluster's schemas may
    // have changed while nobody looked.
    const ready = status.conditions?.find(({ type }) => type === "Ready");
    const said = ready?.status === "True" && ready.observedGeneration === metadata.generation;
    if (this.#judged === null && said && status.drift?.judgedBy === policyDigest(wanted)) this.#judged = wanted;
    if (this.#judged === wanted && !work.policies.otherThan(wanted)) return;
    await this.#rows.judge(owned.fence, policy, signal);
    this.#judged = wanted;
    work.policies.judged(wanted);
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
      this.#options.onNews();
    });
  }
}
