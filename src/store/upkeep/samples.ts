import type { JsonObject } from "../../core/json.ts";
import { normaliseActual, normaliseDesired } from "../../core/normalise.ts";
import type { Observation } from "../../core/observation.ts";

/** A commit and a blob of the right form that no repository has. */
const GIT_ID = "5e1f7e57".repeat(5);

/** Kind and name, and nothing else, on both sides. */
export function minimalObservations(fabricId: string, at: Date): Observation[] {
  return both({ apiVersion: "v1", kind: "SelfTest", metadata: { name: "minimal" } }, fabricId, at);
}

/** Something in every field that an object can have, with what databases find hard. */
export function maximalObservations(fabricId: string, at: Date): Observation[] {
  const object: JsonObject = {
    apiVersion: "selftest.fabricsync.dev/v1alpha1",
    kind: "SelfTest",
    metadata: {
      name: "maximal",
      namespace: "fabric-sync",
      uid: "5e1f7e57-0000-4000-8000-000000000000",
      generation: 7,
      resourceVersion: "9007199254740993",
      deletionTimestamp: at.toISOString(),
      labels: Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`label-${index}`, `value-${index}`])),
      annotations: { "example.com/text": "quotes ' \" \\ and 𝄞 beyond the basic plane" },
      ownerReferences: [{ apiVersion: "v1", kind: "SelfTest", name: "minimal", uid: "5e1f7e57" }],
      managedFields: [{ manager: "selftest", operation: "Update", time: at.toISOString() }],
    },
    spec: { list: [1, null, "two", { three: [] }], number: 1.5, text: "x".repeat(100_000) },
    status: { ready: true },
  };
  return both(object, fabricId, at);
}

function both(object: JsonObject, fabricId: string, at: Date): Observation[] {
  const seen = { fabricId, writePath: "cli", observedAt: at.getTime() } as const;
  const origin = { commit: GIT_ID, author: "selftest", filePath: "selftest.yaml", line: 1, fileHash: GIT_ID };
  return [normaliseDesired(object, origin, seen), normaliseActual(object, seen)];
}
