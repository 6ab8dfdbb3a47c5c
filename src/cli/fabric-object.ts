import { parseFabric } from "../api/fabric.ts";
import type { Fabric } from "../api/fabric.ts";
import { FabricSyncError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import { fabricsPath } from "../controller/fabric-watch.ts";
import { objectBody } from "../controller/kube-api.ts";
import type { KubeApi } from "../controller/kube-api.ts";
import type { FabricName } from "./command.ts";

/**
 * The Fabric as it is in the cluster now.
 * @throws FabricSyncError `FabricNotFound`, `InvalidSpec`; what the client throws.
 */
export async function readFabric(api: KubeApi, { namespace, name }: FabricName, signal: AbortSignal): Promise<Fabric> {
  // By a list, for which the operator's role has the verb.
  const query = { fieldSelector: `metadata.name=${name}` };
  const { items } = objectBody(await api.request("GET", fabricsPath(namespace), { query, signal }), "fabrics");
  const object = Array.isArray(items) ? items.find(isJsonObject) : undefined;
  if (object === undefined) {
    throw new FabricSyncError("FabricNotFound", "stall", `there is no Fabric ${namespace}/${name} in the cluster`);
  }
  const fabric = parseFabric(object);
  if ("problem" in fabric) {
    throw new FabricSyncError("InvalidSpec", "stall", `the spec of Fabric ${namespace}/${name} cannot be read`);
  }
  return fabric;
}
