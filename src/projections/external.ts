import type { ResourceRow } from "../core/row.ts";
import { MAX_ASN } from "./agent.ts";
import { at, Facts, specOf, textAt } from "./facts.ts";
import type { Projection } from "./projection.ts";
import { PRECEDENCE } from "./projection.ts";
import { address, Fields } from "./values.ts";

const ROLE = "external";

/** As gateways name it: an External and a device of ours may have one name. */
function deviceOf(external: string): string {
  return external === "" ? "" : `ext.${external}`;
}

/** External (vpc): a network outside of the fabric, as the neighbour that it is. */
export function projectExternal(row: ResourceRow): Projection {
  const facts = new Facts();
  facts.device(deviceOf(row.name), row.kind, PRECEDENCE.declared, { role: ROLE });
  return facts.done();
}

/**
 * ExternalAttachment (vpc): the address and the AS number that an External has at the end of a connection, so that sessions and next hops are known
 * by them. Which switch is at this end only the connection tells.
 */
export function projectExternalAttachment(row: ResourceRow): Projection {
  const facts = new Facts();
  facts.observe("addresses");
  const spec = specOf(row);
  const device = deviceOf(textAt(spec, "external"));
  const neighbor = at(spec, "neighbor");
  let asn: number | null = null;
  facts.attempt(["spec", "neighbor", "asn"], () => (asn = new Fields(neighbor ?? {}).whole("asn", 0, MAX_ASN)));
  facts.device(device, row.kind, PRECEDENCE.mentioned, { role: ROLE, asn });
  const told = textAt(neighbor, "ip");
  if (told !== "" && device !== "") {
    facts.add("addresses", ["spec", "neighbor", "ip"], () => ({
      device,
      vrf: "",
      address: address(told, "ip"),
      interface: "",
    }));
  }
  return facts.done();
}
