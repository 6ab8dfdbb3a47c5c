import { sql } from "drizzle-orm";
import { foreignKey, index, primaryKey } from "drizzle-orm/pg-core";
import { SIDES, type Side } from "../../core/vocabulary.ts";
import { checksOf } from "./checks.ts";
import * as column from "./columns.ts";
import { fabricSync } from "./namespace.ts";
import { resource } from "./resource.ts";

const checks = checksOf("resource_edge");

/**
 * References from one resource to another, owner references included. The target is a key and no foreign key: a reference may
 * arrive before what it points to, and may dangle.
 */
export const resourceEdge = fabricSync.table(
  "resource_edge",
  {
    fabricId: column.fabricId(),
    resourceId: column.requiredId("resource_id"),
    side: column.keyWord<Side>("side", "actual"),
    path: column.key("path"),
    relation: column.plain("relation"),
    targetApiGroup: column.key("target_api_group"),
    targetKind: column.key("target_kind"),
    targetNamespace: column.key("target_namespace"),
    targetName: column.key("target_name"),
    firstSeen: column.time("first_seen"),
  },
  (table) => [
    primaryKey({ name: "resource_edge_pkey", columns: [table.fabricId, table.resourceId, table.side, table.path] }),
    foreignKey({
      name: "resource_edge_resource_fkey",
      columns: [table.fabricId, table.resourceId],
      foreignColumns: [resource.fabricId, resource.id],
    }).onDelete("cascade"),
    // For whoever names the column: see drizzle/0017.
    index("resource_edge_target_idx")
      .on(table.fabricId, table.targetApiGroup, table.targetKind, table.targetNamespace, table.targetName)
      .where(sql`target_name IS NOT NULL`),
    ...checks.requiredId("fabric_id", "resource_id"),
    checks.listed("side", SIDES),
    ...checks.required("path", "relation", "target_kind", "target_name"),
  ],
);
