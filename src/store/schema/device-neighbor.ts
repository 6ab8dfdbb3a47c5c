import { sql } from "drizzle-orm";
import { index, primaryKey } from "drizzle-orm/pg-core";
import { NEIGHBOR_PROTOCOLS, type NeighborProtocol } from "../../core/vocabulary.ts";
import { checksOf } from "./checks.ts";
import * as column from "./columns.ts";
import { deviceKey, portIndex } from "./device-child.ts";
import { fabricSync } from "./namespace.ts";

const checks = checksOf("device_neighbor");

/** What a device hears at its ports. The remote side is told as it was heard; `link` says who that is. */
export const deviceNeighbor = fabricSync.table(
  "device_neighbor",
  {
    fabricId: column.fabricId(),
    device: column.key("device"),
    resourceId: column.requiredId("resource_id"),
    interface: column.key("interface"),
    protocol: column.keyWord<NeighborProtocol>("protocol", "unknown"),
    remoteChassisId: column.key("remote_chassis_id"),
    remotePort: column.key("remote_port"),
    remoteName: column.plain("remote_name"),
    remotePortDescription: column.plain("remote_port_description"),
    remoteDescription: column.plain("remote_description"),
    remoteManagementAddress: column.plain("remote_management_address"),
    firstSeen: column.time("first_seen"),
    updatedAt: column.time("updated_at"),
  },
  (table) => [
    primaryKey({
      name: "device_neighbor_pkey",
      columns: [
        table.fabricId,
        table.device,
        table.resourceId,
        table.interface,
        table.protocol,
        table.remoteChassisId,
        table.remotePort,
      ],
    }),
    index("device_neighbor_remote_name_idx").on(table.fabricId, table.remoteName),
    index("device_neighbor_remote_chassis_idx")
      .on(table.fabricId, table.remoteChassisId)
      .where(sql`remote_chassis_id <> ''`),
    portIndex("device_neighbor", table.fabricId, table.device, "interface"),
    deviceKey("device_neighbor", [table.fabricId, table.device, table.resourceId]),
    ...checks.requiredId("fabric_id", "resource_id"),
    ...checks.required("device", "interface"),
    checks.listed("protocol", NEIGHBOR_PROTOCOLS),
  ],
);
