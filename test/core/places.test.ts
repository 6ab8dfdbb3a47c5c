import { placeOf, readPlaces, writePlaces } from "../../src/core/places.ts";
import type { FieldPlace } from "../../src/core/places.ts";

const field = (depth: number, segment: string, line: number, column: number): FieldPlace => ({
  depth,
  segment,
  line,
  column,
});
/** spec: {ports: [{name: a}, {name: b}], "a~b\nc": 1}, spec2: 1; the document begins in line 10. */
const FIELDS = [
  field(0, "spec", 11, 1),
  field(1, "ports", 12, 3),
  field(2, "0", 13, 7),
  field(3, "name", 13, 7),
  field(2, "1", 14, 7),
  field(3, "name", 14, 9),
  field(1, "a~b\nc", 15, 3),
  field(0, "spec2", 16, 1),
];

test.each([
  [["spec"], { line: 21, column: 1 }],
  [["spec", "ports", "1", "name"], { line: 24, column: 9 }],
  [["spec", "a~b\nc"], { line: 25, column: 3 }],
  [["spec2"], { line: 26, column: 1 }],
  // The nearest that is known around it.
  [["spec", "ports", "1", "mtu"], { line: 24, column: 7 }],
  [["spec", "ports", "7", "name"], { line: 22, column: 3 }],
  [["spec", "name"], { line: 21, column: 1 }],
  [["status"], null],
  [["ports"], null],
  [[], null],
])("%j, in a document that moved to line 20", (path, place) => {
  expect(placeOf(writePlaces(FIELDS, 10), 20, path)).toEqual(place);
});

test("nothing known is no place", () => {
  expect(placeOf("", 1, ["spec"])).toBeNull();
  expect(writePlaces([], 1)).toBe("");
});

test("what earlier releases wrote is read, in whatever order the database keeps it", () => {
  const column = {
    "/spec2": [6, 1],
    "/spec/ports/1/name": [4, 9],
    "/spec/ports": [2, 3],
    "/spec/ports/1": [4, 7],
    "/spec": [1, 1],
    "/spec/a~0b": [5, 3],
    "/broken": "x",
  };
  const places = readPlaces(column);
  expect(placeOf(places, 20, ["spec", "ports", "1", "name"])).toEqual({ line: 24, column: 9 });
  expect(placeOf(places, 20, ["spec", "a~b"])).toEqual({ line: 25, column: 3 });
  expect(placeOf(places, 20, ["spec2"])).toEqual({ line: 26, column: 1 });
  expect(readPlaces(places)).toBe(places);
  expect(readPlaces(null)).toBe("");
});
