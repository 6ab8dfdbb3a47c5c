/** Which of the local differences are any: what the object would be with Git's side applied, beside what it is. */
import type { CheckedPath } from "../../../core/check.ts";
import type { Difference } from "../../../core/difference.ts";
import { lookUp } from "../../../core/document.ts";
import { elementsOf } from "../../../core/elements.ts";
import { isJsonObject, sameJson } from "../../../core/json.ts";
import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { REDACTED } from "../../../core/redact.ts";
import { fieldSchema, itemSchema } from "../../../core/schema.ts";
import type { KindSchema, Schema } from "../../../core/schema.ts";

/** Three documents of one version of the kind. */
export interface Sides {
  readonly git: JsonObject;
  /** With Git's side applied. */
  readonly would: JsonObject;
  readonly live: JsonObject;
  readonly kind: KindSchema | null;
  readonly builtIn: boolean;
}

/** Those of `differences` at which applying Git's side would change the object. */
export function confirmed(differences: readonly Difference[], sides: Sides): CheckedPath[] {
  return differences.flatMap(({ path, actualPath }) => {
    const { named, atomic } = namedPath(sides.git, path, sides);
    if (sameAt(named.slice(0, atomic), sides)) return [];
    // Inside a list that is one value an element that stays as it is in the same place is no difference.
    if (atomic < named.length && sameLength(named.slice(0, atomic), sides) && sameAt(named, sides)) return [];
    const there = lookUp(sides.live, named, sides.kind, sides.builtIn);
    return [{ path, actualPath: there?.path ?? actualPath }];
  });
}

/** Every leaf of what Git declares, as a difference to be confirmed: where the local comparison knew nothing of Git's version. */
export function everyLeaf(git: JsonObject): Difference[] {
  const leaves: Difference[] = [];
  const walk = (value: JsonValue, path: readonly string[]): void => {
    if (isJsonObject(value) && Object.keys(value).length > 0) {
      for (const [key, item] of Object.entries(value)) walk(item, [...path, key]);
    } else if (Array.isArray(value) && value.length > 0) {
      value.forEach((item, index) => walk(item, [...path, String(index)]));
    } else if (value !== null) leaves.push({ path, actualPath: path, desired: value, actual: undefined });
  };
  walk(git, []);
  return leaves;
}

/**
 * The path with the elements of keyed lists named, so that it means the same place in each document.
 * `atomic`: how much of it leads to the first value that is applied as a whole; its length where there is none.
 */
function namedPath(
  git: JsonObject,
  path: readonly string[],
  { kind, builtIn }: Sides,
): { named: string[]; atomic: number } {
  let value: JsonValue | undefined = git;
  let schema: Schema | null = kind?.root ?? null;
  let atomic: number | null = null;
  const named: string[] = [];
  for (const [depth, segment] of path.entries()) {
    if (Array.isArray(value)) {
      const elements = elementsOf(value, schema, path[depth - 1] ?? "", builtIn);
      const name =
        elements === null ? undefined : [...elements].find(([, [, index]]) => String(index) === segment)?.[0];
      if (name === undefined) atomic ??= depth;
      named.push(name ?? segment);
      value = value[Number(segment)];
      schema = itemSchema(schema);
      continue;
    }
    if (schema !== null && "atomic" in schema && schema.atomic) atomic ??= depth;
    named.push(segment);
    value = isJsonObject(value) && Object.hasOwn(value, segment) ? value[segment] : undefined;
    const field = path[0] === "metadata" ? null : fieldSchema(schema, segment);
    schema = field === "pruned" ? null : field;
  }
  return { named, atomic: atomic ?? named.length };
}

function sameAt(path: readonly string[], { would, live, kind, builtIn }: Sides): boolean {
  return sameButSecrets(lookUp(would, path, kind, builtIn)?.value, lookUp(live, path, kind, builtIn)?.value);
}

function sameLength(path: readonly string[], { would, live, kind, builtIn }: Sides): boolean {
  const [a, b] = [lookUp(would, path, kind, builtIn)?.value, lookUp(live, path, kind, builtIn)?.value];
  return !Array.isArray(a) || !Array.isArray(b) || a.length === b.length;
}

/** A secret was not sent: what is redacted says nothing, and so does its absence. */
function sameButSecrets(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b || a === REDACTED || b === REDACTED) return true;
  if (a === undefined || b === undefined) return false;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameButSecrets(item, b[index] ?? null));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return sameJson(a, b);
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => sameButSecrets(own(a, key), own(b, key)));
}

function own(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
