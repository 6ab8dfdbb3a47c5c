import { sql } from "drizzle-orm";
import { cidr, index, inet, macaddr, primaryKey } from "drizzle-orm/pg-core";
import { ENTRY_ORIGINS, ROUTE_PROTOCOLS, type EntryOrigin, type RouteProtocol } from "../../core/vocabulary.ts";
import { checksOf } from "./checks.ts";
import * as column from "./columns.ts";
import { deviceKey, wholePortIndex } from "./device-child.ts";
import { fabricSync } from "./namespace.ts";

/** 802.1Q; 0 where there is no VLAN. */
const MAX_VLAN = 4094;
/** RFC 1122: nobody's address. RFC 919: nobody's route. The zero MAC address is nobody's either. */
const NO_ADDRESS = "0.0.0.0";
const NO_PREFIX = "255.255.255.255/32";
const NO_MAC = "00:00:00:00:00:00";

const arpChecks = checksOf("device_arp_entry");

/** ARP and IPv6 neighbour discovery. */
export const deviceArpEntry = fabricSync.table(
  "device_arp_entry",
  {
    fabricId: column.fabricId(),
    device: column.key("device"),
    resourceId: column.requiredId("resource_id"),
    vrf: column.key("vrf"),
    address: inet("address").notNull().default(NO_ADDRESS),
    interface: column.key("interface"),
    mac: column.plain("mac"),
    origin: column.word<EntryOrigin>("origin", "unknown"),
    firstSeen: column.time("first_seen"),
    updatedAt: column.time("updated_at"),
  },
  (table) => [
    primaryKey({
      name: "device_arp_entry_pkey",
      columns: [table.fabricId, table.device, table.resourceId, table.vrf, table.address, table.interface],
    }),
    wholePortIndex("device_arp_entry", table.fabricId, table.device),
    index("device_arp_entry_mac_idx")
      .on(table.fabricId, table.mac)
      .where(sql`mac <> ''`),
    deviceKey("device_arp_entry", [table.fabricId, table.device, table.resourceId]),
    ...arpChecks.requiredId("fabric_id", "resource_id"),
    ...arpChecks.required("device"),
    arpChecks.rule("address_required", `address <> '${NO_ADDRESS}'::inet`),
    arpChecks.listed("origin", ENTRY_ORIGINS),
  ],
);

const macChecks = checksOf("device_mac_entry");

export const deviceMacEntry = fabricSync.table(
  "device_mac_entry",
  {
    fabricId: column.fabricId(),
    device: column.key("device"),
    resourceId: column.requiredId("resource_id"),
    vlan: column.count("vlan"),
    mac: macaddr("mac").notNull().default(NO_MAC),
    interface: column.key("interface"),
    origin: column.word<EntryOrigin>("origin", "unknown"),
    firstSeen: column.time("first_seen"),
    updatedAt: column.time("updated_at"),
  },
  (table) => [
    primaryKey({
      name: "device_mac_entry_pkey",
      columns: [table.fabricId, table.device, table.resourceId, table.vlan, table.mac, table.interface],
    }),
    wholePortIndex("device_mac_entry", table.fabricId, table.device),
    index("device_mac_entry_mac_idx").on(table.fabricId, table.mac),
    deviceKey("device_mac_entry", [table.fabricId, table.device, table.resourceId]),
    ...macChecks.requiredId("fabric_id", "resource_id"),
    ...macChecks.required("device"),
    macChecks.between("vlan", 0, MAX_VLAN),
    macChecks.rule("mac_required", `mac <> '${NO_MAC}'::macaddr`),
    macChecks.listed("origin", ENTRY_ORIGINS),
  ],
);

const routeChecks = checksOf("device_route");

export const deviceRoute = fabricSync.table(
  "device_route",
  {
    fabricId: column.fabricId(),
    device: column.key("device"),
    resourceId: column.requiredId("resource_id"),
    vrf: column.key("vrf"),
    prefix: cidr("prefix").notNull().default(NO_PREFIX),
    protocol: column.keyWord<RouteProtocol>("protocol", "unknown"),
    nextHop: column.key("next_hop"),
    interface: column.key("interface"),
    metric: column.bigCount("metric"),
    distance: column.count("distance"),
    firstSeen: column.time("first_seen"),
    updatedAt: column.time("updated_at"),
  },
  (table) => [
    primaryKey({
      name: "device_route_pkey",
      columns: [
        table.fabricId,
        table.device,
        table.resourceId,
        table.vrf,
        table.prefix,
        table.protocol,
        table.nextHop,
        table.interface,
      ],
    }),
    wholePortIndex("device_route", table.fabricId, table.device).where(sql`next_hop <> ''`),
    deviceKey("device_route", [table.fabricId, table.device, table.resourceId]),
    ...routeChecks.requiredId("fabric_id", "resource_id"),
    ...routeChecks.required("device"),
    routeChecks.rule("prefix_required", `prefix <> '${NO_PREFIX}'::cidr`),
    routeChecks.listed("protocol", ROUTE_PROTOCOLS),
    ...routeChecks.atLeastZero("metric"),
    routeChecks.between("distance", 0, 255),
  ],
);
