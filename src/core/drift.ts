/**
 * The verdict on one row: a pure function of its two sides and the Fabric's policy (invariant 13).
 *
 * | Git | cluster | verdict                                                                          |
 * |-----|---------|----------------------------------------------------------------------------------|
 * | –   | –       | unknown: there is nothing to compare                                             |
 * | any | any     | unknown, when its kind cannot be watched                                         |
 * | any | any     | untracked, for kinds that the platform generates and objects when Git is silent  |
 * | any | any     | unknown, when drift is disabled, or the side that is not there was not read yet  |
 * | yes | –       | missing                                                                          |
 * | –   | yes     | extra when the Fabric asks for it, else untracked                                |
 * | yes | yes     | in_sync or drifted, by the declared paths                                        |
 */
import { checkKey } from "./check.ts";
import type { Check } from "./check.ts";
import type { Difference } from "./difference.ts";
import {
  actualDocument,
  additionsOf,
  blame,
  declaredDocument,
  differencesOf,
  filtering,
  knowledgeOf,
  MAX_IGNORED,
  MAX_PATHS,
} from "./differences.ts";
import { lookUp } from "./document.ts";
import { isGeneratedKind, isGeneratedObject } from "./generated.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { placeOf } from "./places.ts";
import { pointer } from "./pointer.ts";
import type { ReducePolicy } from "./policy.ts";
import { isDeclared, isThere } from "./resource-row.ts";
import type { ResourceRow } from "./row.ts";
import { driftScore, severityOf, weightOf } from "./severity.ts";
import { readSyncMetadata } from "./sync-metadata.ts";
import type { NotComparedCode } from "./unknown.ts";
import type { DriftSeverity, DriftStatus } from "./vocabulary.ts";

export { knowledgeOf } from "./differences.ts";

/** The drift columns of a row. */
export interface DriftVerdict {
  readonly status: DriftStatus;
  readonly severity: DriftSeverity;
  readonly score: number;
  /**
   * `{paths, truncated}` when drifted, `{reason, code}` when unknown or invalid; with `ignored` (and `ignoredTruncated`) when a rule hid paths, and with
   * `awaiting: "server"` while the API server is to be asked.
   */
  readonly details: JsonObject;
  /** In words, for people. */
  readonly reason: string;
}

/** Characters of JSON of one value: a certificate or a config file need not be stored a third time. */
const MAX_VALUE = 1024;

export function judgeDrift(row: ResourceRow, policy: ReducePolicy): DriftVerdict {
  const declared = isDeclared(row);
  const there = isThere(row);
  if (!declared && !there) return unknown("neither Git nor the cluster has it");
  const unwatched = policy.unread?.unwatched?.[`${row.kind}.${row.apiGroup}`];
  if (unwatched !== undefined) return unknown(unwatched, "KindNotWatched");
  if (isGeneratedKind(row)) return verdict("untracked", "the platform generates this kind");
  if (policy.driftMode === "disabled") return unknown("drift detection is disabled", "DriftDisabled");
  if (declared && there)
    return policy.driftMode === "local" ? compareLocally(row, policy) : compareByServer(row, policy);
  if (declared) {
    const { cluster = false, kinds = [] } = policy.unread ?? {};
    return cluster || kinds.includes(`${row.kind}.${row.apiGroup}`)
      ? notCompared("KindNotListed", "the cluster's objects of this kind are not known yet")
      : missing(row, policy);
  }
  if (!policy.hasGit) return verdict("untracked", "the Fabric has no Git");
  if (policy.unread?.git === true) return notCompared("GitNotTakenIn", "Git is not taken in yet");
  if (isGeneratedObject(row)) return verdict("untracked", "the platform generates this object");
  return verdict(policy.reportExtra ? "extra" : "untracked", "in the cluster, not in Git");
}

/** Whether the API server is to be asked about the row before its verdict is whole. */
export function isAwaitingServer(row: Pick<ResourceRow, "driftDetails">): boolean {
  return row.driftDetails["awaiting"] !== undefined;
}

/** The key of the question that a row stands for now. */
export function questionOf(row: ResourceRow, policy: Pick<ReducePolicy, "schemas">): string {
  const { kind } = knowledgeOf(row, policy).knowledge;
  return checkKey(row, readSyncMetadata(row.syncMetadata).removed, kind?.hash ?? "");
}

function compareLocally(row: ResourceRow, policy: ReducePolicy): DriftVerdict {
  const { found, ignored } = differencesOf(row, policy, false);
  return compared(row, policy, found, ignored);
}

function compareByServer(row: ResourceRow, policy: ReducePolicy): DriftVerdict {
  const { found, ignored } = differencesOf(row, policy, true);
  if (found.length === 0) return compared(row, policy, [], ignored);
  const check = answerFor(row, policy);
  if (check === null) {
    const count = found.length > MAX_PATHS ? `more than ${MAX_PATHS} paths` : paths(found.length);
    const asked = notCompared("AwaitingServer", `the API server is asked about ${count}`);
    return { ...asked, details: { ...asked.details, awaiting: "server" } };
  }
  if (check.outcome === "accepted") return compared(row, policy, [], ignored);
  if (check.outcome === "differs") return answered(row, policy, check);
  return check.outcome === "refused" ? invalid(check) : unanswered(check);
}

/** The paths that the server named, with the values that both sides hold. */
function answered(row: ResourceRow, policy: ReducePolicy, check: Check): DriftVerdict {
  const { knowledge, root } = knowledgeOf(row, policy);
  const [git, cluster] = [declaredDocument(row, root), actualDocument(row, root)];
  const at = (document: JsonObject, path: readonly string[]): JsonValue | undefined =>
    lookUp(document, path, knowledge.kind, knowledge.rules.builtIn)?.value;
  const found: Difference[] = [];
  const { sink, ignored } = filtering(row, policy, (difference) => found.push(difference) > 0);
  for (const { path, actualPath } of check.paths) {
    sink({ path, actualPath, desired: at(git, path), actual: at(cluster, actualPath) });
  }
  return compared(row, policy, found, ignored);
}

function missing(row: ResourceRow, policy: ReducePolicy): DriftVerdict {
  const found = verdict("missing", "in Git, not in the cluster");
  if (policy.driftMode !== "server_side") return found;
  const check = answerFor(row, policy);
  if (check === null) return { ...found, details: { awaiting: "server" } };
  if (check.outcome === "refused") return invalid(check);
  return check.outcome === "unanswered" ? { ...found, details: unanswered(check).details } : found;
}

function answerFor(row: ResourceRow, policy: ReducePolicy): Check | null {
  const { check } = readSyncMetadata(row.syncMetadata);
  return check !== null && check.key === questionOf(row, policy) ? check : null;
}

/** What was found, and what was added in the cluster, as a verdict. */
function compared(
  row: ResourceRow,
  policy: ReducePolicy,
  declared: readonly Difference[],
  hiddenPaths: readonly string[],
): DriftVerdict {
  const added = additionsOf(row, policy);
  const [found, ignored] = [
    [...declared, ...added.found],
    [...hiddenPaths, ...added.ignored],
  ];
  const truncated = found.length > MAX_PATHS;
  const hidden: JsonObject = {
    ...(ignored.length === 0 ? {} : { ignored: ignored.slice(0, MAX_IGNORED) }),
    ...(ignored.length > MAX_IGNORED ? { ignoredTruncated: true } : {}),
  };
  if (found.length === 0) return { ...verdict("in_sync", "every declared path agrees"), details: hidden };
  const { root } = knowledgeOf(row, policy);
  const shown = found.slice(0, MAX_PATHS);
  const score = driftScore("drifted", shown.map(weightOf));
  return {
    status: "drifted",
    severity: severityOf(score),
    score,
    details: { paths: shown.map((difference) => describe(difference, row, root)), truncated, ...hidden },
    reason: truncated
      ? `more than ${MAX_PATHS} paths differ`
      : shown.length === 1
        ? "1 path differs"
        : `${shown.length} paths differ`,
  };
}

/** One element of `drift_details.paths`. */
function describe(difference: Difference, row: ResourceRow, root: readonly string[]): JsonObject {
  const { manager, operation, at, candidate } = blame(row, root, difference);
  const place = placeOf(readSyncMetadata(row.syncMetadata).places, row.desiredLine, difference.path);
  return {
    path: pointer(difference.path),
    ...bounded("desired", difference.desired),
    ...bounded("actual", difference.actual),
    file: row.desiredFilePath,
    line: place?.line ?? row.desiredLine,
    column: place?.column ?? 1,
    commit: row.desiredCommit,
    manager,
    operation,
    at,
    ...(candidate ? { candidate } : {}),
    severity: severityOf(weightOf(difference)),
  };
}

/** null stands for "not there"; what is too long is cut and says so in `<side>Cut`, the full length in characters. */
function bounded(side: "desired" | "actual", value: JsonValue | undefined): JsonObject {
  if (value === undefined) return { [side]: null };
  const text = JSON.stringify(value);
  if (text.length <= MAX_VALUE) return { [side]: value };
  const shown = typeof value === "string" ? value : text;
  return { [side]: `${shown.slice(0, MAX_VALUE).toWellFormed()}…`, [`${side}Cut`]: shown.length };
}

function verdict(status: DriftStatus, reason: string): DriftVerdict {
  const score = driftScore(status, []);
  return { status, severity: severityOf(score), score, details: {}, reason };
}

/** @param code why, for machines; '' where there is nothing to compare */
function unknown(reason: string, code = ""): DriftVerdict {
  return { ...verdict("unknown", reason), details: { reason, ...(code === "" ? {} : { code }) } };
}

/** The verdict is still to come. */
function notCompared(code: NotComparedCode, reason: string): DriftVerdict {
  return unknown(reason, code);
}

function invalid({ code, message, again }: Check): DriftVerdict {
  return { ...verdict("invalid", message), details: { reason: message, code, ...(again === "" ? {} : { again }) } };
}

function unanswered({ code, message, again }: Check): DriftVerdict {
  const told = unknown(message, code);
  return { ...told, details: { ...told.details, ...(again === "" ? {} : { again }) } };
}

function paths(count: number): string {
  return count === 1 ? "1 path" : `${count} paths`;
}
