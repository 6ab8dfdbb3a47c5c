import type { SetName } from "../projections/projection.ts";
import { deviceBgpSession } from "./schema/device-bgp-session.ts";
import { deviceArpEntry, deviceMacEntry, deviceRoute } from "./schema/device-forwarding.ts";
import { deviceInterface, deviceIpAddress } from "./schema/device-interface.ts";
import { deviceNeighbor } from "./schema/device-neighbor.ts";
import { device } from "./schema/device.ts";
import { link } from "./schema/link.ts";
import { profilePort } from "./schema/profile-port.ts";
import { resourceEdge } from "./schema/resource-edge.ts";
import { dhcpLease, vpcSubnet } from "./schema/vpc-subnet.ts";
import { getTableName, type Table } from "drizzle-orm";
import { shapeOf, type ColumnShape } from "./table-shape.ts";

/** A table whose rows belong to resources: as the statements need it. */
export interface OwnedTable {
  readonly name: string;
  /** Columns that a projection gives, `resource_id` first; without the fabric's and the times. */
  readonly columns: readonly ColumnShape[];
  /** How a column's value travels: addresses as text. */
  readonly wire: readonly ColumnShape[];
  /** Names of the key's columns, quoted, without the fabric's. */
  readonly key: readonly string[];
  /** Whether rows hang on a row of `device`, and are found through it. */
  readonly ofDevice: boolean;
  readonly hasUpdatedAt: boolean;
}

const DATABASE_ONLY = ["fabricId", "firstSeen", "updatedAt"];
/** Types that have no binary form here (`column-arrays.ts`). */
const AS_TEXT = new Set(["inet", "cidr", "macaddr"]);

function owned(table: Table, key: readonly string[]): OwnedTable {
  const all = shapeOf(table);
  const columns = all
    .filter(({ property }) => !DATABASE_ONLY.includes(property))
    .sort((a, b) => Number(b.property === "resourceId") - Number(a.property === "resourceId"));
  return {
    name: getTableName(table),
    columns,
    wire: columns.map((column) => (AS_TEXT.has(column.type) ? { ...column, type: "text" } : column)),
    key: ["resource_id", ...key].map((name) => `"${name}"`),
    ofDevice: columns.some(({ property }) => property === "device"),
    hasUpdatedAt: all.some(({ property }) => property === "updatedAt"),
  };
}

export const DEVICE = owned(device, ["name"]);
export const EDGE = owned(resourceEdge, ["side", "path"]);

/** Set of a projection → its table. */
export const SET_TABLES: Readonly<Record<SetName, OwnedTable>> = {
  interfaces: owned(deviceInterface, ["device", "name"]),
  addresses: owned(deviceIpAddress, ["device", "vrf", "address", "interface"]),
  neighbors: owned(deviceNeighbor, ["device", "interface", "protocol", "remote_chassis_id", "remote_port"]),
  arpEntries: owned(deviceArpEntry, ["device", "vrf", "address", "interface"]),
  macEntries: owned(deviceMacEntry, ["device", "vlan", "mac", "interface"]),
  routes: owned(deviceRoute, ["device", "vrf", "prefix", "protocol", "next_hop", "interface"]),
  bgpSessions: owned(deviceBgpSession, ["device", "vrf", "neighbor"]),
  links: owned(link, ["device_a", "interface_a", "device_b", "interface_b"]),
  ports: owned(profilePort, ["port", "nos_name"]),
  subnets: owned(vpcSubnet, ["name"]),
  leases: owned(dhcpLease, ["mac", "address"]),
};
