import { isJsonObject } from "./json.ts";
import type { JsonValue } from "./json.ts";

/**
 * Lists of built-in kinds whose elements the API server merges by a key: other managers may add elements, and order does not
 * matter. For custom resources a list is atomic unless its schema says otherwise, which phase one does not know.
 */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  containers: "name",
  initContainers: "name",
  ephemeralContainers: "name",
  volumes: "name",
  env: "name",
  imagePullSecrets: "name",
  secrets: "name",
  volumeMounts: "mountPath",
  volumeDevices: "devicePath",
  hostAliases: "ip",
  volumeClaimTemplates: "metadata",
};

/**
 * Elements by key (`name=web`), in the list's order, each with its index; null when the list in field `field` is not one of those or its
 * elements cannot be told apart.
 */
export function byMergeKey(field: string, list: readonly JsonValue[]): Map<string, [JsonValue, number]> | null {
  const found = new Map<string, [JsonValue, number]>();
  for (const [index, item] of list.entries()) {
    const key = mergeKey(field, item);
    if (key === null || found.has(key)) return null;
    found.set(key, [item, index]);
  }
  return found;
}

function mergeKey(field: string, item: JsonValue): string | null {
  if (!isJsonObject(item)) return null;
  if (field === "ports") {
    const port = item["containerPort"] ?? item["port"];
    return port === undefined ? null : `port=${JSON.stringify(port)}/${JSON.stringify(item["protocol"] ?? "TCP")}`;
  }
  const key = Object.hasOwn(MERGE_KEYS, field) ? MERGE_KEYS[field] : undefined;
  if (key === undefined) return null;
  const value = item[key];
  if (key === "metadata")
    return isJsonObject(value) && typeof value["name"] === "string" ? `name=${value["name"]}` : null;
  return typeof value === "string" ? `${key}=${value}` : null;
}
