import { normaliseDesired } from "../../src/core/normalise.ts";
import type { DesiredUpsert } from "../../src/core/observation.ts";

export const COLLECTION = "/apis/vpc.githedgehog.com/v1beta1/namespaces/default/vpcs";

/** A VPC of eight subnets, 1.7 KB. */
export function vpc(index: number, vlan: number) {
  return {
    apiVersion: "vpc.githedgehog.com/v1beta1",
    kind: "VPC",
    metadata: { name: `v${index}`, namespace: "default", labels: { rack: `r${index % 50}` } },
    spec: {
      ipv4Namespace: "default",
      vlanNamespace: "default",
      subnets: Object.fromEntries(
        Array.from({ length: 8 }, (_, subnet) => [
          `subnet-${subnet}`,
          {
            subnet: `10.${index % 250}.${subnet}.0/24`,
            gateway: `10.${index % 250}.${subnet}.1`,
            vlan: vlan + subnet,
            dhcp: {
              enable: true,
              range: { start: "10.0.0.10", end: "10.0.0.99" },
              options: { dnsServers: ["10.0.0.1", "10.0.0.2"] },
            },
          },
        ]),
      ),
    },
  };
}

/** Git's side of it. */
export function desired(fabricId: string, index: number, vlan: number, commit: string): DesiredUpsert {
  return normaliseDesired(
    vpc(index, vlan),
    { commit, author: "ada", filePath: `vpcs/v${index}.yaml`, line: 1, fileHash: commit },
    { fabricId, writePath: "git_poll", observedAt: Date.now() },
  );
}
