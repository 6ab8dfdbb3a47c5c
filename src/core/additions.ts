import type { Difference } from "./difference.ts";
import { elementsOf } from "./elements.ts";
import { isJsonObject } from "./json.ts";
import type { JsonValue } from "./json.ts";
import { fieldSchema, itemSchema } from "./schema.ts";
import type { Schema } from "./schema.ts";

/**
 * What the cluster has beside what Git declares, in the places where anybody may add: keys of maps, elements of keyed lists, members of sets.
 * Fields of structs are no additions: they are defaults, or somebody's part of the object. Without a schema nothing is known to be one.
 * Elements are named by their key, since Git has no index for them.
 */
export function additions(
  desired: JsonValue,
  actual: JsonValue,
  schema: Schema | null,
  path: readonly string[],
  actualPath: readonly string[] = path,
): Difference[] {
  if (schema === null) return [];
  if (isJsonObject(desired) && isJsonObject(actual)) {
    if (schema.form !== "map" && schema.form !== "struct") return [];
    return Object.keys(actual).flatMap((key): Difference[] => {
      const [where, there] = [
        [...path, key],
        [...actualPath, key],
      ];
      const value = actual[key] ?? null;
      if (Object.hasOwn(desired, key)) {
        const field = fieldSchema(schema, key);
        return field === "pruned" ? [] : additions(desired[key] ?? null, value, field, where, there);
      }
      return schema.form === "map" ? [added(where, there, value)] : [];
    });
  }
  if (!Array.isArray(desired) || !Array.isArray(actual)) return [];
  const field = path.at(-1) ?? "";
  const own = elementsOf(desired, schema, field, false);
  const all = elementsOf(actual, schema, field, false);
  if (own === null || all === null) return [];
  return [...all].flatMap(([name, [item, index]]): Difference[] => {
    const there = [...actualPath, String(index)];
    const declared = own.get(name);
    if (declared === undefined) return [added([...path, name], there, item)];
    return additions(declared[0], item, itemSchema(schema), [...path, String(declared[1])], there);
  });
}

function added(path: readonly string[], actualPath: readonly string[], actual: JsonValue): Difference {
  return { path, actualPath, desired: undefined, actual };
}
