import type { ResourceRow } from "../core/row.ts";
import { at, Facts, specOf, statusOf, textAt } from "./facts.ts";
import type { Projection } from "./projection.ts";
import { address, Fields, host, keyText, mac, network } from "./values.ts";

/** 802.1Q. */
const MAX_VLAN = 4_094;

/** VPC (vpc): its subnets. */
export function projectVpc(row: ResourceRow): Projection {
  const facts = new Facts();
  facts.observe("subnets");
  const spec = specOf(row);
  for (const [name, value] of Object.entries(at(spec, "subnets") ?? {})) {
    facts.add("subnets", ["spec", "subnets", name], () => {
      const fields = new Fields(value);
      return {
        vpc: row.name,
        name: keyText(name, "name"),
        addressNamespace: textAt(spec, "ipv4Namespace") || "default",
        prefix: network(fields.text("subnet"), "subnet"),
        gateway: host(fields.text("gateway"), "gateway"),
        vlan: fields.whole("vlan", 0, MAX_VLAN) ?? 0,
      };
    });
  }
  return facts.done();
}

/** DHCPSubnet (dhcp): who got which address. When a lease ends is not told here: it moves with every renewal. */
export function projectDhcpSubnet(row: ResourceRow): Projection {
  const facts = new Facts();
  const allocated = at(statusOf(row), "allocated");
  if (allocated === null) return facts.done();
  facts.observe("leases");
  const subnet = textAt(specOf(row), "subnet");
  for (const [client, value] of Object.entries(allocated)) {
    facts.add("leases", ["status", "allocated", client], () => {
      const fields = new Fields(value);
      return {
        mac: mac(client, "mac"),
        address: address(fields.text("ip"), "ip"),
        hostname: fields.text("hostname"),
        subnet,
      };
    });
  }
  return facts.done();
}
