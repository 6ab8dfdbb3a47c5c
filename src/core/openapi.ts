import { isJsonObject } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { OPEN } from "./schema.ts";
import type { KindSchema, ListSchema, Schema, StructSchema, TextForm } from "./schema.ts";

/**
 * Built-in types that are written as a text or number and normalised, by the end of their name in the server's documents. Their OpenAPI
 * says no more than `string`.
 */
const NAMED_TEXTS: Readonly<Record<string, TextForm>> = {
  "apimachinery.pkg.api.resource.Quantity": "quantity",
  "apimachinery.pkg.util.intstr.IntOrString": "int_or_string",
  "apimachinery.pkg.apis.meta.v1.Duration": "duration",
  "apimachinery.pkg.apis.meta.v1.Time": "time",
  "apimachinery.pkg.apis.meta.v1.MicroTime": "time",
};
const FORMATS: Readonly<Record<string, TextForm>> = {
  "int-or-string": "int_or_string",
  duration: "duration",
  "date-time": "time",
  byte: "bytes",
};
/** controller-gen gives every `resource.Quantity` of a CRD a pattern that lists the suffixes. */
const QUANTITY_SUFFIXES = "[KMGTPE]i";

const EMPTY: JsonObject = {};
const NOTHING_FILLED_IN = { nullable: false, fallback: undefined };

/**
 * The kinds of one group version (`/openapi/v3/apis/<group>/<version>`), by `apiVersion/Kind`. Each is compiled when it is asked for first:
 * the document of `apps/v1` describes 300 types, of which a fabric needs a few.
 */
export class GroupVersionSchemas {
  readonly #components: JsonObject;
  readonly #hash: string;
  readonly #names = new Map<string, string>();
  readonly #kinds = new Map<string, KindSchema>();
  readonly #references = new Map<string, Schema>();

  /** @param hash of the document, as the server's index tells it */
  constructor(document: JsonValue, hash: string) {
    const components = isJsonObject(document) ? child(child(document, "components"), "schemas") : EMPTY;
    this.#components = components;
    this.#hash = hash;
    for (const [name, schema] of Object.entries(components)) {
      const kinds = isJsonObject(schema) ? schema["x-kubernetes-group-version-kind"] : undefined;
      // Types that every group has (DeleteOptions) name all groups; a kind names itself alone.
      if (!Array.isArray(kinds) || kinds.length !== 1) continue;
      for (const gvk of kinds.filter(isJsonObject)) {
        const { group, version, kind } = gvk;
        const apiVersion = group === "" ? String(version) : `${String(group)}/${String(version)}`;
        this.#names.set(`${apiVersion}/${String(kind)}`, name);
      }
    }
  }

  /** null for a kind that the document does not describe. */
  of(apiVersion: string, kind: string): KindSchema | null {
    const id = `${apiVersion}/${kind}`;
    const known = this.#kinds.get(id);
    if (known !== undefined) return known;
    const name = this.#names.get(id);
    if (name === undefined) return null;
    const root = this.#compile(this.#components[name]);
    if (root.form !== "struct") return null;
    const compiled = { root, hash: this.#hash, typed: name.startsWith("io.k8s.") };
    this.#kinds.set(id, compiled);
    return compiled;
  }

  #compile(value: JsonValue | undefined): Schema {
    if (!isJsonObject(value)) return OPEN;
    const field = { nullable: value["nullable"] === true, fallback: fallbackOf(value) };
    const reference = referenceOf(value);
    if (reference !== null) return { ...this.#referenced(reference), ...field };
    if (value["x-kubernetes-int-or-string"] === true || value["format"] === "int-or-string") {
      const { pattern } = value;
      const quantity = typeof pattern === "string" && pattern.includes(QUANTITY_SUFFIXES);
      return { form: "text", text: quantity ? "quantity" : "int_or_string", ...field };
    }
    switch (value["type"]) {
      case "object":
        return { ...this.#object(value), ...field };
      case "array":
        return { ...this.#list(value), ...field };
      case "string":
        return { form: "text", text: FORMATS[String(value["format"])] ?? "plain", ...field };
      case "integer":
      case "number":
      case "boolean":
        return { form: value["type"], ...field };
      default:
        return { ...OPEN, fallback: field.fallback };
    }
  }

  #referenced(reference: string): Schema {
    const name = reference.slice(reference.lastIndexOf("/") + 1);
    const text = Object.entries(NAMED_TEXTS).find(([end]) => name.endsWith(end))?.[1];
    if (text !== undefined) return { form: "text", text, ...NOTHING_FILLED_IN };
    const known = this.#references.get(name);
    if (known !== undefined) return known;
    // A type may hold itself: whoever meets it while it is being made gets the map that is filled below.
    const fields = new Map<string, Schema>();
    this.#references.set(name, { form: "struct", fields, open: false, atomic: false, ...NOTHING_FILLED_IN });
    const compiled = this.#compile(this.#components[name]);
    if (compiled.form !== "struct") {
      this.#references.set(name, compiled);
      return compiled;
    }
    for (const [key, schema] of compiled.fields) fields.set(key, schema);
    // A built-in type without a word about its fields holds raw JSON; in a CRD everything in it would be pruned.
    const made = { ...compiled, fields, open: compiled.open || fields.size === 0 };
    this.#references.set(name, made);
    return made;
  }

  #object(value: JsonObject): Schema {
    const atomic = value["x-kubernetes-map-type"] === "atomic";
    const properties = value["properties"];
    const additional = value["additionalProperties"];
    const open = value["x-kubernetes-preserve-unknown-fields"] === true || additional === true;
    if (isJsonObject(additional) && !isJsonObject(properties)) {
      return { form: "map", values: this.#compile(additional), atomic, ...NOTHING_FILLED_IN };
    }
    const declared = isJsonObject(properties) ? Object.entries(properties) : [];
    const fields = new Map(declared.map(([name, schema]) => [name, this.#compile(schema)] as const));
    return { ...structOf(fields, open), atomic };
  }

  #list(value: JsonObject): ListSchema {
    const type = value["x-kubernetes-list-type"];
    const keys = value["x-kubernetes-list-map-keys"];
    return {
      form: "list",
      items: this.#compile(value["items"]),
      list: type === "map" || type === "set" ? type : "atomic",
      keys: Array.isArray(keys) ? keys.map(String) : [],
      ...NOTHING_FILLED_IN,
    };
  }
}

function structOf(fields: ReadonlyMap<string, Schema>, open: boolean): StructSchema {
  return { form: "struct", fields, open, atomic: false, ...NOTHING_FILLED_IN };
}

/** `{$ref}` or, with a default or description beside it, `{allOf: [{$ref}]}`. */
function referenceOf(value: JsonObject): string | null {
  if (typeof value["$ref"] === "string") return value["$ref"];
  const [only, ...others] = Array.isArray(value["allOf"]) ? value["allOf"] : [];
  return others.length === 0 && isJsonObject(only) && typeof only["$ref"] === "string" ? only["$ref"] : null;
}

function fallbackOf(value: JsonObject): JsonValue | undefined {
  return value["default"];
}

function child(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return isJsonObject(value) ? value : EMPTY;
}
