import { sql } from "drizzle-orm";
import { foreignKey, index, type AnyPgColumn } from "drizzle-orm/pg-core";
import { device } from "./device.ts";

/** The foreign key of a child table: children go with what their resource tells of the device. */
export function deviceKey(
  table: string,
  columns: [fabricId: AnyPgColumn, device: AnyPgColumn, resourceId: AnyPgColumn],
) {
  return foreignKey({
    name: `${table}_device_fkey`,
    columns,
    foreignColumns: [device.fabricId, device.name, device.resourceId] as [AnyPgColumn, AnyPgColumn, AnyPgColumn],
  }).onDelete("cascade");
}

/** The rows at a port, also where it is told by the name of its first part. */
export function portIndex(table: string, fabricId: AnyPgColumn, device: AnyPgColumn, port: "name" | "interface") {
  return index(`${table}_port_idx`).on(fabricId, device, sql.raw(`fabric_sync.port_key("${port}")`));
}

/** The same with the rows of its subinterfaces. */
export function wholePortIndex(table: string, fabricId: AnyPgColumn, device: AnyPgColumn) {
  return index(`${table}_port_idx`).on(fabricId, device, sql.raw(`fabric_sync.port_of("interface")`));
}
