/**
 * The parts that one Fabric runs, as the controller sees them. `main.ts` hands in how each is made; the tests of the
 * controller hand in doubles of the two sources, and nothing else.
 */
import type { GitSpec } from "../api/git.ts";
import type { Selection } from "../api/selection.ts";
import type { FabricSyncError } from "../core/errors.ts";
import type {
  Cursor,
  FabricRecord,
  FabricStore,
  Fence,
  JudgementStore,
  ObservationStore,
  ProjectionStore,
} from "../core/ports.ts";
import type { ReducePolicy } from "../core/policy.ts";
import type { SchemaSet } from "../core/schema.ts";
import type { GitStatus, Lane, RevisionSink, StreamStatus } from "../core/streams.ts";
import type { FabricLabels, Logger } from "../core/telemetry.ts";
import type { VolatileRule } from "../core/volatile-choice.ts";
import type { StoreHealth } from "../pump/retrying-writer.ts";

/** Everything goes to Postgres through it; `pump/pump.ts` is one. */
export interface PumpPart {
  lane(name: string, saved?: Cursor | null): Lane;
  readonly revisions: RevisionSink;
  storeHealth(): StoreHealth;
  /** Resolves with the fatal error (`FenceLost`) that ended the pump. */
  readonly failure: Promise<FabricSyncError>;
  /** Writes what is queued, then stops; false when that took longer than `deadlineMs`. */
  drain(deadlineMs: number): Promise<boolean>;
  /** Stops at once. */
  stop(): void;
}

/** The actual side; `sources/cluster/cluster-source.ts` is one. What goes wrong is in `statuses()`, nothing rejects for it. */
export interface ClusterPart {
  /** Begins; returns at once. */
  start(): void;
  /** Resolves when it has come to rest: nothing is offered to the pump any more. */
  stop(): Promise<void>;
  /** Whether discovery answered since the start. */
  readonly discovered: boolean;
  statuses(): readonly StreamStatus[];
  /** Follows a change of `spec.resources` while it runs. */
  updateSelection(selections: readonly Selection[]): Promise<void>;
  /** Lists everything anew. Resolves when what was there at the time of the call is committed, or could not be listed. */
  syncOnce(): Promise<unknown>;
}

/** The desired side. */
export interface GitPart {
  start(): void;
  stop(): Promise<void>;
  status(): GitStatus;
  /** Asks the repository now. Resolves when what it had at the time of the call is committed, or could not be had. */
  syncOnce(): Promise<unknown>;
  /** Somebody pushed, so a webhook says: ask soon. */
  hint(): void;
}

/** The second phase of drift; `sources/cluster/drift/drift-source.ts` is one. */
export interface DriftPart {
  start(): void;
  stop(): Promise<void>;
  /** What the mirrored cluster says of its kinds; null before it was asked. */
  readonly schemas: SchemaSet | null;
  /** Whether it was asked: before, verdicts rest on less than can be known. */
  readonly ready: boolean;
  /** Rows were written: some may be suspects. */
  kick(): void;
  /** Resolves when every suspect of now was asked about, or could not be. Never rejects. */
  settled(): Promise<void>;
}

/** What every part of one Fabric is told. */
export interface PartContext {
  readonly fabric: FabricRecord;
  readonly labels: FabricLabels;
  readonly log: Logger;
  /** Ask again for the status: something changed. */
  readonly onChange: () => void;
}

export interface PumpRequest extends PartContext {
  /** Asked before each write. */
  readonly fence: () => Fence;
  readonly policy: () => ReducePolicy;
  /** Rows were written. */
  readonly onRows: () => void;
}

export interface ClusterRequest extends PartContext {
  readonly pump: PumpPart;
  readonly fence: () => Fence;
  readonly resources: readonly Selection[];
  /** Beside the built-in volatile paths. */
  readonly volatile: readonly VolatileRule[];
  /** The text of a kubeconfig out of a Secret; null = the cluster that holds the Fabric. */
  readonly kubeConfig: string | null;
  /** `system:serviceaccount:namespace:name`; null = with the credentials as they are. */
  readonly impersonate: string | null;
}

export interface DriftRequest extends PartContext {
  readonly pump: PumpPart;
  readonly fence: () => Fence;
  /** In force now; asked before each answer is written. */
  readonly policy: () => ReducePolicy;
  readonly cluster: ClusterPart;
  readonly kubeConfig: string | null;
  /** Verdicts were written. */
  readonly onRows: () => void;
}

export interface GitRequest extends PartContext {
  readonly pump: PumpPart;
  readonly spec: GitSpec;
  /** The credentials as they are now, read anew at each call; {} where the spec names no Secret. */
  readonly credentials: (signal: AbortSignal) => Promise<Readonly<Record<string, string>>>;
  /** The keys that `spec.verify` names, the same way. */
  readonly verificationKeys: (signal: AbortSignal) => Promise<Readonly<Record<string, string>>>;
}

/** How the parts are made. None of these does I/O. */
export interface Parts {
  readonly pump: (request: PumpRequest) => PumpPart;
  readonly cluster: (request: ClusterRequest) => ClusterPart;
  readonly git: (request: GitRequest) => GitPart;
  /** Absent: nobody asks the API server, and verdicts rest on the local comparison. */
  readonly drift?: (request: DriftRequest) => DriftPart;
}

/** What the controller itself asks of Postgres. */
export type ControllerStore = Pick<
  FabricStore,
  "registerFabric" | "acquireFence" | "retireFabric" | "counts" | "landings"
> &
  Pick<ObservationStore, "readGitFiles" | "readCursors" | "dropCursor"> &
  Pick<ProjectionStore, "refreshProjections"> &
  JudgementStore;
