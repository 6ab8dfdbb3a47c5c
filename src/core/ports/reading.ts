/** What people are shown. */
import type { ResourceKey } from "../identity.ts";
import type { CommitLandings } from "../landed.ts";
import type { ResourceEvent, ResourceRow } from "../row.ts";
import type { RunResult, Side, WritePath } from "../vocabulary.ts";
import type { DeadLetter } from "./dead-letters.ts";
import type { FabricCounts, FabricRecord, RunOutcome } from "./fabrics.ts";
import type { Cursor } from "./observations.ts";

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
