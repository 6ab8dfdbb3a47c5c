import type { JsonObject } from "../../src/core/json.ts";
import { normaliseActual } from "../../src/core/normalise.ts";
import type { ActualUpsert } from "../../src/core/observation.ts";

/** Ports of every switch; each is cabled to the same port of the switch that it is paired with. */
export const PORTS = 64;

const name = (index: number): string => `leaf-${String(index).padStart(4, "0")}`;
const mac = (index: number): string =>
  `0c:20:12:${[16, 8, 0].map((shift) => ((index >> shift) & 255).toString(16).padStart(2, "0")).join(":")}`;

/** The switch at the other end of a port: pairs change from port to port, so that the fabric is a mesh. */
export function peerOf(index: number, port: number, switches: number): number {
  const distance = 1 + (port % (switches - 1));
  const block = Math.floor(index / distance) % 2;
  const peer = block === 0 ? index + distance : index - distance;
  return peer >= 0 && peer < switches ? peer : index;
}

/** An Agent with `ports` interfaces, each with its neighbour. `down` are ports that are down. */
export function agent(
  index: number,
  switches: number,
  ports: number,
  down: ReadonlySet<number> = new Set(),
  heartbeat = 0,
): JsonObject {
  const interfaces: JsonObject = {};
  for (let port = 1; port <= ports; port += 1) {
    const peer = peerOf(index, port, switches);
    interfaces[`E1/${port}`] = {
      enabled: true,
      admin: "up",
      oper: down.has(port) ? "down" : "up",
      mac: mac(index),
      speed: "100G",
      counters: { inb: port, outb: port, clear: "never", errs: 0 },
      ...(peer === index
        ? {}
        : {
            lldpNeighbors: [
              {
                name: name(peer),
                sysName: name(peer),
                chassis: mac(peer),
                // In the words of the operating system, as switches announce it: the profile tells which port that is.
                portID: `Ethernet${port - 1}`,
                portDescr: `E1/${port} to ${name(index)}`,
                sysDescr: "Hedgehog Fabric",
              },
            ],
          }),
    };
  }
  return {
    apiVersion: "agent.githedgehog.com/v1beta1",
    kind: "Agent",
    metadata: { name: name(index), namespace: "default" },
    spec: { role: "server-leaf" },
    status: {
      lastHeartbeat: new Date(1_767_225_600_000 + heartbeat).toISOString(),
      state: {
        nos: { serialNumber: `S${index}`, softwareVersion: "4.5.0" },
        interfaces,
        bgpNeighbors: { default: {} },
      },
    },
  };
}

/** The profile by which the ports of every switch are named. */
export function profile(): JsonObject {
  const ports: JsonObject = {};
  for (let port = 1; port <= PORTS; port += 1) ports[`E1/${port}`] = { nos: `Ethernet${port - 1}` };
  return {
    apiVersion: "wiring.githedgehog.com/v1beta1",
    kind: "SwitchProfile",
    metadata: { name: "bench", namespace: "default" },
    spec: { ports },
  };
}

/** A device that a collector tells of, with three good interfaces and one without a name. */
export function collected(index: number): JsonObject {
  return {
    apiVersion: "fabricsync.dev/v1alpha1",
    kind: "DeviceState",
    metadata: { name: name(index), namespace: "default" },
    spec: { role: "router", interfaces: [{ name: "et1" }, { mtu: 1 }, { name: "et2" }, { name: "et3", mtu: 9100 }] },
  };
}

export function wiring(index: number): JsonObject {
  return {
    apiVersion: "wiring.githedgehog.com/v1beta1",
    kind: "Switch",
    metadata: { name: name(index), namespace: "default" },
    spec: { role: "server-leaf", profile: "bench", boot: { mac: mac(index) } },
  };
}

/** The cables that begin at a switch, one Connection for each other end. */
export function connections(index: number, switches: number, ports: number): JsonObject[] {
  const byPeer = new Map<number, number[]>();
  for (let port = 1; port <= ports; port += 1) {
    const peer = peerOf(index, port, switches);
    if (peer > index) byPeer.set(peer, [...(byPeer.get(peer) ?? []), port]);
  }
  return [...byPeer].map(([peer, some]) => ({
    apiVersion: "wiring.githedgehog.com/v1beta1",
    kind: "Connection",
    metadata: { name: `${name(index)}--mesh--${name(peer)}`, namespace: "default" },
    spec: {
      mesh: {
        links: some.map((port) => ({
          leaf1: { port: `${name(index)}/E1/${port}` },
          leaf2: { port: `${name(peer)}/E1/${port}` },
        })),
      },
    },
  }));
}

export function observed(object: JsonObject, fabricId: string, resourceVersion: number): ActualUpsert {
  const metadata = object["metadata"] as JsonObject;
  const uid = `${String(object["kind"])}-${String(metadata["name"])}`;
  return normaliseActual(
    { ...object, metadata: { ...metadata, uid, resourceVersion: String(resourceVersion), generation: 1 } },
    { fabricId, writePath: "watch", observedAt: Date.now() },
  );
}
