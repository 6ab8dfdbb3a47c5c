import { exactNumber } from "../../../core/json.ts";
import type { JsonValue } from "../../../core/json.ts";

/** A scalar that YAML allows and JSON has no form for, or whose tag does not fit its text. */
export class ScalarError extends Error {}

const TAG = "tag:yaml.org,2002:";
const TRUE = new Set(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"]);
const FALSE = new Set(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"]);
const NULL = new Set(["", "~", "null", "Null", "NULL"]);
const NOT_FINITE = /^(\.(nan|NaN|NAN)|[-+]?\.(inf|Inf|INF))$/;
const PREFIXED = /^([-+]?)0(?:[xX]([0-9a-fA-F]+)|[bB]([01]+)|[oO]?([0-7]+))$/;
const DECIMAL = /^([-+]?)(?:0|[1-9][0-9]*)$/;
const FLOAT = /^([-+]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([-+]?[0-9]+))?$/;
const UINT64_MAX = 2n ** 64n - 1n;
const INT64_MIN = -(2n ** 63n);

/**
 * The value of a plain or tagged scalar as kubectl's YAML reader (sigs.k8s.io/yaml over go-yaml v2: YAML 1.1, but for base 60) gives it
 * to JSON. Whole numbers keep every digit, which kubectl does up to 64 bits only.
 * @param tag the explicit tag in full, '' for none.
 * @throws ScalarError for NaN and infinities, and for a text that is not of its tag.
 */
export function resolveScalar(text: string, tag: string): JsonValue {
  if (tag === `${TAG}str`) return text;
  if (tag === `${TAG}binary`) return binary(text);
  // A tag of somebody's own: go-yaml hands the text on.
  if (tag !== "" && !/^tag:yaml\.org,2002:(bool|int|float|null|timestamp)$/.test(tag)) return text;
  const value = resolvePlain(text);
  if (tag !== "" && !fits(value, text, tag)) {
    // Not the text itself: it may be a secret.
    throw new ScalarError(`a value is not of its tag !!${tag.slice(TAG.length)}`);
  }
  return value;
}

function resolvePlain(text: string): JsonValue {
  if (NULL.has(text)) return null;
  const first = text.charCodeAt(0);
  const numeric = (first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d || first === 0x2e;
  if (!numeric) return TRUE.has(text) ? true : FALSE.has(text) ? false : text;
  if (NOT_FINITE.test(text)) throw new ScalarError(`JSON has no ${text}`);
  // go-yaml drops underscores wherever they stand.
  const plain = text.replaceAll("_", "");
  return wholeNumber(plain) ?? decimalNumber(plain) ?? text;
}

/** Go's ParseInt and ParseUint with base 0: a leading zero is octal; beyond 64 bits only decimal digits stay a number. */
function wholeNumber(plain: string): JsonValue | null {
  if (DECIMAL.test(plain)) return exactNumber(plain.startsWith("+") ? plain.slice(1) : plain);
  const match = PREFIXED.exec(plain);
  if (!match) return null;
  const [, sign, hex, binaryDigits, octal] = match;
  const digits = hex !== undefined ? `0x${hex}` : binaryDigits !== undefined ? `0b${binaryDigits}` : `0o${octal}`;
  const magnitude = BigInt(digits);
  const value = sign === "-" ? -magnitude : magnitude;
  const signed = sign !== "" && sign !== undefined;
  if (value < INT64_MIN || value > (signed ? UINT64_MAX / 2n : UINT64_MAX)) return null;
  return exactNumber(value.toString());
}

/** What remains of the numbers: a fraction, an exponent, or leading zeros with an 8 or 9. A double, as in the API server. */
function decimalNumber(plain: string): JsonValue | null {
  const match = FLOAT.exec(plain);
  if (!match) return null;
  const [, , whole = "", fraction] = match;
  if (whole === "" && (fraction === undefined || fraction === "")) return null;
  // An octal number that is too large for 64 bits is a text to ParseInt, and a decimal to ParseFloat.
  const value = Number(plain.replace(/^\+/, ""));
  if (!Number.isFinite(value)) return null;
  return Object.is(value, -0) ? 0 : value;
}

function fits(value: JsonValue, text: string, tag: string): boolean {
  switch (tag.slice(TAG.length)) {
    case "bool":
      return typeof value === "boolean";
    case "null":
      return value === null;
    case "timestamp":
      return /^\d{4}-\d{1,2}-\d{1,2}/.test(text);
    case "int":
      return wholeNumber(text.replaceAll("_", "")) !== null;
    default:
      return typeof value === "number" || (typeof value === "object" && value !== null);
  }
}

/** `!!binary` is decoded, as go-yaml does; bytes that are no text are refused. */
function binary(text: string): string {
  const compact = text.replace(/[\r\n]/g, "");
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact)) {
    throw new ScalarError("a !!binary value is not base64");
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(compact, "base64"));
  } catch {
    throw new ScalarError("a !!binary value does not hold a text");
  }
}

/** A mapping key as JSON text: kubectl writes numbers and booleans out; null and collections are refused. */
export function keyText(value: JsonValue): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (value !== null && typeof value !== "object") return String(value);
  throw new ScalarError("a mapping's key must be a text, a number or a boolean");
}
