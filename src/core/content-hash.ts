import { hash } from "node:crypto";
import { canonicalJson } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { canonicalWithout } from "./volatile.ts";
import type { VolatilePaths } from "./volatile.ts";

/** What counts as a change of one side. */
export interface Hashed {
  readonly apiVersion: string;
  readonly spec: JsonValue;
  readonly labels: JsonObject;
  readonly annotations: JsonObject;
  /** null on the desired side. */
  readonly status: JsonValue;
  /** metadata.ownerReferences. */
  readonly owners: readonly JsonValue[];
}

/**
 * SHA-256 in 64 hex digits over canonical JSON without the volatile paths: independent of the order of keys. The parts are one JSON
 * text each, and JSON texts hold no bare line feed, so joining them is unambiguous.
 */
export function contentHash(content: Hashed, volatile: VolatilePaths): string {
  const text = [
    content.apiVersion,
    canonicalWithout(content.spec, volatile.spec),
    canonicalWithout(content.labels, volatile.labels),
    canonicalWithout(content.annotations, volatile.annotations),
    canonicalWithout(content.status, volatile.status),
    canonicalJson([...content.owners]),
  ].join("\n");
  return hash("sha256", text, "hex");
}
