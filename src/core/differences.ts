/** Every path at which a row's two sides differ, as far as the Fabric's rules let it count. */
import { additions } from "./additions.ts";
import { compareDeclared } from "./diff.ts";
import type { Difference, DifferenceSink, Knowledge } from "./difference.ts";
import { documentOf, specRoot } from "./document.ts";
import { rulesFor } from "./equivalence.ts";
import { ignoresFor } from "./ignore.ts";
import type { JsonObject } from "./json.ts";
import { ownersOfPath, sharesWith } from "./managed-fields.ts";
import type { Edit, Owner } from "./managed-fields.ts";
import { pointer } from "./pointer.ts";
import type { ReducePolicy } from "./policy.ts";
import { leftovers } from "./removed.ts";
import { schemaAt } from "./schema.ts";
import type { ResourceRow } from "./row.ts";
import { readDeclaredBefore, readSyncMetadata } from "./sync-metadata.ts";

/** Enough to see what happened; a file that was rewritten differs everywhere. */
export const MAX_PATHS = 50;
/** So that a rule too wide is seen without storing what it hides. */
export const MAX_IGNORED = 20;

export interface Differences {
  /** At most one more than {@link MAX_PATHS}. */
  readonly found: readonly Difference[];
  /** Pointers that a rule hid, at most one more than {@link MAX_IGNORED}. */
  readonly ignored: readonly string[];
}

/** What is known of a row's kind, and where its spec stands in the document. */
export interface RowKnowledge {
  readonly knowledge: Knowledge;
  readonly root: readonly string[];
}

export function knowledgeOf(
  row: Pick<ResourceRow, "apiGroup" | "kind" | "apiVersion">,
  policy: Pick<ReducePolicy, "schemas">,
): RowKnowledge {
  const kind = policy.schemas?.of(row.apiVersion, row.kind) ?? null;
  return { knowledge: { rules: rulesFor(row.apiGroup, row.kind), kind }, root: specRoot(kind, row) };
}

/** The cluster's document of a row; labels and annotations are the cluster's where the object is there. */
export function actualDocument(row: ResourceRow, root: readonly string[]): JsonObject {
  return documentOf({ spec: row.actualSpec, labels: row.labels, annotations: row.annotations }, root);
}

/**
 * Phase one.
 * @param weak whether differences that only the API server can tell count
 */
export function differencesOf(row: ResourceRow, policy: ReducePolicy, weak: boolean): Differences {
  const found: Difference[] = [];
  const { sink, ignored } = filtering(row, policy, (difference) => {
    if (weak || difference.weak !== true) found.push(difference);
    return found.length <= MAX_PATHS;
  });
  everyDifference(row, policy, sink);
  return { found, ignored };
}

/**
 * What somebody added inside of the object, where the Fabric asks for it (`drift.extra: Report`): owned by managers who have no part in what
 * Git declares. A webhook's additions are owned by whoever applied the object, and are not among them.
 */
export function additionsOf(row: ResourceRow, policy: ReducePolicy): Differences {
  if (!policy.reportExtra || row.actualSpec === null) return { found: [], ignored: [] };
  const { knowledge, root } = knowledgeOf(row, policy);
  const { owners, desiredApiVersion } = readSyncMetadata(row.syncMetadata);
  const sameVersion = desiredApiVersion === "" || desiredApiVersion === row.apiVersion;
  const schema = schemaAt(sameVersion ? knowledge.kind : null, root);
  if (schema === null || schema === "pruned" || row.desiredSpec === null) return { found: [], ignored: [] };
  const found: Difference[] = [];
  const { sink, ignored } = filtering(row, policy, (difference) => found.push(difference) <= MAX_PATHS);
  const document = actualDocument(row, root);
  for (const addition of additions(row.desiredSpec, row.actualSpec, schema, root)) {
    const of = ownersOfPath(owners, document, addition.actualPath);
    const foreign = of.length > 0 && of.every((owner) => !hasPart(owner, row, root));
    if (foreign && !sink(addition)) break;
  }
  return { found, ignored };
}

/** A sink that keeps out what the Fabric's rules hide, and what is another's by right. */
export function filtering(
  row: ResourceRow,
  policy: ReducePolicy,
  next: DifferenceSink,
): { sink: DifferenceSink; ignored: string[] } {
  // Most rows agree: what differences are judged by is read when there is one.
  const ignores = once(() => ignoresFor(row, policy.ignore));
  const part = once(() => {
    const { root } = knowledgeOf(row, policy);
    return { root, owners: readSyncMetadata(row.syncMetadata).owners, document: actualDocument(row, root) };
  });
  const ignored: string[] = [];
  const ownersAt = (path: readonly string[]): Owner[] => {
    const { owners, document } = part();
    return ownersOfPath(owners, document, path);
  };
  const sink = (difference: Difference): boolean => {
    const managers = (): string[] => ownersAt(difference.actualPath).map(({ manager }) => manager);
    if (ignores()(difference.path, managers)) {
      if (ignored.length <= MAX_IGNORED) ignored.push(pointer(difference.path));
      return true;
    }
    const byRight = (owner: Owner): boolean => isByRight(owner, row, part().root);
    if (difference.leftover === true && ownersAt(difference.actualPath).some(byRight)) return true;
    return next(difference);
  };
  return { sink, ignored };
}

function once<T extends object>(make: () => T): () => T {
  let made: T | null = null;
  return () => (made ??= make());
}

/**
 * Git gave the field up, and its owner holds it by a subresource (an autoscaler) or by server-side apply, having no part in what Git
 * declares: it is that manager's now.
 */
function isByRight(owner: Owner, row: ResourceRow, root: readonly string[]): boolean {
  if (owner.subresource === "" && owner.operation !== "Apply") return false;
  return !hasPart(owner, row, root);
}

/** Whether a manager owns something of what Git declares beside labels and annotations. */
function hasPart(owner: Owner, row: ResourceRow, root: readonly string[]): boolean {
  const content = { ...declaredDocument(row, root) };
  delete content["metadata"];
  return sharesWith(owner.fields, content);
}

/** Git's document of a row. */
export function declaredDocument(row: ResourceRow, root: readonly string[]): JsonObject {
  return documentOf({ spec: row.desiredSpec, labels: row.desiredLabels, annotations: row.desiredAnnotations }, root);
}

/** Who made the cluster's value at a path, or, as a `candidate`, may have. */
export interface Blame extends Edit {
  readonly candidate: boolean;
}

/**
 * Who made the cluster's value at a path. Where the cluster has no value nobody owns it, and managedFields do not tell who took it away: whoever
 * edited the object last is only a candidate.
 */
export function blame(
  row: ResourceRow,
  root: readonly string[],
  difference: Pick<Difference, "actualPath" | "actual">,
): Blame {
  const { owners, lastEdit } = readSyncMetadata(row.syncMetadata);
  const owner =
    difference.actual === undefined
      ? undefined
      : ownersOfPath(owners, actualDocument(row, root), difference.actualPath)[0];
  const { manager, operation, at } = owner ?? lastEdit ?? { manager: "", operation: "", at: "" };
  return { manager, operation, at, candidate: owner === undefined };
}

function withoutOwn(labels: JsonObject, isOwn: (name: string) => boolean): JsonObject {
  if (!Object.keys(labels).some(isOwn)) return labels;
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !isOwn(name)));
}

function everyDifference(row: ResourceRow, policy: ReducePolicy, sink: DifferenceSink): void {
  const { knowledge, root } = knowledgeOf(row, policy);
  const { removed, desiredApiVersion } = readDeclaredBefore(row.syncMetadata);
  const { rules } = knowledge;
  // Git writes another version of the kind than the one that is watched: the schema at hand is not that of Git's document.
  const same = desiredApiVersion === "" || desiredApiVersion === row.apiVersion;
  const spec = same ? knowledge : { rules, kind: null };
  const labels = withoutOwn(row.desiredLabels, rules.ownLabel);
  // Where the object is there, these columns hold the cluster's.
  const actual = { spec: row.actualSpec, labels: row.labels, annotations: row.annotations };
  const goOn =
    compareDeclared(row.desiredSpec, row.actualSpec, root, spec, sink) &&
    compareDeclared(labels, actual.labels, ["metadata", "labels"], knowledge, sink) &&
    compareDeclared(row.desiredAnnotations, actual.annotations, ["metadata", "annotations"], knowledge, sink) &&
    (same ||
      sink({
        path: ["apiVersion"],
        actualPath: ["apiVersion"],
        desired: desiredApiVersion,
        actual: row.apiVersion,
        weak: true,
      }));
  if (!goOn) return;
  for (const difference of leftovers(removed, actual, knowledge, root)) {
    const [top, map, name = ""] = difference.path;
    if (top === "metadata" && map === "labels" && rules.ownLabel(name)) continue;
    if (!sink(difference)) return;
  }
}
