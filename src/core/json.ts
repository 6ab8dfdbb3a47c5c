/**
 * JSON values that keep every number exactly.
 *
 * `JSON.parse` rounds integers beyond 2^53 and long decimals. Those numbers are kept as `JSON.rawJSON` objects
 * (ECMAScript "JSON.parse source text access"), which `JSON.stringify` writes back digit by digit.
 */

/** A number whose digits a double cannot hold; made by `JSON.rawJSON`, printed verbatim by `JSON.stringify`. */
export interface RawNumber {
  readonly rawJSON: string;
}

export type JsonValue = null | boolean | number | string | RawNumber | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

interface RawJson {
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
  parse(
    text: string,
    reviver: (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
}
// TypeScript's lib does not know the proposal's two functions yet.
const rawJson = JSON as unknown as RawJson;

/**
 * A number of 16 digits, its point included, or with an exponent of three: what a double may not hold. Where a number may stand, that is not
 * right behind a quote: a quarter of all uids would look like one.
 */
const SUSPECT_NUMBER = /(?:^|[[:,\s])-?\d(?:[\d.]{15}|[\d.]*[eE][+-]?\d{3})/;

/**
 * Parses JSON without altering a number: what a double cannot represent comes back as a {@link RawNumber}.
 * Costs one regular expression over `JSON.parse` where there is no such number.
 * @throws SyntaxError when `text` is not JSON (RFC 8259).
 */
export function parseJson(text: string): JsonValue {
  if (!SUSPECT_NUMBER.test(text)) return JSON.parse(text) as JsonValue;
  return rawJson.parse(text, (_key, value, context) =>
    typeof value === "number" && context.source !== undefined ? exactNumber(context.source) : value,
  ) as JsonValue;
}

/** The number that `source` (a JSON number) denotes: a double where that is exact, else a {@link RawNumber}. */
export function exactNumber(source: string): number | RawNumber {
  const value = Number(source);
  return Number.isFinite(value) && sameDecimal(String(value), source) ? value : rawJson.rawJSON(source);
}

export function isRawNumber(value: unknown): value is RawNumber {
  return rawJson.isRawJSON(value);
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isRawNumber(value);
}

/**
 * JSON text with object keys in code unit order: equal values give equal text. API servers and most other writers send keys in that order,
 * and looking whether they did costs a tenth of putting the text together here.
 */
export function canonicalJson(value: JsonValue): string {
  return isCanonical(value) ? JSON.stringify(value) : sortedJson(value);
}

/** Whether all keys are in code unit order already, as they are enumerated (and so as `JSON.stringify` writes them). */
function isCanonical(value: JsonValue): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === "object" && item !== null && !isCanonical(item)) return false;
    return true;
  }
  if (isRawNumber(value)) return true;
  let before = "";
  for (const key in value) {
    if (key < before) return false;
    before = key;
    const item = value[key];
    // `JSON.stringify` would leave it out.
    if (item === undefined) return false;
    if (typeof item === "object" && item !== null && !isCanonical(item)) return false;
  }
  return true;
}

function sortedJson(value: JsonValue): string {
  if (typeof value !== "object" || value === null || isRawNumber(value)) return JSON.stringify(value);
  let text = "";
  if (Array.isArray(value)) {
    for (const item of value) text += text === "" ? sortedJson(item) : `,${sortedJson(item)}`;
    return `[${text}]`;
  }
  for (const key of Object.keys(value).sort()) {
    text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${sortedJson(value[key] ?? null)}`;
  }
  return `{${text}}`;
}

/** Whether two values are the same JSON: the order of keys and the spelling of numbers do not count. */
export function sameJson(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return sameNumber(a, b);
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameJson(item, b[index] ?? null));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return sameNumber(a, b);
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key] ?? null, b[key] ?? null))
  );
}

/** Whether both are numbers, of the same value. */
export function sameNumber(a: JsonValue, b: JsonValue): boolean {
  const first = numberText(a);
  const second = numberText(b);
  return first !== null && second !== null && sameDecimal(first, second);
}

/** The digits of a number; null for anything else. */
export function numberText(value: JsonValue): string | null {
  if (typeof value === "number") return String(value);
  return isRawNumber(value) ? value.rawJSON : null;
}

/** Whether two JSON number texts denote the same decimal number. */
export function sameDecimal(a: string, b: string): boolean {
  return a === b || decimal(a) === decimal(b);
}

/** `[-]digits e exponent` without leading or trailing zeros. */
function decimal(text: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!match) return text;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return "0";
  return `${sign}${significant}e${Number(exponent) - fraction.length + (digits.length - significant.length)}`;
}
