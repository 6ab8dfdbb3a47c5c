import type { FabricMetadata, FabricSpec } from "../api/fabric.ts";
import type { FabricSyncError } from "../core/errors.ts";
import { messageOf } from "../core/errors.ts";
import type { ReducePolicy } from "../core/policy.ts";
import type { FabricRecord, Fence } from "../core/ports.ts";
import type { GitStatus } from "../core/streams.ts";
import type { Logger } from "../core/telemetry.ts";
import { idleTakeBacks } from "../core/volatile-choice.ts";
import type { StoreHealth } from "../pump/retrying-writer.ts";
import type { ClusterFacts } from "./facts.ts";
import type { ClusterPart, ControllerStore, DriftPart, GitPart, PartContext, Parts, PumpPart } from "./parts.ts";
import { isReading, reducePolicy } from "./policy.ts";
import { digestOf, RemoteKubeConfig } from "./remote-kubeconfig.ts";
import { retireDesired } from "./retire-desired.ts";
import { stopPart } from "./running.ts";
import type { Running } from "./running.ts";
import type { SecretReader } from "./secrets.ts";
import { UsedPolicies } from "./used-policies.ts";
import { volatileRules } from "./volatile-rules.ts";

/** How long a source may take to come to rest (ms). With {@link DRAIN_MS}, the last Events and the lease it is less than the
 * 10 s in which SIGTERM has to be done. */
const SOURCE_STOP_MS = 2_000;
/** How long the pump may take to write what it holds (ms). */
const DRAIN_MS = 4_000;

export interface WorkOptions {
  readonly metadata: FabricMetadata;
  readonly record: FabricRecord;
  readonly fence: Fence;
  /** Whether an earlier process took a revision in completely. */
  readonly gitTaken: boolean;
  readonly parts: Parts;
  readonly store: ControllerStore;
  readonly secrets: SecretReader;
  readonly log: Logger;
  readonly now: () => number;
  readonly onChange: () => void;
  readonly onRows: () => void;
}

/** What of one Fabric runs under one fence: a pump and up to two sources. `apply` makes it what a spec says. */
export class FabricWork {
  readonly #options: WorkOptions;
  readonly #pump: PumpPart;
  readonly #context: PartContext;
  readonly #kubeConfig: RemoteKubeConfig;
  readonly policies = new UsedPolicies();
  #spec: FabricSpec;
  #cluster: Running<ClusterPart> | null = null;
  #git: Running<GitPart> | null = null;
  #drift: Running<DriftPart> | null = null;
  #resources = "";
  #desiredRetired = false;
  #failure: FabricSyncError | null = null;

  constructor(options: WorkOptions, spec: FabricSpec) {
    this.#options = options;
    this.#spec = spec;
    const { metadata, record, log, onChange } = options;
    const labels = { namespace: metadata.namespace, fabric: metadata.name };
    this.#context = { fabric: record, labels, log, onChange };
    this.#kubeConfig = new RemoteKubeConfig(options.secrets, log, options.now);
    const fence = (): Fence => options.fence;
    this.#pump = options.parts.pump({
      ...this.#context,
      fence,
      policy: () => this.policies.use(this.policy),
      onRows: () => {
        options.onRows();
        this.#drift?.part.kick();
      },
    });
    void this.#pump.failure.then((error) => {
      this.#failure = error;
      onChange();
    });
  }

  /** What ended the pump: nothing of this work can be written any more. */
  get failure(): FabricSyncError | null {
    return this.#failure;
  }

  get storeHealth(): StoreHealth {
    return this.#pump.storeHealth();
  }

  get policy(): ReducePolicy {
    const policy = reducePolicy(this.#spec, {
      git: this.#options.gitTaken || (this.gitStatus?.revision ?? "") !== "",
      discovered: this.#cluster?.part.discovered ?? false,
      streams: this.#cluster?.part.statuses() ?? [],
      schemas: this.#drift?.part.schemas ?? null,
    });
    const nobodyAsks = policy.driftMode === "server_side" && this.#options.parts.drift === undefined;
    return nobodyAsks ? { ...policy, driftMode: "local" } : policy;
  }

  /** Whether something is being read for the first time: what it shows will change the verdicts, so they wait. */
  get isReading(): boolean {
    return isReading({
      cluster: this.#cluster?.part ?? null,
      clusterFailed: this.#kubeConfig.error !== null,
      git: this.gitStatus,
      schemasAsked: this.#drift?.part.ready !== false,
    });
  }

  get clusterFacts(): ClusterFacts | null {
    const cluster = this.#cluster?.part;
    const { error } = this.#kubeConfig;
    if (cluster === undefined)
      return error === null ? null : { streams: [], discovered: false, impersonated: "", error };
    const { serviceAccountName: account } = this.#spec;
    const impersonated = account === undefined ? "" : `${this.#options.metadata.namespace}/${account}`;
    return {
      streams: cluster.statuses(),
      discovered: cluster.discovered,
      error: null,
      impersonated,
      idleTakeBacks: idleTakeBacks(volatileRules(this.#spec)),
    };
  }

  get gitStatus(): GitStatus | null {
    return this.#git?.part.status() ?? null;
  }

  /** When a step must be taken though nothing happened (ms since the epoch); null when there is none. */
  get dueAt(): number | null {
    return this.#kubeConfig.dueAt;
  }

  /** Starts, restarts and stops the sources that `spec` concerns, and no others. */
  async apply(spec: FabricSpec, signal: AbortSignal): Promise<void> {
    this.#spec = spec;
    await Promise.all([this.#applyCluster(spec, signal), this.#applyGit(spec)]);
    await this.#applyDrift(spec);
  }

  /** Everything anew: resolves when all that runs has been through it, well or not; the status says which. */
  async sync(): Promise<void> {
    const running = [this.#cluster, this.#git].filter((one) => one !== null);
    const outcomes = await Promise.allSettled(running.map(({ part }) => part.syncOnce()));
    for (const outcome of outcomes) {
      if (outcome.status === "rejected")
        this.#options.log.warn({ error: messageOf(outcome.reason) }, "a requested sync failed");
    }
  }

  /** Resolves when the API server was asked about every row whose verdict waits for it. */
  async settled(): Promise<void> {
    await this.#drift?.part.settled();
  }

  hint(): void {
    this.#git?.part.hint();
  }

  /** Sources first, so that nothing comes after what is drained. False when something had to be left behind. */
  async stop(drain: boolean): Promise<boolean> {
    const rested = await Promise.all(
      [this.#cluster, this.#git, this.#drift].map((one) => stopPart(one, SOURCE_STOP_MS)),
    );
    const drained = drain && this.#failure === null ? await this.#pump.drain(DRAIN_MS) : true;
    this.#pump.stop();
    this.#cluster = null;
    this.#git = null;
    this.#drift = null;
    return drained && rested.every((one) => one);
  }

  async #applyCluster(spec: FabricSpec, signal: AbortSignal): Promise<void> {
    const kubeConfig = await this.#kubeConfig.read(spec, signal);
    // What runs goes on with what it has; what does not run yet waits for the Secret.
    if (kubeConfig === undefined) return;
    const { metadata } = this.#options;
    const { resources, serviceAccountName } = spec;
    const impersonate =
      serviceAccountName === undefined ? null : `system:serviceaccount:${metadata.namespace}:${serviceAccountName}`;
    const volatile = volatileRules(spec);
    const key = JSON.stringify([impersonate, kubeConfig === null ? null : digestOf(kubeConfig), volatile]);
    if (this.#cluster?.key !== key) {
      const request = { ...this.#context, pump: this.#pump, fence: () => this.#options.fence, resources, volatile };
      const part = this.#made(() => this.#options.parts.cluster({ ...request, kubeConfig, impersonate }));
      if (part === null) return;
      await stopPart(this.#cluster, SOURCE_STOP_MS);
      part.start();
      this.#cluster = { key, part };
    } else if (JSON.stringify(resources) !== this.#resources) {
      await this.#cluster.part.updateSelection(resources);
    }
    this.#resources = JSON.stringify(resources);
  }

  /** Beside the cluster part, and made anew with it: it asks the same cluster. */
  async #applyDrift(spec: FabricSpec): Promise<void> {
    const make = this.#options.parts.drift;
    const cluster = this.#cluster;
    const wanted = make !== undefined && cluster !== null && spec.git !== undefined && spec.drift.mode !== "Disabled";
    if (wanted && this.#drift?.key === cluster.key) return;
    await stopPart(this.#drift, SOURCE_STOP_MS);
    this.#drift = null;
    if (!wanted) return;
    const part = make({
      ...this.#context,
      pump: this.#pump,
      fence: () => this.#options.fence,
      policy: () => this.policies.use(this.policy),
      cluster: cluster.part,
      kubeConfig: this.#kubeConfig.text,
      onRows: this.#options.onRows,
    });
    part.start();
    this.#drift = { key: cluster.key, part };
  }

  /** null when it cannot be made of what the Secret holds. */
  #made(make: () => ClusterPart): ClusterPart | null {
    try {
      return make();
    } catch (error) {
      this.#kubeConfig.refuse(error);
      return null;
    }
  }

  async #applyGit({ git }: FabricSpec): Promise<void> {
    if (git !== undefined) {
      this.#desiredRetired = false;
      const { secretRef, verify } = git;
      const { secrets } = this.#options;
      const credentials = async (signal: AbortSignal) =>
        secretRef === undefined ? {} : secrets.read(secretRef.name, signal);
      const verificationKeys = async (signal: AbortSignal) =>
        verify === undefined ? {} : secrets.read(verify.secretRef.name, signal);
      const key = JSON.stringify(git);
      if (this.#git?.key === key) return;
      await stopPart(this.#git, SOURCE_STOP_MS);
      const part = this.#options.parts.git({
        ...this.#context,
        pump: this.#pump,
        spec: git,
        credentials,
        verificationKeys,
      });
      part.start();
      this.#git = { key, part };
      return;
    }
    await stopPart(this.#git, SOURCE_STOP_MS);
    this.#git = null;
    if (this.#desiredRetired) return;
    await retireDesired(this.#options.store, this.#pump.revisions, this.#options.fence, this.#options.now());
    this.#desiredRetired = true;
  }
}
