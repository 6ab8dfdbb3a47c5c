/** How others decide, for comparison: each in as few lines as it takes. */
import { isJsonObject, sameJson } from "../../../src/core/json.ts";
import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import type { ControlPlaneClient } from "../../support/control-plane.ts";
import { collectionOf } from "./appliers.ts";

export type BaselineVerdict = "in_sync" | "drifted" | "error";

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * Three ways by the last-applied annotation: what Git says differs from the cluster, or what was applied last and Git does not say any more
 * is still there. Lists are compared whole.
 */
export function lastApplied(git: JsonObject, live: JsonObject): BaselineVerdict {
  const metadata = isJsonObject(live["metadata"]) ? live["metadata"] : {};
  const annotations = isJsonObject(metadata["annotations"]) ? metadata["annotations"] : {};
  const text = annotations[LAST_APPLIED];
  const original = typeof text === "string" ? (JSON.parse(text) as JsonValue) : git;
  return within(git, live) && !leftOver(original, git, live) ? "in_sync" : "drifted";
}

function within(git: JsonValue, live: JsonValue | undefined): boolean {
  if (!isJsonObject(git)) return sameJson(git, live ?? null);
  return isJsonObject(live) && Object.keys(git).every((key) => within(git[key] ?? null, live[key]));
}

function leftOver(original: JsonValue, git: JsonValue | undefined, live: JsonValue | undefined): boolean {
  if (!isJsonObject(original) || !isJsonObject(live)) return false;
  return Object.keys(original).some((key) => {
    const kept = isJsonObject(git) ? git[key] : undefined;
    return kept === undefined ? live[key] !== undefined : leftOver(original[key] ?? null, kept, live[key]);
  });
}

/** A server-side apply as a dry run, compared as a whole with what is there. */
export async function dryRunAlone(
  cluster: ControlPlaneClient,
  git: JsonObject,
  live: JsonObject,
): Promise<BaselineVerdict> {
  const name = isJsonObject(git["metadata"]) ? String(git["metadata"]["name"]) : "";
  try {
    const would = await cluster.request<JsonObject>(
      "PATCH",
      `${collectionOf(git)}/${name}?dryRun=All&force=true&fieldManager=baseline`,
      { body: git, headers: { "content-type": "application/apply-patch+yaml" } },
    );
    return sameJson(content(would), content(live)) ? "in_sync" : "drifted";
  } catch {
    return "error";
  }
}

function content(object: JsonObject): JsonValue {
  const { labels, annotations } = isJsonObject(object["metadata"]) ? object["metadata"] : {};
  const rest = { ...object };
  for (const key of ["metadata", "status", "apiVersion", "kind"]) delete rest[key];
  return { ...rest, labels: labels ?? {}, annotations: annotations ?? {} };
}
