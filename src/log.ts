/**
 * Log lines: JSON on standard error, one constant message each, times after RFC 3339. Nothing that looks like a credential
 * gets out: not by the name of its key, not inside a text, not in an error or its causes (invariant 16).
 */
import { pino } from "pino";
import { FabricSyncError } from "./core/errors.ts";
import { REDACTED, redactText } from "./core/redact.ts";
import { isSensitiveName } from "./core/sensitive.ts";
import type { Logger } from "./core/telemetry.ts";

/** Deeper or longer values are cut: a log line is for people, and must not hold a whole object by mistake. */
const MAX_DEPTH = 5;
const MAX_ITEMS = 50;
/** Characters of one text. */
const MAX_TEXT = 2_000;

/** `password=…` and `"token": "…"` in the messages of others; what URLs and headers hold is `redactText`'s to find. */
const ASSIGNMENT = /\b([\w.-]{2,60})(["']?\s?[=:]\s?["']?)([^\s"'&,;«»]{1,500})/g;

export interface LogOptions {
  readonly level: "debug" | "info" | "warn" | "error";
  /** Where lines go; standard error when not given. */
  readonly write?: (line: string) => void;
}

/** The program's one logger; parts get children of it. */
export function createLogger(options: LogOptions): Logger {
  // Synchronous: what was said before a crash is on the terminal, and this is not a hot path.
  const destination = options.write ? { write: options.write } : pino.destination({ dest: 2, sync: true });
  const root = pino(
    {
      level: options.level,
      base: null,
      messageKey: "message",
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return wrap(root, {});
}

interface PinoLike {
  debug(keys: object, message: string): void;
  info(keys: object, message: string): void;
  warn(keys: object, message: string): void;
  error(keys: object, message: string): void;
  child(keys: Record<string, unknown>): PinoLike;
}

/** @param bound what every line of this logger has already: a key twice in one object is read differently by each reader. */
function wrap(inner: PinoLike, bound: Readonly<Record<string, unknown>>): Logger {
  const own = (keys: object): Record<string, unknown> => {
    const fields = cleaned(keys);
    for (const key of Object.keys(fields)) if (Object.hasOwn(bound, key)) delete fields[key];
    return fields;
  };
  return {
    debug: (keys, message) => inner.debug(own(keys), message),
    info: (keys, message) => inner.info(own(keys), message),
    warn: (keys, message) => inner.warn(own(keys), message),
    error: (keys, message) => inner.error(own(keys), message),
    child: (keys) => {
      const fields = own(keys);
      return wrap(inner.child(fields), { ...bound, ...fields });
    },
  };
}

function cleaned(keys: object): Record<string, unknown> {
  // pino's own treatment of an Error in the place of the keys would pass it on as it is.
  const object = keys instanceof Error ? { error: keys } : keys;
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, cleanedValue(key, value, 0)]));
}

/** `text` with everything in it that looks like a credential replaced, and bounded. */
export function cleanedText(text: string): string {
  const clean = withoutAssignments(redactText(text));
  return clean.length > MAX_TEXT ? `${clean.slice(0, MAX_TEXT)}… (${clean.length} characters)` : clean;
}

function withoutAssignments(text: string): string {
  return text.replace(ASSIGNMENT, (_whole, name: string, between: string, value: string) =>
    // In `failed: password=x` the value of the first is the second.
    isSensitiveName(name) ? `${name}${between}${REDACTED}` : `${name}${between}${withoutAssignments(value)}`,
  );
}

function cleanedValue(key: string, value: unknown, depth: number): unknown {
  if (value === null || value === undefined || typeof value === "number" || typeof value === "boolean") return value;
  if (isSensitiveName(key)) return REDACTED;
  if (typeof value === "string") return cleanedText(value);
  if (typeof value === "bigint") return String(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof URL) return cleanedText(value.href);
  if (value instanceof Error) return cleanedError(value, depth);
  if (typeof value !== "object") return `(${typeof value})`;
  if (depth >= MAX_DEPTH) return "(deeper)";
  if (Array.isArray(value)) {
    const items = value.slice(0, MAX_ITEMS).map((item: unknown) => cleanedValue(key, item, depth + 1));
    return value.length > MAX_ITEMS ? [...items, `(${value.length - MAX_ITEMS} more)`] : items;
  }
  const entries = Object.entries(value).slice(0, MAX_ITEMS);
  return Object.fromEntries(entries.map(([name, item]) => [name, cleanedValue(name, item, depth + 1)]));
}

/** Name, code and message, the causes, and the stack of what is not raised on purpose. */
function cleanedError(error: Error, depth: number): Record<string, unknown> {
  const ours = error instanceof FabricSyncError;
  const code = "code" in error ? String(error.code) : undefined;
  return {
    type: error.name,
    ...(code === undefined ? {} : { code: cleanedText(code) }),
    message: cleanedText(error.message),
    ...(ours && Object.keys(error.context).length > 0 ? { context: cleanedValue("", error.context, depth + 1) } : {}),
    ...(ours ? {} : { stack: cleanedText(error.stack ?? "") }),
    ...(error.cause === undefined || depth >= MAX_DEPTH
      ? {}
      : { cause: cleanedValue("cause", error.cause, depth + 1) }),
  };
}
