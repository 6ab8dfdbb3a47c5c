import { GROUP, PLURAL, VERSION } from "../api/fabric.ts";
import { FabricSyncError, messageOf } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { pause } from "../core/pause.ts";
import { CONNECT_BACKOFF, fullJitterDelay } from "../core/retry.ts";
import type { Heartbeats, Logger } from "../core/telemetry.ts";
import type { KubeClient } from "../sources/cluster/client.ts";
import { LineSplitter } from "../sources/cluster/lines.ts";
import { parseWatchEvent, resourceVersionOf } from "../sources/cluster/watch-event.ts";
import { isStatus, objectBody } from "./kube-api.ts";

/** A watch is ended by the server after about so long (s), so that connections spread over API servers again; client-go's 5 to 10 minutes. */
const WATCH_SECONDS = 300;
/** What we add before we end it ourselves (ms): a server that went silent never ends anything. */
const SILENCE_MS = 30_000;
/** A watch that ends sooner (ms) with nothing told is a failure, not a clean end: no spinning. */
const MIN_WATCH_MS = 1_000;
/** Longest that a list of Fabrics may take, with its retries' waits (ms). */
const BEAT_MS = WATCH_SECONDS * 2_000 + 60_000;
/** Fabrics a page; they are few, and each may be some 10 KB. */
const PAGE = 250;

export interface FabricWatchOptions {
  readonly client: Pick<KubeClient, "request" | "stream">;
  /** Empty = all, which needs a ClusterRoleBinding. */
  readonly namespaces: readonly string[];
  readonly log: Logger;
  readonly heartbeats: Heartbeats;
  /** Of the loop, for probes; default `fabrics`. */
  readonly name?: string;
  /** The Fabric's object as it is now; null when it is gone. Called for each in each list, too. */
  readonly onObject: (key: string, object: JsonObject | null) => void;
  /** Every namespace was listed once. */
  readonly onListed: () => void;
}

/**
 * Follows the Fabric objects: list, watch, and list again on any doubt. They are few and small, so a list costs nothing, and
 * there is no cursor to keep.
 */
export class FabricWatch {
  readonly #options: FabricWatchOptions;
  /** namespace watched → keys known in it. */
  readonly #known = new Map<string, Set<string>>();
  readonly #unlisted: Set<string>;

  constructor(options: FabricWatchOptions) {
    this.#options = options;
    this.#unlisted = new Set(options.namespaces.length === 0 ? [""] : options.namespaces);
  }

  /** Until `signal` aborts. Never throws: what fails is logged and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#unlisted].map((namespace) => this.#follow(namespace, signal)));
  }

  async #follow(namespace: string, signal: AbortSignal): Promise<void> {
    const heartbeat = this.#options.heartbeats.register(
      `${this.#options.name ?? "fabrics"} ${namespace === "" ? "of all namespaces" : namespace}`,
      BEAT_MS,
    );
    let failures = 0;
    let from: string | null = null;
    while (!signal.aborted) {
      heartbeat.beat();
      try {
        from ??= await this.#list(namespace, signal);
        const begun = performance.now();
        const position = await this.#watch(namespace, from, signal);
        failures = position === from && performance.now() - begun < MIN_WATCH_MS ? failures + 1 : 0;
        from = position;
        if (failures > 0) await pause(fullJitterDelay(failures, CONNECT_BACKOFF, Math.random), signal);
      } catch (error) {
        if (signal.aborted) break;
        failures += 1;
        from = null;
        const told = { namespace, error: messageOf(error), attempt: failures };
        if (isStatus(error, 410)) this.#options.log.debug(told, "fabrics are listed again");
        else this.#options.log.warn(told, "cannot follow the fabrics");
        await pause(fullJitterDelay(failures, CONNECT_BACKOFF, Math.random), signal);
      }
    }
    heartbeat.end();
  }

  /** Gives the resourceVersion to watch from. */
  async #list(namespace: string, signal: AbortSignal): Promise<string> {
    const seen = new Set<string>();
    let resourceVersion = "";
    let token: string | undefined;
    do {
      const query = { limit: PAGE, continue: token };
      const body = await this.#options.client.request("GET", fabricsPath(namespace), { query, signal });
      const list = objectBody(body, "fabrics");
      const metadata = isJsonObject(list["metadata"]) ? list["metadata"] : {};
      for (const item of arrayOf(list["items"])) seen.add(this.#tell(item));
      resourceVersion = textOf(metadata["resourceVersion"]);
      token = textOf(metadata["continue"]) || undefined;
    } while (token !== undefined);
    for (const key of this.#known.get(namespace) ?? []) if (!seen.has(key)) this.#options.onObject(key, null);
    this.#known.set(namespace, seen);
    if (this.#unlisted.delete(namespace) && this.#unlisted.size === 0) this.#options.onListed();
    return resourceVersion;
  }

  /** Until the server ends it: gives the resourceVersion to go on from. */
  async #watch(namespace: string, from: string, signal: AbortSignal): Promise<string> {
    const seconds = Math.round(WATCH_SECONDS * (1 + Math.random()));
    const silence = AbortSignal.timeout(seconds * 1_000 + SILENCE_MS);
    const query = { watch: true, allowWatchBookmarks: true, resourceVersion: from, timeoutSeconds: seconds };
    const both = AbortSignal.any([signal, silence]);
    const chunks = await this.#options.client.stream(fabricsPath(namespace), { query, signal: both });
    const lines = new LineSplitter();
    let position = from;
    for await (const chunk of chunks) {
      for (const line of lines.push(chunk)) position = this.#take(namespace, line);
    }
    return position;
  }

  #take(namespace: string, line: string): string {
    const event = parseWatchEvent(line);
    switch (event.type) {
      case "ADDED":
      case "MODIFIED":
        this.#known.get(namespace)?.add(this.#tell(event.object));
        return resourceVersionOf(event.object);
      case "DELETED": {
        const key = keyOf(event.object);
        this.#known.get(namespace)?.delete(key);
        this.#options.onObject(key, null);
        return resourceVersionOf(event.object);
      }
      case "BOOKMARK":
        return event.resourceVersion;
      case "ERROR":
        throw event.error;
      case "GARBAGE":
        throw new FabricSyncError("WatchGarbled", "retry", event.why);
    }
  }

  #tell(object: JsonObject): string {
    const key = keyOf(object);
    this.#options.onObject(key, object);
    return key;
  }
}

export function fabricsPath(namespace: string): string {
  const folder = namespace === "" ? "" : `/namespaces/${namespace}`;
  return `/apis/${GROUP}/${VERSION}${folder}/${PLURAL}`;
}

/** `namespace/name`. */
function keyOf(object: JsonObject): string {
  const metadata = isJsonObject(object["metadata"]) ? object["metadata"] : {};
  return `${textOf(metadata["namespace"])}/${textOf(metadata["name"])}`;
}

function arrayOf(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}
