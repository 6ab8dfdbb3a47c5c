/**
 * References from one resource to others, as edges. Pure: what an edge points to may be there, may come later, or never.
 */
import type { ResourceKey } from "./identity.ts";
import { isJsonObject } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { pointer } from "./pointer.ts";
import { referencesOf } from "./references.ts";
import type { Reference, ReferenceRule } from "./references.ts";
import type { ResourceRow } from "./row.ts";
import type { Side } from "./vocabulary.ts";

/** One reference of one side. `path` is a JSON pointer from the object's root. */
export interface Edge {
  readonly side: Side;
  readonly path: string;
  /** What the target is to the one that refers: profile, subnet, owner, … */
  readonly relation: string;
  readonly targetApiGroup: string;
  readonly targetKind: string;
  readonly targetNamespace: string;
  readonly targetName: string;
}

/** What both sides of a row refer to, owner references included. */
export function edgesOf(row: ResourceRow, rules: readonly ReferenceRule[] = []): Edge[] {
  const references = referencesOf(row, rules);
  const edges: Edge[] = [];
  for (const [side, spec] of [["desired", row.desiredSpec] as const, ["actual", row.actualSpec] as const]) {
    if (spec === null) continue;
    edges.push(...referencesIn(row, side, spec, references));
    edges.push(...ownersIn(row.namespace, side, ownersKept(row.relationshipMetadata, side)));
  }
  return edges;
}

/** Where the column `relationship_metadata` keeps the owner references of each side; the cluster's can be looked for by an index. */
const OWNERS: Readonly<Record<Side, string>> = { desired: "declaredOwners", actual: "owners" };

/** The owner references of one side that the column `relationship_metadata` keeps. */
export function ownersKept(metadata: JsonObject, side: Side): JsonValue[] {
  const owners = metadata[OWNERS[side]];
  return Array.isArray(owners) ? owners : [];
}

/** The column with the owner references of one side; the very same one where it has none and gets none. */
export function withOwners(metadata: JsonObject, side: Side, owners: readonly JsonObject[] | undefined): JsonObject {
  if (owners !== undefined) return { ...metadata, [OWNERS[side]]: [...owners] };
  if (metadata[OWNERS[side]] === undefined) return metadata;
  const rest = { ...metadata };
  delete rest[OWNERS[side]];
  return rest;
}

/** References in a spec that is not a row's: a file's document. */
export function referencesIn(
  key: Pick<ResourceKey, "namespace" | "name">,
  side: Side,
  spec: JsonValue,
  references: readonly Reference[],
): Edge[] {
  const edges: Edge[] = [];
  const told = new Set<string>();
  for (const { path, relation, target } of references) {
    for (const [segments, text] of valuesAt({ metadata: { name: key.name }, spec }, path)) {
      const found = target(text, segments);
      if (found === null || !usable(found.name) || told.has(pointer(segments))) continue;
      told.add(pointer(segments));
      edges.push({
        side,
        path: pointer(segments),
        relation,
        targetApiGroup: found.apiGroup,
        targetKind: found.kind,
        targetNamespace: key.namespace,
        targetName: found.name,
      });
    }
  }
  return edges;
}

/** metadata.ownerReferences: an owner is in the same namespace, or in none where the object has none. */
export function ownersIn(namespace: string, side: Side, owners: JsonValue | undefined): Edge[] {
  if (!Array.isArray(owners)) return [];
  return owners.flatMap((owner, index): Edge[] => {
    if (!isJsonObject(owner)) return [];
    const { apiVersion, kind, name } = owner;
    if (typeof kind !== "string" || kind === "" || typeof name !== "string" || !usable(name)) return [];
    const version = typeof apiVersion === "string" ? apiVersion : "";
    return [
      {
        side,
        path: pointer(["metadata", "ownerReferences", index]),
        relation: "owner",
        targetApiGroup: version.includes("/") ? (version.split("/")[0] ?? "") : "",
        targetKind: kind,
        targetNamespace: namespace,
        targetName: name,
      },
    ];
  });
}

/**
 * The texts at a path. `*` stands for every element or value; a last segment `{}` for every key, which is told as the path of its value.
 */
function valuesAt(
  value: JsonValue,
  path: readonly string[],
): (readonly [segments: (string | number)[], text: string])[] {
  let found: (readonly [segments: (string | number)[], value: JsonValue])[] = [[[], value]];
  for (const segment of path) {
    found = found.flatMap(([at, item]): (readonly [(string | number)[], JsonValue])[] => {
      if (segment === "{}") {
        return isJsonObject(item) ? Object.keys(item).map((key) => [[...at, key], key]) : [];
      }
      if (segment === "*") {
        if (Array.isArray(item)) return item.map((one, index) => [[...at, index], one]);
        return isJsonObject(item) ? Object.entries(item).map(([key, one]) => [[...at, key], one]) : [];
      }
      const one = isJsonObject(item) ? item[segment] : undefined;
      return one === undefined ? [] : [[[...at, segment], one]];
    });
  }
  return found.flatMap(([at, item]) => (typeof item === "string" && item !== "" ? [[at, item] as const] : []));
}

/** Names of objects have at most 253 characters; anything else refers to nothing. */
function usable(name: string): boolean {
  return name !== "" && name.length <= 253 && !name.includes("\0") && name.isWellFormed();
}
