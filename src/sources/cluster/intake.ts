import { FabricSyncError, messageOf } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { normaliseActual, normaliseDeleted } from "../../core/normalise.ts";
import type { Observation } from "../../core/observation.ts";
import { ROOM } from "../../core/streams.ts";
import type { Lane } from "../../core/streams.ts";
import type { Logger } from "../../core/telemetry.ts";
import type { VolatileMatcher } from "../../core/volatile.ts";
import type { StreamSpec } from "./selection.ts";
import type { SeenKeys } from "./sweep.ts";

export interface IntakeOptions {
  readonly fabricId: string;
  readonly spec: StreamSpec;
  readonly lane: Pick<Lane, "offer">;
  readonly logger: Logger;
  readonly volatile: VolatileMatcher;
  readonly now: () => number;
}

/**
 * From raw objects to the lane. An object that cannot be read costs only itself: it is counted, logged with its name, and told in the
 * stream's status until a readable version of it comes.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #malformed = new Map<string, string>();
  #deletedReason: string;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#deletedReason =
      options.spec.labelSelector === ""
        ? "deleted in the cluster"
        : "deleted in the cluster, or its labels no longer match the Fabric's selector";
  }

  /** `name: why` of each object that is there and cannot be read. */
  get malformed(): readonly string[] {
    return [...this.#malformed].map(([name, why]) => `${name}: ${why}`);
  }

  /** An object of a list, as {@link Lane.offer}. `seen` remembers its key. */
  listed(object: JsonValue, seen: SeenKeys | null): Promise<void> {
    const place = placeOf(object, this.#options.spec);
    seen?.add(place.namespace, place.name);
    return this.#offer(place, () => normaliseActual(this.#complete(object), this.#seenBy("list")));
  }

  /** An event's object, as {@link Lane.offer}. */
  watched(type: "ADDED" | "MODIFIED" | "DELETED", object: JsonObject): Promise<void> {
    return this.#offer(placeOf(object, this.#options.spec), () => {
      const [whole, seen] = [this.#complete(object), this.#seenBy("watch")];
      return type === "DELETED" ? normaliseDeleted(whole, seen, this.#deletedReason) : normaliseActual(whole, seen);
    });
  }

  #offer(place: Place, read: () => Observation): Promise<void> {
    let observation;
    try {
      observation = read();
    } catch (error) {
      this.#report(labelOf(place, this.#options.spec), error);
      return ROOM;
    }
    if (this.#malformed.size > 0) this.#malformed.delete(labelOf(place, this.#options.spec));
    return this.#options.lane.offer(observation);
  }

  #seenBy(writePath: "list" | "watch") {
    const { fabricId, spec, volatile, now } = this.#options;
    return { fabricId, writePath, volatile, observedAt: now(), ...(spec.namespaced ? {} : { namespace: "" }) };
  }

  /** Items of a typed list carry neither kind nor apiVersion; the stream knows both. */
  #complete(value: JsonValue): JsonObject {
    if (!isJsonObject(value)) {
      throw new FabricSyncError("MalformedObject", "dead-letter", "an item of a list is not an object");
    }
    if (typeof value["kind"] === "string" && typeof value["apiVersion"] === "string") return value;
    const { group, version, kind } = this.#options.spec;
    return { ...value, kind, apiVersion: group === "" ? version : `${group}/${version}` };
  }

  #report(label: string, error: unknown): void {
    if (!(error instanceof FabricSyncError && error.policy === "dead-letter")) throw error;
    this.#malformed.set(label, messageOf(error));
    this.#options.logger.warn({ object: label, code: error.code, error: error.message }, "an object cannot be read");
  }
}

interface Place {
  readonly namespace: string;
  /** '' when it could not be read. */
  readonly name: string;
}

function placeOf(object: JsonValue, spec: StreamSpec): Place {
  const metadata = isJsonObject(object) && isJsonObject(object["metadata"]) ? object["metadata"] : {};
  const name = typeof metadata["name"] === "string" ? metadata["name"] : "";
  const namespace = spec.namespaced && typeof metadata["namespace"] === "string" ? metadata["namespace"] : "";
  return { namespace, name };
}

function labelOf({ namespace, name }: Place, { kind }: StreamSpec): string {
  return `${kind} ${namespace === "" ? "" : `${namespace}/`}${name || "(no name)"}`;
}
