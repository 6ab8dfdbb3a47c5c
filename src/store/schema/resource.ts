import { sql } from "drizzle-orm";
import { foreignKey, index, primaryKey, unique } from "drizzle-orm/pg-core";
import {
  CONFLICT_STATUSES,
  DRIFT_SEVERITIES,
  DRIFT_STATUSES,
  RESOURCE_STATES,
  SYNC_DIRECTIONS,
  WRITE_PATHS,
  type ConflictStatus,
  type DriftSeverity,
  type DriftStatus,
  type ResourceState,
  type SyncDirection,
  type WritePath,
} from "../../core/vocabulary.ts";
import { checksOf } from "./checks.ts";
import * as column from "./columns.ts";
import { fabric } from "./fabric.ts";
import { fabricSync } from "./namespace.ts";

const checks = checksOf("resource");

/**
 * One row a Kubernetes object identity of a fabric, desired beside actual. Property names and types are those of
 * `ResourceRow` in `core/row.ts`, which a test compares; the one INSERT takes its column list from here.
 */
export const resource = fabricSync.table(
  "resource",
  {
    id: column.generatedId("id"),
    fabricId: column.fabricId(),
    apiGroup: column.key("api_group"),
    apiVersion: column.plain("api_version"),
    kind: column.key("kind"),
    namespace: column.key("namespace"),
    name: column.key("name"),
    labels: column.jsonObject("labels"),
    annotations: column.jsonObject("annotations"),
    customFieldData: column.jsonObject("custom_field_data"),
    firstSeen: column.time("first_seen"),

    desiredSpec: column.absentJson("desired_spec"),
    desiredLabels: column.jsonObject("desired_labels"),
    desiredAnnotations: column.jsonObject("desired_annotations"),
    desiredHash: column.plain("desired_hash"),
    desiredCommit: column.plain("desired_commit"),
    desiredFilePath: column.plain("desired_file_path"),
    desiredLine: column.count("desired_line"),
    desiredUpdated: column.absentTime("desired_updated"),

    actualSpec: column.absentJson("actual_spec"),
    actualStatus: column.absentJson("actual_status"),
    actualHash: column.plain("actual_hash"),
    actualUid: column.plain("actual_uid"),
    actualGeneration: column.bigCount("actual_generation"),
    actualResourceVersion: column.plain("actual_resource_version"),
    actualUpdated: column.absentTime("actual_updated"),
    deletionRequestedAt: column.absentTime("deletion_requested_at"),

    resourceState: column.word<ResourceState>("resource_state", "pending"),
    stateChangeReason: column.plain("state_change_reason"),
    lastStateChange: column.time("last_state_change"),

    driftStatus: column.word<DriftStatus>("drift_status", "unknown"),
    driftSeverity: column.word<DriftSeverity>("drift_severity", "none"),
    driftScore: column.count("drift_score"),
    driftDetails: column.jsonObject("drift_details"),
    lastDriftCheck: column.absentTime("last_drift_check"),
    driftSince: column.absentTime("drift_since"),

    dependencyScore: column.count("dependency_score"),
    relationshipMetadata: column.jsonObject("relationship_metadata"),

    syncDirection: column.word<SyncDirection>("sync_direction", "observe"),
    syncAttempts: column.count("sync_attempts"),
    reconciliationAttempts: column.count("reconciliation_attempts"),
    lastSyncError: column.plain("last_sync_error"),
    lastSyncedCommit: column.plain("last_synced_commit"),
    lastReconciliation: column.absentTime("last_reconciliation"),
    syncMetadata: column.jsonObject("sync_metadata"),

    managedFilePath: column.plain("managed_file_path"),
    fileHash: column.plain("file_hash"),
    lastFileSync: column.absentTime("last_file_sync"),

    conflictStatus: column.word<ConflictStatus>("conflict_status", "none"),
    conflictDetails: column.jsonObject("conflict_details"),
    externalModifications: column.jsonArray("external_modifications"),

    writePath: column.word<WritePath>("write_path", "repair"),
    updatedAt: column.time("updated_at"),
  },
  (table) => [
    primaryKey({
      name: "resource_pkey",
      columns: [table.fabricId, table.apiGroup, table.kind, table.namespace, table.name],
    }),
    unique("resource_id_key").on(table.fabricId, table.id),
    foreignKey({ name: "resource_fabric_fkey", columns: [table.fabricId], foreignColumns: [fabric.id] }),
    index("resource_labels_idx").using("gin", table.labels.op("jsonb_path_ops")).with({ gin_pending_list_limit: 256 }),
    index("resource_owner_idx")
      .using("gin", table.relationshipMetadata.op("jsonb_path_ops"))
      .with({ gin_pending_list_limit: 256 })
      .where(sql`relationship_metadata ? 'owners'`),
    // For whoever names the column: see drizzle/0017.
    index("resource_name_idx")
      .on(table.fabricId, table.name)
      .where(sql`name IS NOT NULL`),
    index("resource_state_idx")
      .on(table.fabricId, table.resourceState, table.driftStatus)
      .where(sql`resource_state IS NOT NULL`),
    index("resource_declared_idx")
      .on(table.fabricId, table.resourceState, table.driftStatus)
      .where(sql`desired_hash <> ''`),
    index("resource_drift_idx")
      .on(table.fabricId, table.kind, table.driftStatus)
      .where(sql`drift_status IN ('drifted', 'missing', 'extra', 'invalid')`),
    ...checks.requiredId("id", "fabric_id"),
    ...checks.required("kind", "name"),
    ...checks.isObject("labels", "annotations", "custom_field_data", "desired_labels", "desired_annotations"),
    ...checks.isObject("drift_details", "relationship_metadata", "sync_metadata", "conflict_details"),
    ...checks.isArray("external_modifications"),
    ...checks.notJsonNull("desired_spec", "actual_spec", "actual_status"),
    ...checks.contentHash("desired_hash", "actual_hash"),
    ...checks.gitId("desired_commit", "last_synced_commit", "file_hash"),
    ...checks.atLeastZero("desired_line", "actual_generation", "sync_attempts", "reconciliation_attempts"),
    checks.between("drift_score", 0, 100),
    checks.between("dependency_score", 0, 100),
    checks.listed("resource_state", RESOURCE_STATES),
    checks.listed("drift_status", DRIFT_STATUSES),
    checks.listed("drift_severity", DRIFT_SEVERITIES),
    checks.listed("sync_direction", SYNC_DIRECTIONS),
    checks.listed("conflict_status", CONFLICT_STATUSES),
    checks.listed("write_path", WRITE_PATHS),
  ],
);
