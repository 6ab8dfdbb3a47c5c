import { FabricSyncError } from "./errors.ts";
import { isJsonObject, isRawNumber } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { isSensitiveName, pointsToSecret } from "./sensitive.ts";

/**
 * What stands where a secret was (invariant 16). It is always the same text: a digest or a length would say whether a secret
 * changed, but the digest of a short password can be guessed offline by anyone who may read the table. The price is that a change of a secret
 * alone is not seen as a change of content; the object's generation, where the cluster has one, still tells it.
 */
export const REDACTED = "«redacted»";

/** The API server refuses deeper objects long before; deeper ones would exhaust the stack of the walks below. */
const MAX_DEPTH = 500;

/**
 * The value without secrets, at any depth:
 *
 * 1. fields with a sensitive name (`sensitive.ts`): texts and numbers become {@link REDACTED}, in lists and objects below too, but for the
 *    fields that only point to a Secret. Flags (`true`, `"false"`), null and '' are kept: they are not secrets.
 * 2. `data` and `stringData` of anything of kind Secret, the object itself or one embedded in another: every value, the keys are kept
 * 3. `{name: DB_PASSWORD, value: …}` pairs, as containers' environments and header lists have them
 * 4. inside texts: credentials and signed parameters of URLs, private key blocks, `Bearer …`, `--password=…`
 *
 * Gives the same object back where there was nothing to redact.
 * @throws FabricSyncError `MalformedObject` (dead-letter) when it is nested deeper than 500.
 */
export function redact(value: JsonValue): JsonValue {
  return walk(value, false, 0);
}

/** {@link redact} for texts that did not come as JSON: error messages of others, URLs. */
export function redactText(text: string): string {
  let clean = text;
  if (clean.includes("://")) clean = clean.replace(URL_USERINFO, cleanUserinfo).replace(URL_PARAMETER, cleanParameter);
  if (clean.includes("-----BEGIN ")) clean = clean.replace(PRIVATE_KEY, REDACTED);
  if (/[Bb]e?a(?:rer|sic)\s/.test(clean))
    clean = clean.replace(AUTHORIZATION, (_text, scheme) => `${scheme} ${REDACTED}`);
  if (clean.includes("-")) clean = clean.replace(COMMAND_OPTION, cleanOption);
  return clean;
}

const URL_USERINFO = /\b([a-zA-Z][a-zA-Z0-9+.-]*:\/\/)([^\s/?#"'<>]*)@/g;
const URL_PARAMETER = /([?&;])([A-Za-z0-9_.-]+)=([^&#\s"'<>;]+)/g;
const PRIVATE_KEY = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g;
const AUTHORIZATION = /\b([Bb]earer|[Bb]asic)\s+[A-Za-z0-9._~+/=-]{6,}/g;
const COMMAND_OPTION = /(^|\s)(--?[A-Za-z][\w-]*)=("[^"]*"|'[^']*'|\S+)/g;

function walk(value: JsonValue, sensitive: boolean, depth: number): JsonValue {
  if (typeof value === "string") return sensitive ? hide(value) : cleanText(value);
  if (typeof value === "number") return sensitive ? REDACTED : value;
  if (value === null || typeof value === "boolean") return value;
  if (depth > MAX_DEPTH) throw tooDeep();
  if (Array.isArray(value)) return walkList(value, sensitive, depth);
  if (isRawNumber(value)) return sensitive ? REDACTED : value;
  return walkObject(value, sensitive, depth);
}

function walkList(list: JsonValue[], sensitive: boolean, depth: number): JsonValue[] {
  let copy: JsonValue[] | null = null;
  for (let index = 0; index < list.length; index += 1) {
    const item = list[index] ?? null;
    const clean = walk(item, sensitive, depth + 1);
    if (clean !== item) (copy ??= [...list])[index] = clean;
  }
  return copy ?? list;
}

function walkObject(object: JsonObject, sensitive: boolean, depth: number): JsonObject {
  const isSecret = object["kind"] === "Secret";
  const isPair = hasSensitivePairName(object);
  let copy: JsonObject | null = null;
  for (const key in object) {
    const item = object[key] ?? null;
    let clean: JsonValue;
    if (isSecret && (key === "data" || key === "stringData")) clean = hideAll(item, depth + 1);
    else if (isPair && key === "value") clean = walk(item, true, depth + 1);
    else if (sensitive && pointsToSecret(key) && !isJsonObject(item)) clean = walk(item, false, depth + 1);
    else clean = walk(item, sensitive || isSensitiveName(key), depth + 1);
    if (clean !== item) (copy ??= shallowCopy(object))[key] = clean;
  }
  return copy ?? object;
}

function hasSensitivePairName(object: JsonObject): boolean {
  if (object["value"] === undefined) return false;
  const name = object["name"] ?? object["key"];
  return typeof name === "string" && isSensitiveName(name);
}

/** Every value below, whatever it is called; for Secret data. */
function hideAll(value: JsonValue, depth: number): JsonValue {
  if (depth > MAX_DEPTH) throw tooDeep();
  if (value === null) return null;
  if (Array.isArray(value)) return value.map((item) => hideAll(item, depth + 1));
  if (!isJsonObject(value)) return REDACTED;
  const clean: JsonObject = {};
  for (const key of Object.keys(value)) define(clean, key, hideAll(value[key] ?? null, depth + 1));
  return clean;
}

function hide(text: string): string {
  return text === "" || text === "true" || text === "false" ? text : REDACTED;
}

/** The tests are cheap and nearly always false; the expressions run only where there may be something. */
function cleanText(text: string): string {
  if (text.length < 8) return text;
  const suspect =
    text.includes("://") ||
    text.includes("-----BEGIN ") ||
    text.startsWith("-") ||
    /(?:earer|asic|[\s]--?\w)/.test(text);
  return suspect ? redactText(text) : text;
}

/** `ssh://git@host` names an account and not a secret; any other userinfo may be a token. */
function cleanUserinfo(whole: string, scheme: string, userinfo: string): string {
  if (userinfo === "") return whole;
  const bare = !userinfo.includes(":") && /(?:ssh|sftp)/i.test(scheme);
  return bare ? whole : `${scheme}${REDACTED}@`;
}

function cleanParameter(whole: string, separator: string, name: string): string {
  const secret = isSensitiveName(name) || /signature|^sig$|^code$/i.test(name);
  return secret ? `${separator}${name}=${REDACTED}` : whole;
}

function cleanOption(whole: string, before: string, option: string): string {
  return isSensitiveName(option.replace(/^-+/, "")) ? `${before}${option}=${REDACTED}` : whole;
}

/** Spreading keeps an own `__proto__` key as a key. */
function shallowCopy(object: JsonObject): JsonObject {
  return { ...object };
}

/** Assigning to `__proto__` would set the prototype and lose the key. */
function define(object: JsonObject, key: string, value: JsonValue): void {
  if (key === "__proto__")
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  else object[key] = value;
}

function tooDeep(): FabricSyncError {
  return new FabricSyncError("MalformedObject", "dead-letter", `the object is nested deeper than ${MAX_DEPTH} levels`);
}
