/** Where the fields of a document stand in its file, so that a drifted path can be told with its line and column. */
import type { JsonObject, JsonValue } from "./json.ts";
import { pointer } from "./pointer.ts";

/** JSON pointer → `[line, column]`: lines from the document's first (0), columns from 1. */
export type Places = Readonly<Record<string, readonly [line: number, column: number]>>;

/** A line (from 1) and column (from 1) of a file. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/**
 * The place of a path, or of the nearest field around it that is known; null when none is.
 * @param line where the document begins
 */
export function placeOf(places: Places, line: number, path: readonly string[]): Place | null {
  for (let length = path.length; length > 0; length -= 1) {
    const place = places[pointer(path.slice(0, length))];
    if (place !== undefined) return { line: line + place[0], column: place[1] };
  }
  return null;
}

export function readPlaces(column: JsonObject | null): Places {
  const places: Record<string, readonly [number, number]> = {};
  for (const [path, place] of Object.entries(column ?? {})) {
    if (isPlace(place)) places[path] = [place[0], place[1]];
  }
  return places;
}

function isPlace(value: JsonValue): value is [number, number] {
  return Array.isArray(value) && typeof value[0] === "number" && typeof value[1] === "number";
}
