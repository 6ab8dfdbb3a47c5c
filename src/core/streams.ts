/**
 * The seam between sources and pump. A source sees and offers; the pump batches, coalesces, retries and commits. A source never
 * talks to Postgres about rows by itself.
 */
import type { Observation } from "./observation.ts";
import type { ApplyResult, Cursor, GitFile } from "./ports.ts";

/** What {@link Lane.offer} gives while there is room: nobody has to wait for it. */
export const ROOM: Promise<void> = Promise.resolve();

/** One ordered stream of observations of the actual side. Lanes of a pump are served fairly, each in its own order. */
export interface Lane {
  /**
   * Takes one observation. Gives {@link ROOM} while there is room, else a promise that resolves when there is room again (back-pressure): a
   * source that awaits it holds its socket. Rejects when the pump has stopped.
   */
  offer(observation: Observation): Promise<void>;
  /** Saves `cursor` with the batch that holds everything offered before this call. A later call may replace an earlier one. */
  advance(cursor: Cursor): void;
  /** The last cursor of this lane that is committed, null before the first: what status may claim. */
  saved(): Cursor | null;
  /** The database turned out to stand at `saved`: cursors that wait are dropped, since not all that they cover is there any more. */
  rewind(saved: Cursor | null): void;
  /** Resolves when everything offered before is committed or in the dead letter table. Rejects when the pump has stopped. */
  drained(): Promise<void>;
  /** Ends the lane; what it holds is still written. */
  close(): void;
}

/** A whole Git revision, visible at once or not at all. */
export interface Revision {
  readonly observations: readonly Observation[];
  readonly cursor: Cursor;
  /** The cursor that the observations continue; see `Batch.expected`. */
  readonly after?: Cursor;
  readonly gitFiles: { readonly upserts: readonly GitFile[]; readonly removed: readonly string[] };
}

export interface RevisionSink {
  /** One transaction; resolves when it is committed. Retries by itself what may be retried. */
  commit(revision: Revision): Promise<ApplyResult>;
}

/** Where one list/watch stream stands; the controller makes `ClusterReady` of all of them. */
export interface StreamStatus {
  /** The cursor's scope. */
  readonly scope: string;
  readonly apiGroup: string;
  readonly kind: string;
  readonly plural: string;
  /** `forbidden`: RBAC must be extended. `gone`: the kind is not served (any more). Rows of both are kept. */
  readonly state: "starting" | "listing" | "watching" | "retrying" | "forbidden" | "gone";
  /** A CamelCase word; 'Watching' when all is well. */
  readonly reason: string;
  readonly message: string;
  /** As of when the table is known to hold everything in scope (ms), null before the first complete list. */
  readonly completeAt: number | null;
  readonly lastEventAt: number | null;
  /** Absent unless the database lost commits of this stream while it ran. */
  readonly loss?: {
    /** When that was found, and the stream went back to where the database stands (ms). */
    readonly foundAt: number;
    /** Whether the database holds as much again as it had confirmed. */
    readonly repaired: boolean;
  };
}

/** Where the Git side of a Fabric stands; the controller makes `GitReady` of it. */
export interface GitStatus {
  /** `branch@sha1:<hash>` whose rows are completely in Postgres; '' before the first. */
  readonly revision: string;
  readonly lastAttemptedRevision: string;
  readonly lastFetchedAt: number | null;
  readonly files: number;
  readonly documents: number;
  readonly invalidDocuments: number;
  /** The first few rejections in words (`path:line:col reason`), for the condition's message. */
  readonly rejections: readonly string[];
  /** Files that are recognised and not read: kustomization.yaml, Helm charts. */
  readonly warnings: readonly string[];
  readonly error: SourceError | null;
}
export interface SourceError {
  /** Condition reason, CamelCase. */
  readonly code: string;
  readonly message: string;
  /** True when a person must act. */
  readonly stalled: boolean;
}
