import { isJsonObject, numberText } from "./json.ts";
import type { JsonValue } from "./json.ts";
import { byMergeKey } from "./merge-key.ts";
import { fieldSchema } from "./schema.ts";
import type { ListSchema, Schema } from "./schema.ts";

/** A list's elements by what tells them apart, each with its index. */
export type Elements = ReadonlyMap<string, readonly [element: JsonValue, index: number]>;

/**
 * Elements of a list that others may add to, by a name that is the same on both sides: `name=web`, `containerPort=80,protocol=TCP`, and
 * `=value` in a set. null for lists that are one value, and where elements cannot be told apart.
 * @param schema null where none is known; then `builtIn` says whether the table of merge keys counts
 * @param field the name of the field that holds the list
 */
export function elementsOf(
  list: readonly JsonValue[],
  schema: Schema | null,
  field: string,
  builtIn: boolean,
): Elements | null {
  if (schema === null) return builtIn ? byMergeKey(field, list) : null;
  if (schema.form !== "list" || schema.list === "atomic") return null;
  const found = new Map<string, readonly [JsonValue, number]>();
  for (const [index, item] of list.entries()) {
    const name = schema.list === "set" ? memberName(item) : keyName(schema, item);
    if (name === null || found.has(name)) return null;
    found.set(name, [item, index]);
  }
  return found;
}

function memberName(item: JsonValue): string | null {
  return scalarText(item) === null ? null : `=${scalarText(item)}`;
}

/** A key that is left out has its default. */
function keyName({ items, keys }: ListSchema, item: JsonValue): string | null {
  if (!isJsonObject(item)) return null;
  const parts: string[] = [];
  for (const key of keys) {
    const schema = fieldSchema(items, key);
    const fallback = schema === null || schema === "pruned" ? undefined : schema.fallback;
    const text = scalarText(item[key] ?? fallback ?? null);
    if (text !== null) parts.push(`${key}=${text}`);
  }
  // The server allows a key to be absent, as long as not all of them are.
  return parts.length === 0 ? null : parts.join(",");
}

function scalarText(value: JsonValue): string | null {
  if (typeof value === "string" || typeof value === "boolean") return String(value);
  return numberText(value);
}
