/** What `order` reads: the objects of files, which fields of them refer to others, and whom they mean. */
import { readFile } from "node:fs/promises";
import { referencesSpec } from "../api/reference-rules.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import { identify } from "../core/normalise.ts";
import { referencesOf } from "../core/references.ts";
import type { ReferenceRule } from "../core/references.ts";
import type { OrderNode } from "../core/relations-order.ts";
import { ownersIn, referencesIn } from "../core/relations.ts";
import type { Edge } from "../core/relations.ts";
import { readManifests } from "../sources/git/reading/manifests.ts";
import { UsageError } from "./exit.ts";

/** More documents than any one file of a fabric has: a bound, not a limit to work with. */
const MAX_DOCUMENTS = 10_000;
/** What kubectl takes where a file names no namespace. */
const DEFAULT_NAMESPACE = "default";

export interface FileObject {
  readonly file: string;
  readonly line: number;
  readonly object: JsonObject;
}

/** @throws UsageError with the place of what cannot be read. */
export async function manifestsOf(file: string): Promise<FileObject[]> {
  const bytes = await readFile(file).catch((error: unknown): never => {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  const { manifests, rejections } = readManifests(bytes, MAX_DOCUMENTS);
  const [refused] = rejections;
  if (refused !== undefined) throw new UsageError(`${file}:${refused.line}:${refused.column} ${refused.message}`);
  return manifests.map(({ object, line }) => ({ file, line, object }));
}

/** Reference fields that Fabrics among the objects name. @throws UsageError where they are not as a Fabric has them. */
export function rulesOf(objects: readonly FileObject[]): ReferenceRule[] {
  return objects.flatMap(({ file, line, object }) => {
    if (object["kind"] !== "Fabric" || !String(object["apiVersion"]).startsWith("fabricsync.dev/")) return [];
    const told = isJsonObject(object["spec"]) ? object["spec"]["references"] : undefined;
    const read = referencesSpec.safeParse(told ?? []);
    if (read.success) return read.data;
    const [issue] = read.error.issues;
    throw new UsageError(`${file}:${line} spec.references.${issue?.path.join(".")}: ${issue?.message}`);
  });
}

/** Each object with what it refers to, by owner references too. */
export function nodesOf(objects: readonly FileObject[], rules: readonly ReferenceRule[]): OrderNode[] {
  const read = objects.map(({ object }) => {
    const { key, metadata } = identify(object, { fabricId: "" });
    const edges = [
      ...referencesIn(key, "desired", specOf(object), referencesOf(key, rules)),
      ...ownersIn(key.namespace, "desired", metadata["ownerReferences"]),
    ];
    return { id: idOf(key.apiGroup, key.kind, key.namespace, key.name), edges };
  });
  const there = new Set(read.map(({ id }) => id));
  return read.map(({ id, edges }) => ({
    id,
    refersTo: edges.map((edge) => ({ id: meantBy(edge, there), path: edge.path })),
  }));
}

/** As the operator keeps it: every field of its own where a kind has no spec. */
function specOf(object: JsonObject): JsonObject {
  if (isJsonObject(object["spec"])) return object["spec"];
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, status: _status, ...fields } = object;
  return fields;
}

/** One of the namespace, else one without: a cluster's own, or one whose file leaves the namespace to kubectl, and the other way round. */
function meantBy(edge: Edge, there: ReadonlySet<string>): string {
  const { targetApiGroup, targetKind, targetNamespace, targetName } = edge;
  const ids = [targetNamespace, "", ...(targetNamespace === "" ? [DEFAULT_NAMESPACE] : [])].map((namespace) =>
    idOf(targetApiGroup, targetKind, namespace, targetName),
  );
  return ids.find((id) => there.has(id)) ?? ids[0] ?? "";
}

/** As people write it, and as `explain` takes it. */
function idOf(apiGroup: string, kind: string, namespace: string, name: string): string {
  return `${apiGroup === "" ? kind : `${kind}.${apiGroup}`}/${namespace === "" ? "" : `${namespace}/`}${name}`;
}
