import type { SchemaSet } from "./schema.ts";

/**
 * What a Fabric says about how its rows are judged. The controller makes it from the Fabric's spec; the reducer only reads it.
 */
export interface ReducePolicy {
  /**
   * `local` compares the declared paths. `server_side` does so too, and has the API server decide wherever they differ. `disabled` leaves
   * the verdict `unknown`.
   */
  readonly driftMode: "local" | "server_side" | "disabled";
  /** What the API server says of its kinds; absent as long as it was not asked. */
  readonly schemas?: SchemaSet;
  /** Whether an object that only the cluster has is told as `extra` (true) or `untracked`. */
  readonly reportExtra: boolean;
  readonly direction: "observe" | "git_to_cluster" | "cluster_to_git" | "bidirectional";
  readonly ignore: readonly DriftIgnoreRule[];
  /** False for a Fabric without Git: nothing is an orphan where nothing could be declared. */
  readonly hasGit: boolean;
  /** Sides that could not be read: nothing is concluded from what they do not show (invariant 10). Absent = all were read. */
  readonly unread?: Unread;
}

export interface Unread {
  /** No revision was taken in yet. */
  readonly git?: boolean;
  /** The cluster's kinds could not be discovered: every kind counts as unread. */
  readonly cluster?: boolean;
  /** Kinds, as `Kind.group`, without a complete list. */
  readonly kinds?: readonly string[];
  /** Kinds that cannot be watched any more, though they were: what the table holds of them may be anything by now. Kind → why. */
  readonly unwatched?: Readonly<Record<string, string>>;
}

/** Paths (JSON pointers, a `*` stands for one segment) that never count as drift, for the targets that match. */
export interface DriftIgnoreRule {
  readonly group?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly paths: readonly string[];
  readonly managers?: readonly string[];
}
