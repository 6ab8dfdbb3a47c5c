import type { JsonObject } from "../../src/core/json.ts";

/** Ports of a leaf with hosts behind a hypervisor, each; the rest of its MAC table is spread over them. */
const HOST_PORTS = 44;
/** A host of its own, whose MAC address alone tells the link. */
const SINGLE_PORT = 45;
/** A router of its own, told by the ARP entry of a subnet of two. */
const PAIR_PORT = 46;
/** Ports with neighbours, over which the whole fabric is learnt too. */
const UPLINKS = [49, 50];
const ROUTES = 500;

const hex = (value: number): string => value.toString(16).padStart(2, "0");
const mac = (kind: number, of: number, index = 0): string =>
  `0c:${hex(kind)}:${hex(of >> 8)}:${hex(of & 255)}:${hex(index >> 8)}:${hex(index & 255)}`;
const pair = (index: number, end: number): string => `100.64.${index >> 7}.${((index & 127) << 1) + end}`;
const state = (name: string, spec: JsonObject): JsonObject => ({
  apiVersion: "fabricsync.dev/v1alpha1",
  kind: "DeviceState",
  metadata: { name, namespace: "default" },
  spec,
});

export const forwarderName = (index: number): string => `fwd-${String(index).padStart(4, "0")}`;

/** A leaf with a MAC table of `macs` entries; `moved` is the host whose MAC address is not where it is declared. */
export function forwarder(index: number, count: number, macs: number, moved = false): JsonObject {
  const hosts = Array.from({ length: macs }, (_, entry) => ({
    vlan: 1 + (entry % 100),
    mac: mac(1, index, entry),
    interface: `et${1 + (entry % HOST_PORTS)}`,
  }));
  const far = Array.from({ length: 50 }, (_, step) => ({
    vlan: 1,
    mac: mac(3, (index + 1 + step) % count),
    interface: `et${UPLINKS[step % 2]}`,
  }));
  const single = { vlan: 1, mac: mac(3, moved ? (index + 1) % count : index), interface: `et${SINGLE_PORT}` };
  return state(forwarderName(index), {
    role: "server-leaf",
    interfaces: Array.from({ length: 50 }, (_, port) => ({
      name: `et${port + 1}`,
      operStatus: "up",
      mac: mac(2, index, port),
    })),
    addresses: [{ address: `${pair(index, 1)}/31`, interface: `et${PAIR_PORT}` }],
    neighbors: UPLINKS.map((port) => ({ interface: `et${port}`, name: `core-${port}`, port: `et${index}` })),
    links: [{ interface: `et${SINGLE_PORT}`, remoteDevice: `host-${index}`, remoteInterface: "eno1" }],
    macEntries: [...hosts, ...far, single],
    arpEntries: [{ address: pair(index, 0), mac: mac(4, index), interface: `et${PAIR_PORT}` }],
    routes: Array.from({ length: ROUTES }, (_, route) => ({
      prefix: `10.${index & 255}.${route & 255}.${(route >> 8) << 6}/26`,
      protocol: "bgp",
      nextHop: route % 2 === 0 ? pair(index, 0) : "100.127.0.1",
      interface: `et${route % 2 === 0 ? PAIR_PORT : UPLINKS[0]}`,
    })),
  });
}

/** The host and the router behind the ports of a leaf that hear nobody. */
export function behind(index: number): JsonObject[] {
  return [
    state(`host-${index}`, { role: "server", interfaces: [{ name: "eno1", mac: mac(3, index) }] }),
    state(`router-${index}`, {
      role: "router",
      interfaces: [{ name: "xe0", mac: mac(4, index) }],
      addresses: [{ address: `${pair(index, 0)}/31`, interface: "xe0" }],
    }),
  ];
}
