import type { FabricMetadata } from "../api/fabric.ts";
import type { FabricStatus } from "../api/status.ts";
import type { JsonValue } from "../core/json.ts";
import { fabricsPath } from "./fabric-watch.ts";
import { SMALL_REQUEST_MS, isStatus } from "./kube-api.ts";
import type { KubeApi } from "./kube-api.ts";

/** Two writes of one status are at least so far apart (ms): what people and `kubectl wait` see needs no more. */
const GAP_MS = 1_000;
/** A status in which nothing but times moved is written this often (ms). Every write is a write of etcd. */
const TIMES_GAP_MS = 60_000;
/** A restart that finds everything as it was leaves no trace in the status when it takes no longer than this (ms). */
const QUIET_START_MS = 5_000;

/** Writes the status of one Fabric, only when it differs, and not too often. */
export class StatusWriter {
  readonly #api: KubeApi;
  readonly #now: () => number;
  #written: FabricStatus;
  #writtenAt = 0;
  readonly #startedAt: number;

  constructor(api: KubeApi, now: () => number, status: FabricStatus) {
    this.#api = api;
    this.#now = now;
    this.#written = status;
    this.#startedAt = now();
  }

  /** What the API server has, as far as we know: the base of the next status. */
  get written(): FabricStatus {
    return this.#written;
  }

  /** In how many ms `next` may be written: 0 = now, null = there is nothing to write. */
  dueIn(next: FabricStatus): number | null {
    if (sameJson(next, this.#written)) return null;
    if (this.#knowsLess(next)) return Math.max(0, this.#startedAt + QUIET_START_MS - this.#now());
    const gap = sameJson(withoutTimes(next), withoutTimes(this.#written)) ? TIMES_GAP_MS : GAP_MS;
    return Math.max(0, this.#writtenAt + gap - this.#now());
  }

  /** Whether all that `next` says is that we, who have just begun, do not know yet what the old status says. */
  #knowsLess(next: FabricStatus): boolean {
    const ready = (status: FabricStatus) => status.conditions?.find(({ type }) => type === "Ready");
    const now = ready(next);
    return (
      this.#writtenAt === 0 &&
      next.observedGeneration === this.#written.observedGeneration &&
      ready(this.#written)?.status === "True" &&
      ready(this.#written)?.observedGeneration === now?.observedGeneration &&
      now?.status === "Unknown" &&
      now.reason !== "Suspended"
    );
  }

  /**
   * Replaces the status as a whole. The test of the uid keeps it from a namesake that was made meanwhile; false when the
   * object is gone.
   */
  async write(
    metadata: Pick<FabricMetadata, "namespace" | "name" | "uid">,
    next: FabricStatus,
    signal: AbortSignal,
  ): Promise<boolean> {
    this.#writtenAt = this.#now();
    const path = `${fabricsPath(metadata.namespace)}/${metadata.name}/status`;
    const body: JsonValue = [
      { op: "test", path: "/metadata/uid", value: metadata.uid },
      { op: "add", path: "/status", value: JSON.parse(JSON.stringify(next)) as JsonValue },
    ];
    const contentType = "application/json-patch+json";
    try {
      await this.#api.request("PATCH", path, { body, contentType, timeoutMs: SMALL_REQUEST_MS, signal });
    } catch (error) {
      if (isStatus(error, 404)) return false;
      throw error;
    }
    this.#written = next;
    return true;
  }
}

const TIMES = new Set(["lastFetchedAt", "lastEventAt", "completeAt"]);

function withoutTimes(status: FabricStatus): unknown {
  return JSON.parse(JSON.stringify(status), (key, value: unknown) => (TIMES.has(key) ? undefined : value)) as unknown;
}

/** Both come from one function, which writes the fields in one order. What the API server gives back is parsed by the same schema. */
function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, sorted(field)]),
  );
}
