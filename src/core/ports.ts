/**
 * What the rest of the program needs from Postgres, owned here so that `store/` can be replaced or wrapped. Every method may
 * throw a `FabricSyncError`; a write that meets a foreign fence throws code `FenceLost`, policy `fatal`.
 */
import type { Check } from "./check.ts";
import type { ResourceKey } from "./identity.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import type { CommitLandings, LandingCounts } from "./landed.ts";
import type { Observation } from "./observation.ts";
import type { ReducePolicy } from "./policy.ts";
import type { ReferenceRule } from "./references.ts";
import type { ResourceEvent, ResourceRow } from "./row.ts";
import type { LinkEvidence, LinkVerdict, RunResult, Side, WritePath } from "./vocabulary.ts";

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
  /** Kind of the objects of a cluster's stream, for the views; a cursor that is read back is known by its scope. */
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

/** Judging rows without a new observation: the policy changed, or what could not be read before has been read. */
export interface JudgementStore {
  /**
   * Judges every row of the fabric under `policy` (`reclassify` of `core/reduce.ts`), some rows a transaction. A row whose verdict
   * stays is not written. Safe to repeat; `signal` stops it between two transactions.
   */
  rejudge(
    fence: Fence,
    policy: ReducePolicy,
    signal: AbortSignal,
  ): Promise<{ readonly changed: number; readonly unchanged: number }>;
}

/** The second phase of drift: rows about which the API server is to be asked, and its answers. */
export interface SuspectStore {
  /** Rows that wait for an answer, or whose answer is due to be asked for again, oldest first, at most `limit`. `now` is RFC 3339. */
  suspects(query: { readonly fabricId: string; readonly now: string; readonly limit: number }): Promise<ResourceRow[]>;
  /**
   * Writes answers (`settle` of `core/settle.ts`) in one transaction, under the fence. `stale` are answers to questions that the row does
   * not stand for any more.
   */
  settle(
    fence: Fence,
    policy: ReducePolicy,
    answers: readonly Answered[],
  ): Promise<{ readonly changed: number; readonly refreshed: number; readonly stale: number }>;
}
export interface Answered {
  readonly key: ResourceKey;
  readonly check: Check;
}

/** A device as the map shows it. `mentionedOnly`: nothing tells of it, something refers to it. `observedAt` is RFC 3339. */
export interface TopologyDevice {
  readonly name: string;
  readonly role: string;
  readonly site: string;
  readonly mentionedOnly: boolean;
  readonly observedAt: string | null;
}
/** A link with its verdict; `deviceB` is '' where the other end has no name. */
export interface TopologyLink {
  readonly deviceA: string;
  readonly interfaceA: string;
  readonly deviceB: string;
  readonly interfaceB: string;
  readonly kind: string;
  readonly declared: boolean;
  readonly verdict: LinkVerdict;
  readonly evidence: LinkEvidence;
}
export interface Topology {
  readonly devices: readonly TopologyDevice[];
  readonly links: readonly TopologyLink[];
}

/** Rows that are made of resources: devices and what they tell, links, references. They are written with each resource. */
export interface ProjectionStore {
  /** Every device and link of the fabric, in the order of their names. */
  readTopology(fabricId: string): Promise<Topology>;
  /** Makes them anew where they were made by other rules than this program's and the Fabric's; null where they were not. */
  refreshProjections(
    fence: Fence,
    signal: AbortSignal,
  ): Promise<{ readonly resources: number; readonly writes: number } | null>;
  /**
   * Makes them anew of every resource of the fabric, by difference: after a release that makes more of the same resources. Safe to repeat, and
   * beside a running operator. `writes` counts the rows that were written or removed.
   */
  rebuildProjections(
    fence: Fence,
    signal: AbortSignal,
  ): Promise<{ readonly resources: number; readonly writes: number }>;
}

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

/** An observation that the database refused. `payload` is the observation as it came, redacted like every observation. */
export interface DeadLetter extends DeadLetterSummary {
  readonly id: string;
  readonly side: Side;
  readonly writePath: WritePath;
  readonly attempts: number;
  /** RFC 3339. */
  readonly firstFailedAt: string;
  readonly lastFailedAt: string;
  /** The migration that the database was at when it refused. */
  readonly schemaVersion: number;
  readonly payload: Observation;
}

/** Which dead letters; what is left out does not narrow. */
export interface DeadLetterQuery {
  readonly fabricId: string;
  readonly ids?: readonly string[];
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** Only those refused by an older schema than the present one: worth another try after a migration. */
  readonly olderSchema?: boolean;
}

/** What the dead-letter commands and the replay after a migration need. A newer observation of the same side clears a dead letter by itself. */
export interface DeadLetterStore {
  /** In key order. */
  listDeadLetters(query: DeadLetterQuery): Promise<DeadLetter[]>;
  /** Offers them to the table again; what is refused again stays, with one attempt more. */
  retryDeadLetters(fence: Fence, policy: ReducePolicy, query: Omit<DeadLetterQuery, "fabricId">): Promise<ApplyResult>;
  /** Gives up on them; how many. */
  dropDeadLetters(query: DeadLetterQuery): Promise<number>;
}

/** The actual side of one row, for a comparison with the cluster. */
export interface ActualRow extends ActualKey {
  readonly apiVersion: string;
  readonly deletionRequestedAt: string | null;
  readonly labels: JsonObject;
  readonly annotations: JsonObject;
  readonly spec: JsonValue;
  readonly status: JsonValue;
}

/** The table's half of a comparison with the cluster. */
export interface CheckedStore {
  actualKeys(query: ActualKeysQuery): Promise<ActualKey[]>;
  /** Of these keys of one kind those whose actual side is there. */
  actualRows(query: ActualRowsQuery): Promise<ActualRow[]>;
  /** Every kind of which some actual side is there. */
  actualKinds(fabricId: string): Promise<{ readonly apiGroup: string; readonly kind: string }[]>;
}
export interface ActualRowsQuery {
  readonly fabricId: string;
  readonly apiGroup: string;
  readonly kind: string;
  readonly keys: readonly { readonly namespace: string; readonly name: string }[];
}

/** What people are shown: everything from stored facts, nothing kept beside them (invariant 13). */
export interface ReadingStore {
  /** Every fabric that has rows or had them, by namespace and name. */
  summarise(): Promise<FabricSummary[]>;
  /** The resources of that kind and name, in whatever group and namespace; at most 20. `kind` and `name` match exactly. */
  findResources(query: {
    readonly fabricId: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
  }): Promise<ResourceRow[]>;
  /** One resource with its last `events` events, newest first, and its dead letters. null when the table never had it. */
  explain(key: ResourceKey, events: number): Promise<ResourceStory | null>;
  /** What became of what one commit changed in Git. `prefix`: its id, or the beginning of it. */
  commitLandings(fabricId: string, prefix: string): Promise<CommitLandings>;
  /** What one side said at an instant (RFC 3339), rebuilt from history; null when it was not there, or is older than the history kept. */
  sideAsOf(key: ResourceKey, side: Side, at: string): Promise<ResourceEvent | null>;
}
export interface ResourceStory {
  readonly row: ResourceRow;
  readonly events: readonly ResourceEvent[];
  readonly deadLetters: readonly DeadLetter[];
  readonly references: readonly StoryReference[];
}
/** A reference from the resource to another (`to`), or from another to it (`by`); the other one is named. */
export interface StoryReference {
  readonly direction: "to" | "by";
  readonly side: Side;
  readonly relation: string;
  /** In the object that refers, as a JSON pointer. */
  readonly path: string;
  readonly apiGroup: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Neither side of the fabric has the target. */
  readonly dangling: boolean;
  /** The file that says so; '' for the cluster's side. */
  readonly filePath: string;
  readonly line: number;
}
export interface FabricSummary extends FabricRecord {
  /** RFC 3339; null while a Fabric object stands behind the rows. */
  readonly detachedAt: string | null;
  /** Who wrote last; '' before the first writer. */
  readonly writer: string;
  readonly counts: FabricCounts;
  readonly cursors: readonly Cursor[];
  /** The last run of each source, newest first. */
  readonly runs: readonly RunRecord[];
}
export interface RunRecord extends RunOutcome {
  readonly source: Cursor["source"];
  readonly trigger: WritePath;
  readonly target: string;
  readonly result: RunResult;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly finishedAt: string | null;
}
