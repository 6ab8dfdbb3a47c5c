import { sql } from "drizzle-orm";
import { foreignKey, index, primaryKey } from "drizzle-orm/pg-core";
import { SIDES, type Side } from "../../core/vocabulary.ts";
import { checksOf } from "./checks.ts";
import * as column from "./columns.ts";
import { fabricSync } from "./namespace.ts";
import { resource } from "./resource.ts";

const checks = checksOf("link");

/**
 * A cable that a resource declares. Ends are names and no foreign keys: a link may lead to a device that nobody mirrors, or nowhere yet (an
 * empty end). What is observed, and the verdict on both, is computed where it is asked: the view `links`.
 */
export const link = fabricSync.table(
  "link",
  {
    fabricId: column.fabricId(),
    deviceA: column.key("device_a"),
    interfaceA: column.key("interface_a"),
    deviceB: column.key("device_b"),
    interfaceB: column.key("interface_b"),
    resourceId: column.requiredId("resource_id"),
    kind: column.plain("kind"),
    side: column.word<Side>("side", "actual"),
    addressA: column.plain("address_a"),
    addressB: column.plain("address_b"),
    firstSeen: column.time("first_seen"),
    updatedAt: column.time("updated_at"),
  },
  (table) => [
    primaryKey({
      name: "link_pkey",
      columns: [table.fabricId, table.deviceA, table.interfaceA, table.deviceB, table.interfaceB, table.resourceId],
    }),
    foreignKey({
      name: "link_resource_fkey",
      columns: [table.fabricId, table.resourceId],
      foreignColumns: [resource.fabricId, resource.id],
    }).onDelete("cascade"),
    index("link_device_b_idx").on(table.fabricId, table.deviceB, table.interfaceB),
    index("link_resource_idx").on(table.fabricId, table.resourceId),
    index("link_outward_idx")
      .on(table.fabricId, table.deviceB)
      .where(sql`kind IN ('external', 'staticExternal', 'attachment')`),
    ...checks.requiredId("fabric_id", "resource_id"),
    ...checks.required("device_a"),
    checks.listed("side", SIDES),
  ],
);
