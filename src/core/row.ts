import type { ResourceKey } from "./identity.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import type {
  ConflictStatus,
  DriftSeverity,
  DriftStatus,
  EventType,
  ResourceState,
  Side,
  SyncDirection,
  WritePath,
} from "./vocabulary.ts";

/**
 * A row of `fabric_sync.resource`: every column, none optional. Times are RFC 3339 strings in UTC with milliseconds.
 * null stands only where the side does not exist or the thing never happened.
 */
export interface ResourceRow {
  // identity: from the observation's key, by the builder; it never changes
  id: string;
  fabricId: string;
  apiGroup: string;
  /** `group/version`: the cluster's where the object is there, else Git's; the last known one on a tombstone. */
  apiVersion: string;
  kind: string;
  namespace: string;
  name: string;
  /** The cluster's where the object is there, else Git's; empty on a tombstone. */
  labels: JsonObject;
  /** As labels; bookkeeping annotations are left out (`normalise.ts`). */
  annotations: JsonObject;
  /** Users' and tools' own; no source and no reducer touches it. */
  customFieldData: JsonObject;
  /** When either side was seen first. */
  firstSeen: string;
  // desired: written by the Git source alone
  /** null: Git does not declare it. */
  desiredSpec: JsonValue | null;
  desiredLabels: JsonObject;
  desiredAnnotations: JsonObject;
  desiredHash: string;
  /** The commit that changed, moved or removed what Git declares last. */
  desiredCommit: string;
  /** The file that declares it now; '' when none does. */
  desiredFilePath: string;
  /** The document's first line, from 1; 0 when no file declares it. */
  desiredLine: number;
  /** When the desired side changed last, its removal included. */
  desiredUpdated: string | null;
  // actual: written by the cluster source alone
  /** null: the cluster does not have it. */
  actualSpec: JsonValue | null;
  actualStatus: JsonValue | null;
  actualHash: string;
  /** Kept on a tombstone, so that a replay is recognised; so is actualResourceVersion. '' when the side was retired by policy. */
  actualUid: string;
  actualGeneration: number;
  actualResourceVersion: string;
  /** When the actual side was taken in last, its removal included; at most once a minute where only volatile fields moved. */
  actualUpdated: string | null;
  deletionRequestedAt: string | null;
  // state: derived from both sides
  resourceState: ResourceState;
  /** Why it is in this state, as of the last judgement. */
  stateChangeReason: string;
  lastStateChange: string;
  // drift: derived from both sides
  driftStatus: DriftStatus;
  driftSeverity: DriftSeverity;
  /** 0 to 100, see `severity.ts`. */
  driftScore: number;
  /** `{paths, truncated, ignored?}` when drifted, `{reason, code}` when unknown or invalid, else `{}` or `{ignored}`. */
  driftDetails: JsonObject;
  /** When a verdict other than unknown was reached last. */
  lastDriftCheck: string | null;
  /** Since when it is drifted, missing, extra or invalid; null while it is none of them. */
  driftSince: string | null;
  // relations
  /** Not kept here, where a reference would have to write another row: the view `resources` computes it. */
  dependencyScore: number;
  /** metadata.ownerReferences, by the reducer: `owners` those of the cluster, `declaredOwners` those of Git. */
  relationshipMetadata: JsonObject;
  // sync
  syncDirection: SyncDirection;
  /** How often either side was taken in with a change. */
  syncAttempts: number;
  /** How often both sides were compared. */
  reconciliationAttempts: number;
  /** Why the last attempt to take it in failed, by the store; '' as soon as one succeeds. */
  lastSyncError: string;
  /** desiredCommit when both sides were found equal last. */
  lastSyncedCommit: string;
  /** When both sides were found equal last. */
  lastReconciliation: string | null;
  /** What the reducer keeps for later observations, see `sync-metadata.ts`. */
  syncMetadata: JsonObject;
  // file: written by the Git source alone
  /** The file that declares it, or declared it last. */
  managedFilePath: string;
  /** Git blob id of the file that declares it; '' when none does. */
  fileHash: string;
  /** When that file was taken in last with a change of this object or of its place. */
  lastFileSync: string | null;
  // conflict: derived, see `conflict.ts`
  conflictStatus: ConflictStatus;
  conflictDetails: JsonObject;
  /** The last 50 outside edits, newest last: `{manager, operation, resourceVersion, at}`. */
  externalModifications: JsonValue[];
  // origin
  /** Which path wrote the row last. */
  writePath: WritePath;
  /** When the row was written last. */
  updatedAt: string;
}

/**
 * A row of `fabric_sync.resource_event`, one for each change of one side. Written in the transaction of the row it tells of;
 * `id` and the transaction id are the database's.
 */
export interface ResourceEvent extends ResourceKey {
  resourceId: string;
  at: string;
  eventType: EventType;
  side: Side;
  trigger: WritePath;
  /** The Git author or the field manager; '' when the source did not say. */
  actor: string;
  commit: string;
  resourceVersion: string;
  stateBefore: ResourceState;
  stateAfter: ResourceState;
  driftBefore: DriftStatus;
  driftAfter: DriftStatus;
  /** How much the drift matters after the change, and the same as a number: those of the row. */
  driftSeverity: DriftSeverity;
  driftScore: number;
  reason: string;
  /** The side after the change, `{spec, labels, annotations, status?}`; null when the side is gone. */
  image: JsonObject | null;
}

/** The key part of a row. */
export function rowKey(row: ResourceRow): ResourceKey {
  return {
    fabricId: row.fabricId,
    apiGroup: row.apiGroup,
    kind: row.kind,
    namespace: row.namespace,
    name: row.name,
  };
}
