import type { ResourceKey } from "./identity.ts";

/**
 * Kinds that the fabric platform generates and nobody writes into Git. Their rows are `external` and `untracked`: never orphans,
 * never compared with Git. (Agent.spec is a per-switch copy of other objects; comparing it would tell each change twice.)
 */
const GENERATED_KINDS: ReadonlyMap<string, string> = new Map([
  ["Agent.agent.githedgehog.com", "the fabric controller makes one for each Switch"],
  ["Catalog.agent.githedgehog.com", "holds the controller's allocations"],
  ["DHCPSubnet.dhcp.githedgehog.com", "made for each VPC subnet with DHCP"],
  ["SwitchProfile.wiring.githedgehog.com", "shipped with the fabric's release"],
  ["VPCInfo.gateway.githedgehog.com", "made for each VPC and External"],
  ["DeviceState.fabricsync.dev", "collectors write one for each device that they look at"],
  ["GatewayAgent.gwint.githedgehog.com", "the gateway controller makes one for each Gateway"],
]);

/**
 * Single objects that an installation creates by itself when Git has none. Unlike the kinds above they are judged as any other once
 * Git declares them.
 */
const GENERATED_OBJECTS: ReadonlySet<string> = new Set([
  "IPv4Namespace.vpc.githedgehog.com/default",
  "VLANNamespace.wiring.githedgehog.com/default",
  "GatewayGroup.gateway.githedgehog.com/default",
]);

type Kind = Pick<ResourceKey, "apiGroup" | "kind">;

/** Whether the platform generates every object of this kind. */
export function isGeneratedKind({ apiGroup, kind }: Kind): boolean {
  return GENERATED_KINDS.has(`${kind}.${apiGroup}`);
}

/** Whether the platform generates this object where Git does not declare it. */
export function isGeneratedObject({ apiGroup, kind, name }: Kind & Pick<ResourceKey, "name">): boolean {
  return GENERATED_OBJECTS.has(`${kind}.${apiGroup}/${name}`);
}

/** The generated kinds as `Kind.group`, for documentation and tests. */
export function generatedKinds(): readonly string[] {
  return [...GENERATED_KINDS.keys()];
}
