import { contentHash } from "./content-hash.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import type { ActualDelete, ActualUpsert } from "./observation.ts";
import type { ReducePolicy } from "./policy.ts";
import { changed, derive, desiredApiVersion, time, touched } from "./reduction.ts";
import type { ReduceContext, Reduction } from "./reduction.ts";
import { buildResourceRow, isThere } from "./resource-row.ts";
import { ownersKept, withOwners } from "./relations.ts";
import { compareResourceVersions } from "./resource-version.ts";
import type { ResourceRow } from "./row.ts";
import { readSyncMetadata, writeSyncMetadata } from "./sync-metadata.ts";
import type { EventType } from "./vocabulary.ts";
import { pathsUnder } from "./volatile-choice.ts";

/**
 * How fresh a row is kept when only volatile fields change. 60 s: an agent that beats every 15 s would otherwise write its row four times
 * a minute, and a minute is the age at which a missing heartbeat counts as a problem.
 */
export const TOUCH_INTERVAL_MS = 60_000;

/** The cluster holds the object. */
export function appear(
  before: ResourceRow | null,
  seen: ActualUpsert,
  policy: ReducePolicy,
  context: ReduceContext,
): Reduction {
  const old = before ?? buildResourceRow(seen.key, context.newId(), context.now);
  const there = isThere(old);
  const order = compareResourceVersions(seen.resourceVersion, old.actualResourceVersion);
  const known = old.actualUid !== "" || old.actualResourceVersion !== "";
  const sameObject = old.actualUid === seen.uid;
  const setBack = known && order !== undefined && order < 0;
  if (setBack && seen.writePath !== "list") return { outcome: "stale", row: before };
  // What a DELETED event of the same resourceVersion has buried.
  if (known && !there && order === 0 && sameObject) return { outcome: "stale", row: before };

  // A new generation of the same content is a change of what was redacted. Where the Fabric names volatile paths it is more likely one of these:
  // in a spec, or in the status of a kind without the subresource, they move it.
  const deletionRequestedAt = seen.deletionRequestedAt === null ? null : instant(seen.deletionRequestedAt);
  if (
    there &&
    sameObject &&
    sameContent(old, seen) &&
    (old.actualGeneration === seen.generation || seen.volatile !== undefined) &&
    old.deletionRequestedAt === deletionRequestedAt
  ) {
    const age = Date.parse(context.now) - Date.parse(old.actualUpdated ?? "");
    if (order === 0 || (!setBack && age < TOUCH_INTERVAL_MS)) return { outcome: "unchanged", row: before };
    const fresh: ResourceRow = {
      ...old,
      // Volatile fields of all parts are refreshed with those of the status.
      labels: seen.content.labels,
      annotations: seen.content.annotations,
      actualHash: seen.content.hash,
      syncMetadata: underVolatile(old.syncMetadata, seen),
      actualGeneration: seen.generation,
      actualSpec: seen.content.spec,
      actualStatus: seen.status,
      actualResourceVersion: seen.resourceVersion,
      actualUpdated: time(seen.observedAt),
    };
    return { outcome: "refreshed", row: touched(fresh, seen, context) };
  }

  const metadata = readSyncMetadata(old.syncMetadata);
  const next: ResourceRow = {
    ...old,
    labels: seen.content.labels,
    annotations: seen.content.annotations,
    actualSpec: seen.content.spec,
    actualStatus: seen.status,
    actualHash: seen.content.hash,
    actualUid: seen.uid,
    actualGeneration: seen.generation,
    actualResourceVersion: seen.resourceVersion,
    actualUpdated: time(seen.observedAt),
    deletionRequestedAt,
    relationshipMetadata: withOwners(old.relationshipMetadata, "actual", seen.owners),
    syncMetadata: writeSyncMetadata({
      ...metadata,
      lastEdit: seen.lastEdit ?? null,
      volatile: seen.volatile?.digest ?? "",
      // Without Git nothing is ever asked of them, and they are as large as the object.
      owners: policy.hasGit ? (seen.fieldOwners ?? []) : [],
    }),
  };
  const type: EventType = !there ? "added" : sameObject ? "modified" : "recreated";
  return changed(before, old, derive(next, desiredApiVersion(old), seen.apiVersion), seen, policy, context, {
    type,
    side: "actual",
    actor: seen.manager,
    commit: "",
    resourceVersion: seen.resourceVersion,
    reason: [
      ...(type === "recreated" ? [`recreated, uid ${old.actualUid} became ${seen.uid}`] : []),
      ...(setBack
        ? [
            `the cluster's storage was set back: resourceVersion ${old.actualResourceVersion} became ${seen.resourceVersion}`,
          ]
        : []),
    ].join("; "),
  });
}

/** The cluster no longer holds it. */
export function vanish(
  before: ResourceRow | null,
  seen: ActualDelete,
  policy: ReducePolicy,
  context: ReduceContext,
): Reduction {
  if (before === null || !isThere(before)) return { outcome: "unchanged", row: before };
  const retired = seen.resourceVersion === "";
  const order = compareResourceVersions(seen.resourceVersion, before.actualResourceVersion);
  const other = seen.uid !== "" && before.actualUid !== "" && seen.uid !== before.actualUid;
  if (!retired && order !== undefined && order < 0 && seen.writePath !== "list")
    return { outcome: "stale", row: before };
  // Of another object of this name: it tells of ours only when it is known to be later.
  if (other && !(order !== undefined && order > 0)) return { outcome: "stale", row: before };

  const next: ResourceRow = {
    ...before,
    actualSpec: null,
    actualStatus: null,
    actualHash: "",
    actualUid: retired ? "" : seen.uid || before.actualUid,
    actualGeneration: 0,
    actualResourceVersion: seen.resourceVersion,
    actualUpdated: time(seen.observedAt),
    deletionRequestedAt: null,
    relationshipMetadata: withOwners(before.relationshipMetadata, "actual", undefined),
    syncMetadata: writeSyncMetadata({
      ...readSyncMetadata(before.syncMetadata),
      lastEdit: null,
      volatile: "",
      owners: [],
    }),
  };
  return changed(before, before, derive(next, desiredApiVersion(before), ""), seen, policy, context, {
    type: "deleted",
    side: "actual",
    actor: "",
    commit: "",
    resourceVersion: seen.resourceVersion,
    reason: seen.reason,
  });
}

/**
 * Whether nothing changed that counts. A row that was taken in under other volatile paths than what was seen has another hash of the same
 * object: what it holds is hashed anew, so that a change of the paths is no change of every object.
 */
function sameContent(old: ResourceRow, seen: ActualUpsert): boolean {
  if (old.actualHash === seen.content.hash) return true;
  if (volatileOf(old) === (seen.volatile?.digest ?? "")) return false;
  const { apiGroup, kind } = seen.key;
  const held = {
    apiVersion: old.apiVersion,
    spec: old.actualSpec,
    labels: old.labels,
    annotations: old.annotations,
    status: old.actualStatus,
    owners: ownersKept(old.relationshipMetadata, "actual"),
  };
  return contentHash(held, pathsUnder(seen.volatile, apiGroup, kind)) === seen.content.hash;
}

function volatileOf({ syncMetadata }: ResourceRow): JsonValue {
  return syncMetadata["volatile"] ?? "";
}

function underVolatile(metadata: JsonObject, { volatile }: ActualUpsert): JsonObject {
  if ((metadata["volatile"] ?? "") === (volatile?.digest ?? "")) return metadata;
  return writeSyncMetadata({ ...readSyncMetadata(metadata), volatile: volatile?.digest ?? "" });
}

/** The row's own form of an RFC 3339 time; a text that is none is kept, for the database to refuse. */
function instant(text: string): string {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? text : time(ms);
}
