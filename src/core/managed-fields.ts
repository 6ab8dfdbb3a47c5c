/** Who changed what, as metadata.managedFields tells it. Field sets are FieldsV1 (structured-merge-diff): `f:name`, `k:{…}`, `v:…`, `i:0`. */
import { isJsonObject, sameJson } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { redactText } from "./redact.ts";
import { isSensitiveName } from "./sensitive.ts";

/** Who changed an object's content last, as metadata.managedFields tells it. */
export interface Edit {
  readonly manager: string;
  /** Apply or Update; '' when not told. */
  readonly operation: string;
  /** RFC 3339, whole seconds; '' when not told. */
  readonly at: string;
}

/** One manager's part of an object, as a row keeps it. */
export interface Owner extends Edit {
  /** `scale` and the like; '' for the object itself. */
  readonly subresource: string;
  /** FieldsV1, without the status and without values of sensitive fields. */
  readonly fields: JsonObject;
}

/** The manager of the most recent entry of managedFields; '' when there is none (an object created bare has none). */
export function lastManager(managedFields: JsonValue | undefined): string {
  return newest(managedFields, () => true)?.manager ?? "";
}

/** The most recent entry that is not of a subresource: who edited the object itself, not its status. */
export function lastEdit(managedFields: JsonValue | undefined): Edit | null {
  return newest(managedFields, (entry) => entry["subresource"] === undefined || entry["subresource"] === "");
}

/** Every manager's part of spec, labels and annotations. Who only wrote the status is left out. */
export function ownersOf(managedFields: JsonValue | undefined): Owner[] {
  if (!Array.isArray(managedFields)) return [];
  return managedFields.filter(isJsonObject).flatMap((entry) => {
    const subresource = text(entry["subresource"]);
    const fields = isJsonObject(entry["fieldsV1"]) ? withoutStatus(entry["fieldsV1"]) : {};
    if (subresource === "status" || Object.keys(fields).length === 0) return [];
    return [{ ...editOf(entry), subresource, fields: withoutSecrets(fields) }];
  });
}

/** The owners of a path or of something below it, newest first. `path` is the cluster's own, `root` its object. */
export function ownersOfPath(owners: readonly Owner[], root: JsonValue, path: readonly string[]): Owner[] {
  return owners
    .filter(({ fields }) => owns(fields, root, path))
    .sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
}

/** Whether a field set has a part in what `declared` says: fields of structs and maps, elements by their keys, sets by their members. */
export function sharesWith(fields: JsonObject, declared: JsonValue): boolean {
  if (Array.isArray(declared)) return sharesElement(fields, declared);
  if (!isJsonObject(declared)) return true;
  return Object.keys(declared).some((key) => {
    const below = fields[`f:${key}`];
    return isJsonObject(below) && sharesWith(below, declared[key] ?? null);
  });
}

/** A list that is owned as a whole is shared by whoever declares anything of it. */
function sharesElement(fields: JsonObject, declared: readonly JsonValue[]): boolean {
  const keys = Object.keys(fields).filter((key) => key !== ".");
  return keys.length === 0 || keys.some((key) => key.startsWith("i:") || declared.some((item) => names(key, item)));
}

/** Whether a field set's key is that of an element that Git declares, which may leave keys with a default out. */
function names(key: string, element: JsonValue): boolean {
  const told = parsed(key.slice(2));
  if (told === undefined) return false;
  if (key.startsWith("v:")) return sameJson(told, element);
  if (!isJsonObject(told) || !isJsonObject(element)) return false;
  return Object.entries(told).every(([name, value]) => element[name] === undefined || sameJson(element[name], value));
}

function owns(fields: JsonObject, root: JsonValue, path: readonly string[]): boolean {
  let node = fields;
  let value: JsonValue | undefined = root;
  for (const [depth, segment] of path.entries()) {
    const element: JsonValue | undefined = Array.isArray(value)
      ? value[Number(segment)]
      : isJsonObject(value) && Object.hasOwn(value, segment)
        ? value[segment]
        : undefined;
    const key: string | undefined = Array.isArray(value) ? elementKey(node, element, segment) : `f:${segment}`;
    const next: JsonValue | undefined = key === undefined ? undefined : node[key];
    // A leaf above the path: the value was applied as a whole.
    if (!isJsonObject(next)) return depth > 0 && Object.keys(node).length === 0;
    node = next;
    value = element;
  }
  return true;
}

/** The key under which a list's element stands in a field set. */
function elementKey(node: JsonObject, element: JsonValue | undefined, index: string): string | undefined {
  return Object.keys(node).find((key) => {
    if (key.startsWith("i:")) return key.slice(2) === index;
    if (element === undefined || (!key.startsWith("k:") && !key.startsWith("v:"))) return false;
    const told = parsed(key.slice(2));
    if (key.startsWith("v:")) return told !== undefined && sameJson(told, element);
    return (
      isJsonObject(told) &&
      isJsonObject(element) &&
      Object.entries(told).every(([name, value]) => sameJson(element[name] ?? null, value))
    );
  });
}

function parsed(json: string): JsonValue | undefined {
  try {
    return JSON.parse(json) as JsonValue;
  } catch {
    return undefined; // Not ours to judge: this key then matches nothing.
  }
}

function withoutStatus(fields: JsonObject): JsonObject {
  if (fields["f:status"] === undefined) return fields;
  const rest: JsonObject = {};
  for (const key in fields) if (key !== "f:status") rest[key] = fields[key] ?? null;
  return rest;
}

/** Members of sets and keys of lists are values: they are redacted like values. */
function withoutSecrets(fields: JsonObject): JsonObject {
  const clean: JsonObject = {};
  for (const key in fields) {
    const below = fields[key];
    const sensitive = key.startsWith("f:") && isSensitiveName(key.slice(2));
    const name = key.startsWith("v:") || key.startsWith("k:") ? redactText(key) : key;
    clean[name] = isJsonObject(below) && !sensitive ? withoutSecrets(below) : {};
  }
  return clean;
}

/** RFC 3339 in UTC compares as text. Of two at the same second the later entry counts: the API server appends. */
function newest(managedFields: JsonValue | undefined, wanted: (entry: JsonObject) => boolean): Edit | null {
  if (!Array.isArray(managedFields)) return null;
  let found: Edit | null = null;
  for (const entry of managedFields) {
    if (!isJsonObject(entry) || !wanted(entry)) continue;
    const edit = editOf(entry);
    if (found !== null && edit.at < found.at) continue;
    found = edit;
  }
  return found;
}

function editOf(entry: JsonObject): Edit {
  return { manager: text(entry["manager"]), operation: text(entry["operation"]), at: text(entry["time"]) };
}

function text(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}
