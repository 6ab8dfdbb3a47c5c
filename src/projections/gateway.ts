import { isJsonObject } from "../core/json.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { ResourceRow } from "../core/row.ts";
import { MAX_ASN, sessionOf } from "./agent.ts";
import { at, Facts, specOf, statusOf, textAt } from "./facts.ts";
import type { BgpFact, InterfaceFact, Projection } from "./projection.ts";
import { PRECEDENCE } from "./projection.ts";
import { address, Fields, keyText } from "./values.ts";

/** Bytes of jumbo frames and more: a bound, not a limit to work with. */
const MAX_MTU = 2_147_483_647;
/** How counts by address family end: `ipv4UnicastPrefixes`. */
const FAMILY_SUFFIX = "Prefixes";
/** States of sessions in a gateway's words that are not those of RFC 4271. */
const SESSION_STATES: Readonly<Record<string, string>> = { unset: "unknown", open: "open_sent" };

/** Gateway (gateway): as declared, with the addresses of its interfaces. */
export function projectGateway(row: ResourceRow): Projection {
  const facts = new Facts();
  const spec = specOf(row);
  facts.device(row.name, row.kind, PRECEDENCE.declared, { role: "gateway", asn: asnOf(facts, spec, ["spec"]) });
  addressesOf(facts, row.name, spec, ["spec"]);
  return facts.done();
}

/**
 * GatewayAgent (gwint): what a gateway runs, its interfaces and the sessions that it reports, which VPCs and peerings it was given, and for which
 * VPCs it reports. What it counts for them is in the view `devices`, as a reading.
 */
export function projectGatewayAgent(row: ResourceRow): Projection {
  const facts = new Facts();
  const status = statusOf(row);
  const state = at(status, "state");
  const spec = at(row.actualSpec);
  const gateway = at(spec, "gateway");
  const path = ["spec", "gateway"];
  facts.device(row.name, row.kind, PRECEDENCE.agent, {
    role: "gateway",
    nos: "Hedgehog gateway",
    nosVersion: textAt(at(state, "dataplane"), "version") || textAt(status, "agentVersion"),
    asn: asnOf(facts, gateway, path),
    inventory: inventoryOf(spec, status),
  });
  if (gateway !== null) {
    addressesOf(facts, row.name, gateway, path);
    facts.observe("interfaces");
    for (const [name, value] of Object.entries(at(gateway, "interfaces") ?? {})) {
      facts.add("interfaces", [...path, "interfaces", name], () => interfaceOf(row.name, name, value));
    }
  }
  const vrfs = at(state, "bgp", "vrfs");
  if (vrfs === null) return facts.done();
  facts.observe("bgpSessions");
  for (const vrf of Object.keys(vrfs)) {
    for (const [neighbor, value] of Object.entries(at(vrfs, vrf, "neighbors") ?? {})) {
      facts.add("bgpSessions", ["status", "state", "bgp", "vrfs", vrf, "neighbors", neighbor], () =>
        gatewaySession(row.name, vrf, neighbor, value),
      );
    }
  }
  return facts.done();
}

function asnOf(facts: Facts, spec: JsonObject | null, path: readonly string[]): number | null {
  let asn: number | null = null;
  facts.attempt([...path, "asn"], () => (asn = new Fields(spec ?? {}).whole("asn", 0, MAX_ASN)));
  return asn;
}

function addressesOf(facts: Facts, device: string, spec: JsonObject, path: readonly string[]): void {
  facts.observe("addresses");
  for (const field of ["protocolIP", "vtepIP"]) {
    if (textAt(spec, field) === "") continue;
    facts.add("addresses", [...path, field], () => ({
      device,
      vrf: "",
      address: address(textAt(spec, field), field),
      interface: "lo",
    }));
  }
  for (const [name, value] of Object.entries(at(spec, "interfaces") ?? {})) {
    const ips = at(value)?.["ips"];
    if (!Array.isArray(ips)) continue;
    ips.forEach((ip, index) =>
      facts.add("addresses", [...path, "interfaces", name, "ips", index], () => ({
        device,
        vrf: "",
        address: address(typeof ip === "string" ? ip : "", "ips"),
        interface: keyText(name, "interface"),
      })),
    );
  }
}

function interfaceOf(device: string, name: string, value: JsonValue): InterfaceFact {
  const fields = new Fields(value);
  return {
    device,
    name: keyText(name, "name"),
    nosName: fields.text("kernel"),
    description: fields.text("pci"),
    adminStatus: "unknown",
    operStatus: "unknown",
    speedMbps: 0,
    mtu: fields.whole("mtu", 0, MAX_MTU) ?? 0,
    fec: "",
    mac: "",
    lag: "",
    transceiver: {},
  };
}

/** In the fields of a switch's agent, so that one question asks both. */
function gatewaySession(device: string, vrf: string, neighbor: string, value: JsonValue): BgpFact {
  const fields = new Fields(value);
  const told = fields.text("sessionState");
  const prefixes = Object.entries(at(value) ?? {}).flatMap(([name, counts]): [string, JsonValue][] => {
    if (!name.endsWith(FAMILY_SUFFIX) || !isJsonObject(counts)) return [];
    const { received, receivedPrePolicy, sent } = counts;
    const told = { rec: received, recPre: receivedPrePolicy, sent };
    const given = Object.entries(told).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined);
    return [[name.slice(0, -FAMILY_SUFFIX.length), Object.fromEntries(given)]];
  });
  const { localAS, peerAS } = at(value) ?? {};
  return sessionOf(device, vrf, neighbor, {
    state: SESSION_STATES[told] ?? told,
    localAS: localAS ?? null,
    peerAS: peerAS ?? null,
    prefixes: Object.fromEntries(prefixes),
  });
}

/** What it runs and what it was given; blind to what it counts (`core/volatile.ts`). */
function inventoryOf(spec: JsonObject | null, status: JsonObject | null): JsonObject {
  const state = at(status, "state");
  const inventory: JsonObject = {};
  const agent = textAt(status, "agentVersion");
  if (agent !== "") inventory["agent"] = { version: agent };
  const applied = status?.["lastAppliedGen"];
  if (applied !== undefined) inventory["lastAppliedGen"] = applied;
  for (const part of ["dataplane", "frr"]) {
    const value = at(state, part);
    if (value !== null) inventory[part] = value;
  }
  const config = at(spec, "config");
  if (config !== null) {
    const isWatched = config["fabricBFD"] === true;
    inventory["bfd"] = { fabric: isWatched, gateway: isWatched };
  }
  const vpcs = at(spec, "vpcs");
  const reported = at(state, "vpcs");
  const names = [...new Set([...Object.keys(vpcs ?? {}), ...Object.keys(reported ?? {})])].sort();
  if (vpcs !== null || reported !== null) {
    inventory["vpcs"] = Object.fromEntries(
      names.map((name) => [name, { ...at(vpcs, name), reported: reported?.[name] !== undefined }]),
    );
  }
  const peerings = at(spec, "peerings");
  if (peerings !== null) {
    inventory["peerings"] = Object.fromEntries(
      Object.entries(peerings).map(([name, value]) => [
        name,
        { group: textAt(at(value), "gatewayGroup"), between: Object.keys(at(value, "peering") ?? {}).sort() },
      ]),
    );
  }
  return inventory;
}
