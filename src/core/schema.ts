/**
 * What the API server says of a kind's fields, in the few words that a comparison needs. Made from OpenAPI v3 by `openapi.ts`.
 */
import type { JsonValue } from "./json.ts";

/** What every field may say besides its form. */
interface Field {
  /** null is a value of its own. Elsewhere the API server drops null, and fills in the default if there is one. */
  readonly nullable: boolean;
  /** What the API server fills in where the field is absent. */
  readonly fallback: JsonValue | undefined;
}

/** How the API server rewrites a text, or sees two texts as one value. */
export type TextForm = "plain" | "quantity" | "duration" | "time" | "bytes" | "int_or_string";

export interface TextSchema extends Field {
  readonly form: "text";
  readonly text: TextForm;
}
export interface ScalarSchema extends Field {
  readonly form: "integer" | "number" | "boolean";
}
/** Nothing is known of the value but that it is kept as it is. */
export interface OpenSchema extends Field {
  readonly form: "any";
}
export interface StructSchema extends Field {
  readonly form: "struct";
  readonly fields: ReadonlyMap<string, Schema>;
  /** Fields beyond `fields` are kept; else they are pruned, and never get into the cluster. */
  readonly open: boolean;
  /** Applied as one value: whoever applies it owns every key. */
  readonly atomic: boolean;
}
export interface MapSchema extends Field {
  readonly form: "map";
  readonly values: Schema;
  readonly atomic: boolean;
}
export interface ListSchema extends Field {
  readonly form: "list";
  readonly items: Schema;
  readonly list: "atomic" | "set" | "map";
  /** Of a `map`: the fields that tell its elements apart. */
  readonly keys: readonly string[];
}
export type Schema = TextSchema | ScalarSchema | OpenSchema | StructSchema | MapSchema | ListSchema;

/** A kind in one version. */
export interface KindSchema {
  readonly root: StructSchema;
  /** Changes when the server's document that holds it changes. */
  readonly hash: string;
  /** CRDs keep JSON as it is written; built-in kinds go through typed structs, which drop `false`, `0` and `""` where they may. */
  readonly typed: boolean;
}

/** The schemas of one server as of one moment. */
export interface SchemaSet {
  /** null when the server's documents do not tell. */
  of(apiVersion: string, kind: string): KindSchema | null;
  /** Stands for the whole set in a policy's JSON: another set is another policy. */
  toJSON(): string;
}

export const OPEN: OpenSchema = { form: "any", nullable: true, fallback: undefined };

/** The schema of a field of `parent`; `pruned` when the server does not keep such a field, null when nothing is known. */
export function fieldSchema(parent: Schema | null, name: string): Schema | "pruned" | null {
  if (parent === null) return null;
  if (parent.form === "map") return parent.values;
  if (parent.form === "struct") return parent.fields.get(name) ?? (parent.open ? OPEN : "pruned");
  return parent.form === "any" ? OPEN : null;
}

/** The schema of a list's elements. */
export function itemSchema(parent: Schema | null): Schema | null {
  if (parent === null) return null;
  if (parent.form === "list") return parent.items;
  return parent.form === "any" ? OPEN : null;
}

/** The schema of what is at `path` in an object of the kind; labels and annotations have none, and need none. */
export function schemaAt(kind: KindSchema | null, path: readonly string[]): Schema | "pruned" | null {
  if (kind === null || path[0] === "metadata") return null;
  let schema: Schema | null = kind.root;
  for (const segment of path) {
    const next = fieldSchema(schema, segment);
    if (next === "pruned") return "pruned";
    schema = next;
  }
  return schema;
}
