/** Where the fields of a document stand in its file, so that a drifted path can be told with its line and column. */
import { isJsonObject } from "./json.ts";
import type { JsonValue } from "./json.ts";
import { segmentsOf } from "./pointer.ts";

/**
 * One line a field, in the document's order: `<depth> <line> <column> <segment>`, lines from the document's first (0), columns from 1. '' when
 * nothing is known. A text, and read only when somebody asks: as an object it would weigh more than most of the documents that it is about.
 */
export type Places = string;

/** A line (from 1) and column (from 1) of a file. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A mapping's key, or the index of a sequence's element, `depth` collections into the document. */
export interface FieldPlace extends Place {
  readonly depth: number;
  readonly segment: string;
}

/** @param firstLine where the document begins. @param above collections around it that are not part of it. */
export function writePlaces(fields: readonly FieldPlace[], firstLine: number, above = 0): Places {
  let text = "";
  for (const { depth, segment, line, column } of fields) {
    text += `${text === "" ? "" : "\n"}${depth - above} ${line - firstLine} ${column} ${escaped(segment)}`;
  }
  return text;
}

/**
 * The place of a path, or of the nearest field around it that is known; null when none is.
 * @param line where the document begins
 */
export function placeOf(places: Places, line: number, path: readonly string[]): Place | null {
  let found: Place | null = null;
  let matched = 0;
  for (const text of places.split("\n")) {
    const [, depth, below, column, segment] = /^(\d+) (\d+) (\d+) (.*)$/s.exec(text) ?? [];
    if (Number(depth) < matched) break;
    const wanted = path[matched];
    if (wanted === undefined || Number(depth) !== matched || segment !== escaped(wanted)) continue;
    found = { line: line + Number(below), column: Number(column) };
    matched += 1;
  }
  return found;
}

/** As a row holds them; earlier releases wrote an object, JSON pointer → `[line, column]`. */
export function readPlaces(column: JsonValue | undefined): Places {
  if (typeof column === "string") return column;
  if (!isJsonObject(column)) return "";
  const fields: FieldPlace[] = [];
  // In the order of their pointers a field stands before what is in it.
  for (const path of Object.keys(column).sort(byPath)) {
    const place = column[path];
    if (!Array.isArray(place)) continue;
    const [line, at] = place;
    const segments = segmentsOf(path);
    if (typeof line !== "number" || typeof at !== "number") continue;
    fields.push({ depth: segments.length - 1, segment: segments.at(-1) ?? "", line, column: at });
  }
  return writePlaces(fields, 0);
}

function byPath(a: string, b: string): number {
  const [first, second] = [a.replaceAll("/", "\0"), b.replaceAll("/", "\0")];
  return first < second ? -1 : first > second ? 1 : 0;
}

function escaped(segment: string): string {
  return segment.includes("~") || segment.includes("\n")
    ? segment.replaceAll("~", "~0").replaceAll("\n", "~1")
    : segment;
}
