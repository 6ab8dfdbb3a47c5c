import { isMap, isScalar, isSeq } from "yaml";
import type { FieldPlace, Place } from "../../../core/places.ts";

/** Of one document; beyond that a path is told by the nearest field above it. */
export const MAX_PLACES = 500;

/**
 * Where each field of a composed YAML document is written, in its order: a mapping's key, a sequence's element. What comes through an alias or a
 * merge key has no place of its own.
 */
export function fieldPlaces(contents: unknown, at: (offset: number) => Place): FieldPlace[] {
  const places: FieldPlace[] = [];
  const walk = (node: unknown, depth: number): void => {
    if (places.length >= MAX_PLACES) return;
    if (isMap(node)) {
      for (const { key, value } of node.items) {
        if (!isScalar(key) || key.range == null) continue;
        places.push({ depth, segment: String(key.source ?? key.value), ...at(key.range[0]) });
        walk(value, depth + 1);
      }
    } else if (isSeq(node)) {
      node.items.forEach((item, index) => {
        const range = (item as { range?: readonly number[] | null } | null)?.range;
        if (range?.[0] !== undefined) places.push({ depth, segment: String(index), ...at(range[0]) });
        walk(item, depth + 1);
      });
    }
  };
  walk(contents, 0);
  return places;
}
