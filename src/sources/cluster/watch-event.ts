import { isJsonObject, parseJson } from "../../core/json.ts";
import type { JsonObject } from "../../core/json.ts";
import { statusError } from "./api-error.ts";
import type { KubeApiError } from "./api-error.ts";

/** One line of a watch stream (meta/v1 WatchEvent), understood. */
export type WatchEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: JsonObject }
  /** `initialEnd`: everything that existed when the watch began has been sent (KEP-3157). */
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string; readonly initialEnd: boolean }
  | { readonly type: "ERROR"; readonly error: KubeApiError }
  /** Not an event: the stream cannot be trusted from here on. */
  | { readonly type: "GARBAGE"; readonly why: string };

/** An event that a stream may go on after, or ends with in order. */
export type UnderstoodEvent = Exclude<WatchEvent, { readonly type: "GARBAGE" }>;

const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

/** Never throws. `why` never quotes the line: it may hold a Secret's values. */
export function parseWatchEvent(line: string): WatchEvent {
  let event;
  try {
    event = parseJson(line);
  } catch {
    return { type: "GARBAGE", why: `a line of ${line.length} characters is not JSON` };
  }
  if (!isJsonObject(event)) return { type: "GARBAGE", why: "a line is not a JSON object" };
  const { type, object } = event;
  if (!isJsonObject(object)) return { type: "GARBAGE", why: "an event has no object" };
  if (type === "ADDED" || type === "MODIFIED" || type === "DELETED") return { type, object };
  if (type === "ERROR") return { type, error: statusError(500, object, undefined) };
  if (type === "BOOKMARK") {
    const metadata = isJsonObject(object["metadata"]) ? object["metadata"] : {};
    const annotations = isJsonObject(metadata["annotations"]) ? metadata["annotations"] : {};
    const resourceVersion = metadata["resourceVersion"];
    if (typeof resourceVersion !== "string" || resourceVersion === "") {
      return { type: "GARBAGE", why: "a bookmark has no resourceVersion" };
    }
    return { type, resourceVersion, initialEnd: annotations[INITIAL_EVENTS_END] === "true" };
  }
  return { type: "GARBAGE", why: "an event's type is not known" };
}

/** metadata.resourceVersion, '' when it is missing. */
export function resourceVersionOf(object: JsonObject): string {
  const metadata = object["metadata"];
  const version = isJsonObject(metadata) ? metadata["resourceVersion"] : undefined;
  return typeof version === "string" ? version : "";
}
