/** The write side: what commits together, and how far a source has been taken in. */
import type { ResourceKey } from "../identity.ts";
import type { Observation } from "../observation.ts";
import type { ReducePolicy } from "../policy.ts";

/** The right to write one fabric: valid while `epoch` is the fabric's current one. */
export interface Fence {
  readonly fabricId: string;
  readonly epoch: number;
}

/**
 * How far a source has been taken in. `source` is 'cluster' or 'git'; `scope` names the stream inside it: for the cluster
 * `group/version/plural[?selector][@namespace]`, for Git the repository, ref and path. `position` is a resourceVersion or a
 * commit. `completeAt` is the time as of which everything in scope is known to be in the table (ms), null before the first.
 */
export interface Cursor {
  readonly source: "cluster" | "git";
  readonly scope: string;
  readonly position: string;
  readonly completeAt: number | null;
  /** Kind of the objects of a cluster's stream; absent in a cursor that an older release wrote. */
  readonly kind?: string;
}

/** What is known of one file at the revision that was taken in. */
export interface GitFile {
  readonly path: string;
  readonly blob: string;
  /** Documents found in the file; `documents = keys with a line + rejections` (invariant 11). */
  readonly documents: number;
  /**
   * What it declares, with the line of each. While part of the file cannot be read, what it declared before and no longer shows is kept
   * here with line 0: its rows stay, and it is no document.
   */
  readonly keys: readonly DeclaredKey[];
  /** Documents refused, each with its place and reason. */
  readonly rejections: readonly FileRejection[];
  /** False while part of the file cannot be read: nothing is concluded from what it does not declare. */
  readonly parsed: boolean;
}
export type DeclaredKey = Omit<ResourceKey, "fabricId"> & { readonly line: number };
export interface FileRejection {
  readonly line: number;
  readonly column: number;
  /** A CamelCase word: `YamlSyntax`, `MissingName`, `DuplicateKey`, … */
  readonly code: string;
  readonly message: string;
}

/** Everything that commits together. */
export interface Batch {
  readonly fence: Fence;
  readonly policy: ReducePolicy;
  readonly observations: readonly Observation[];
  readonly cursors: readonly Cursor[];
  /**
   * Cursors as they were committed last, of scopes that `cursors` moves. Where one is not there any more the database lost commits (a replica
   * was promoted that was behind): nothing is written, and `CursorsLost` is thrown. One that stands where `cursors` would move it to is
   * well: the answer of that COMMIT was lost.
   */
  readonly expected?: readonly Cursor[];
  /** Git only: the file records of the revision, replaced in the same transaction. */
  readonly gitFiles?: { readonly upserts: readonly GitFile[]; readonly removed: readonly string[] };
}

/** N observations in = the sum of the counters (invariant 11). */
export interface ApplyResult {
  readonly observations: number;
  readonly changed: number;
  /** Same content: no row was written. */
  readonly unchanged: number;
  /** Only volatile fields differed; the row was touched, history was not. */
  readonly refreshed: number;
  /** Older than what the row holds. */
  readonly stale: number;
  readonly deadLettered: readonly DeadLetterSummary[];
  /** Milliseconds from the first statement to the answer of COMMIT. */
  readonly durationMs: number;
  /** A connection broke on the way: the server that took it in the end may be another one. */
  readonly reconnected?: boolean;
}
export interface DeadLetterSummary {
  readonly key: ResourceKey;
  readonly sqlstate: string;
  readonly constraint: string;
  readonly column: string;
  readonly message: string;
}

/** The write side that the pumps and sources use. */
export interface ObservationStore {
  /** One transaction: reduces and writes the observations, their events and projections, the cursors, and checks the fence. */
  apply(batch: Batch): Promise<ApplyResult>;
  readCursors(fabricId: string): Promise<Cursor[]>;
  /** Forgets a stream that the Fabric no longer selects, or whose position the server refused. */
  dropCursor(fence: Fence, source: Cursor["source"], scope: string): Promise<void>;
  /**
   * Keys in one kind and namespace ('' = all) whose actual side is there, in key order after `after` (namespace, name), at most `limit`: the
   * table's half of mark and sweep. `uid` is the uid that the table holds.
   */
  actualKeys(query: ActualKeysQuery): Promise<ActualKey[]>;
  readGitFiles(fabricId: string): Promise<GitFile[]>;
}
export interface ActualKeysQuery {
  readonly fabricId: string;
  readonly apiGroup: string;
  readonly kind: string;
  readonly namespace: string;
  readonly after: { readonly namespace: string; readonly name: string } | null;
  readonly limit: number;
}
export interface ActualKey {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** The labels that the table holds: a reflector with a label selector retires only what its selector would have matched. */
  readonly resourceVersion: string;
}
