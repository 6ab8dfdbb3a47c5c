import { sql } from "drizzle-orm";
import { index, inet, primaryKey } from "drizzle-orm/pg-core";
import { LINK_STATUSES, type LinkStatus } from "../../core/vocabulary.ts";
import { checksOf } from "./checks.ts";
import * as column from "./columns.ts";
import { deviceKey, portIndex } from "./device-child.ts";
import { fabricSync } from "./namespace.ts";

const interfaceChecks = checksOf("device_interface");

export const deviceInterface = fabricSync.table(
  "device_interface",
  {
    fabricId: column.fabricId(),
    device: column.key("device"),
    resourceId: column.requiredId("resource_id"),
    name: column.key("name"),
    nosName: column.plain("nos_name"),
    description: column.plain("description"),
    adminStatus: column.word<LinkStatus>("admin_status", "unknown"),
    operStatus: column.word<LinkStatus>("oper_status", "unknown"),
    speedMbps: column.bigCount("speed_mbps"),
    mtu: column.count("mtu"),
    fec: column.plain("fec"),
    mac: column.plain("mac"),
    lag: column.plain("lag"),
    transceiver: column.jsonObject("transceiver"),
    firstSeen: column.time("first_seen"),
    updatedAt: column.time("updated_at"),
  },
  (table) => [
    primaryKey({
      name: "device_interface_pkey",
      columns: [table.fabricId, table.device, table.resourceId, table.name],
    }),
    portIndex("device_interface", table.fabricId, table.device, "name"),
    index("device_interface_mac_idx")
      .on(table.fabricId, table.mac)
      .where(sql`mac <> ''`),
    deviceKey("device_interface", [table.fabricId, table.device, table.resourceId]),
    ...interfaceChecks.requiredId("fabric_id", "resource_id"),
    ...interfaceChecks.required("device", "name"),
    interfaceChecks.listed("admin_status", LINK_STATUSES),
    interfaceChecks.listed("oper_status", LINK_STATUSES),
    ...interfaceChecks.atLeastZero("speed_mbps", "mtu"),
    ...interfaceChecks.isObject("transceiver"),
  ],
);

/** "This host on this network" (RFC 1122): never the address of an interface, so it can stand for "not given". */
const NO_ADDRESS = "0.0.0.0";
const addressChecks = checksOf("device_ip_address");

export const deviceIpAddress = fabricSync.table(
  "device_ip_address",
  {
    fabricId: column.fabricId(),
    device: column.key("device"),
    resourceId: column.requiredId("resource_id"),
    vrf: column.key("vrf"),
    address: inet("address").notNull().default(NO_ADDRESS),
    interface: column.key("interface"),
    firstSeen: column.time("first_seen"),
    updatedAt: column.time("updated_at"),
  },
  (table) => [
    primaryKey({
      name: "device_ip_address_pkey",
      columns: [table.fabricId, table.device, table.resourceId, table.vrf, table.address, table.interface],
    }),
    index("device_ip_address_host_idx").on(table.fabricId, sql`host("address")`),
    deviceKey("device_ip_address", [table.fabricId, table.device, table.resourceId]),
    ...addressChecks.requiredId("fabric_id", "resource_id"),
    ...addressChecks.required("device"),
    addressChecks.rule("address_required", `address <> '${NO_ADDRESS}'::inet`),
  ],
);
