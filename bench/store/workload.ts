import type { JsonObject } from "../../src/core/json.ts";
import { normaliseActual, normaliseDesired } from "../../src/core/normalise.ts";
import type { ActualUpsert, DesiredUpsert } from "../../src/core/observation.ts";
import { agent } from "../topology/fabric.ts";

/** Objects a batch: what the pump hands over under load. */
export const BATCH = 500;
/** Ports of an Agent: a switch of today. */
export const AGENT_PORTS = 64;

/** Object `index` of a workload in its `revision`-th version. */
export type Make = (index: number, revision: number, resourceVersion: number) => JsonObject;

export function observe(
  fabricId: string,
  index: number,
  revision: number,
  version: number,
  make = plain,
): ActualUpsert {
  return normaliseActual(make(index, revision, version), {
    fabricId,
    writePath: revision === 0 ? "list" : "watch",
    observedAt: Date.now(),
  });
}

/** What Git declares of the object: its first version. */
export function declare(fabricId: string, index: number, make: Make): DesiredUpsert {
  const origin = {
    commit: "c".repeat(40),
    author: "bench",
    filePath: `${index}.yaml`,
    line: 1,
    fileHash: "f".repeat(40),
  };
  return normaliseDesired(make(index, 0, 1), origin, { fabricId, writePath: "git_poll", observedAt: Date.now() });
}

/** An object of a kind that tells nothing of the network: row and history alone. A list of ports, about 2.3 KB of JSON. */
export const plain: Make = (...of) => ({ ...body(...of), apiVersion: "bench.fabricsync.dev/v1", kind: "PortList" });

/** The same as a Switch: a device with its address beside the row. */
export const aSwitch: Make = (...of) => ({
  ...body(...of),
  apiVersion: "wiring.githedgehog.com/v1beta1",
  kind: "Switch",
});

/** What a switch reports of itself: a device, 64 interfaces, most with a neighbour, and a snapshot. Each revision another port is down. */
export const anAgent: Make = (index, revision, resourceVersion) => {
  const reported = agent(index, 1_000, AGENT_PORTS, new Set([1 + revision]));
  return {
    ...reported,
    metadata: { ...body(index, revision, resourceVersion).metadata, name: `switch-${String(index).padStart(6, "0")}` },
  };
};

function body(index: number, revision: number, resourceVersion: number): JsonObject & { metadata: JsonObject } {
  const ports: JsonObject = {};
  for (let port = 1; port <= 20; port += 1) {
    ports[`E1/${port}`] = {
      speed: port % 4 === 0 ? "100G" : "25G",
      mtu: 9100,
      description: `server-${index % 40}-port-${port}`,
      // A change moves one port.
      vlan: 1000 + ((index * port + (port === 1 ? revision : 0)) % 3000),
      enabled: (index + port) % 7 !== 0,
    };
  }
  return {
    metadata: {
      name: `leaf-${String(index).padStart(6, "0")}`,
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
