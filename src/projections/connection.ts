import { isJsonObject } from "../core/json.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { ResourceRow } from "../core/row.ts";
import { at, Facts, specOf, textAt } from "./facts.ts";
import type { LinkFact, Projection } from "./projection.ts";
import { OUTSIDE_ROLE, outside } from "./external.ts";
import { PRECEDENCE } from "./projection.ts";
import { address, keyText, Unreadable } from "./values.ts";

/** The names that the variants of a Connection give to their ends, in the order in which a link tells them. */
const ENDS = ["spine", "server", "gateway", "leaf1", "switch1", "leaf", "switch", "leaf2", "switch2"] as const;
type End = (typeof ENDS)[number];
const ROLES: Partial<Record<End, string>> = { spine: "spine", server: "server", gateway: "gateway" };
/** Variants that name one end only: the other is a box outside of the fabric. */
const OUTWARDS: readonly string[] = ["external", "staticExternal"];

/**
 * Connection (wiring): the cables between its ends. A server knows nothing of it, so the ends are mentioned as devices; a cable that leads out of the
 * fabric ends at a stub that is called after the connection.
 */
export function projectConnection(row: ResourceRow): Projection {
  const facts = new Facts();
  facts.observe("links", "addresses");
  const side = row.actualSpec === null ? "desired" : "actual";
  for (const [kind, variant] of Object.entries(specOf(row))) {
    if (!isJsonObject(variant)) continue;
    for (const [path, value] of linksOf(variant)) {
      facts.add("links", ["spec", kind, ...path], () => {
        const vrf = vrfOf(variant);
        const stub = OUTWARDS.includes(kind) ? outside(row.name) : "";
        const link = linkOf(value, kind, side, stub);
        if (stub !== "") {
          facts.device(stub, row.kind, PRECEDENCE.mentioned, { role: OUTSIDE_ROLE });
          const nextHop = textAt(at(value, "switch"), "nextHop");
          if (nextHop !== "") {
            facts.add("addresses", ["spec", kind, ...path, "switch", "nextHop"], () => ({
              device: stub,
              vrf,
              address: address(nextHop, "nextHop"),
              interface: "",
            }));
          }
        }
        for (const [name, port, ip, end] of endsOf(value)) {
          facts.device(name, row.kind, PRECEDENCE.mentioned, { role: ROLES[end] ?? "" });
          if (ip === "") continue;
          facts.add("addresses", ["spec", kind, ...path, end, "ip"], () => ({
            device: name,
            vrf,
            address: address(ip, "ip"),
            interface: port,
          }));
        }
        return link;
      });
    }
  }
  return facts.done();
}

/** The routing table of a VPC, as switches call it, where the cable is within one. */
function vrfOf(variant: JsonObject): string {
  const vpc = textAt(variant, "withinVPC");
  return vpc === "" ? "" : keyText(`VrfV${vpc}`, "withinVPC");
}

/** `link`, and the elements of `links`, `peerLinks`, `sessionLinks`. */
function linksOf(variant: JsonObject): (readonly [path: readonly (string | number)[], link: JsonValue])[] {
  return Object.entries(variant).flatMap(([name, value]): (readonly [readonly (string | number)[], JsonValue])[] => {
    if (name === "link") return [[[name], value]];
    if (!name.toLowerCase().endsWith("links") || !Array.isArray(value)) return [];
    return value.map((link, index) => [[name, index], link]);
  });
}

function endsOf(link: JsonValue): (readonly [device: string, port: string, ip: string, end: End])[] {
  return ENDS.flatMap((end) => {
    const found = at(link, end);
    if (found === null) return [];
    const [device, port] = splitPort(textAt(found, "port"));
    return [[device, port, textAt(found, "ip"), end] as const];
  });
}

function linkOf(value: JsonValue, kind: string, side: LinkFact["side"], stub: string): LinkFact {
  const [a, b] = endsOf(value);
  if (a === undefined) throw new Unreadable("23502", "port", "a link without ends");
  return {
    deviceA: a[0],
    interfaceA: a[1],
    deviceB: b?.[0] ?? stub,
    interfaceB: b?.[1] ?? "",
    kind,
    side,
    addressA: a[2],
    addressB: b?.[2] ?? "",
  };
}

/** `leaf-01/E1/5`: the device is what stands before the first slash. */
export function splitPort(text: string): readonly [device: string, port: string] {
  const slash = text.indexOf("/");
  if (slash < 1 || slash === text.length - 1) {
    throw new Unreadable("22P02", "port", `not device/port: ${JSON.stringify(text.slice(0, 80))}`);
  }
  return [keyText(text.slice(0, slash), "port"), keyText(text.slice(slash + 1), "port")];
}
