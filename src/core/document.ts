/** A row's sides laid out as the document is that Git holds: the paths of drift are pointers into it. */
import { elementsOf } from "./elements.ts";
import { isJsonObject } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { fieldSchema, itemSchema } from "./schema.ts";
import type { KindSchema, Schema } from "./schema.ts";

/** What one side declares. */
export interface Declared {
  readonly spec: JsonValue;
  readonly labels: JsonObject;
  readonly annotations: JsonObject;
}

/** Built-in kinds without a `spec`, for servers that do not tell their schemas. */
const WITHOUT_SPEC: ReadonlySet<string> = new Set(
  ["ConfigMap.", "Secret.", "ServiceAccount.", "Endpoints.", "Event.", "Event.events.k8s.io"].concat(
    ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"].map((kind) => `${kind}.rbac.authorization.k8s.io`),
    ["StorageClass.storage.k8s.io", "PriorityClass.scheduling.k8s.io", "EndpointSlice.discovery.k8s.io"],
  ),
);

/** Where the columns `desired_spec` and `actual_spec` stand in the document: under `spec`, or at its root. */
export function specRoot(kind: KindSchema | null, row: { readonly apiGroup: string; readonly kind: string }): string[] {
  const rootless =
    kind === null ? WITHOUT_SPEC.has(`${row.kind}.${row.apiGroup}`) : !kind.root.fields.has("spec") && !kind.root.open;
  return rootless ? [] : ["spec"];
}

export function documentOf({ spec, labels, annotations }: Declared, root: readonly string[]): JsonObject {
  const metadata = { labels, annotations };
  return root.length === 0 && isJsonObject(spec) ? { ...spec, metadata } : { spec, metadata };
}

/** A value, and its path in this document: list indexes where the path that was asked for names an element. */
export interface Found {
  readonly value: JsonValue;
  readonly path: readonly string[];
}

/**
 * What is at a path. A segment of a list is an index, or names an element as `elements.ts` does (`name=web`).
 * @param kind null: elements are told apart by the table of merge keys, when `builtIn`
 */
export function lookUp(
  document: JsonValue,
  path: readonly string[],
  kind: KindSchema | null,
  builtIn: boolean,
): Found | undefined {
  let value: JsonValue | undefined = document;
  let schema: Schema | null = kind?.root ?? null;
  const real: string[] = [];
  for (const [depth, segment] of path.entries()) {
    if (Array.isArray(value)) {
      const at = indexOf(value, segment, schema, path[depth - 1] ?? "", builtIn);
      if (at === undefined) return undefined;
      real.push(String(at));
      value = value[at];
      schema = itemSchema(schema);
    } else {
      if (!isJsonObject(value) || !Object.hasOwn(value, segment)) return undefined;
      real.push(segment);
      value = value[segment];
      const field = fieldSchema(schema, segment);
      schema = field === "pruned" ? null : field;
    }
  }
  return value === undefined ? undefined : { value, path: real };
}

function indexOf(
  list: readonly JsonValue[],
  segment: string,
  schema: Schema | null,
  field: string,
  builtIn: boolean,
): number | undefined {
  if (/^\d+$/.test(segment)) return Number(segment) < list.length ? Number(segment) : undefined;
  const named = elementsOf(list, schema, field, builtIn)?.get(segment);
  // A name that was given before the schema was known.
  return (named ?? elementsOf(list, null, field, builtIn)?.get(segment))?.[1];
}

/** The schema of what is at a path, by index or by name; null where it is not known. */
export function schemaOf(kind: KindSchema | null, path: readonly string[]): Schema | null {
  let schema: Schema | null = kind?.root ?? null;
  for (const segment of path) {
    const next: Schema | "pruned" | null = schema?.form === "list" ? schema.items : fieldSchema(schema, segment);
    if (next === "pruned" || next === null) return null;
    schema = next;
  }
  return schema;
}
