import { isJsonObject, sameJson } from "../../../core/json.ts";
import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { REDACTED } from "../../../core/redact.ts";
import type { ResourceRow } from "../../../core/row.ts";
import { fieldSchema, itemSchema } from "../../../core/schema.ts";
import type { KindSchema, Schema } from "../../../core/schema.ts";

/** What is sent in Git's name. */
export interface ApplyBody {
  readonly body: JsonObject;
  /**
   * The same, without what the cluster has already, word for word: merged into the object it makes the same object, and the API server has less to
   * read, to merge and to answer. Nothing is left out of what is applied as one value, nor where no schema tells how it is merged.
   */
  readonly differing: JsonObject;
  /** Something was left out because it is a secret: a refusal may be due to that alone. */
  readonly withoutSecrets: boolean;
}

/**
 * Git's side of a row as an object to apply. Left out is
 * - what is redacted: an applied object need not be whole, what is left out stays as it is
 * - null, where it is no value of its own: it says that nothing is wanted there
 * - fields that the server does not know: it prunes them from what is created, and refuses them in what is applied
 * @param root where the spec stands in the document
 */
export function applyBody(
  row: ResourceRow,
  apiVersion: string,
  kind: KindSchema | null,
  root: readonly string[],
): ApplyBody {
  const secrets = { found: false };
  const schema = kind === null ? null : root.length === 0 ? kind.root : fieldSchema(kind.root, "spec");
  const spec = clean(row.desiredSpec, schema === "pruned" ? null : schema, secrets) ?? {};
  const labels = clean(row.desiredLabels, null, secrets) ?? {};
  const annotations = clean(row.desiredAnnotations, null, secrets) ?? {};
  const metadata = {
    name: row.name,
    ...(row.namespace === "" ? {} : { namespace: row.namespace }),
    ...(isEmpty(labels) ? {} : { labels }),
    ...(isEmpty(annotations) ? {} : { annotations }),
  };
  const content: JsonObject = root.length === 0 && isJsonObject(spec) ? spec : { spec };
  const body = { ...content, apiVersion, kind: row.kind, metadata };
  if (row.actualSpec === null || schema === null || schema === "pruned" || apiVersion !== row.apiVersion) {
    return { body, differing: body, withoutSecrets: secrets.found };
  }
  const rest = differing(spec, row.actualSpec, schema) ?? {};
  const different: JsonObject =
    root.length > 0 ? (isEmpty(rest) ? {} : { spec: rest }) : isJsonObject(rest) ? rest : content;
  return { body, differing: { ...different, apiVersion, kind: row.kind, metadata }, withoutSecrets: secrets.found };
}

/** undefined = the cluster has it already. */
function differing(value: JsonValue, there: JsonValue | undefined, schema: Schema | null): JsonValue | undefined {
  if (there === undefined) return value;
  if (!isJsonObject(value) || !isJsonObject(there) || !isMerged(schema)) {
    return sameJson(value, there) ? undefined : value;
  }
  const kept: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    const field = fieldSchema(schema, key);
    const sent = differing(item, Object.hasOwn(there, key) ? there[key] : undefined, field === "pruned" ? null : field);
    if (sent !== undefined) kept[key] = sent;
  }
  return isEmpty(kept) ? undefined : kept;
}

/** Whether what is applied is merged key by key. */
function isMerged(schema: Schema | null): boolean {
  return schema !== null && (schema.form === "struct" || schema.form === "map") && !schema.atomic;
}

/**
 * JSON that is the same value when it is read as YAML, as the API server reads what is applied: line separators and byte order marks are
 * escaped, pairs of surrogates are not.
 */
export function yamlSafeJson(value: JsonValue): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** undefined = leave it out. */
function clean(value: JsonValue, schema: Schema | null, secrets: { found: boolean }): JsonValue | undefined {
  if (value === REDACTED) {
    secrets.found = true;
    return undefined;
  }
  if (value === null) return schema !== null && (schema.nullable || schema.form === "any") ? null : undefined;
  if (Array.isArray(value)) {
    const items = value.map((item) => clean(item, itemSchema(schema), secrets));
    return items.includes(undefined) ? undefined : items.flatMap((item) => (item === undefined ? [] : [item]));
  }
  if (!isJsonObject(value)) return value;
  const kept: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    const field = fieldSchema(schema, key);
    const sent = field === "pruned" ? undefined : clean(item, field, secrets);
    if (sent !== undefined) kept[key] = sent;
  }
  return kept;
}

function isEmpty(value: JsonValue): boolean {
  return isJsonObject(value) && Object.keys(value).length === 0;
}
