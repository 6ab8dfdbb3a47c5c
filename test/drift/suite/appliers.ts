import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import { isJsonObject } from "../../../src/core/json.ts";
import type { ControlPlaneClient } from "../../support/control-plane.ts";

/** One way of getting what Git says into a cluster. */
export interface Applier {
  readonly name: string;
  /** `before`: what it applied the last time, by name. */
  apply(
    cluster: ControlPlaneClient,
    objects: readonly JsonObject[],
    before: ReadonlyMap<string, JsonObject>,
  ): Promise<void>;
}

const list = (items: readonly JsonObject[]): string => JSON.stringify({ apiVersion: "v1", kind: "List", items });
const nameOf = (object: JsonObject): string =>
  isJsonObject(object["metadata"]) ? String(object["metadata"]["name"]) : "";

export const APPLIERS: readonly Applier[] = [
  {
    name: "kubectl apply",
    apply: async (cluster, objects) => void (await cluster.kubectl(["apply", "-f", "-"], list(objects))),
  },
  {
    name: "kubectl apply --server-side",
    apply: async (cluster, objects) =>
      void (await cluster.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], list(objects))),
  },
  {
    name: "kubectl create, then replace",
    async apply(cluster, objects, before) {
      const made = objects.filter((object) => !before.has(nameOf(object)));
      const known = objects.filter((object) => before.has(nameOf(object)));
      if (made.length > 0) await cluster.kubectl(["create", "-f", "-"], list(made));
      await cluster.kubectl(["replace", "-f", "-"], list(known.length > 0 ? known : made));
    },
  },
  {
    name: "a controller's patches",
    async apply(cluster, objects, before) {
      for (const object of objects) {
        const path = collectionOf(object);
        const manager = "?fieldManager=controller";
        const old = before.get(nameOf(object));
        if (old === undefined) await cluster.request("POST", `${path}${manager}`, { body: object });
        await cluster.request("PATCH", `${path}/${nameOf(object)}${manager}`, {
          body: old === undefined ? withoutNull(object) : mergePatch(old, object),
          headers: { "content-type": "application/merge-patch+json" },
        });
      }
    },
  },
];

const PLURALS: Readonly<Record<string, string>> = {
  NetworkPolicy: "networkpolicies",
};

export function collectionOf(object: JsonObject): string {
  const { apiVersion, kind, metadata } = object;
  const namespace = isJsonObject(metadata) ? String(metadata["namespace"]) : "";
  const plural = PLURALS[String(kind)] ?? `${String(kind).toLowerCase()}s`;
  const base = String(apiVersion).includes("/") ? `/apis/${String(apiVersion)}` : `/api/${String(apiVersion)}`;
  return `${base}/namespaces/${namespace}/${plural}`;
}

/** RFC 7396: what turns `before` into `after`. */
function mergePatch(before: JsonValue, after: JsonObject): JsonObject {
  const old = isJsonObject(before) ? before : {};
  const patch: JsonObject = {};
  for (const key of Object.keys(old)) if (after[key] === undefined) patch[key] = null;
  for (const [key, value] of Object.entries(after)) {
    patch[key] = isJsonObject(value) && isJsonObject(old[key]) ? mergePatch(old[key], value) : value;
  }
  return patch;
}

/** null in a merge patch takes a field away. */
function withoutNull(object: JsonObject): JsonObject {
  const kept: JsonObject = {};
  for (const [key, value] of Object.entries(object)) {
    if (value !== null) kept[key] = isJsonObject(value) ? withoutNull(value) : value;
  }
  return kept;
}
