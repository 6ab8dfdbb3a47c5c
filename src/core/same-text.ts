/** Texts that the API server takes for one value although they are spelled differently. */
import { numberText } from "./json.ts";
import type { JsonValue } from "./json.ts";
import { sameQuantity } from "./quantity.ts";
import type { TextForm } from "./schema.ts";

/** Whether both are one value of that form. Equal texts are not asked about. */
export function sameText(form: TextForm, a: JsonValue, b: JsonValue): boolean {
  switch (form) {
    case "plain":
    case "int_or_string":
      return false;
    case "quantity": {
      const [first, second] = [digits(a), digits(b)];
      return first !== null && second !== null && sameQuantity(first, second);
    }
    case "duration":
      return bothTexts(a, b, goDuration);
    case "time":
      return bothTexts(a, b, instant);
    case "bytes":
      return bothTexts(a, b, bytes);
  }
}

function digits(value: JsonValue): string | null {
  return typeof value === "string" ? value : numberText(value);
}

function bothTexts(a: JsonValue, b: JsonValue, normal: (text: string) => string | bigint | number | null): boolean {
  if (typeof a !== "string" || typeof b !== "string") return false;
  const value = normal(a);
  return value !== null && value === normal(b);
}

const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const DURATION = /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const DURATION_PART = /(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g;
/** Digits of a fraction that can matter: an hour has 3.6e12 ns. */
const FRACTION_DIGITS = 13;

/** Nanoseconds of a duration as Go's `time.ParseDuration` reads it: `90s`, `1m30s`, `1.5m`. null when it is none. */
function goDuration(text: string): bigint | null {
  if (!DURATION.test(text)) return null;
  let total = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of text.matchAll(DURATION_PART)) {
    const size = NANOSECONDS[unit] ?? 0n;
    const part = fraction.slice(0, FRACTION_DIGITS).padEnd(FRACTION_DIGITS, "0");
    total += BigInt(whole || "0") * size + (BigInt(part) * size) / 10n ** BigInt(FRACTION_DIGITS);
  }
  return text.startsWith("-") ? -total : total;
}

/** An RFC 3339 instant (ms); what JavaScript reads beyond that is no time here. */
function instant(text: string): number | null {
  if (!/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/.test(text)) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

/** Base64 with or without line breaks, as Go's decoder takes it. */
function bytes(text: string): string | null {
  const plain = text.replace(/[\r\n]/g, "");
  return /^[A-Za-z0-9+/]*={0,2}$/.test(plain) && plain.length % 4 === 0 ? plain : null;
}
