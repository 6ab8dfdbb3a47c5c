import { FabricSyncError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { KubeApiError } from "../sources/cluster/api-error.ts";
import type { KubeClient } from "../sources/cluster/client.ts";

/** The little that the controller needs of the API server that holds the Fabrics. */
export type KubeApi = Pick<KubeClient, "request">;

/** Longest that one small request may take (ms): less than a lease's renew deadline, so that one that hangs costs no lease. */
export const SMALL_REQUEST_MS = 5_000;

/** Whether the API server answered with this HTTP status. */
export function isStatus(error: unknown, status: number): boolean {
  return error instanceof KubeApiError && error.status === status;
}

/** `body` as the object that every 2xx answer of the API is. @throws FabricSyncError `UnexpectedAnswer` when it is none. */
export function objectBody(body: JsonValue, what: string): JsonObject {
  if (isJsonObject(body)) return body;
  throw new FabricSyncError("UnexpectedAnswer", "wait", `the API server's answer about ${what} is not an object`);
}
