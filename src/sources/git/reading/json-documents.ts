import { isJsonObject, parseJson } from "../../../core/json.ts";
import type { JsonValue } from "../../../core/json.ts";
import { MAX_DEPTH, MAX_OBJECT_VALUES } from "../limits.ts";
import { checkManifest } from "./manifest-checks.ts";
import { TOO_MANY_ITEMS, TOO_MANY_VALUES } from "./read-document.ts";

/** One value of a JSON stream. */
export interface JsonDocument {
  readonly value: JsonValue;
  readonly offset: number;
  /** Where the items of a top-level `items` list begin. */
  readonly items: readonly number[];
  /** The first key that stands twice in one object. */
  readonly duplicate: { readonly key: string; readonly offset: number } | null;
  readonly depth: number;
  /** It is not looked at, nor is what follows: too much before it was in vain. */
  readonly givenUp: boolean;
}

/** Characters of documents that cannot be taken, after which those that follow are not looked at. */
const MOST_IN_VAIN = 2_000_000;

/** Why nothing of the file is read. */
type Excess = typeof TOO_MANY_ITEMS | typeof TOO_MANY_VALUES;

interface Level {
  readonly keys: Set<string> | null;
  readonly listsItems: boolean;
}

/**
 * Reads a stream of JSON objects, as kubectl does for a file that begins with `{`.
 * @param limit of documents and items; beyond it nothing more is read.
 * @returns null when it is not JSON: then it may still be YAML in flow style.
 */
export function readJsonDocuments(text: string, limit: number): JsonDocument[] | Excess | null {
  const documents: JsonDocument[] = [];
  let found = 0;
  let inVain = 0;
  for (let at = skipSpace(text, 0); at < text.length;) {
    if (inVain > MOST_IN_VAIN) {
      documents.push({ value: null, offset: at, items: [], duplicate: null, depth: 0, givenUp: true });
      break;
    }
    const scanned = scan(text, at, limit - found);
    if (scanned === null || typeof scanned === "string") return scanned;
    found += scanned.items.length + 1;
    if (found > limit) return TOO_MANY_ITEMS;
    try {
      const value = parseJson(text.slice(at, scanned.end));
      if (!isGood(value, scanned)) inVain += scanned.end - at;
      documents.push({ ...scanned, value, offset: at, givenUp: false });
    } catch {
      return null;
    }
    at = skipSpace(text, scanned.end);
  }
  return documents;
}

/** Whether something of it may be taken: of a list that depends on its items. */
function isGood(value: JsonValue, { depth, duplicate }: Pick<JsonDocument, "depth" | "duplicate">): boolean {
  if (depth > MAX_DEPTH || duplicate !== null || !isJsonObject(value)) return false;
  return Array.isArray(value["items"]) || checkManifest(value) === null;
}

/** Finds the end of the object that begins at `start`, and what JSON.parse does not tell. Exact for valid JSON; the parser judges the rest. */
function scan(
  text: string,
  start: number,
  limit: number,
): Omit<JsonDocument & { end: number }, "value" | "offset" | "givenUp"> | Excess | null {
  if (text[start] !== "{") return null;
  /** Down to the deepest that is allowed; below that only counted. */
  const levels: Level[] = [];
  const items: number[] = [];
  let duplicate: JsonDocument["duplicate"] = null;
  let open = 0;
  let depth = 0;
  /** Of the object, or of the item of its list. */
  let values = 0;
  let lastKey = "";
  let atKey = false;
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      if (end < 0) return null;
      const keys = open === levels.length ? levels[open - 1]?.keys : null;
      if (atKey && keys) {
        lastKey = unquote(text.slice(at, end));
        if (keys.has(lastKey)) duplicate ??= { key: lastKey, offset: at };
        keys.add(lastKey);
        atKey = false;
      }
      at = end - 1;
    } else if (code === BRACE || code === BRACKET) {
      if (open === 2 && levels[1]?.listsItems) {
        if (items.push(at) > limit) return TOO_MANY_ITEMS;
        values = 0;
      }
      if ((values += 1) > MAX_OBJECT_VALUES) return TOO_MANY_VALUES;
      const listsItems = code === BRACKET && open === 1 && lastKey === "items";
      if (open <= MAX_DEPTH) levels.push({ keys: code === BRACE ? new Set() : null, listsItems });
      open += 1;
      if (open > HOPELESS) return null;
      depth = Math.max(depth, open);
      atKey = code === BRACE;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      open -= 1;
      if (levels.length > open) levels.pop();
      if (open === 0) return { end: at + 1, items, duplicate, depth };
    } else if (code === COMMA) {
      if ((values += 1) > MAX_OBJECT_VALUES) return TOO_MANY_VALUES;
      atKey = open === levels.length && levels[open - 1]?.keys !== null;
    }
  }
  return null;
}

/** Nesting at which the API server gives up: what the file is is not looked for any further. */
const HOPELESS = 10_000;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return -1;
}

function unquote(literal: string): string {
  try {
    return String(JSON.parse(literal));
  } catch {
    return literal;
  }
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at)) || (text.charCodeAt(at) > ASCII && /\s/.test(text[at] ?? ""))) at += 1;
  return at;
}

const ASCII = 0x7f;

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}
