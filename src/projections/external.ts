import type { ResourceRow } from "../core/row.ts";
import { MAX_ASN } from "./agent.ts";
import { at, Facts, specOf, textAt } from "./facts.ts";
import type { Projection } from "./projection.ts";
import { PRECEDENCE } from "./projection.ts";
import { address, Fields, keyText } from "./values.ts";

const EXTERNAL_ROLE = "external";
/** Of the boxes at the ends of cables that lead out. */
export const OUTSIDE_ROLE = "outside";
/** 802.1Q. */
const MAX_VLAN = 4_094;

/** As gateways name it: an External and a device of ours may have one name. */
function deviceOf(external: string): string {
  return external === "" ? "" : `ext.${external}`;
}

/** The box at the far end of a cable that leads out of the fabric: no name of an object has a colon. */
export function outside(connection: string): string {
  return connection === "" ? "" : keyText(`outside:${connection}`, "connection");
}

/** External (vpc): a network outside of the fabric, as the neighbour that it is. */
export function projectExternal(row: ResourceRow): Projection {
  const facts = new Facts();
  facts.device(deviceOf(row.name), row.kind, PRECEDENCE.declared, { role: EXTERNAL_ROLE });
  return facts.done();
}

/**
 * ExternalAttachment (vpc): the address and the AS number that an External has behind a connection, so that sessions and next hops are known by them, and
 * that it is reached over the box at the end of that connection, in a VLAN. Which switch is at the inner end only the connection tells.
 */
export function projectExternalAttachment(row: ResourceRow): Projection {
  const facts = new Facts();
  facts.observe("addresses", "links");
  const spec = specOf(row);
  const device = deviceOf(textAt(spec, "external"));
  const neighbor = at(spec, "neighbor");
  let asn: number | null = null;
  facts.attempt(["spec", "neighbor", "asn"], () => (asn = new Fields(neighbor ?? {}).whole("asn", 0, MAX_ASN)));
  facts.device(device, row.kind, PRECEDENCE.mentioned, { role: EXTERNAL_ROLE, asn });
  if (device === "") return facts.done();
  for (const [field, told] of [
    [["neighbor", "ip"], textAt(neighbor, "ip")],
    [["static", "remoteIP"], textAt(at(spec, "static"), "remoteIP")],
  ] as const) {
    if (told === "") continue;
    facts.add("addresses", ["spec", ...field], () => ({
      device,
      vrf: keyText(`VrfE${textAt(spec, "external")}`, "external"),
      address: address(told, field[1]),
      interface: "",
    }));
  }
  if (textAt(spec, "connection") === "") return facts.done();
  facts.add("links", ["spec", "connection"], () => {
    const box = outside(textAt(spec, "connection"));
    const vlan = vlanOf(at(spec, "switch")) ?? vlanOf(at(spec, "static"));
    return {
      deviceA: box,
      interfaceA: vlan === null ? "" : `vlan ${vlan}`,
      deviceB: device,
      interfaceB: "",
      kind: "attachment",
      side: row.actualSpec === null ? "desired" : "actual",
      addressA: "",
      addressB: "",
    };
  });
  return facts.done();
}

/** 0 says that there is none. */
function vlanOf(side: ReturnType<typeof at>): number | null {
  return (side === null ? null : new Fields(side).whole("vlan", 0, MAX_VLAN)) || null;
}
