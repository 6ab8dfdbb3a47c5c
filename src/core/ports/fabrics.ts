/** What the controller needs of a Fabric: its row, its fence, its figures, its runs. */
import type { LandingCounts } from "../landed.ts";
import type { ReferenceRule } from "../references.ts";
import type { RunResult, WritePath } from "../vocabulary.ts";
import type { Fence } from "./observations.ts";

/** The Fabric object as the table knows it. */
export interface FabricRecord {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Counts for status, metrics and the page: always computed from rows, never kept beside them (invariant 13). */
export interface FabricCounts {
  readonly objects: number;
  readonly desired: number;
  readonly byState: Readonly<Record<string, number>>;
  /** By drift status, without tombstones; of those that are unknown, `not_compared` are the ones whose verdict is still to come. */
  readonly byDrift: Readonly<Record<string, number>>;
  /** Why rows are `unknown` or `not_compared`, the most frequent first; `reason` is that of one of them. */
  readonly unknown: readonly { readonly code: string; readonly reason: string; readonly objects: number }[];
  /** Of those that drift, by how much it matters. */
  readonly bySeverity: Readonly<Record<string, number>>;
  /** The score of the heaviest of them, 1 to 100; 0 where nothing drifts. */
  readonly driftScore: number;
  readonly rejections: number;
  readonly deadLetters: number;
}

/** `spec.retention`, as durations (`90d`); `maintain` keeps to it. Left out = what the row has, at first the column's default. */
export interface Retention {
  readonly history: string;
  readonly tombstones: string;
}

/** What the controller needs. */
export interface FabricStore {
  /** Upserts the `fabric` row of one Fabric object; a new uid under an old name is a new fabric and retires the old one. */
  registerFabric(fabric: {
    namespace: string;
    name: string;
    uid: string;
    retention?: Retention;
    references?: readonly ReferenceRule[];
  }): Promise<FabricRecord>;
  listFabrics(): Promise<FabricRecord[]>;
  /** Makes the caller the only writer: raises the epoch; writers with an older one can no longer commit. */
  acquireFence(fabricId: string, holder: string): Promise<Fence>;
  /**
   * The fence that is valid now, for a command that writes once on behalf of whoever is in charge, without taking over. Throws `FabricNotFound`
   * (`stall`).
   */
  currentFence(fabricId: string): Promise<Fence>;
  /** `delete` removes rows and history of the fabric in bounded chunks; `retain` marks the fabric as detached. */
  retireFabric(fabricId: string, policy: "delete" | "retain"): Promise<void>;
  counts(fabricId: string): Promise<FabricCounts>;
  /** How much of the present revision has landed. */
  landings(fabricId: string): Promise<LandingCounts>;
  beginRun(run: { fabricId: string; source: "cluster" | "git"; trigger: WritePath; target: string }): Promise<string>;
  /** The result is derived from the counters and the error; see `runResult` in `core/run.ts`. */
  finishRun(runId: string, outcome: RunOutcome): Promise<RunResult>;
  /**
   * False when this delivery was already recorded, on any replica (replay protection). `waits`: the Fabric is worked on elsewhere, and
   * {@link takeWaitingDeliveries} tells it there.
   */
  recordDelivery(delivery: {
    fabricId: string;
    provider: string;
    deliveryId: string;
    waits: boolean;
  }): Promise<boolean>;
  /** Which of the Fabrics (uid) other replicas were told of a push; each is told once. */
  takeWaitingDeliveries(uids: readonly string[]): Promise<string[]>;
  /** Which migration the database is at, and which this binary needs. */
  schemaState(): Promise<{ applied: number; needed: number }>;
}
export interface RunOutcome {
  readonly documents: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly rejected: number;
  readonly error: string;
}
