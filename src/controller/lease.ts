import { FabricSyncError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { SMALL_REQUEST_MS, isStatus, objectBody } from "./kube-api.ts";
import type { KubeApi } from "./kube-api.ts";

/** `coordination.k8s.io/v1` Lease: who may work, and since when it was last said. */
export interface LeaseRecord {
  readonly holder: string;
  readonly durationSeconds: number;
  readonly transitions: number;
  /** RFC 3339 with microseconds; '' in a lease that nobody ever held. */
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly resourceVersion: string;
}

/** Reads and writes one Lease. Writes carry the resourceVersion that was read, so of two writers one is refused. */
export class LeaseObject {
  readonly #api: KubeApi;
  readonly #namespace: string;
  readonly #name: string;

  constructor(api: KubeApi, namespace: string, name: string) {
    this.#api = api;
    this.#namespace = namespace;
    this.#name = name;
  }

  get description(): string {
    return `${this.#namespace}/${this.#name}`;
  }

  /** null when there is no such Lease. */
  async read(signal: AbortSignal): Promise<LeaseRecord | null> {
    try {
      return this.#record(await this.#api.request("GET", this.#path(true), { signal, timeoutMs: SMALL_REQUEST_MS }));
    } catch (error) {
      if (isStatus(error, 404)) return null;
      throw error;
    }
  }

  /** null when somebody else wrote first. `resourceVersion` '' creates the Lease. */
  async write(record: LeaseRecord, signal: AbortSignal): Promise<LeaseRecord | null> {
    const create = record.resourceVersion === "";
    const options = { body: this.#object(record), signal, timeoutMs: SMALL_REQUEST_MS };
    try {
      return this.#record(await this.#api.request(create ? "POST" : "PUT", this.#path(!create), options));
    } catch (error) {
      if (isStatus(error, 409)) return null;
      throw error;
    }
  }

  #path(named: boolean): string {
    const folder = `/apis/coordination.k8s.io/v1/namespaces/${this.#namespace}/leases`;
    return named ? `${folder}/${this.#name}` : folder;
  }

  #object(record: LeaseRecord): JsonObject {
    const resourceVersion: JsonObject =
      record.resourceVersion === "" ? {} : { resourceVersion: record.resourceVersion };
    return {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: this.#name, namespace: this.#namespace, ...resourceVersion },
      spec: {
        holderIdentity: record.holder,
        leaseDurationSeconds: record.durationSeconds,
        leaseTransitions: record.transitions,
        acquireTime: record.acquireTime,
        renewTime: record.renewTime,
      },
    };
  }

  #record(body: JsonValue): LeaseRecord {
    const object = objectBody(body, `lease ${this.description}`);
    const metadata = object["metadata"];
    const spec = object["spec"];
    if (!isJsonObject(metadata) || typeof metadata["resourceVersion"] !== "string") {
      throw new FabricSyncError("UnexpectedAnswer", "wait", `lease ${this.description} came without a resourceVersion`);
    }
    const field = (name: string): JsonValue | undefined => (isJsonObject(spec) ? spec[name] : undefined);
    return {
      holder: text(field("holderIdentity")),
      durationSeconds: number(field("leaseDurationSeconds")),
      transitions: number(field("leaseTransitions")),
      acquireTime: text(field("acquireTime")),
      renewTime: text(field("renewTime")),
      resourceVersion: metadata["resourceVersion"],
    };
  }
}

/** `metav1.MicroTime`. */
export function microTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000Z`;
}

function text(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}

function number(value: JsonValue | undefined): number {
  return typeof value === "number" ? value : 0;
}
