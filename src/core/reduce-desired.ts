import { knowledgeOf } from "./drift.ts";
import { judge } from "./judge.ts";
import type { DesiredDelete, DesiredUpsert } from "./observation.ts";
import type { ReducePolicy } from "./policy.ts";
import { actualApiVersion, changed, derive, eventOf, time, touched } from "./reduction.ts";
import type { ReduceContext, Reduction, Told } from "./reduction.ts";
import { withOwners } from "./relations.ts";
import { removedPaths } from "./removed.ts";
import { buildResourceRow, isDeclared } from "./resource-row.ts";
import type { ResourceRow } from "./row.ts";
import { readSyncMetadata, writeSyncMetadata } from "./sync-metadata.ts";

/** Git declares the object. */
export function declare(
  before: ResourceRow | null,
  seen: DesiredUpsert,
  policy: ReducePolicy,
  context: ReduceContext,
): Reduction {
  const { origin, content } = seen;
  const old = before ?? buildResourceRow(seen.key, context.newId(), context.now);
  const declared = isDeclared(old);
  const sameContent = declared && old.desiredHash === content.hash;
  const sameFile = old.desiredFilePath === origin.filePath;
  const samePlace = old.desiredLine === origin.line && old.fileHash === origin.fileHash;
  if (sameContent && sameFile && samePlace) return { outcome: "unchanged", row: before };

  const place = {
    desiredFilePath: origin.filePath,
    desiredLine: origin.line,
    managedFilePath: origin.filePath,
    fileHash: origin.fileHash,
    lastFileSync: time(seen.observedAt),
  };
  const metadata = { ...readSyncMetadata(old.syncMetadata), places: origin.places ?? "" };
  if (sameContent && sameFile) {
    const next = { ...old, ...place, syncMetadata: writeSyncMetadata(metadata) };
    const moved = touched(judge(old, next, policy, context.now), seen, context);
    const { resourceState, driftStatus, driftScore } = moved;
    if (resourceState === old.resourceState && driftStatus === old.driftStatus && driftScore === old.driftScore) {
      return { outcome: "refreshed", row: moved };
    }
    // The policy changed and the row was not judged by it yet. That it is now is told like everything else; the commit did not change the object.
    const reason = "the Fabric's policy changed";
    const told: Told = { type: "reclassified", side: "desired", actor: "", commit: "", resourceVersion: "", reason };
    return { outcome: "changed", row: moved, event: eventOf(old, moved, told) };
  }
  const { knowledge, root } = knowledgeOf({ ...seen.key, apiVersion: seen.apiVersion }, policy);
  const removed = declared
    ? removedPaths(
        { spec: old.desiredSpec, labels: old.desiredLabels, annotations: old.desiredAnnotations },
        content,
        metadata.removed,
        knowledge,
        root,
      )
    : [];
  const next: ResourceRow = {
    ...old,
    ...place,
    desiredSpec: content.spec,
    desiredLabels: content.labels,
    desiredAnnotations: content.annotations,
    desiredHash: content.hash,
    desiredCommit: origin.commit,
    desiredUpdated: time(seen.observedAt),
    relationshipMetadata: withOwners(old.relationshipMetadata, "desired", seen.owners),
    syncMetadata: writeSyncMetadata({
      ...metadata,
      removed,
      blame: { author: origin.author, at: origin.authoredAt ?? "" },
    }),
  };
  const moved = declared && !sameFile ? `moved from ${old.desiredFilePath}` : "";
  return changed(before, old, derive(next, seen.apiVersion, actualApiVersion(old)), seen, policy, context, {
    type: declared ? "modified" : "added",
    side: "desired",
    actor: origin.author,
    commit: origin.commit,
    resourceVersion: "",
    reason: moved,
  });
}

/** Git no longer declares it. */
export function retract(
  before: ResourceRow | null,
  seen: DesiredDelete,
  policy: ReducePolicy,
  context: ReduceContext,
): Reduction {
  if (before === null || !isDeclared(before)) return { outcome: "unchanged", row: before };
  const next: ResourceRow = {
    ...before,
    desiredSpec: null,
    desiredLabels: {},
    desiredAnnotations: {},
    desiredHash: "",
    desiredCommit: seen.commit,
    desiredFilePath: "",
    desiredLine: 0,
    desiredUpdated: time(seen.observedAt),
    fileHash: "",
    lastFileSync: time(seen.observedAt),
    relationshipMetadata: withOwners(before.relationshipMetadata, "desired", undefined),
    syncMetadata: writeSyncMetadata({
      ...readSyncMetadata(before.syncMetadata),
      removed: [],
      places: "",
      blame: { author: "", at: "" },
    }),
  };
  return changed(before, before, derive(next, "", actualApiVersion(before)), seen, policy, context, {
    type: "deleted",
    side: "desired",
    actor: seen.author,
    commit: seen.commit,
    resourceVersion: "",
    reason: seen.reason,
  });
}
