import type { JsonObject } from "./json.ts";

/**
 * `drift_details.code` of what is `unknown` only until something that is under way is done. Not compared yet, could not be determined and in sync are
 * three things: every surface that counts tells them apart, by this list.
 */
export const NOT_COMPARED_CODES = [
  /** No revision of Git is in the table yet. */
  "GitNotTakenIn",
  /** The cluster's objects of the kind were never listed completely. */
  "KindNotListed",
  /** Both sides differ locally, and the API server has not said yet whether that counts. */
  "AwaitingServer",
] as const;
export type NotComparedCode = (typeof NOT_COMPARED_CODES)[number];

/** Whether the verdict that these details belong to is still to come. */
export function isNotCompared(driftStatus: string, details: JsonObject): boolean {
  return driftStatus === "unknown" && NOT_COMPARED_CODES.some((code) => code === details["code"]);
}
