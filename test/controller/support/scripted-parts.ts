import type { Selection } from "../../../src/api/selection.ts";
import type {
  ClusterPart,
  ClusterRequest,
  GitPart,
  GitRequest,
  Parts,
  PumpRequest,
} from "../../../src/controller/parts.ts";
import type { ObservationStore } from "../../../src/core/ports.ts";
import type { GitStatus, StreamStatus } from "../../../src/core/streams.ts";
import { Pump } from "../../../src/pump/pump.ts";

/** A cluster source that does what the test says: the one double of the controller's tests beside {@link ScriptedGit}. */
export class ScriptedCluster implements ClusterPart {
  readonly request: ClusterRequest;
  discovered = false;
  streams: StreamStatus[] = [];
  selections: readonly Selection[];
  started = 0;
  stopped = 0;
  syncs = 0;
  /** What `stop` waits for. */
  stopping: Promise<void> = Promise.resolve();

  constructor(request: ClusterRequest) {
    this.request = request;
    this.selections = request.resources;
  }
  start(): void {
    this.started += 1;
  }
  async stop(): Promise<void> {
    this.stopped += 1;
    await this.stopping;
  }
  statuses(): readonly StreamStatus[] {
    return this.streams;
  }
  async updateSelection(selections: readonly Selection[]): Promise<void> {
    this.selections = selections;
  }
  async syncOnce(): Promise<void> {
    this.syncs += 1;
  }
  /** Becomes what a source is that follows everything. */
  follow(...streams: Partial<StreamStatus>[]): void {
    this.discovered = true;
    this.streams = (streams.length === 0 ? [{}] : streams).map((changes) => ({
      scope: "wiring.githedgehog.com/v1beta1/switches",
      apiGroup: "wiring.githedgehog.com",
      kind: "Switch",
      plural: "switches",
      state: "watching",
      reason: "Watching",
      message: "",
      completeAt: Date.now(),
      lastEventAt: null,
      ...changes,
    }));
    this.request.onChange();
  }
}

/** A Git source that does what the test says. */
export class ScriptedGit implements GitPart {
  readonly request: GitRequest;
  current: GitStatus = {
    revision: "",
    lastAttemptedRevision: "",
    lastFetchedAt: null,
    files: 0,
    documents: 0,
    invalidDocuments: 0,
    rejections: [],
    warnings: [],
    error: null,
  };
  started = 0;
  stopped = 0;
  syncs = 0;
  hints = 0;
  stopping: Promise<void> = Promise.resolve();

  constructor(request: GitRequest) {
    this.request = request;
  }
  start(): void {
    this.started += 1;
  }
  async stop(): Promise<void> {
    this.stopped += 1;
    await this.stopping;
  }
  status(): GitStatus {
    return this.current;
  }
  async syncOnce(): Promise<void> {
    this.syncs += 1;
  }
  hint(): void {
    this.hints += 1;
  }
  /** Becomes what a source is that has taken a revision in. */
  take(changes: Partial<GitStatus> = {}): void {
    const revision = "main@sha1:0123456789abcdef0123456789abcdef01234567";
    const known = { revision, lastAttemptedRevision: revision, lastFetchedAt: Date.now(), files: 2, documents: 3 };
    this.current = { ...this.current, ...known, ...changes };
    this.request.onChange();
  }
}

const NO_TELEMETRY = { batchApplied: () => undefined, writeRetried: () => undefined };

/** Real pumps, scripted sources. `of(name)` is what the Fabric of that name runs now. */
export class ScriptedParts implements Parts {
  readonly #store: ObservationStore;
  readonly clusters = new Map<string, ScriptedCluster[]>();
  readonly gits = new Map<string, ScriptedGit[]>();
  readonly #signal: AbortSignal;

  constructor(store: ObservationStore, signal: AbortSignal) {
    this.#store = store;
    this.#signal = signal;
  }

  readonly pump = ({ labels, log, fence, policy, onRows }: PumpRequest): Pump =>
    new Pump({
      ...{ labels, fence, policy, store: this.#store, logger: log, telemetry: NO_TELEMETRY, signal: this.#signal },
      onApplied: () => onRows(),
    });
  readonly cluster = (request: ClusterRequest): ScriptedCluster => {
    const part = new ScriptedCluster(request);
    this.clusters.set(request.fabric.name, [...(this.clusters.get(request.fabric.name) ?? []), part]);
    return part;
  };
  readonly git = (request: GitRequest): ScriptedGit => {
    const part = new ScriptedGit(request);
    this.gits.set(request.fabric.name, [...(this.gits.get(request.fabric.name) ?? []), part]);
    return part;
  };
}
