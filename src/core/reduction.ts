/** What the two sides' reducers share: outcomes, the columns derived from both sides, events. */
import { trackConflict } from "./conflict.ts";
import type { ChangeOf } from "./conflict.ts";
import type { JsonObject } from "./json.ts";
import { judge } from "./judge.ts";
import type { Observation } from "./observation.ts";
import type { ReducePolicy } from "./policy.ts";
import { isDeclared, isThere } from "./resource-row.ts";
import { rowKey } from "./row.ts";
import type { ResourceEvent, ResourceRow } from "./row.ts";
import { readSyncMetadata, writeSyncMetadata } from "./sync-metadata.ts";
import type { EventType, Side } from "./vocabulary.ts";

/** What the reducer would otherwise have to ask the world for. */
export interface ReduceContext {
  /** RFC 3339 in UTC with milliseconds: the time of this write. */
  readonly now: string;
  /** A new row's id. */
  readonly newId: () => string;
}

/** What became of an observation. `row` is null where there was none and nothing to make one of. */
export type Reduction =
  | { readonly outcome: "changed"; readonly row: ResourceRow; readonly event: ResourceEvent }
  | { readonly outcome: "refreshed"; readonly row: ResourceRow }
  | { readonly outcome: "unchanged" | "stale"; readonly row: ResourceRow | null };

/** What an event says beyond what the rows say. */
export interface Told {
  readonly type: EventType;
  readonly side: Side;
  readonly actor: string;
  readonly commit: string;
  readonly resourceVersion: string;
  readonly reason: string;
}

/** A change of one side: `next` judged, its conflicts tracked, its event made. */
export function changed(
  before: ResourceRow | null,
  old: ResourceRow,
  next: ResourceRow,
  seen: Observation,
  policy: ReducePolicy,
  context: ReduceContext,
  told: Told,
): Reduction {
  const judged = judge(old, next, policy, context.now);
  const edit = seen.side === "actual" && seen.type === "upsert" ? (seen.lastEdit ?? null) : null;
  const change: ChangeOf = { side: seen.side, at: context.now, edit };
  const row = {
    ...touched(trackConflict(before, judged, change), seen, context),
    syncAttempts: old.syncAttempts + 1,
    lastSyncError: "",
  };
  return { outcome: "changed", row, event: eventOf(old, row, told) };
}

/** The columns that belong to both sides: the cluster's where the object is there, else Git's. */
export function derive(row: ResourceRow, desiredVersion: string, actualVersion: string): ResourceRow {
  const metadata = readSyncMetadata(row.syncMetadata);
  const there = isThere(row);
  const apiVersion = (there ? actualVersion : desiredVersion) || row.apiVersion;
  const kept = isDeclared(row) && desiredVersion !== apiVersion ? desiredVersion : "";
  return {
    ...row,
    apiVersion,
    labels: there ? row.labels : row.desiredLabels,
    annotations: there ? row.annotations : row.desiredAnnotations,
    syncMetadata: writeSyncMetadata({ ...metadata, desiredApiVersion: kept }),
  };
}

export function desiredApiVersion(row: ResourceRow): string {
  return isDeclared(row) ? readSyncMetadata(row.syncMetadata).desiredApiVersion || row.apiVersion : "";
}

export function actualApiVersion(row: ResourceRow): string {
  return isThere(row) ? row.apiVersion : "";
}

/** `row` as written now, by this observation. */
export function touched(row: ResourceRow, seen: Observation, { now }: ReduceContext): ResourceRow {
  return { ...row, writePath: seen.writePath, updatedAt: now };
}

/** The event of a change from `before` to `after`. */
export function eventOf(before: ResourceRow, after: ResourceRow, told: Told): ResourceEvent {
  return {
    ...rowKey(after),
    resourceId: after.id,
    at: after.updatedAt,
    eventType: told.type,
    side: told.side,
    trigger: after.writePath,
    actor: told.actor,
    commit: told.commit,
    resourceVersion: told.resourceVersion,
    stateBefore: before.resourceState,
    stateAfter: after.resourceState,
    driftBefore: before.driftStatus,
    driftAfter: after.driftStatus,
    driftSeverity: after.driftSeverity,
    driftScore: after.driftScore,
    reason: told.reason,
    image: imageOf(after, told.side),
  };
}

/** The side after the change; null when it is gone. */
function imageOf(row: ResourceRow, side: Side): JsonObject | null {
  if (side === "desired") {
    if (row.desiredSpec === null) return null;
    return { spec: row.desiredSpec, labels: row.desiredLabels, annotations: row.desiredAnnotations };
  }
  if (row.actualSpec === null) return null;
  const image: JsonObject = { spec: row.actualSpec, labels: row.labels, annotations: row.annotations };
  if (row.actualStatus !== null) image["status"] = row.actualStatus;
  return image;
}

/** A time of a row: RFC 3339 in UTC with milliseconds. */
export function time(ms: number): string {
  return new Date(ms).toISOString();
}
