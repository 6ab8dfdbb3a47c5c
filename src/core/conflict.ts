/**
 * Conflicts and outside edits. The base is the last moment at which both sides agreed (`in_sync`).
 *
 * - Git's side counts as changed since then when its content changed and the row is drifted afterwards.
 * - The cluster's side counts as changed since then when an edit brought a drift that was not there before: a new path or another value
 *   on a path. An edit that only removes drift is the cluster following Git.
 * - `detected` when both count as changed; the details name each side's paths.
 * - `resolved` when a detected conflict ends: both sides agree again, or one of them is gone. The details say by what: `desired` (Git came
 *   round, or dropped it), `actual` (the cluster came round, or lost it), `both` (they reached a value that neither had when it was detected).
 * - While the API server is asked about a row (`unknown`, see `drift.ts`) changes are only noted, as `pending`. Its verdict decides what they
 *   were, by the drifted paths of the verdict before.
 * - An outside edit is an edit of spec, labels or annotations by the cluster while Git stood still, that a row in sync sees at all, or that
 *   brings new drift to a drifted one. The last 50 are kept.
 */
import { hash } from "node:crypto";
import { canonicalJson, isJsonObject, sameJson } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import type { Edit } from "./managed-fields.ts";
import { isAwaitingServer } from "./drift.ts";
import { isDeclared, isThere } from "./resource-row.ts";
import type { ResourceRow } from "./row.ts";
import { readSyncMetadata, writeSyncMetadata } from "./sync-metadata.ts";
import type { Pending } from "./sync-metadata.ts";
import type { Side } from "./vocabulary.ts";

/** Enough to see a pattern; each is about 150 bytes. */
const MAX_MODIFICATIONS = 50;

/** What the side that was observed says about itself. */
export interface ChangeOf {
  readonly side: Side;
  readonly at: string;
  /** Of a change in the cluster. */
  readonly edit: Edit | null;
}

/** `after` with its conflict columns brought up to date; its drift columns are already those of the verdict. */
export function trackConflict(before: ResourceRow | null, after: ResourceRow, change: ChangeOf): ResourceRow {
  const bothThere = isDeclared(after) && isThere(after);
  if (!bothThere || after.driftStatus === "in_sync") {
    const seen = before !== null && bothThere && wasCompared(before) && before.driftStatus !== "drifted";
    return resolve(forget(after), change.side, change.at, seen ? outsideEdit(before, after, change) : null);
  }
  if (before === null || !wasCompared(before)) return after;
  if (isAwaitingServer(after)) return note(before, after, change);
  if (after.driftStatus !== "drifted") return after;
  return decide(after, noted(before, after, change, readSyncMetadata(before.syncMetadata).pending), change.at);
}

/** The same when the API server has answered: nothing changed but the verdict. */
export function settleConflict(row: ResourceRow, at: string): ResourceRow {
  const { pending } = readSyncMetadata(row.syncMetadata);
  if (row.driftStatus === "in_sync") {
    const edit = pending !== null && pending.known.length === 0 ? pending.actual : null;
    return resolve(forget(row), pending?.actual == null ? "desired" : "actual", at, edit);
  }
  if (isAwaitingServer(row) || pending === null) return row;
  return row.driftStatus === "drifted" ? decide(row, pending, at) : forget(row);
}

/** What both sides changed since the last agreement, now that the drift is known. */
function decide(row: ResourceRow, pending: Pending, at: string): ResourceRow {
  const metadata = readSyncMetadata(row.syncMetadata);
  const paths = newPaths(pending.known, row, "actual");
  const since = { ...metadata.sinceAgreed };
  if (pending.desired !== null) since.desired = { ...pending.desired, paths: newPaths(pending.known, row, "desired") };
  const outside = pending.actual !== null && paths.length > 0 ? pending.actual : null;
  if (outside !== null) since.actual = { ...outside, paths };
  const edited = {
    ...row,
    syncMetadata: writeSyncMetadata({ ...metadata, pending: null, sinceAgreed: since }),
    externalModifications: withEdit(row, outside),
  };
  if (since.desired === null || since.actual === null) return edited;
  const found = row.conflictStatus === "detected" ? row.conflictDetails : {};
  return {
    ...edited,
    conflictStatus: "detected",
    conflictDetails: {
      ...{ desired: since.desired, actual: since.actual },
      ...{ detectedAt: found["detectedAt"] ?? at, hashes: found["hashes"] ?? hashesOf(row) },
    },
  };
}

function note(before: ResourceRow, after: ResourceRow, change: ChangeOf): ResourceRow {
  const metadata = readSyncMetadata(after.syncMetadata);
  const pending = noted(before, after, change, metadata.pending);
  return { ...after, syncMetadata: writeSyncMetadata({ ...metadata, pending }) };
}

function noted(before: ResourceRow, after: ResourceRow, change: ChangeOf, pending: Pending | null): Pending {
  const base = pending ?? { known: driftedPaths(before), desired: null, actual: null };
  if (change.side === "desired") {
    if (before.desiredHash === after.desiredHash) return base;
    return { ...base, desired: { commit: after.desiredCommit, at: change.at } };
  }
  const edit = outsideEdit(before, after, change);
  return edit === null ? base : { ...base, actual: edit };
}

function resolve(row: ResourceRow, side: Side, at: string, edit: JsonObject | null): ResourceRow {
  const withModifications = { ...row, externalModifications: withEdit(row, edit) };
  if (row.conflictStatus !== "detected") return withModifications;
  return {
    ...withModifications,
    conflictStatus: "resolved",
    conflictDetails: { ...row.conflictDetails, resolvedBy: resolver(row, side), resolvedAt: at },
  };
}

/** Who ended a conflict, when `side` moved last. */
function resolver(row: ResourceRow, side: Side): Side | "both" {
  const then = row.conflictDetails["hashes"];
  if (!isDeclared(row) || !isThere(row) || !isJsonObject(then)) return side;
  const now = hashesOf(row);
  return now["desired"] !== then["desired"] && now["actual"] !== then["actual"] ? "both" : side;
}

/** Stands for the two values. The status is no part of the cluster's. */
function hashesOf(row: ResourceRow): JsonObject {
  const actual = canonicalJson([row.actualSpec, row.labels, row.annotations]);
  return { desired: row.desiredHash, actual: hash("sha256", actual, "hex") };
}

function forget(row: ResourceRow): ResourceRow {
  const metadata = readSyncMetadata(row.syncMetadata);
  const { sinceAgreed, pending } = metadata;
  if (sinceAgreed.desired === null && sinceAgreed.actual === null && pending === null) return row;
  const nothing = { pending: null, sinceAgreed: { desired: null, actual: null } };
  return { ...row, syncMetadata: writeSyncMetadata({ ...metadata, ...nothing }) };
}

function outsideEdit(before: ResourceRow, after: ResourceRow, change: ChangeOf): JsonObject | null {
  if (change.side !== "actual" || !isThere(before) || sameContent(before, after)) return null;
  return { ...who(change), resourceVersion: after.actualResourceVersion, at: change.at };
}

function withEdit(row: ResourceRow, edit: JsonObject | null): JsonValue[] {
  return edit === null ? row.externalModifications : [...row.externalModifications, edit].slice(-MAX_MODIFICATIONS);
}

function who({ edit }: ChangeOf): JsonObject {
  return { manager: edit?.manager ?? "", operation: edit?.operation ?? "" };
}

function wasCompared(row: ResourceRow): boolean {
  return row.driftStatus === "in_sync" || row.driftStatus === "drifted" || isAwaitingServer(row);
}

/** Drifted paths that were not known, or with another value of that side's. */
function newPaths(known: readonly JsonObject[], row: ResourceRow, side: Side): string[] {
  const values = new Map(known.map((one) => [one["path"], one[side] ?? null]));
  return driftedPaths(row)
    .filter((one) => !values.has(one["path"]) || !sameJson(values.get(one["path"]) ?? null, one[side] ?? null))
    .map(({ path }) => String(path));
}

/** Path and both values of each. */
function driftedPaths(row: ResourceRow): JsonObject[] {
  const paths = row.driftDetails["paths"];
  if (!Array.isArray(paths)) return [];
  return paths.filter(isJsonObject).map(({ path = "", desired = null, actual = null }) => ({ path, desired, actual }));
}

function sameContent(a: ResourceRow, b: ResourceRow): boolean {
  return sameJson(a.actualSpec, b.actualSpec) && sameJson(a.labels, b.labels) && sameJson(a.annotations, b.annotations);
}
