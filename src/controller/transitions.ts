import type { Condition, FabricStatus } from "../api/status.ts";
import type { FabricEvent } from "./events.ts";

/** The conditions that tell a story of their own; Ready and Reconciling only sum them up. */
const TOLD = new Set<string>(["GitReady", "ClusterReady", "StoreReady", "Stalled"]);
const ACTIONS: Readonly<Record<string, string>> = {
  GitReady: "SyncGit",
  ClusterReady: "SyncCluster",
  StoreReady: "WriteRows",
  Stalled: "Reconcile",
};

/**
 * What happened between two statuses, as Events. Pure. A condition is told when its status or reason changes: going wrong is
 * a Warning, coming to be well is Normal; working towards it (Unknown) is not told. So is what drifts, in numbers by severity.
 */
export function eventsBetween(before: FabricStatus, after: FabricStatus): FabricEvent[] {
  const events: FabricEvent[] = [];
  const revision = after.git?.revision;
  const movedOn = revision !== undefined && revision !== before.git?.revision;
  for (const condition of after.conditions ?? []) {
    if (!TOLD.has(condition.type)) continue;
    const held = before.conditions?.find(({ type }) => type === condition.type);
    if (held?.status === condition.status && held.reason === condition.reason) continue;
    const type = typeOf(condition);
    if (type === null) continue;
    // A revision that was taken in is told below, with its name; Stalled repeats the condition that made it so.
    if (condition.type === "GitReady" && condition.reason === "RevisionTaken" && movedOn) continue;
    if (condition.type === "Stalled" && isToldBy(after, condition)) continue;
    events.push({
      type,
      reason: condition.reason,
      action: ACTIONS[condition.type] ?? "Reconcile",
      note: condition.message,
    });
  }
  if (movedOn) {
    const { documents = 0, files = 0, invalidDocuments = 0 } = after.git ?? {};
    const refused = invalidDocuments === 0 ? "" : `, ${invalidDocuments} of them refused`;
    events.push({
      type: "Normal",
      reason: "RevisionTaken",
      action: "SyncGit",
      note: `${revision}: ${documents} documents in ${files} files${refused}`,
    });
  }
  const drift = driftEvent(before, after);
  if (drift !== null) events.push(drift);
  const handled = after.lastHandledReconcileAt;
  if (handled !== undefined && handled !== before.lastHandledReconcileAt) {
    events.push({
      type: "Normal",
      reason: "SyncedOnRequest",
      action: "Sync",
      note: `the sync asked for at ${handled} is done`,
    });
  }
  return events;
}

/**
 * What drifts, by how much it matters: the figures of the status. Told when they changed, and when rows were compared anew; while rows are still being
 * compared they are on their way.
 */
function driftEvent(before: FabricStatus, after: FabricStatus): FabricEvent | null {
  if (!isReady(after) || after.drift?.evaluatedRevision === undefined) return null;
  const [was, is] = [driftWords(before), driftWords(after)];
  if (was === is && (isReady(before) || is === "")) return null;
  if (is !== "") return { type: "Warning", reason: "Drifted", action: "Compare", note: is };
  return { type: "Normal", reason: "DriftEnded", action: "Compare", note: `nothing drifts any more; it was ${was}` };
}

function isReady({ conditions = [] }: FabricStatus): boolean {
  return conditions.some(({ type, status }) => type === "Ready" && status === "True");
}

/** `3 drifted, 1 missing (1 high, 3 medium, score 70); 2 unknown`; '' where nothing drifts. */
function driftWords({ drift = {} }: FabricStatus): string {
  const words = (counts: Readonly<Record<string, number | undefined>>): string =>
    Object.entries(counts)
      .flatMap(([word, count = 0]) => (count === 0 ? [] : [`${count} ${word}`]))
      .join(", ");
  const { drifted, missing, extra, invalid, unknown, bySeverity, score } = drift;
  const told = words({ drifted, missing, extra, invalid });
  if (told === "") return "";
  const { critical, high, medium, low } = bySeverity ?? {};
  const unsure = words({ unknown });
  // A status of an earlier release tells none.
  const heaviest = score === undefined ? "" : `, score ${score}`;
  return `${told} (${words({ critical, high, medium, low })}${heaviest})${unsure === "" ? "" : `; ${unsure}`}`;
}

/** Whether another condition that is told has the same story. */
function isToldBy(status: FabricStatus, stalled: Condition): boolean {
  return (status.conditions ?? []).some(
    ({ type, status: value, reason }) =>
      type !== stalled.type && TOLD.has(type) && value === "False" && reason === stalled.reason,
  );
}

function typeOf(condition: Condition): FabricEvent["type"] | null {
  if (condition.type === "Stalled") return condition.status === "True" ? "Warning" : null;
  if (condition.status === "False") return "Warning";
  if (condition.status === "Unknown") return null;
  return condition.reason === "InvalidDocuments" || condition.reason === "DeadLetters" ? "Warning" : "Normal";
}
