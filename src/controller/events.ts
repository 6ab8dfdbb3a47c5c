import { createHash } from "node:crypto";
import type { FabricMetadata } from "../api/fabric.ts";
import { GROUP, KIND, VERSION } from "../api/fabric.ts";
import { messageOf } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { Logger } from "../core/telemetry.ts";
import { SMALL_REQUEST_MS } from "./kube-api.ts";
import type { KubeApi } from "./kube-api.ts";
import { microTime } from "./lease.ts";

/** Something that happened to a Fabric, for `kubectl describe` and `kubectl events`. */
export interface FabricEvent {
  readonly type: "Normal" | "Warning";
  /** CamelCase, the condition's reason where there is one. */
  readonly reason: string;
  /** What we were doing: a verb, CamelCase. */
  readonly action: string;
  readonly note: string;
}

/** The API server's bound on a note, in bytes of UTF-8. */
const NOTE_LIMIT = 1_024;
/** An event that comes again within this time is the same story, counted in its series; client-go's 6 minutes. */
const SERIES_MS = 6 * 60_000;
/** A running series is written at most this often; it ends with the right count. */
const SERIES_WRITE_MS = 60_000;
/** Different events of one Fabric: so many at once, and one more each so many ms. A Fabric that flaps must not fill etcd. */
const BURST = 25;
const REFILL_MS = 30_000;
/** Events are best effort: an API server that is away must not make them pile up. */
const QUEUE_LIMIT = 100;

interface Series {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  count: number;
  lastAt: number;
  writtenAt: number;
  writtenCount: number;
}

export interface EventRecorderOptions {
  readonly api: KubeApi;
  /** Who reports: the pod's name. */
  readonly instance: string;
  readonly log: Logger;
  readonly now?: () => number;
}

/**
 * Writes `events.k8s.io/v1` Events, each story once: what repeats becomes a series (count and last time) of the first Event
 * instead of another. Never throws and never makes its caller wait: an Event that cannot be written is logged.
 */
export class EventRecorder {
  readonly #api: KubeApi;
  readonly #instance: string;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #series = new Map<string, Series>();
  readonly #budget = new Map<string, { tokens: number; at: number }>();
  #queue: Promise<void> = Promise.resolve();
  #queued = 0;

  constructor(options: EventRecorderOptions) {
    this.#api = options.api;
    this.#instance = options.instance;
    this.#log = options.log;
    this.#now = options.now ?? Date.now;
  }

  record(fabric: Pick<FabricMetadata, "namespace" | "name" | "uid">, event: FabricEvent): void {
    const now = this.#now();
    this.#forgetOld(now);
    const key = [fabric.uid, event.type, event.reason, event.action, event.note].join("\0");
    const running = this.#series.get(key);
    if (running !== undefined) {
      running.count += 1;
      running.lastAt = now;
      if (now - running.writtenAt >= SERIES_WRITE_MS || running.writtenCount === 1) this.#writeSeries(running, now);
      return;
    }
    if (!this.#spend(fabric.uid, now)) return;
    const name = `${fabric.name}.${createHash("sha256").update(`${key}\0${now}`).digest("hex").slice(0, 16)}`;
    const { namespace, uid } = fabric;
    this.#series.set(key, { name, namespace, uid, count: 1, lastAt: now, writtenAt: now, writtenCount: 1 });
    this.#send("POST", eventsPath(namespace), "application/json", this.#eventObject(fabric, event, name, now));
  }

  /** Resolves when everything recorded so far is written or given up. Series that are running are written with their count. */
  async flush(): Promise<void> {
    const now = this.#now();
    for (const series of this.#series.values()) if (series.count > series.writtenCount) this.#writeSeries(series, now);
    await this.#queue;
  }

  #writeSeries(series: Series, now: number): void {
    series.writtenAt = now;
    series.writtenCount = series.count;
    const body = { series: { count: series.count, lastObservedTime: microTime(series.lastAt) } };
    this.#send("PATCH", `${eventsPath(series.namespace)}/${series.name}`, "application/merge-patch+json", body);
  }

  #send(method: "POST" | "PATCH", path: string, contentType: string, body: JsonObject): void {
    if (this.#queued >= QUEUE_LIMIT) {
      this.#log.warn({ path }, "event dropped: too many wait");
      return;
    }
    this.#queued += 1;
    this.#queue = this.#queue.then(async () => {
      try {
        await this.#api.request(method, path, { body, contentType, timeoutMs: SMALL_REQUEST_MS });
      } catch (error) {
        this.#log.warn({ path, error: messageOf(error) }, "event not written");
      } finally {
        this.#queued -= 1;
      }
    });
  }

  #eventObject(
    fabric: Pick<FabricMetadata, "namespace" | "name" | "uid">,
    event: FabricEvent,
    name: string,
    now: number,
  ): JsonObject {
    const { namespace, uid } = fabric;
    return {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name, namespace },
      eventTime: microTime(now),
      reportingController: `${GROUP}/fabric-sync`,
      reportingInstance: this.#instance.slice(0, 128),
      action: event.action,
      reason: event.reason.slice(0, 128),
      regarding: { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, namespace, name: fabric.name, uid },
      note: clipped(event.note),
      type: event.type,
    };
  }

  #spend(uid: string, now: number): boolean {
    const last = this.#budget.get(uid) ?? { tokens: BURST, at: now };
    const tokens = Math.min(BURST, last.tokens + (now - last.at) / REFILL_MS);
    this.#budget.set(uid, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now });
    return tokens >= 1;
  }

  #forgetOld(now: number): void {
    for (const [key, series] of this.#series) {
      if (now - series.lastAt <= SERIES_MS) continue;
      if (series.count > series.writtenCount) this.#writeSeries(series, now);
      this.#series.delete(key);
    }
    for (const [uid, { at }] of this.#budget) if (now - at > BURST * REFILL_MS) this.#budget.delete(uid);
  }
}

function clipped(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= NOTE_LIMIT) return note;
  // A character that was cut in two decodes to U+FFFD.
  return `${bytes
    .subarray(0, NOTE_LIMIT - 3)
    .toString("utf8")
    .replace(/\uFFFD+$/, "")}…`;
}

function eventsPath(namespace: string): string {
  return `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
}
