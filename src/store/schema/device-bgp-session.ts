import { bigint, primaryKey } from "drizzle-orm/pg-core";
import { BFD_STATES, BGP_STATES, type BfdState, type BgpState } from "../../core/vocabulary.ts";
import { checksOf } from "./checks.ts";
import * as column from "./columns.ts";
import { deviceKey } from "./device-child.ts";
import { MAX_ASN } from "./device.ts";
import { fabricSync } from "./namespace.ts";

const checks = checksOf("device_bgp_session");

export const deviceBgpSession = fabricSync.table(
  "device_bgp_session",
  {
    fabricId: column.fabricId(),
    device: column.key("device"),
    resourceId: column.requiredId("resource_id"),
    vrf: column.key("vrf"),
    neighbor: column.key("neighbor"),
    state: column.word<BgpState>("state", "unknown"),
    bfdState: column.word<BfdState>("bfd_state", "unknown"),
    localAsn: bigint("local_asn", { mode: "number" }),
    remoteAsn: bigint("remote_asn", { mode: "number" }),
    prefixes: column.jsonObject("prefixes"),
    establishedAt: column.absentTime("established_at"),
    firstSeen: column.time("first_seen"),
    updatedAt: column.time("updated_at"),
  },
  (table) => [
    primaryKey({
      name: "device_bgp_session_pkey",
      columns: [table.fabricId, table.device, table.resourceId, table.vrf, table.neighbor],
    }),
    deviceKey("device_bgp_session", [table.fabricId, table.device, table.resourceId]),
    ...checks.requiredId("fabric_id", "resource_id"),
    ...checks.required("device", "neighbor"),
    checks.listed("state", BGP_STATES),
    checks.listed("bfd_state", BFD_STATES),
    checks.between("local_asn", 0, MAX_ASN),
    checks.between("remote_asn", 0, MAX_ASN),
    ...checks.isObject("prefixes"),
  ],
);
