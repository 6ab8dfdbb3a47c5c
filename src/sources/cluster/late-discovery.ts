import { messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/telemetry.ts";
import { KubeApiError } from "./api-error.ts";
import type { KubeClient } from "./client.ts";
import type { Discovery } from "./discovery.ts";
import type { StreamSpec } from "./selection.ts";
import { currentVersion } from "./stream-requests.ts";

/** A server that takes longer for one small list (ms) has other trouble than a kind that is gone. */
const PROBE_MS = 3_000;

export interface LateDiscoveryOptions {
  readonly client: Pick<KubeClient, "fetch">;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * What can be believed of a reading of discovery in which kinds are missing. An API server that has just begun tells its groups late: a
 * kind is gone when a list of it is answered by 404, and not before. Until then its group counts as one that is not known in full, and
 * what was known of the kind still holds. Gives `discovery` itself when nothing is in doubt.
 *
 * @param before the last reading that was believed; null when there was none.
 * @param watched the streams that run, or ran when the process before this one ended.
 */
export async function believe(
  discovery: Discovery,
  before: Discovery | null,
  watched: readonly StreamSpec[],
  { client, logger, signal }: LateDiscoveryOptions,
): Promise<Discovery> {
  const served = new Set(discovery.kinds.map(resourceOf));
  const broken = new Set(discovery.broken.map(({ group }) => group));
  const missing = watched.filter((spec) => !served.has(resourceOf(spec)) && !broken.has(spec.group));
  if (missing.length === 0) return discovery;
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)]);
  const answers = await Promise.all(missing.map((spec) => answerOf(client, spec, bounded)));
  const doubts = missing.flatMap((spec, index) => {
    const message = answers[index];
    return message === null || message === undefined
      ? []
      : [{ group: spec.group, resource: resourceOf(spec), message }];
  });
  if (doubts.length === 0) return discovery;
  logger.warn(
    { kinds: doubts.map(({ resource }) => resource) },
    "discovery lacks kinds that the server does not say are gone",
  );
  const late = new Set(doubts.map(({ resource }) => resource));
  const groups = new Map(doubts.map(({ group, message }) => [group, message]));
  return {
    kinds: [...discovery.kinds, ...(before?.kinds ?? []).filter((kind) => late.has(resourceOf(kind)))],
    broken: [...discovery.broken, ...[...groups].map(([group, message]) => ({ group, message }))],
  };
}

/** null: the server says that there is no such kind. */
async function answerOf(
  client: Pick<KubeClient, "fetch">,
  spec: StreamSpec,
  signal: AbortSignal,
): Promise<string | null> {
  const late = `discovery does not tell ${spec.plural} (yet)`;
  try {
    await currentVersion(client, spec, signal);
    return `${late}, and the API server answers for it`;
  } catch (error) {
    if (error instanceof KubeApiError && error.status === 404) return null;
    return `${late}, and whether it is gone is not known: ${messageOf(error)}`;
  }
}

function resourceOf({ group, plural }: { readonly group: string; readonly plural: string }): string {
  return `${group}/${plural}`;
}
