import type { ReducePolicy } from "../core/policy.ts";
import type { ObservationStore } from "../core/ports.ts";
import type { Config } from "../config.ts";
import { reducePolicy } from "../controller/policy.ts";
import { KubeClient } from "../sources/cluster/client.ts";
import { loadKubeConfig } from "../sources/cluster/kubeconfig.ts";
import { kubeConfigSource } from "./cluster.ts";
import type { FabricName } from "./command.ts";
import { readFabric } from "./fabric-object.ts";

/**
 * How rows are judged by the Fabric as it is in the cluster now. Kinds whose list is not complete are not known here; the
 * operator judges those rows again when it is.
 * @throws FabricSyncError when the Fabric cannot be had, or its spec cannot be read.
 */
export async function policyOfFabric(
  config: Config,
  { id, namespace, name }: FabricName & { readonly id: string },
  store: Pick<ObservationStore, "readCursors">,
  signal: AbortSignal,
): Promise<ReducePolicy> {
  const client = new KubeClient(loadKubeConfig(kubeConfigSource(config)));
  try {
    const fabric = await readFabric(client, { namespace, name }, signal);
    const cursors = await store.readCursors(id);
    const taken = (source: string): boolean => cursors.some((one) => one.source === source && one.completeAt !== null);
    return reducePolicy(fabric.spec, { git: taken("git"), discovered: taken("cluster"), streams: [] });
  } finally {
    await client.close();
  }
}
