import { isRawNumber, type JsonValue } from "../core/json.ts";
import type { Observation } from "../core/observation.ts";

/** What an observation costs apart from its content (bytes): fifty columns, the event's columns. */
const FIXED = 1_500;

/** Roughly the bytes that an observation takes in a statement; cheap, so that large objects make small statements. */
export function weightOf(observation: Observation): number {
  if (observation.type === "delete") return FIXED;
  if (observation.side === "desired" && observation.contentBytes !== undefined) return FIXED + observation.contentBytes;
  const { spec, labels, annotations } = observation.content;
  const status = observation.side === "actual" ? observation.status : null;
  return FIXED + jsonWeight(spec) + jsonWeight(labels) + jsonWeight(annotations) + jsonWeight(status);
}

function jsonWeight(root: JsonValue): number {
  let weight = 0;
  // Its own stack: depth is the sender's choice.
  const open: JsonValue[] = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value === "string") weight += value.length + 3;
    else if (typeof value !== "object" || value === null || isRawNumber(value)) weight += 6;
    else if (Array.isArray(value)) for (const item of value) open.push(item);
    else
      for (const key in value) {
        weight += key.length + 4;
        open.push(value[key] ?? null);
      }
  }
  return weight;
}
