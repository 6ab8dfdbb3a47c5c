/**
 * Paths that Git declared before and no longer declares. They stay drift while the cluster has them, because nobody should own them but Git.
 * The list is made from the desired side alone, so it does not depend on when the cluster was looked at.
 */
import type { Difference, Knowledge } from "./difference.ts";
import { documentOf, lookUp, schemaOf } from "./document.ts";
import type { Declared } from "./document.ts";
import { elementsOf } from "./elements.ts";
import { isJsonObject, sameJson } from "./json.ts";
import type { JsonValue } from "./json.ts";
import { pointer, segmentsOf } from "./pointer.ts";
import { REDACTED } from "./redact.ts";
import { fieldSchema, itemSchema } from "./schema.ts";
import type { Schema } from "./schema.ts";

/** More would only say that the file was rewritten. */
const MAX_REMOVED = 100;

/**
 * The removed paths after Git's change from `before` to `after`: those known so far and the new ones, without what is declared again.
 * An element of a list with keys is named by its key (`/spec/containers/name=web`), since its index means nothing in the
 * cluster's list.
 * @param root where the spec stands in the document
 */
export function removedPaths(
  before: Declared,
  after: Declared,
  known: readonly string[],
  knowledge: Knowledge,
  root: readonly string[],
): string[] {
  const { kind, rules } = knowledge;
  const next = documentOf(after, root);
  const kept = known.filter((path) => lookUp(next, segmentsOf(path), kind, rules.builtIn) === undefined);
  const found: string[] = [];
  collect(documentOf(before, root), next, [], kind?.root ?? null, rules.builtIn, found);
  return outermost([...kept, ...found]).slice(0, MAX_REMOVED);
}

/** Sorted, each once, without what lies inside another. */
function outermost(paths: readonly string[]): string[] {
  const all = new Set(paths);
  const inside = (path: string): boolean => {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      if (all.has(path.slice(0, end))) return true;
    }
    return false;
  };
  return [...all].filter((path) => !inside(path)).sort();
}

/** Those of the removed paths that the cluster still has, with another value than it would fill in by itself. */
export function leftovers(
  removed: readonly string[],
  actual: Declared,
  { kind, rules }: Knowledge,
  root: readonly string[],
): Difference[] {
  if (removed.length === 0) return [];
  const document = documentOf(actual, root);
  return removed.flatMap((text) => {
    const path = segmentsOf(text);
    const found = lookUp(document, path, kind, rules.builtIn);
    if (found === undefined || found.value === null || found.value === REDACTED || isEmpty(found.value)) return [];
    const fallback = path[0] === "metadata" ? undefined : schemaOf(kind, path)?.fallback;
    if (fallback !== undefined && sameJson(fallback, found.value)) return [];
    return [{ path, actualPath: found.path, desired: undefined, actual: found.value, leftover: true as const }];
  });
}

function collect(
  before: JsonValue,
  after: JsonValue,
  path: string[],
  schema: Schema | null,
  builtIn: boolean,
  found: string[],
): void {
  if (isJsonObject(before) && isJsonObject(after)) {
    for (const key of Object.keys(before)) {
      const field = path[0] === "metadata" ? null : fieldSchema(schema, key);
      // What is pruned never got into the cluster.
      if (field === "pruned" && key !== "metadata") continue;
      const below = Object.hasOwn(after, key) ? after[key] : undefined;
      collectChild(before[key] ?? null, below, [...path, key], field === "pruned" ? null : field, builtIn, found);
    }
    return;
  }
  if (!Array.isArray(before) || !Array.isArray(after)) return;
  const field = path.at(-1) ?? "";
  const old = elementsOf(before, schema, field, builtIn);
  const now = elementsOf(after, schema, field, builtIn);
  if (old === null || now === null) return;
  const items = itemSchema(schema);
  for (const [key, [item]] of old) collectChild(item, now.get(key)?.[0], [...path, key], items, builtIn, found);
}

function collectChild(
  before: JsonValue,
  after: JsonValue | undefined,
  path: string[],
  schema: Schema | null,
  builtIn: boolean,
  found: string[],
): void {
  if (before === null || isEmpty(before)) return;
  if (after === undefined || after === null) found.push(pointer(path));
  else collect(before, after, path, schema, builtIn, found);
}

function isEmpty(value: JsonValue): boolean {
  return Array.isArray(value) ? value.length === 0 : isJsonObject(value) && Object.keys(value).length === 0;
}
