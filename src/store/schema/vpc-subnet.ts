import { cidr, foreignKey, inet, macaddr, primaryKey } from "drizzle-orm/pg-core";
import { checksOf } from "./checks.ts";
import * as column from "./columns.ts";
import { fabricSync } from "./namespace.ts";
import { resource } from "./resource.ts";

/** Nobody's, as in `device-forwarding.ts`. */
const NO_ADDRESS = "0.0.0.0";
const NO_PREFIX = "255.255.255.255/32";
const NO_MAC = "00:00:00:00:00:00";
/** 802.1Q; 0 where there is no VLAN. */
const MAX_VLAN = 4094;

const subnetChecks = checksOf("vpc_subnet");

/** The subnets of a VPC. Addresses of two VPCs may meet where both are in one namespace. */
export const vpcSubnet = fabricSync.table(
  "vpc_subnet",
  {
    fabricId: column.fabricId(),
    resourceId: column.requiredId("resource_id"),
    vpc: column.key("vpc"),
    name: column.key("name"),
    addressNamespace: column.plain("address_namespace"),
    prefix: cidr("prefix").notNull().default(NO_PREFIX),
    gateway: column.plain("gateway"),
    vlan: column.count("vlan"),
    firstSeen: column.time("first_seen"),
    updatedAt: column.time("updated_at"),
  },
  (table) => [
    primaryKey({ name: "vpc_subnet_pkey", columns: [table.fabricId, table.resourceId, table.name] }),
    foreignKey({
      name: "vpc_subnet_resource_fkey",
      columns: [table.fabricId, table.resourceId],
      foreignColumns: [resource.fabricId, resource.id],
    }).onDelete("cascade"),
    ...subnetChecks.requiredId("fabric_id", "resource_id"),
    ...subnetChecks.required("vpc", "name"),
    subnetChecks.rule("prefix_required", `prefix <> '${NO_PREFIX}'::cidr`),
    subnetChecks.between("vlan", 0, MAX_VLAN),
  ],
);

const leaseChecks = checksOf("dhcp_lease");

/** Who got which address. */
export const dhcpLease = fabricSync.table(
  "dhcp_lease",
  {
    fabricId: column.fabricId(),
    resourceId: column.requiredId("resource_id"),
    mac: macaddr("mac").notNull().default(NO_MAC),
    address: inet("address").notNull().default(NO_ADDRESS),
    hostname: column.plain("hostname"),
    subnet: column.plain("subnet"),
    firstSeen: column.time("first_seen"),
    updatedAt: column.time("updated_at"),
  },
  (table) => [
    primaryKey({ name: "dhcp_lease_pkey", columns: [table.fabricId, table.resourceId, table.mac, table.address] }),
    foreignKey({
      name: "dhcp_lease_resource_fkey",
      columns: [table.fabricId, table.resourceId],
      foreignColumns: [resource.fabricId, resource.id],
    }).onDelete("cascade"),
    ...leaseChecks.requiredId("fabric_id", "resource_id"),
    leaseChecks.rule("mac_required", `mac <> '${NO_MAC}'::macaddr`),
    leaseChecks.rule("address_required", `address <> '${NO_ADDRESS}'::inet`),
  ],
);
