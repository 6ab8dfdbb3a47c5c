import { parseJson } from "../../core/json.ts";
import type { JsonValue } from "../../core/json.ts";

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
 * @returns null when it is not JSON: then it may still be YAML in flow style.
 */
export function readJsonDocuments(text: string): JsonDocument[] | null {
  const documents: JsonDocument[] = [];
  for (let at = skipSpace(text, 0); at < text.length;) {
    const scanned = scan(text, at);
    if (scanned === null) return null;
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
): { end: number; items: number[]; duplicate: JsonDocument["duplicate"]; depth: number } | null {
  if (text[start] !== "{") return null;
  const levels: Level[] = [];
  const items: number[] = [];
  let duplicate: JsonDocument["duplicate"] = null;
  let depth = 0;
  let lastKey = "";
  let atKey = false;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    const level = levels.at(-1);
    if (character === '"') {
      const end = endOfString(text, at);
      if (end < 0) return null;
      if (atKey && level?.keys) {
        lastKey = unquote(text.slice(at, end));
        if (level.keys.has(lastKey)) duplicate ??= { key: lastKey, offset: at };
        level.keys.add(lastKey);
        atKey = false;
      }
      at = end - 1;
    } else if (character === "{" || character === "[") {
      if (level?.listsItems) items.push(at);
      const listsItems = character === "[" && levels.length === 1 && lastKey === "items";
      levels.push({ keys: character === "{" ? new Set() : null, listsItems });
      depth = Math.max(depth, levels.length);
      atKey = character === "{";
    } else if (character === "}" || character === "]") {
      levels.pop();
      if (levels.length === 0) return { end: at + 1, items, duplicate, depth };
    } else if (character === ",") {
      atKey = level?.keys !== null;
    }
  }
  return null;
}

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
