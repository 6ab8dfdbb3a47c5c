import { isRawNumber } from "../core/json.ts";
import type { JsonValue } from "../core/json.ts";
import type { Observation } from "../core/observation.ts";

/** Key, provenance, hash and bookkeeping of one queued observation, in bytes: an estimate on the generous side. */
const FIXED_BYTES = 600;
/** An array slot, an object slot with its share of the hidden class, a boxed number. */
const SLOT_BYTES = 16;

/** What the observation about weighs in memory. No text is made of it. */
export function approximateBytes(observation: Observation): number {
  if (observation.type === "delete") return FIXED_BYTES;
  const { spec, labels, annotations } = observation.content;
  const status = observation.side === "actual" ? jsonBytes(observation.status) : 0;
  return FIXED_BYTES + jsonBytes(spec) + jsonBytes(labels) + jsonBytes(annotations) + status;
}

function jsonBytes(value: JsonValue): number {
  if (typeof value === "string") return SLOT_BYTES + value.length;
  if (typeof value !== "object" || value === null || isRawNumber(value)) return SLOT_BYTES;
  let bytes = SLOT_BYTES;
  if (Array.isArray(value)) for (const item of value) bytes += jsonBytes(item);
  else for (const name in value) bytes += SLOT_BYTES + jsonBytes(value[name] ?? null);
  return bytes;
}
