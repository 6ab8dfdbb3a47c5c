import { pause } from "../../core/pause.ts";
import { isJsonObject } from "../../core/json.ts";
import type { JsonObject } from "../../core/json.ts";
import { fullJitterDelay } from "../../core/retry.ts";
import type { Logger } from "../../core/telemetry.ts";
import { KubeApiError } from "./api-error.ts";
import { messageOf } from "../../core/errors.ts";
import type { KubeClient } from "./client.ts";
import { LineSplitter } from "./lines.ts";
import type { StreamTiming } from "./timing.ts";
import { parseWatchEvent, resourceVersionOf } from "./watch-event.ts";
import { Watchdog } from "./watchdog.ts";

const PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/** Names and versions only: the schemas of real CRDs are megabytes that nobody here reads. */
const METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const BACKOFF = { baseMs: 400, capMs: 30_000 };
/** While watching CRDs is forbidden, permission is looked for so often (ms). */
const FORBIDDEN_RETRY_MS = 60_000;

export interface CrdWatchOptions {
  readonly client: Pick<KubeClient, "stream">;
  readonly timing: StreamTiming;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** A CRD came, changed or may have while nobody watched, or (`deleted`) went. `name` is `plural.group`. */
  readonly onChange: (name: string, deleted: boolean) => void;
  /** Whether changes are told now: false means that discovery has to be read on a timer. */
  readonly onWatching: (watching: boolean) => void;
  readonly random: () => number;
}

/** Tells of every change of a CustomResourceDefinition. Runs until the signal aborts; never rejects. */
export async function watchCrds(options: CrdWatchOptions): Promise<void> {
  const { timing, logger, signal, random } = options;
  let position = "";
  let attempt = 0;
  while (!signal.aborted) {
    try {
      const begun = Date.now();
      for await (const version of changes(options, position)) {
        position = version;
        attempt = 0;
      }
      if (Date.now() - begun >= timing.minStreamMs) continue;
    } catch (error) {
      if (signal.aborted) return;
      options.onWatching(false);
      // Begins anew: the server then sends all CRDs, which is one look at discovery and no more.
      position = "";
      const status = error instanceof KubeApiError ? error.status : 0;
      const log = attempt === 0 ? "warn" : "debug";
      if (status !== 410) logger[log]({ error: messageOf(error), attempt }, "CRDs cannot be watched");
      if (status === 403) await pause(FORBIDDEN_RETRY_MS, signal);
    }
    attempt += 1;
    await pause(fullJitterDelay(attempt, BACKOFF, random), signal);
  }
}

function nameOf({ metadata }: JsonObject): string {
  const name = isJsonObject(metadata) ? metadata["name"] : "";
  return typeof name === "string" ? name : "";
}

/** One watch stream; gives the resourceVersion of each event after telling of it. */
async function* changes(options: CrdWatchOptions, position: string): AsyncGenerator<string, void, void> {
  const { client, timing, signal, onChange, onWatching, random } = options;
  const watchdog = new Watchdog();
  const query = {
    watch: 1,
    allowWatchBookmarks: true,
    timeoutSeconds: Math.round(timing.watchSeconds * (1 + random())),
    resourceVersion: position || undefined,
  };
  const both = AbortSignal.any([signal, watchdog.signal]);
  const opening = client.stream(PATH, { query, accept: METADATA_ONLY, signal: both });
  const stream = await watchdog.guard(opening, timing.headersMs);
  onWatching(true);
  const splitter = new LineSplitter();
  for await (const chunk of watchdog.chunks(stream, timing.silenceMs)) {
    for (const line of splitter.push(chunk)) {
      const event = parseWatchEvent(line);
      if (event.type === "ERROR") throw event.error;
      if (event.type === "GARBAGE") throw new Error(event.why);
      if (event.type === "BOOKMARK") yield event.resourceVersion;
      else {
        onChange(nameOf(event.object), event.type === "DELETED");
        yield resourceVersionOf(event.object);
      }
    }
  }
}
