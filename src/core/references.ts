/**
 * The reference fields of the kinds that we know: where they stand, and what they point to. Kinds that are missing here are related by
 * their owner references and by what the Fabric names.
 */

import { segmentsOf } from "./pointer.ts";

/** The kind and name that a text refers to, in the namespace of the one that refers; null when it refers to nothing. */
export type Target = (
  text: string,
  path: readonly (string | number)[],
) => { readonly apiGroup: string; readonly kind: string; readonly name: string } | null;

export interface Reference {
  /** From the object's root; `*` is every element or value, `{}` every key. */
  readonly path: readonly string[];
  readonly relation: string;
  readonly target: Target;
}

/** A reference field that a Fabric names, for kinds that this program does not know. Stored as it is. */
export interface ReferenceRule {
  readonly group: string;
  readonly kind: string;
  /** A JSON pointer from the object's root, below /spec; `*` is every element or value. */
  readonly path: string;
  readonly targetGroup: string;
  readonly targetKind: string;
  readonly relation: string;
}

const WIRING = "wiring.githedgehog.com";
const VPC = "vpc.githedgehog.com";
const GATEWAY = "gateway.githedgehog.com";

const named =
  (apiGroup: string, kind: string): Target =>
  (name) => ({ apiGroup, kind, name });

/** `vpc/subnet`; without a subnet the VPC's default one is meant. */
const vpcOfSubnet: Target = (text) => ({ apiGroup: VPC, kind: "VPC", name: text.split("/")[0] ?? "" });

/** `device/port`, split at the first slash; which kind of device it is, the name of the end says. */
const deviceOfPort: Target = (text, path) => {
  const slash = text.indexOf("/");
  if (slash < 1) return null;
  const end = path.at(-2);
  const name = text.slice(0, slash);
  if (end === "server") return { apiGroup: WIRING, kind: "Server", name };
  if (end === "gateway") return { apiGroup: GATEWAY, kind: "Gateway", name };
  return { apiGroup: WIRING, kind: "Switch", name };
};

/** What a gateway's view is of: a VPC, or an External behind the prefix `ext.`. */
const vpcOrExternal: Target = (text) =>
  text.startsWith("ext.")
    ? { apiGroup: VPC, kind: "External", name: text.slice("ext.".length) }
    : { apiGroup: VPC, kind: "VPC", name: text };

const field = (path: string, relation: string, target: Target): Reference => ({
  path: path.split("."),
  relation,
  target,
});

/** `Kind.group` → its reference fields. */
export const REFERENCES: ReadonlyMap<string, readonly Reference[]> = new Map([
  [
    `Switch.${WIRING}`,
    [
      field("spec.profile", "profile", named(WIRING, "SwitchProfile")),
      field("spec.groups.*", "group", named(WIRING, "SwitchGroup")),
      field("spec.redundancy.group", "redundancy", named(WIRING, "SwitchGroup")),
      field("spec.vlanNamespaces.*", "vlanNamespace", named(WIRING, "VLANNamespace")),
    ],
  ],
  [`Server.${WIRING}`, [field("spec.profile", "profile", named(WIRING, "ServerProfile"))]],
  [
    `Connection.${WIRING}`,
    [
      field("spec.*.link.*.port", "port", deviceOfPort),
      field("spec.*.links.*.*.port", "port", deviceOfPort),
      field("spec.*.peerLinks.*.*.port", "port", deviceOfPort),
      field("spec.*.sessionLinks.*.*.port", "port", deviceOfPort),
      field("spec.staticExternal.withinVPC", "withinVPC", named(VPC, "VPC")),
    ],
  ],
  [
    `VPC.${VPC}`,
    [
      field("spec.ipv4Namespace", "ipv4Namespace", named(VPC, "IPv4Namespace")),
      field("spec.vlanNamespace", "vlanNamespace", named(WIRING, "VLANNamespace")),
      field("spec.subnets.*.dhcp.relayVPC", "relay", named(VPC, "VPC")),
    ],
  ],
  [
    `VPCAttachment.${VPC}`,
    [field("spec.subnet", "subnet", vpcOfSubnet), field("spec.connection", "connection", named(WIRING, "Connection"))],
  ],
  [`VPCPeering.${VPC}`, [field("spec.permit.*.{}", "peer", named(VPC, "VPC"))]],
  [`External.${VPC}`, [field("spec.ipv4Namespace", "ipv4Namespace", named(VPC, "IPv4Namespace"))]],
  [
    `ExternalAttachment.${VPC}`,
    [
      field("spec.external", "external", named(VPC, "External")),
      field("spec.connection", "connection", named(WIRING, "Connection")),
    ],
  ],
  [
    `ExternalPeering.${VPC}`,
    [
      field("spec.permit.vpc.name", "vpc", named(VPC, "VPC")),
      field("spec.permit.external.name", "external", named(VPC, "External")),
    ],
  ],
  ["DHCPSubnet.dhcp.githedgehog.com", [field("spec.subnet", "subnet", vpcOfSubnet)]],
  ["Agent.agent.githedgehog.com", [field("metadata.name", "switch", named(WIRING, "Switch"))]],
  [`Gateway.${GATEWAY}`, [field("spec.groups.*.name", "group", named(GATEWAY, "GatewayGroup"))]],
  [
    `GatewayPeering.${GATEWAY}`,
    [
      field("spec.gatewayGroup", "gatewayGroup", named(GATEWAY, "GatewayGroup")),
      field("spec.peering.{}", "peer", named(GATEWAY, "VPCInfo")),
    ],
  ],
  [`VPCInfo.${GATEWAY}`, [field("metadata.name", "mirrors", vpcOrExternal)]],
  ["GatewayAgent.gwint.githedgehog.com", [field("metadata.name", "gateway", named(GATEWAY, "Gateway"))]],
]);

/** All reference fields of a kind: those that are known, and those that the Fabric names. */
export function referencesOf(
  { apiGroup, kind }: { readonly apiGroup: string; readonly kind: string },
  rules: readonly ReferenceRule[],
): readonly Reference[] {
  const known = REFERENCES.get(`${kind}.${apiGroup}`) ?? [];
  const named = rules.filter((rule) => rule.group === apiGroup && rule.kind === kind);
  if (named.length === 0) return known;
  return [
    ...known,
    ...named.map(({ path, relation, targetGroup, targetKind }): Reference => ({
      path: segmentsOf(path),
      relation,
      target: (name) => ({ apiGroup: targetGroup, kind: targetKind, name }),
    })),
  ];
}
