import { isRawNumber, sameJson } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { fieldSchema } from "./schema.ts";
import type { Schema } from "./schema.ts";

/**
 * Whether `actual` has everything that Git declares, word for word, with nothing added where that would count. So it is with nearly every row, and
 * nothing is allocated to see it. false decides nothing: the comparison proper (`diff.ts`) knows the other ways in which two values are one.
 */
export function agreesPlainly(desired: JsonValue, actual: JsonValue | undefined, schema: Schema | null): boolean {
  if (desired === actual) return true;
  if (!isContainer(desired) || !isContainer(actual)) return false;
  if (Array.isArray(desired) || Array.isArray(actual) || isRawNumber(desired) || isRawNumber(actual)) {
    return sameJson(desired, actual);
  }
  // Of a value that is applied as a whole, what only the cluster has counts as well.
  if (schema !== null && "atomic" in schema && schema.atomic) return sameJson(desired, actual);
  for (const key of Object.keys(desired)) {
    const declared = desired[key];
    const found = actual[key];
    if (declared === found && found !== undefined) continue;
    if (!isContainer(declared) || !isContainer(found)) return false;
    const field = fieldSchema(schema, key);
    if (field !== "pruned" && !agreesPlainly(declared, found, field)) return false;
  }
  return true;
}

function isContainer(value: JsonValue | undefined): value is JsonValue[] | JsonObject {
  return typeof value === "object" && value !== null;
}
