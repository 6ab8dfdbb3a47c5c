import fc from "fast-check";
import { compareDeclared } from "../../src/core/diff.ts";
import { rulesFor } from "../../src/core/equivalence.ts";
import { isJsonObject } from "../../src/core/json.ts";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { GroupVersionSchemas } from "../../src/core/openapi.ts";
import { pointer } from "../../src/core/pointer.ts";
import { buildResourceRow } from "../../src/core/resource-row.ts";
import type { KindSchema } from "../../src/core/schema.ts";
import { applyBody } from "../../src/sources/cluster/drift/apply-body.ts";

/** A structural schema, as a CRD has it, and a value that Git may declare under it. */
interface Typed {
  readonly schema: JsonObject;
  readonly value: JsonValue;
}

const names = fc.constantFrom("a", "b", "c", "d/e", "f~g", "h i");
const scalar: fc.Arbitrary<Typed> = fc.oneof(
  fc.string({ minLength: 1 }).map((value) => ({ schema: { type: "string" }, value })),
  fc.integer().map((value) => ({ schema: { type: "integer" }, value })),
  fc.boolean().map((value) => ({ schema: { type: "boolean" }, value })),
);
/** A field that Git leaves open, and that the server fills in. */
const filled = fc.integer().map((value): JsonObject => ({ type: "integer", default: value }));

const { typed } = fc.letrec<{ typed: Typed }>((tie) => {
  const struct = fc
    .tuple(fc.dictionary(names, tie("typed"), { minKeys: 1, maxKeys: 4 }), filled)
    .map(([fields, extra]): Typed => {
      const properties = Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, schema]));
      const value = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.value]));
      return { schema: { type: "object", properties: { ...properties, "filled-in": extra } }, value };
    });
  const map = fc.dictionary(names, fc.integer(), { minKeys: 1, maxKeys: 4 }).map((value): Typed => ({
    schema: { type: "object", additionalProperties: { type: "integer" } },
    value,
  }));
  const atomic = fc.array(fc.integer(), { minLength: 1, maxLength: 4 }).map((value): Typed => ({
    schema: { type: "array", items: { type: "integer" }, "x-kubernetes-list-type": "atomic" },
    value,
  }));
  const keyed = fc
    .uniqueArray(fc.record({ id: fc.nat(20), size: fc.integer() }), {
      selector: ({ id }) => id,
      minLength: 1,
      maxLength: 4,
    })
    .map((value): Typed => ({
      schema: {
        ...{ type: "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"] },
        items: {
          type: "object",
          properties: { id: { type: "integer" }, size: { type: "integer" }, mtu: { type: "integer", default: 1500 } },
        },
      },
      value,
    }));
  return { typed: fc.oneof({ maxDepth: 3 }, scalar, map, atomic, keyed, struct) };
});
const root = fc.dictionary(names, typed, { minKeys: 1, maxKeys: 5 });

/** Paths whose values may be changed without changing what the element is: every scalar but a key. */
function leaves(value: JsonValue, schema: JsonObject, path: readonly string[]): (readonly string[])[] {
  if (Array.isArray(value)) {
    const items = childOf(schema, "items");
    return value.flatMap((item, index) => leaves(item, items, [...path, String(index)]));
  }
  if (!isJsonObject(value)) return [path];
  const properties = childOf(schema, "properties");
  return Object.entries(value)
    .filter(([key]) => key !== "id")
    .flatMap(([key, item]) => leaves(item, childOf(properties, key), [...path, key]));
}

/** What the server makes of it: defaults filled in, keyed lists with somebody else's element, in another order. */
function served(value: JsonValue, schema: JsonObject): JsonValue {
  if (Array.isArray(value)) {
    const items = value.map((item) => served(item, childOf(schema, "items")));
    return schema["x-kubernetes-list-type"] === "map" ? [{ id: 99, size: 0, mtu: 9000 }, ...items.reverse()] : items;
  }
  if (!isJsonObject(value)) return value;
  const properties = childOf(schema, "properties");
  const own = Object.entries(value).map(([key, item]) => [key, served(item, childOf(properties, key))] as const);
  const defaults = Object.entries(properties).flatMap(([key, field]) =>
    isJsonObject(field) && field["default"] !== undefined ? [[key, field["default"]] as const] : [],
  );
  return Object.fromEntries([...defaults, ...own]);
}

/** Another value of the same type, at a path of Git's, before the server has its way with it. */
function edit(value: JsonValue, path: readonly string[]): JsonValue {
  const [head, ...rest] = path;
  if (head === undefined) {
    if (typeof value === "boolean") return !value;
    return typeof value === "number" ? value + 1 : `${String(value)}x`;
  }
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === head ? edit(item, rest) : item));
  return isJsonObject(value) ? { ...value, [head]: edit(value[head] ?? null, rest) } : value;
}

function childOf(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return isJsonObject(value) ? value : {};
}

/** The schema of a kind whose spec has these fields, as the API server publishes it. */
function kindOf(fields: Readonly<Record<string, Typed>>): { spec: JsonObject; kind: KindSchema } {
  const properties = Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, schema]));
  const spec: JsonObject = { type: "object", properties };
  const gvk = [{ group: "example.com", version: "v1", kind: "Thing" }];
  const thing = { type: "object", properties: { spec }, "x-kubernetes-group-version-kind": gvk };
  const kind = new GroupVersionSchemas({ components: { schemas: { Thing: thing } } }, "hash").of(
    "example.com/v1",
    "Thing",
  );
  if (kind === null) throw new Error("the schema of the kind is not found");
  return { spec, kind };
}

/** Git's side of an object of some kind, and the cluster's: edited at some of the declared paths, and filled in by the server. */
const sides = fc.tuple(root, fc.infiniteStream(fc.boolean())).map(([fields, coin]) => {
  const { spec, kind } = kindOf(fields);
  const git: JsonObject = Object.fromEntries(Object.entries(fields).map(([name, { value }]) => [name, value]));
  const edited = leaves(git, spec, []).filter(() => coin.next().value);
  return { kind, git, edited, cluster: served(edited.reduce<JsonValue>(edit, git), spec) };
});

/** What the API server makes of an object when this is applied to it: objects are merged; the lists here are whole wherever they are told. */
function merged(there: JsonValue | undefined, applied: JsonValue | undefined): JsonValue {
  if (applied === undefined) return there ?? null;
  if (!isJsonObject(there) || !isJsonObject(applied)) return applied;
  const keys = [...new Set([...Object.keys(there), ...Object.keys(applied)])].sort();
  return Object.fromEntries(keys.map((key) => [key, merged(there[key], applied[key])]));
}

it("what is left out of a dry run changes nothing of what it would make", () => {
  let left = 0;
  fc.assert(
    fc.property(sides, ({ kind, git, cluster }) => {
      const key = { fabricId: "f", apiGroup: "example.com", kind: "Thing", namespace: "n", name: "one" };
      const row = {
        ...buildResourceRow(key, "id", "now"),
        ...{ apiVersion: "example.com/v1", desiredSpec: git, actualSpec: cluster },
      };
      const { body, differing } = applyBody(row, "example.com/v1", kind, ["spec"]);
      expect(merged(cluster, differing["spec"])).toEqual(merged(cluster, body["spec"]));
      expect(differing["metadata"]).toEqual(body["metadata"]);
      if (JSON.stringify(differing).length < JSON.stringify(body).length) left += 1;
    }),
    { numRuns: 500 },
  );
  expect(left).toBeGreaterThan(100);
});

it("finds exactly the edited paths, whatever the schema, and whatever the server fills in", () => {
  fc.assert(
    fc.property(sides, ({ kind, git, cluster, edited }) => {
      const found: string[] = [];
      const knowledge = { rules: rulesFor("example.com", "Thing"), kind };
      compareDeclared(git, cluster, ["spec"], knowledge, ({ path }) => found.push(pointer(path)) > 0);
      expect(found.sort()).toEqual(edited.map((path) => pointer(["spec", ...path])).sort());
    }),
    { numRuns: 500 },
  );
});
