import { isJsonObject } from "../core/json.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { ResourceRow } from "../core/row.ts";
import { BFD_STATES, BGP_STATES } from "../core/vocabulary.ts";
import type { BfdState, LinkStatus } from "../core/vocabulary.ts";
import { at, Facts, statusOf, textAt } from "./facts.ts";
import type { BgpFact, InterfaceFact, NeighborFact, Projection } from "./projection.ts";
import { PRECEDENCE } from "./projection.ts";
import { Fields, keyText, looseMac, speedMbps, Unreadable } from "./values.ts";

/** 4-octet AS numbers (RFC 6793). */
export const MAX_ASN = 4_294_967_295;
/** The interface whose MAC address a Hedgehog switch announces as its chassis. */
const MANAGEMENT = "M1";

/** Agent (agent.githedgehog.com): what a switch reports of itself, in `status.state`. Its spec is a copy of other objects, and left alone. */
export function projectAgent(row: ResourceRow): Projection {
  const facts = new Facts();
  const device = row.name;
  const state = at(statusOf(row), "state");
  const nos = at(state, "nos");
  const interfaces = at(state, "interfaces");
  facts.device(device, row.kind, PRECEDENCE.agent, {
    role: textAt(at(row.actualSpec), "role"),
    vendor: textAt(nos, "mfgName"),
    model: textAt(nos, "platformName"),
    serialNumber: textAt(nos, "serialNumber"),
    nos: textAt(nos, "productDescription"),
    nosVersion: textAt(nos, "softwareVersion"),
    chassisId: looseMac(textAt(at(interfaces, MANAGEMENT), "mac")),
    inventory: { ...inventoryOf(state), ...bfdOf(at(row.actualSpec, "config")) },
  });
  if (interfaces !== null) {
    facts.observe("interfaces", "neighbors");
    const transceivers = at(state, "transceivers");
    for (const [name, value] of Object.entries(interfaces)) {
      const path = ["status", "state", "interfaces", name];
      facts.add("interfaces", path, () => interfaceOf(device, name, value, at(transceivers, name)));
      const heard = isJsonObject(value) ? value["lldpNeighbors"] : undefined;
      if (!Array.isArray(heard)) continue;
      heard.forEach((neighbor, index) =>
        facts.add("neighbors", [...path, "lldpNeighbors", index], () => neighborOf(device, name, neighbor)),
      );
    }
  }
  const bgp = at(state, "bgpNeighbors");
  const bfd = at(state, "bfdPeers");
  if (bgp === null) return facts.done();
  facts.observe("bgpSessions");
  if (bfd !== null) facts.observe("bfdSessions");
  for (const vrf of Object.keys(bgp)) {
    for (const [address, session] of Object.entries(at(bgp, vrf) ?? {})) {
      facts.add("bgpSessions", ["status", "state", "bgpNeighbors", vrf, address], () =>
        sessionOf(device, vrf, address, session, at(bfd, vrf)?.[address]),
      );
    }
  }
  return facts.done();
}

function interfaceOf(device: string, name: string, value: JsonValue, plugged: JsonObject | null): InterfaceFact {
  const fields = new Fields(value);
  return {
    device,
    name: keyText(name, "name"),
    nosName: "",
    description: fields.text("descr"),
    adminStatus: fields.flag("enabled") === false ? "down" : status(fields.text("admin")),
    operStatus: status(fields.text("oper")),
    speedMbps: speedMbps(fields.value("speed")),
    mtu: 0,
    fec: fields.text("fec"),
    mac: looseMac(fields.text("mac")),
    lag: "",
    transceiver: plugged === null ? {} : without(plugged, ["temp", "voltage", "channels"]),
  };
}

/** OpenConfig knows more ways of not being up: testing, dormant, notPresent, lowerLayerDown. */
function status(text: string): LinkStatus {
  if (text === "up") return "up";
  return text === "" || text === "unknown" ? "unknown" : "down";
}

function neighborOf(device: string, port: string, value: JsonValue): NeighborFact {
  const fields = new Fields(value);
  const remoteName = fields.key("sysName") || fields.key("name");
  const remoteChassisId = looseMac(fields.key("chassis"));
  if (remoteName === "" && remoteChassisId === "") {
    throw new Unreadable("23502", "remote_name", "a neighbour without name and chassis");
  }
  return {
    device,
    interface: keyText(port, "interface"),
    protocol: "lldp",
    remoteChassisId,
    remotePort: fields.key("portID"),
    remoteName,
    remotePortDescription: fields.text("portDescr"),
    remoteDescription: fields.text("sysDescr"),
    remoteManagementAddress: "",
  };
}

/** A BGP session with its BFD one, in the fields of an agent. */
export function sessionOf(device: string, vrf: string, neighbor: string, bgp: JsonValue, bfd?: JsonValue): BgpFact {
  const fields = new Fields(bgp);
  return {
    device,
    vrf: defaultVrf(keyText(vrf, "vrf")),
    neighbor: keyText(neighbor, "neighbor"),
    state: fields.word(fields.value("state") === undefined ? "sessionState" : "state", BGP_STATES, "unknown"),
    bfdState: bfd === undefined ? "unknown" : bfdState(bfd),
    localAsn: fields.whole("localAS", 0, MAX_ASN),
    remoteAsn: fields.whole("peerAS", 0, MAX_ASN),
    prefixes: fields.object("prefixes"),
    establishedAt: fields.time("lastEstab"),
  };
}

function bfdState(value: JsonValue): BfdState {
  return new Fields(value).word("state", BFD_STATES, "unknown");
}

/** '' is the default routing table everywhere. */
export function defaultVrf(vrf: string): string {
  return vrf === "default" ? "" : vrf;
}

/**
 * Which of its sessions a switch is told to watch by BFD, as the platform decides it: those over the cables of the fabric unless it is off, those to
 * gateways where it is on; never those to Externals. Nothing where it is told nothing.
 */
function bfdOf(config: JsonObject | null): JsonObject {
  if (config === null) return {};
  return { bfd: { fabric: config["disableBFD"] !== true, gateway: config["gatewayBFD"] === true } };
}

/** What is built in; readings that never stand still are left to the resource's status. */
function inventoryOf(state: JsonObject | null): JsonObject {
  const inventory: JsonObject = {};
  const nos = at(state, "nos");
  if (nos !== null) inventory["nos"] = without(nos, ["uptime"]);
  const readings: Readonly<Record<string, readonly string[]>> = {
    fans: ["speed"],
    psus: ["inCurrent", "inPower", "inVoltage", "outCurrent", "outPower", "outVoltage"],
    temps: ["temp"],
  };
  for (const [part, moving] of Object.entries(readings)) {
    const parts = at(state, "platform", part);
    if (parts === null) continue;
    inventory[part] = Object.fromEntries(
      Object.entries(parts).map(([name, value]) => [name, isJsonObject(value) ? without(value, moving) : value]),
    );
  }
  for (const part of ["breakouts", "firmware"]) {
    const value = at(state, part);
    if (value !== null) inventory[part] = value;
  }
  return inventory;
}

function without(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}
