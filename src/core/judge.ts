import { judgeDrift } from "./drift.ts";
import type { DriftVerdict } from "./drift.ts";
import { isGeneratedObject } from "./generated.ts";
import { isJsonObject } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import type { ReducePolicy } from "./policy.ts";
import type { ResourceRow } from "./row.ts";
import { deriveState } from "./state.ts";
import type { Expectation } from "./state.ts";
import type { DriftStatus } from "./vocabulary.ts";

/** `next` with drift and state as its sides and the policy make them; times move only where `old` was different. */
export function judge(old: ResourceRow, next: ResourceRow, policy: ReducePolicy, now: string): ResourceRow {
  const verdict = judgeDrift(next, policy);
  const { state, reason } = deriveState(next, verdict, expectation(next, policy));
  const compared = verdict.status === "in_sync" || verdict.status === "drifted";
  const stateChanged = state !== old.resourceState;
  return {
    ...next,
    resourceState: state,
    stateChangeReason: reason,
    lastStateChange: stateChanged ? now : old.lastStateChange,
    driftStatus: verdict.status,
    driftSeverity: verdict.severity,
    driftScore: verdict.score,
    driftDetails: withMemory(old, { ...verdict, details: withCandidates(old, verdict.details) }),
    lastDriftCheck: verdict.status === "unknown" ? next.lastDriftCheck : now,
    driftSince: driftSince(old, verdict, now),
    lastSyncedCommit: verdict.status === "in_sync" ? next.desiredCommit : next.lastSyncedCommit,
    reconciliationAttempts: next.reconciliationAttempts + (compared ? 1 : 0),
    lastReconciliation: verdict.status === "in_sync" ? now : next.lastReconciliation,
    syncDirection: policy.direction,
  };
}

function expectation(row: ResourceRow, policy: ReducePolicy): Expectation {
  if (!policy.hasGit || isGeneratedObject(row)) return "no";
  return policy.unread?.git === true ? "unknown" : "yes";
}

function driftSince(old: ResourceRow, verdict: DriftVerdict, now: string): string | null {
  if (!isDrift(verdict.status)) return null;
  if (verdict.status === old.driftStatus && old.driftSince !== null) return old.driftSince;
  // What was so before the API server was asked has been so all the time.
  const { was, since } = memoryOf(old);
  return was === verdict.status && since !== "" ? since : now;
}

/**
 * While the server is asked the row remembers what it was, so that a drift that stays keeps its age, and who may have taken values away before
 * others edited the object.
 */
function withMemory(old: ResourceRow, { status, details }: DriftVerdict): JsonObject {
  if (status !== "unknown" || details["awaiting"] === undefined) return details;
  const { was, since } = isDrift(old.driftStatus)
    ? { was: old.driftStatus, since: old.driftSince ?? "" }
    : memoryOf(old);
  const candidates = candidatesOf(old);
  const kept = candidates.length === 0 ? details : { ...details, candidates };
  return since === "" ? kept : { ...kept, was, since };
}

/** A value that is still away was taken away by whoever was named when that was seen first. */
function withCandidates(old: ResourceRow, details: JsonObject): JsonObject {
  const paths = details["paths"];
  if (!Array.isArray(paths)) return details;
  const known = new Map(candidatesOf(old).map((path) => [path["path"], path]));
  if (known.size === 0) return details;
  return {
    ...details,
    paths: paths.map((path): JsonValue => {
      const before = isJsonObject(path) && path["candidate"] === true ? known.get(path["path"] ?? null) : undefined;
      if (before === undefined || !isJsonObject(path)) return path;
      const { manager = "", operation = "", at = "" } = before;
      return { ...path, manager, operation, at };
    }),
  };
}

/** Paths without a value of the cluster's, with whoever was named for it. */
function candidatesOf({ driftDetails }: ResourceRow): JsonObject[] {
  const { paths, candidates } = driftDetails;
  if (Array.isArray(candidates)) return candidates.filter(isJsonObject);
  if (!Array.isArray(paths)) return [];
  return paths
    .filter(isJsonObject)
    .filter(({ candidate }) => candidate === true)
    .map(({ path = "", manager = "", operation = "", at = "" }) => ({ path, manager, operation, at }));
}

function memoryOf({ driftDetails }: ResourceRow): { was: string; since: string } {
  const { was, since } = driftDetails;
  return { was: typeof was === "string" ? was : "", since: typeof since === "string" ? since : "" };
}

function isDrift(status: DriftStatus): boolean {
  return status === "drifted" || status === "missing" || status === "extra" || status === "invalid";
}
