import type { JsonObject } from "../../src/core/json.ts";
import type { Topology } from "../../src/core/ports.ts";
import { timesACommit, type Speed } from "./calibration.ts";
import { observed } from "./fabric.ts";
import { quantile, timed, told, type Tell } from "./report.ts";
import type { Rig, Subject } from "./rig.ts";

/** Ports of a leaf with hosts behind a hypervisor, each; the rest of its MAC table is spread over them. */
const HOST_PORTS = 44;
/** A host of its own, whose MAC address alone tells the link. */
const SINGLE_PORT = 45;
/** A router of its own, told by the ARP entry of a subnet of two. */
const PAIR_PORT = 46;
/** Ports with neighbours, over which the whole fabric is learnt too. */
const UPLINKS = [49, 50];
const ROUTES = 500;
/** Forwarders a batch: of 2,000 MAC addresses each these are the 4 MB that the pump takes at once. */
const FORWARDERS = 10;

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

const forwarderName = (index: number): string => `fwd-${String(index).padStart(4, "0")}`;

/** A leaf with a MAC table of `macs` entries; `moved` is the host whose MAC address is not where it is declared. */
function forwarder(index: number, count: number, macs: number, moved = false): JsonObject {
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
function behind(index: number): JsonObject[] {
  return [
    state(`host-${index}`, { role: "server", interfaces: [{ name: "eno1", mac: mac(3, index) }] }),
    state(`router-${index}`, {
      role: "router",
      interfaces: [{ name: "xe0", mac: mac(4, index) }],
      addresses: [{ address: `${pair(index, 0)}/31`, interface: "xe0" }],
    }),
  ];
}

/** Links that only large MAC, ARP and routing tables tell of: the whole map, and one MAC address that moves. */
export async function measureForwarding(
  rig: Rig,
  fabric: Subject,
  { switches, macs, flaps }: { readonly switches: number; readonly macs: number; readonly flaps: number },
  speed: Speed,
  tell: Tell,
): Promise<void> {
  const all = Array.from({ length: switches }, (_, index) => index);
  await fabric.load(all.flatMap(behind), 1);
  await fabric.load(
    all.map((index) => forwarder(index, switches, macs)),
    1,
    FORWARDERS,
  );
  await rig.query("VACUUM ANALYZE");
  const drawings: number[] = [];
  let map: Topology = { devices: [], links: [] };
  for (let drawing = 0; drawing < 5; drawing += 1) {
    drawings.push(await timed(async () => (map = await fabric.readTopology())));
  }
  const byAddress = map.links.filter(({ evidence }) => evidence === "address_only").length;
  const drawn = quantile(drawings, 0.5);
  tell({
    what: `map of ${switches} devices with ${macs} MAC addresses and ${ROUTES} routes each: ${map.links.length} links, ${byAddress} by addresses alone; median of 5`,
    measured: `${drawn.toFixed(0)} ms, ${byAddress} links`,
    ratio: timesACommit(drawn, speed),
    goal: `≤ 2 s, ${2 * switches} links`,
    held: drawn <= 2_000 && byAddress === 2 * switches,
  });
  const moves: number[] = [];
  const written: number[] = [];
  for (let flap = 0; flap < flaps; flap += 1) {
    const index = flap % switches;
    const seen = observed(forwarder(index, switches, macs, flap % 2 === 0), fabric.id, 10 + flap);
    const write = await timed(() => fabric.apply([seen]));
    const read = await timed(() =>
      rig.query("SELECT verdict FROM fabric_sync.links WHERE fabric_id = $1 AND device_a = $2", [
        fabric.id,
        forwarderName(index),
      ]),
    );
    written.push(write);
    moves.push(write + read);
  }
  tell({
    what: `a MAC address moves, observation of ${macs} entries to verdicts read, p95 of ${flaps} (written after ${quantile(written, 0.5).toFixed(0)} ms, median)`,
    measured: told(moves),
    ratio: timesACommit(quantile(moves, 0.5), speed),
    goal: "≤ 100 ms",
    held: quantile(moves, 0.95) <= 100,
  });
}
