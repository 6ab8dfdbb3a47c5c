import { sql } from "drizzle-orm";
import { bigint, index, primaryKey } from "drizzle-orm/pg-core";
import type { JsonObject } from "../../core/json.ts";
import {
  DRIFT_SEVERITIES,
  DRIFT_STATUSES,
  EVENT_TYPES,
  RESOURCE_STATES,
  SIDES,
  WRITE_PATHS,
  type DriftSeverity,
  type DriftStatus,
  type EventType,
  type ResourceState,
  type Side,
  type WritePath,
} from "../../core/vocabulary.ts";
import { checksOf } from "./checks.ts";
import * as column from "./columns.ts";
import { fabricSync } from "./namespace.ts";

const checks = checksOf("resource_event");

/** Orders the events of one transaction. Its gaps mean nothing: a rolled back transaction leaves some. */
export const resourceEventSequence = fabricSync.sequence("resource_event_seq");

/**
 * History: one row for each change of one side. Append-only, without foreign keys (it outlives its subject), partitioned by
 * month on `at`; see `store/partitions.ts`. drizzle does not know partitions, the migration does.
 */
export const resourceEvent = fabricSync.table(
  "resource_event",
  {
    fabricId: column.fabricId(),
    xid: column.currentTransaction("xid"),
    seq: bigint("seq", { mode: "number" })
      .notNull()
      .default(sql`nextval('fabric_sync.resource_event_seq'::regclass)`),
    at: column.time("at"),
    resourceId: column.requiredId("resource_id"),
    apiGroup: column.key("api_group"),
    kind: column.key("kind"),
    namespace: column.key("namespace"),
    name: column.key("name"),
    eventType: column.word<EventType>("event_type", "modified"),
    side: column.word<Side>("side", "actual"),
    trigger: column.word<WritePath>("trigger", "repair"),
    actor: column.plain("actor"),
    commit: column.plain("commit"),
    resourceVersion: column.plain("resource_version"),
    stateBefore: column.word<ResourceState>("state_before", "pending"),
    stateAfter: column.word<ResourceState>("state_after", "pending"),
    driftBefore: column.word<DriftStatus>("drift_before", "unknown"),
    driftAfter: column.word<DriftStatus>("drift_after", "unknown"),
    reason: column.plain("reason"),
    image: column.absentJson<JsonObject>("image"),
    driftSeverity: column.word<DriftSeverity>("drift_severity", "none"),
    driftScore: column.count("drift_score"),
  },
  (table) => [
    primaryKey({ name: "resource_event_pkey", columns: [table.fabricId, table.xid, table.seq, table.at] }),
    index("resource_event_subject_idx").on(table.fabricId, table.resourceId, table.at),
    index("resource_event_commit_idx")
      .on(table.fabricId, table.commit)
      .where(sql`side = 'desired' AND commit <> ''`),
    ...checks.requiredId("fabric_id", "resource_id"),
    ...checks.required("kind", "name"),
    checks.listed("event_type", EVENT_TYPES),
    checks.listed("side", SIDES),
    checks.listed("trigger", WRITE_PATHS),
    ...checks.gitId("commit"),
    checks.listed("state_before", RESOURCE_STATES),
    checks.listed("state_after", RESOURCE_STATES),
    checks.listed("drift_before", DRIFT_STATUSES),
    checks.listed("drift_after", DRIFT_STATUSES),
    ...checks.isObject("image"),
    checks.listed("drift_severity", DRIFT_SEVERITIES),
    checks.between("drift_score", 0, 100),
  ],
);
