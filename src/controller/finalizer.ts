import type { FabricMetadata } from "../api/fabric.ts";
import { FINALIZER } from "../api/fabric.ts";
import { fabricsPath } from "./fabric-watch.ts";
import { SMALL_REQUEST_MS, isStatus, objectBody } from "./kube-api.ts";
import type { KubeApi } from "./kube-api.ts";
import { resourceVersionOf } from "../sources/cluster/watch-event.ts";

/**
 * Sets or takes away our finalizer, and gives the metadata as it is then. The patch carries the resourceVersion that `metadata`
 * was read at: when somebody else wrote meanwhile it is refused, nothing is overwritten, and the watch brings the newer
 * object. null then, or when it is gone.
 */
export async function setFinalizer(
  api: KubeApi,
  metadata: FabricMetadata,
  wanted: boolean,
  signal: AbortSignal,
): Promise<FabricMetadata | null> {
  if (metadata.finalizers.includes(FINALIZER) === wanted) return metadata;
  const others = metadata.finalizers.filter((finalizer) => finalizer !== FINALIZER);
  const finalizers = wanted ? [...others, FINALIZER] : others;
  const { uid, resourceVersion } = metadata;
  const options = {
    body: { metadata: { uid, resourceVersion, finalizers } },
    contentType: "application/merge-patch+json",
    timeoutMs: SMALL_REQUEST_MS,
    signal,
  };
  try {
    const path = `${fabricsPath(metadata.namespace)}/${metadata.name}`;
    const written = resourceVersionOf(objectBody(await api.request("PATCH", path, options), path));
    return { ...metadata, finalizers, resourceVersion: written };
  } catch (error) {
    if (isStatus(error, 409) || isStatus(error, 404)) return null;
    throw error;
  }
}
