import type { Config } from "../config.ts";
import type { KubeConfigSource } from "../sources/cluster/kubeconfig.ts";

/** Where the operator's own access to the cluster comes from. */
export function kubeConfigSource({ kubeconfig }: Config): KubeConfigSource {
  return kubeconfig === "" ? { from: "in-cluster" } : { from: "file", path: kubeconfig };
}
