import { isMap, isScalar, isSeq } from "yaml";
import type { Place } from "../../core/places.ts";
import { pointer } from "../../core/pointer.ts";

/** Of one document; beyond that a path is told by the nearest field above it. */
const MAX_PLACES = 500;

/**
 * Where each field of a composed YAML document is written, by JSON pointer: a mapping's key, a sequence's element. What comes through an
 * alias or a merge key has no place of its own.
 */
export function fieldPlaces(contents: unknown, at: (offset: number) => Place): Map<string, Place> {
  const places = new Map<string, Place>();
  const walk = (node: unknown, path: readonly string[]): void => {
    if (places.size >= MAX_PLACES) return;
    if (isMap(node)) {
      for (const { key, value } of node.items) {
        if (!isScalar(key) || key.range == null) continue;
        const below = [...path, String(key.source ?? key.value)];
        places.set(pointer(below), at(key.range[0]));
        walk(value, below);
      }
    } else if (isSeq(node)) {
      node.items.forEach((item, index) => {
        const below = [...path, String(index)];
        const range = (item as { range?: readonly number[] | null } | null)?.range;
        if (range?.[0] !== undefined) places.set(pointer(below), at(range[0]));
        walk(item, below);
      });
    }
  };
  walk(contents, []);
  return places;
}
