import { parseJson } from "../../../core/json.ts";
import type { JsonValue } from "../../../core/json.ts";
import { MAX_DEPTH } from "../limits.ts";
import { TOO_MANY_ITEMS } from "./read-document.ts";

/** One value of a JSON stream. */
export interface JsonDocument {
  readonly value: JsonValue;
  readonly offset: number;
  /** Where the items of a top-level `items` list begin. */
  readonly items: readonly number[];
  /** The first key that stands twice in one object. */
  readonly duplicate: { readonly key: string; readonly offset: number } | null;
  readonly depth: number;
}

interface Level {
  readonly keys: Set<string> | null;
  readonly listsItems: boolean;
}

/**
 * Reads a stream of JSON objects, as kubectl does for a file that begins with `{`.
 * @param limit of documents and items; beyond it nothing more is read.
 * @returns null when it is not JSON: then it may still be YAML in flow style.
 */
export function readJsonDocuments(text: string, limit: number): JsonDocument[] | typeof TOO_MANY_ITEMS | null {
  const documents: JsonDocument[] = [];
  let found = 0;
  for (let at = skipSpace(text, 0); at < text.length;) {
    const scanned = scan(text, at, limit - found);
    if (scanned === null || scanned === TOO_MANY_ITEMS) return scanned;
    found += scanned.items.length + 1;
    if (found > limit) return TOO_MANY_ITEMS;
    try {
      documents.push({ ...scanned, value: parseJson(text.slice(at, scanned.end)), offset: at });
    } catch {
      return null;
    }
    at = skipSpace(text, scanned.end);
  }
  return documents;
}

/** Finds the end of the object that begins at `start`, and what JSON.parse does not tell. Exact for valid JSON; the parser judges the rest. */
function scan(
  text: string,
  start: number,
  limit: number,
): Omit<JsonDocument & { end: number }, "value" | "offset"> | typeof TOO_MANY_ITEMS | null {
  if (text[start] !== "{") return null;
  /** Down to the deepest that is allowed; below that only counted. */
  const levels: Level[] = [];
  const items: number[] = [];
  let duplicate: JsonDocument["duplicate"] = null;
  let open = 0;
  let depth = 0;
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
      if (open === 2 && levels[1]?.listsItems && items.push(at) > limit) return TOO_MANY_ITEMS;
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
  while (at < text.length && /\s/.test(text[at] ?? "")) at += 1;
  return at;
}
