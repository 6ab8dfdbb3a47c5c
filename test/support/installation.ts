import { fileURLToPath } from "node:url";
import { aggregateClusterRole } from "./cluster-role-aggregation.ts";

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
}
