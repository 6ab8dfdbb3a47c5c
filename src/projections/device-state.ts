import { isJsonObject } from "../core/json.ts";
import type { JsonValue } from "../core/json.ts";
import type { ResourceRow } from "../core/row.ts";
import {
  BFD_STATES,
  BGP_STATES,
  ENTRY_ORIGINS,
  LINK_STATUSES,
  NEIGHBOR_PROTOCOLS,
  ROUTE_PROTOCOLS,
} from "../core/vocabulary.ts";
import { defaultVrf, MAX_ASN } from "./agent.ts";
import { Facts, specOf } from "./facts.ts";
import type { Projection, SetName } from "./projection.ts";
import { PRECEDENCE } from "./projection.ts";
import { address, Fields, host, keyText, looseMac, mac, network, speedMbps, Unreadable } from "./values.ts";

/** Most of a column of PostgreSQL's type integer. */
const MAX_INTEGER = 2_147_483_647;
/** 802.1Q. */
const MAX_VLAN = 4_094;

type Reader<Name extends SetName> = (device: string, fields: Fields) => Projection[Name][number];

/** A list of the spec → the set that it fills. A list that is missing was not asked for; an empty one says that there is nothing. */
const READERS: { readonly [Name in Exclude<SetName, "ports" | "subnets" | "leases">]: Reader<Name> } = {
  interfaces: (device, fields) => ({
    device,
    name: fields.requiredKey("name"),
    nosName: fields.text("nosName"),
    description: fields.text("description"),
    adminStatus: fields.word("adminStatus", LINK_STATUSES, "unknown"),
    operStatus: fields.word("operStatus", LINK_STATUSES, "unknown"),
    speedMbps: speedMbps(fields.value("speed")),
    mtu: fields.whole("mtu", 0, MAX_INTEGER) ?? 0,
    fec: fields.text("fec"),
    mac: looseMac(fields.text("mac")),
    lag: fields.text("lag"),
    transceiver: fields.object("transceiver"),
  }),
  addresses: (device, fields) => ({
    device,
    vrf: defaultVrf(fields.key("vrf")),
    address: address(fields.text("address"), "address"),
    interface: fields.key("interface"),
  }),
  neighbors: (device, fields) => {
    const found = {
      device,
      interface: fields.requiredKey("interface"),
      protocol: fields.word("protocol", NEIGHBOR_PROTOCOLS, "lldp"),
      remoteChassisId: looseMac(fields.key("chassisId")),
      remotePort: fields.key("port"),
      remoteName: fields.key("name"),
      remotePortDescription: fields.text("portDescription"),
      remoteDescription: fields.text("description"),
      remoteManagementAddress: host(fields.text("managementAddress"), "managementAddress"),
    };
    if (found.remoteName === "" && found.remoteChassisId === "" && found.remoteManagementAddress === "") {
      throw new Unreadable("23502", "name", "a neighbour without name, chassis and address");
    }
    return found;
  },
  arpEntries: (device, fields) => ({
    device,
    vrf: defaultVrf(fields.key("vrf")),
    address: address(fields.text("address"), "address"),
    interface: fields.key("interface"),
    mac: looseMac(fields.text("mac")),
    origin: fields.word("origin", ENTRY_ORIGINS, "unknown"),
  }),
  macEntries: (device, fields) => ({
    device,
    vlan: fields.whole("vlan", 0, MAX_VLAN) ?? 0,
    mac: mac(fields.text("mac"), "mac"),
    interface: fields.key("interface"),
    origin: fields.word("origin", ENTRY_ORIGINS, "unknown"),
  }),
  routes: (device, fields) => ({
    device,
    vrf: defaultVrf(fields.key("vrf")),
    prefix: network(fields.text("prefix"), "prefix"),
    protocol: fields.word("protocol", ROUTE_PROTOCOLS, "unknown"),
    nextHop: host(fields.text("nextHop"), "nextHop"),
    interface: fields.key("interface"),
    metric: fields.whole("metric", 0, Number.MAX_SAFE_INTEGER) ?? 0,
    distance: fields.whole("distance", 0, 255) ?? 0,
  }),
  bgpSessions: (device, fields) => ({
    device,
    vrf: defaultVrf(fields.key("vrf")),
    neighbor: host(fields.requiredKey("neighbor"), "neighbor"),
    state: fields.word("state", BGP_STATES, "unknown"),
    bfdState: fields.word("bfdState", BFD_STATES, "unknown"),
    localAsn: fields.whole("localAsn", 0, MAX_ASN),
    remoteAsn: fields.whole("remoteAsn", 0, MAX_ASN),
    prefixes: fields.object("prefixes"),
    establishedAt: fields.time("establishedAt"),
  }),
  links: (device, fields) => ({
    deviceA: device,
    interfaceA: fields.requiredKey("interface"),
    deviceB: fields.requiredKey("remoteDevice"),
    interfaceB: fields.key("remoteInterface"),
    kind: fields.text("kind"),
    side: "actual",
    addressA: "",
    addressB: "",
  }),
};

/** DeviceState (fabricsync.dev): what a collector tells of a device. */
export function projectDeviceState(row: ResourceRow): Projection {
  const facts = new Facts();
  const spec = specOf(row);
  const fields = new Fields(spec);
  let name = row.name;
  facts.attempt(["spec", "device"], () => (name = fields.key("device") || row.name));
  const told = (field: string): string => {
    let text = "";
    facts.attempt(["spec", field], () => (text = fields.text(field)));
    return text;
  };
  let asn: number | null = null;
  let managementAddress = "";
  facts.attempt(["spec", "asn"], () => (asn = fields.whole("asn", 0, MAX_ASN)));
  facts.attempt(
    ["spec", "managementAddress"],
    () => (managementAddress = host(fields.text("managementAddress"), "managementAddress")),
  );
  facts.device(name, row.kind, PRECEDENCE.collected, {
    role: told("role"),
    site: told("site"),
    vendor: told("vendor"),
    model: told("model"),
    profile: told("profile"),
    serialNumber: told("serialNumber"),
    nos: told("nos"),
    nosVersion: told("nosVersion"),
    managementAddress,
    chassisId: looseMac(told("chassisId")),
    asn,
    inventory: fields.object("inventory"),
  });
  for (const set of Object.keys(READERS) as (keyof typeof READERS)[]) take(facts, set, name, spec[set]);
  const sessions = spec["bgpSessions"];
  if (Array.isArray(sessions) && sessions.some((one) => isJsonObject(one) && one["bfdState"] !== undefined)) {
    facts.observe("bfdSessions");
  }
  return facts.done();
}

function take<Name extends keyof typeof READERS>(
  facts: Facts,
  set: Name,
  device: string,
  list: JsonValue | undefined,
): void {
  if (!Array.isArray(list)) {
    // A list of the wrong shape was not had; null is how an API server clears a field.
    if (isJsonObject(list) || typeof list === "string") {
      facts.attempt(["spec", set], () => {
        throw new Unreadable("22P02", set, `${set} is not a list`);
      });
    }
    return;
  }
  facts.observe(set);
  list.forEach((item, index) => {
    facts.add(set, ["spec", set, index], () => {
      const read: Reader<Name> = READERS[set];
      return read(keyText(device, "device"), new Fields(item));
    });
  });
}
