import { bigint, foreignKey, index, primaryKey } from "drizzle-orm/pg-core";
import { checksOf } from "./checks.ts";
import * as column from "./columns.ts";
import { fabricSync } from "./namespace.ts";
import { resource } from "./resource.ts";

/** 4-octet AS numbers (RFC 6793). */
export const MAX_ASN = 4_294_967_295;

const checks = checksOf("device");

/**
 * What one resource tells of a switch, server, gateway or other box. A row belongs to that resource alone and goes with it, so that no order of
 * arrival matters; the view `devices` joins the rows of one name.
 */
export const device = fabricSync.table(
  "device",
  {
    fabricId: column.fabricId(),
    name: column.key("name"),
    resourceId: column.requiredId("resource_id"),
    sourceKind: column.plain("source_kind"),
    precedence: column.count("precedence"),
    role: column.plain("role"),
    site: column.plain("site"),
    vendor: column.plain("vendor"),
    model: column.plain("model"),
    profile: column.plain("profile"),
    serialNumber: column.plain("serial_number"),
    nos: column.plain("nos"),
    nosVersion: column.plain("nos_version"),
    managementAddress: column.plain("management_address"),
    chassisId: column.plain("chassis_id"),
    asn: bigint("asn", { mode: "number" }),
    inventory: column.jsonObject("inventory"),
    setsObserved: column.jsonObject("sets_observed"),
    firstSeen: column.time("first_seen"),
    updatedAt: column.time("updated_at"),
  },
  (table) => [
    primaryKey({ name: "device_pkey", columns: [table.fabricId, table.name, table.resourceId] }),
    foreignKey({
      name: "device_resource_fkey",
      columns: [table.fabricId, table.resourceId],
      foreignColumns: [resource.fabricId, resource.id],
    }).onDelete("cascade"),
    index("device_resource_idx").on(table.fabricId, table.resourceId),
    index("device_chassis_idx").on(table.fabricId, table.chassisId),
    ...checks.requiredId("fabric_id", "resource_id"),
    ...checks.required("name"),
    checks.between("asn", 0, MAX_ASN),
    ...checks.atLeastZero("precedence"),
    ...checks.isObject("inventory", "sets_observed"),
  ],
);
