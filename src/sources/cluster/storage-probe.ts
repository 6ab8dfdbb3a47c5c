import { messageOf } from "../../core/errors.ts";
import type { Cursor } from "../../core/ports.ts";
import { compareResourceVersions } from "../../core/resource-version.ts";
import type { Logger } from "../../core/telemetry.ts";
import type { KubeClient } from "./client.ts";
import type { StreamSpec } from "./selection.ts";
import { currentVersion } from "./stream-requests.ts";

/** One small request before the streams resume (ms): a server that takes longer has other trouble. */
const PROBE_MS = 3_000;

/**
 * Whether the storage of the cluster was set back while nobody watched: a watch from a position that it has not reached would miss, in
 * silence, all until then. The stream that came farthest is asked for all.
 */
export async function wasSetBack(
  streams: readonly StreamSpec[],
  stored: ReadonlyMap<string, Cursor>,
  { client, logger, signal }: { client: Pick<KubeClient, "fetch">; logger: Logger; signal: AbortSignal },
): Promise<boolean> {
  const farthest = farthestOf(streams, stored);
  if (farthest === null) return false;
  const { spec, position } = farthest;
  try {
    const version = await currentVersion(client, spec, AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)]));
    const setBack = (compareResourceVersions(version, position) ?? 0) < 0;
    if (setBack) logger.warn({ version, position }, "the cluster's storage was set back; every kind is listed");
    return setBack;
  } catch (error) {
    // The streams will meet the same trouble, and ask again after it.
    logger.debug({ error: messageOf(error) }, "it is not known whether the cluster's storage was set back");
    return false;
  }
}

function farthestOf(
  streams: readonly StreamSpec[],
  stored: ReadonlyMap<string, Cursor>,
): { readonly spec: StreamSpec; readonly position: string } | null {
  let farthest: { readonly spec: StreamSpec; readonly position: string } | null = null;
  for (const spec of streams) {
    const position = stored.get(spec.scope)?.position ?? "";
    if (position === "" || position === "0") continue;
    if (farthest === null || (compareResourceVersions(position, farthest.position) ?? 0) > 0) {
      farthest = { spec, position };
    }
  }
  return farthest;
}
