import { fileURLToPath } from "node:url";
import { aggregateClusterRole } from "./cluster-role-aggregation.ts";
import { waitFor } from "./wait.ts";

export const OPERATOR_NAMESPACE = "fabric-sync";
export const OPERATOR_ACCOUNT = "fabric-sync";

/** The part of a control plane, or of a kubectl on somebody's cluster, that is needed here. */
interface Kubectl {
  kubectl(args: readonly string[], stdin?: string): Promise<string>;
}

/**
 * Applies `deploy/base` but for the Deployment: the program then runs as a process of its own, with exactly the rights that its pod
 * would have.
 */
export async function applyOperatorManifests(cluster: Kubectl): Promise<void> {
  const base = fileURLToPath(new URL("../../deploy/base", import.meta.url));
  const manifests = await cluster.kubectl(["kustomize", base]);
  const rights = manifests.split(/^---$/m).filter((manifest) => !/^kind: Deployment$/m.test(manifest));
  await cluster.kubectl(["apply", "--server-side", "-f", "-"], rights.join("---\n"));
  await aggregateClusterRole(cluster, "fabric-sync-mirror");
  await aggregateClusterRole(cluster, "fabric-sync-dry-run");
  await inForce(cluster);
}

/** What was applied is served, and authorized by, a moment after it was accepted. */
async function inForce(cluster: Kubectl): Promise<void> {
  await waitFor("the Fabrics to be served", () =>
    cluster.kubectl(["get", "--raw", "/apis/fabricsync.dev/v1alpha1/fabrics"]),
  );
  const rights: Record<string, string>[] = [
    { verb: "create", group: "events.k8s.io", resource: "events" },
    { verb: "create", group: "coordination.k8s.io", resource: "leases", namespace: OPERATOR_NAMESPACE },
    { verb: "list", group: "wiring.githedgehog.com", resource: "switches" },
  ];
  const user = `system:serviceaccount:${OPERATOR_NAMESPACE}:${OPERATOR_ACCOUNT}`;
  const asked = rights.map(async (resourceAttributes) => {
    const review = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: { user, resourceAttributes },
    };
    const ask = ["create", "-f", "-", "-o", "jsonpath={.status.allowed}"];
    await waitFor(`the right to ${JSON.stringify(resourceAttributes)}`, async () => {
      return (await cluster.kubectl(ask, JSON.stringify(review))) === "true";
    });
  });
  await Promise.all(asked);
}
