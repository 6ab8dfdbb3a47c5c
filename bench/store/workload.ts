import type { JsonObject } from "../../src/core/json.ts";
import { normaliseActual } from "../../src/core/normalise.ts";
import type { ActualUpsert } from "../../src/core/observation.ts";

/** Bytes of the JSON of one object of the workload, as the figures name it. */
export const OBJECT_BYTES = 2_300;
/** Objects a batch: what the pump hands over under load. */
export const BATCH = 500;

/** Object `index` in its `revision`-th version: a switch with its ports, about {@link OBJECT_BYTES} of JSON. */
export function observe(fabricId: string, index: number, revision: number, resourceVersion: number): ActualUpsert {
  return normaliseActual(manifest(index, revision, resourceVersion), {
    fabricId,
    writePath: revision === 0 ? "list" : "watch",
    observedAt: Date.now(),
  });
}

export function manifest(index: number, revision: number, resourceVersion: number): JsonObject {
  const name = `leaf-${String(index).padStart(6, "0")}`;
  const ports: JsonObject = {};
  for (let port = 1; port <= 20; port += 1) {
    ports[`E1/${port}`] = {
      speed: port % 4 === 0 ? "100G" : "25G",
      mtu: 9100,
      description: `server-${index % 40}-port-${port}`,
      vlan: 1000 + ((index * port + revision) % 3000),
      enabled: (index + port) % 7 !== 0,
    };
  }
  return {
    apiVersion: "wiring.githedgehog.com/v1beta1",
    kind: "Switch",
    metadata: {
      name,
      namespace: "default",
      uid: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
      resourceVersion: String(resourceVersion),
      generation: revision + 1,
      labels: { "wiring.githedgehog.com/rack": `rack-${index % 50}`, owner: `team-${index % 200}` },
    },
    spec: {
      role: "server-leaf",
      asn: 65_000 + index,
      ip: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}/32`,
      ports,
    },
    status: { applied: true, agent: { version: "v0.43.1", generation: revision + 1 } },
  };
}

export function* batchesOf<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
