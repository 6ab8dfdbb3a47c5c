import type { ResourceRow } from "../core/row.ts";
import { MAX_ASN } from "./agent.ts";
import { at, Facts, specOf, textAt } from "./facts.ts";
import type { Projection } from "./projection.ts";
import { PRECEDENCE } from "./projection.ts";
import { address, Fields, host, looseMac } from "./values.ts";

/** Switch (wiring): what is declared of it; addresses may be filled in by the platform. */
export function projectSwitch(row: ResourceRow): Projection {
  const facts = new Facts();
  const spec = specOf(row);
  const profile = textAt(spec, "profile");
  let managementAddress = "";
  let asn: number | null = null;
  facts.attempt(["spec", "ip"], () => (managementAddress = host(textAt(spec, "ip"), "ip")));
  facts.attempt(["spec", "asn"], () => (asn = new Fields(spec).whole("asn", 0, MAX_ASN)));
  facts.device(row.name, row.kind, PRECEDENCE.declared, {
    role: textAt(spec, "role"),
    site:
      row.labels["fabric.githedgehog.com/site"] === undefined ? "" : String(row.labels["fabric.githedgehog.com/site"]),
    model: profile,
    profile,
    managementAddress,
    chassisId: looseMac(textAt(at(spec, "boot"), "mac")),
    serialNumber: textAt(at(spec, "boot"), "serial"),
    asn,
  });
  facts.observe("addresses");
  const addresses = [
    ["ip", "M1"],
    ["protocolIP", "Loopback0"],
    ["vtepIP", "Loopback1"],
  ] as const;
  for (const [field, port] of addresses) {
    if (textAt(spec, field) === "") continue;
    facts.add("addresses", ["spec", field], () => ({
      device: row.name,
      vrf: "",
      address: address(textAt(spec, field), field),
      interface: port,
    }));
  }
  return facts.done();
}

/** Server (wiring): a name at the far end of cables. */
export function projectServer(row: ResourceRow): Projection {
  const facts = new Facts();
  facts.device(row.name, row.kind, PRECEDENCE.declared, { role: "server", model: textAt(specOf(row), "profile") });
  return facts.done();
}
