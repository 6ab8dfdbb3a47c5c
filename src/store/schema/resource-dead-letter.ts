import { foreignKey, primaryKey } from "drizzle-orm/pg-core";
import { SIDES, WRITE_PATHS, type Side, type WritePath } from "../../core/vocabulary.ts";
import { checksOf } from "./checks.ts";
import * as column from "./columns.ts";
import { fabric } from "./fabric.ts";
import { fabricSync } from "./namespace.ts";

const checks = checksOf("resource_dead_letter");

/**
 * Observations that Postgres refused, the newest of each key and side. It must take whatever was refused: no list, length or
 * `_required` check beside the fabric's and the side's.
 */
export const resourceDeadLetter = fabricSync.table(
  "resource_dead_letter",
  {
    fabricId: column.fabricId(),
    apiGroup: column.key("api_group"),
    kind: column.key("kind"),
    namespace: column.key("namespace"),
    name: column.key("name"),
    side: column.keyWord<Side>("side", "actual"),
    part: column.key("part"),
    sqlstate: column.plain("sqlstate"),
    constraintName: column.plain("constraint_name"),
    columnName: column.plain("column_name"),
    message: column.plain("message"),
    payload: column.verbatimJson("payload"),
    position: column.plain("position"),
    writePath: column.word<WritePath>("write_path", "repair"),
    attempts: column.count("attempts"),
    schemaVersion: column.count("schema_version"),
    firstFailedAt: column.time("first_failed_at"),
    lastFailedAt: column.time("last_failed_at"),
  },
  (table) => [
    primaryKey({
      name: "resource_dead_letter_pkey",
      columns: [table.fabricId, table.apiGroup, table.kind, table.namespace, table.name, table.side, table.part],
    }),
    foreignKey({ name: "resource_dead_letter_fabric_fkey", columns: [table.fabricId], foreignColumns: [fabric.id] }),
    ...checks.requiredId("fabric_id"),
    checks.listed("side", SIDES),
    checks.listed("write_path", WRITE_PATHS),
    checks.rule("payload_is_object", "json_typeof(payload) = 'object'"),
    ...checks.atLeastZero("attempts", "schema_version"),
  ],
);
