import { z } from "zod";

/** A JSON Schema as the API server takes it: OpenAPI v3, structural. */
export interface StructuralSchema {
  [keyword: string]: unknown;
}

/**
 * The zod type as the structural schema of a CRD: what a client may send (fields with a default are not required), every
 * reference inlined, and only keywords that `apiextensions.k8s.io/v1` knows.
 */
export function structuralSchema(type: z.ZodType): StructuralSchema {
  return cleaned(z.toJSONSchema(type, { target: "openapi-3.0", io: "input", reused: "inline" }));
}

/** zod bounds every integer by what a double holds exactly; OpenAPI says that by `format: int64`. */
const ZOD_INTEGER_BOUNDS = new Set<unknown>([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]);
const KNOWN = new Set([
  "type",
  "format",
  "description",
  "default",
  "enum",
  "required",
  "properties",
  "items",
  "additionalProperties",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
]);
/** Keywords of JSON Schema that say nothing a CRD can hold, and that nothing is lost by leaving out. */
const DROPPED = new Set(["$schema", "propertyNames"]);

function cleaned(schema: object): StructuralSchema {
  const result: StructuralSchema = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (DROPPED.has(keyword)) continue;
    if ((keyword === "minimum" || keyword === "maximum") && ZOD_INTEGER_BOUNDS.has(value)) continue;
    if (keyword === "properties") {
      result[keyword] = Object.fromEntries(
        Object.entries(value as Record<string, object>).map(([name, property]) => [name, cleaned(property)]),
      );
    } else if (keyword === "items" || keyword === "additionalProperties") {
      result[keyword] = cleaned(value as object);
    } else if (KNOWN.has(keyword) || keyword.startsWith("x-kubernetes-")) {
      result[keyword] = value;
    } else {
      throw new TypeError(`a CRD cannot say "${keyword}": ${JSON.stringify(value)}`);
    }
  }
  return result;
}
