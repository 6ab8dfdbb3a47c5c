import type { ResourceKey } from "./identity.ts";
import type { ResourceRow } from "./row.ts";

/**
 * The one builder: a row in which every column is set, of an object of which nothing is known yet but its key (invariant 2). Every path that creates
 * rows starts here, and the reducer fills in what was observed. The values are the columns' database defaults.
 * @param id a new uuid
 * @param now RFC 3339 with milliseconds
 */
export function buildResourceRow(key: ResourceKey, id: string, now: string): ResourceRow {
  return {
    id,
    fabricId: key.fabricId,
    apiGroup: key.apiGroup,
    apiVersion: "",
    kind: key.kind,
    namespace: key.namespace,
    name: key.name,
    labels: {},
    annotations: {},
    customFieldData: {},
    firstSeen: now,
    desiredSpec: null,
    desiredLabels: {},
    desiredAnnotations: {},
    desiredHash: "",
    desiredCommit: "",
    desiredFilePath: "",
    desiredLine: 0,
    desiredUpdated: null,
    actualSpec: null,
    actualStatus: null,
    actualHash: "",
    actualUid: "",
    actualGeneration: 0,
    actualResourceVersion: "",
    actualUpdated: null,
    deletionRequestedAt: null,
    resourceState: "pending",
    stateChangeReason: "",
    lastStateChange: now,
    driftStatus: "unknown",
    driftSeverity: "none",
    driftScore: 0,
    driftDetails: {},
    lastDriftCheck: null,
    driftSince: null,
    dependencyScore: 0,
    relationshipMetadata: {},
    syncDirection: "observe",
    syncAttempts: 0,
    reconciliationAttempts: 0,
    lastSyncError: "",
    lastSyncedCommit: "",
    lastReconciliation: null,
    syncMetadata: {},
    managedFilePath: "",
    fileHash: "",
    lastFileSync: null,
    conflictStatus: "none",
    conflictDetails: {},
    externalModifications: [],
    writePath: "repair",
    updatedAt: now,
  };
}

/** Whether Git declares the object. */
export function isDeclared(row: ResourceRow): boolean {
  return row.desiredSpec !== null;
}

/** Whether the cluster holds the object, as far as the row knows. */
export function isThere(row: ResourceRow): boolean {
  return row.actualSpec !== null;
}
