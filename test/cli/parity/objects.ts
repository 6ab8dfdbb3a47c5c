import type { JsonObject } from "../../../src/core/json.ts";

const WIRING = "wiring.githedgehog.com/v1beta1";

/** Kind and name, and nothing else. */
export const MINIMAL: JsonObject = { apiVersion: WIRING, kind: "SwitchGroup", metadata: { name: "minimal" } };

/** Everything that an object can carry, as somebody made it in the cluster. */
export const MAXIMAL: JsonObject = {
  apiVersion: WIRING,
  kind: "Switch",
  metadata: {
    name: "maximal",
    namespace: "default",
    labels: { rack: "r1", owner: "ops" },
    annotations: { note: "by hand" },
    finalizers: ["example.com/stays"],
    ownerReferences: [{ apiVersion: WIRING, kind: "SwitchGroup", name: "minimal", uid: "uid-of-the-owner" }],
  },
  spec: {
    role: "server-leaf",
    profile: "ds3000",
    description: "by hand",
    groups: ["minimal"],
    boot: { serial: "EX9999", mac: "0c:20:12:fe:99:99" },
    portBreakouts: { "E1/55": "4x25G" },
  },
};
export const MAXIMAL_STATUS: JsonObject = { applied: true, conditions: [{ type: "Ready", status: "True" }] };

/** The same as Git declares it: another description, and an owner more, which is nowhere. */
export const DECLARED: JsonObject = {
  ...MAXIMAL,
  metadata: {
    name: "maximal",
    labels: { rack: "r1", owner: "ops" },
    annotations: { note: "by hand" },
    ownerReferences: ["minimal", "nowhere"].map((name) => ({ apiVersion: WIRING, kind: "SwitchGroup", name, uid: "" })),
  },
  spec: { ...(MAXIMAL["spec"] as JsonObject), description: "declared" },
};

/** A device of a collector with the sets that no agent tells of. */
export const COLLECTED: JsonObject = {
  apiVersion: "fabricsync.dev/v1alpha1",
  kind: "DeviceState",
  metadata: { name: "collected", namespace: "default" },
  spec: {
    role: "router",
    interfaces: [{ name: "et1", mtu: 9100, operStatus: "up" }],
    macEntries: [{ mac: "0c:20:12:cc:00:02", vlan: 10, interface: "et1", origin: "dynamic" }],
    routes: [
      { prefix: "10.30.0.0/24", protocol: "ospf", nextHop: "192.0.2.3", interface: "et1", metric: 20 },
      { prefix: "192.0.2.2/31", protocol: "connected", interface: "et1" },
    ],
  },
};

/** Cables that nobody declares: enough of them that a rebuild takes more than one transaction. */
export function manyConnections(count: number): JsonObject[] {
  return Array.from({ length: count }, (_, index) => {
    const link = { server: { port: `many-${index}/enp1s0` }, switch: { port: `leaf-03/E1/${100 + index}` } };
    return {
      apiVersion: WIRING,
      kind: "Connection",
      metadata: { name: `many-${index}--unbundled--leaf-03`, namespace: "default" },
      spec: { unbundled: { link } },
    };
  });
}
