import type { JsonObject } from "../../src/core/json.ts";
import { openStore, type StoreFixture } from "../store/fixture.ts";
import { actual } from "./example.ts";

let at: StoreFixture;
beforeAll(async () => {
  at = await openStore();
});
beforeEach(async () => {
  await at.sql("DELETE FROM fabric_sync.resource");
});
afterAll(async () => {
  await at[Symbol.asyncDispose]();
});

const MAC = { r1: "0c:20:12:dd:00:01", r2: "0c:20:12:dd:00:02", r3: "0c:20:12:dd:00:03" };

async function put(devices: Record<string, JsonObject>): Promise<void> {
  const states = Object.entries(devices).map(([name, spec]) =>
    actual({ apiVersion: "fabricsync.dev/v1alpha1", kind: "DeviceState", metadata: { name }, spec }, at.fabricId),
  );
  expect(await at.apply(states)).toMatchObject({ deadLettered: [] });
  expect(await at.sql("SELECT part FROM fabric_sync.resource_dead_letter")).toEqual([]);
}

/** Links as `a/port b/port declared verdict evidence candidates`. */
async function links(): Promise<string[]> {
  const rows = await at.sql<{ text: string }>(
    `SELECT concat_ws(' ', device_a || '/' || interface_a, device_b || '/' || interface_b, CASE WHEN declared THEN 'declared' ELSE 'observed' END,
            verdict, evidence, CASE WHEN verdict = 'ambiguous' AND NOT declared THEN (SELECT string_agg(c, ',') FROM jsonb_array_elements_text(details #> '{seen_a,candidates}') c) END) AS text
       FROM fabric_sync.links ORDER BY 1`,
  );
  return rows.map(({ text }) => text);
}

const arp = (address: string, more: JsonObject = {}): JsonObject => ({ address, interface: "et1", ...more });
const frame = (mac: string, more: JsonObject = {}): JsonObject => ({ mac, interface: "et1", ...more });
const declared = (remoteDevice: string, remoteInterface: string): JsonObject => ({
  links: [{ interface: "et1", remoteDevice, remoteInterface }],
});
/** The others: each with a port that has a MAC address of its own, and an address in a subnet of two and one in a large subnet. */
const R2 = {
  interfaces: [{ name: "et2", mac: MAC.r2 }, { name: "et9" }],
  addresses: [
    { address: "203.0.113.0/31", interface: "et2" },
    { address: "10.0.0.2/24", interface: "et2" },
    { address: "10.255.0.2/32", interface: "lo" },
  ],
};
const R3 = {
  interfaces: [{ name: "et3", mac: MAC.r3 }],
  addresses: [
    { address: "203.0.113.4/31", interface: "et3" },
    { address: "10.0.0.3/24", interface: "et3" },
  ],
};
const PAIR = { addresses: [{ address: "203.0.113.1/31", interface: "et1" }] };
const SEGMENT = { addresses: [{ address: "10.0.0.1/24", interface: "et1" }] };

test.each<[string, JsonObject, string[]]>([
  ["an ARP entry on a subnet of two", { ...PAIR, arpEntries: [arp("203.0.113.0")] }, ["r2/et2 observed unexpected"]],
  [
    "a next hop on a subnet of two",
    { ...PAIR, routes: [{ prefix: "0.0.0.0/0", nextHop: "203.0.113.0", interface: "et1" }] },
    ["r2/et2 observed unexpected"],
  ],
  [
    "a next hop on a subnet of two that only the other end tells of",
    { routes: [{ prefix: "0.0.0.0/0", nextHop: "203.0.113.0", interface: "et1" }] },
    ["r2/et2 observed unexpected"],
  ],
  [
    "an IPv6 neighbour on a subnet of two",
    {
      addresses: [{ address: "2001:db8::1/127", interface: "et1.7" }],
      arpEntries: [arp("2001:db8::", { mac: MAC.r2, interface: "et1.7" })],
    },
    ["r2/et2 observed unexpected"],
  ],
  [
    "an ARP entry on a large subnet, when nobody else is met there",
    { ...SEGMENT, arpEntries: [arp("10.0.0.2", { mac: MAC.r2 })], macEntries: [frame(MAC.r2)] },
    ["r2/et2 observed unexpected"],
  ],
  [
    "the only MAC address at a port",
    { macEntries: [frame(MAC.r2), frame(MAC.r2, { vlan: 7 })] },
    ["r2/et2 observed unexpected"],
  ],
  [
    "two known MAC addresses: somebody forwards",
    { macEntries: [frame(MAC.r2), frame(MAC.r3)] },
    ["/ observed ambiguous r2,r3"],
  ],
  ["a known one among strangers: a shared segment", { macEntries: [frame(MAC.r2), frame("0c:20:12:ee:00:09")] }, []],
  ["a stranger", { macEntries: [frame("0c:20:12:ee:00:09")] }, []],
  [
    "a group address beside it",
    { macEntries: [frame(MAC.r2), frame("01:00:5e:00:00:05")] },
    ["r2/et2 observed unexpected"],
  ],
  [
    "two on a large subnet",
    { ...SEGMENT, arpEntries: [arp("10.0.0.2"), arp("10.0.0.3")] },
    ["/ observed ambiguous r2,r3"],
  ],
  [
    "one address on a large subnet, and another's MAC address at the port",
    { ...SEGMENT, arpEntries: [arp("10.0.0.2", { mac: MAC.r2 })], macEntries: [frame(MAC.r3)] },
    ["/ observed ambiguous r2,r3"],
  ],
  [
    "an address counts before a MAC address on a subnet of two",
    { ...PAIR, arpEntries: [arp("203.0.113.0")], macEntries: [frame(MAC.r3), frame("0c:20:12:ee:00:09")] },
    ["r2/et2 observed unexpected"],
  ],
  [
    "an address of one with the MAC address of another",
    { ...SEGMENT, arpEntries: [arp("10.0.0.2", { mac: MAC.r3 })] },
    ["/ observed ambiguous r2,r3"],
  ],
  [
    "a loopback behind a port",
    { ...PAIR, routes: [{ prefix: "0.0.0.0/0", nextHop: "10.255.0.2", interface: "et1" }] },
    [],
  ],
  [
    "a next hop of a large subnet that the port is not in",
    { routes: [{ prefix: "0.0.0.0/0", nextHop: "10.0.0.2", interface: "et1" }] },
    [],
  ],
  ["a link-local next hop", { routes: [{ prefix: "::/0", nextHop: "fe80::1", interface: "et1" }] }, []],
  ["an entry of a VLAN interface", { macEntries: [frame(MAC.r2, { interface: "Vlan10" })] }, []],
  ["its own address", { ...PAIR, arpEntries: [arp("203.0.113.1")] }, []],
])("%s", async (_title, r1, expected) => {
  await put({ r1, r2: R2, r3: R3 });
  expect((await links()).map((text) => text.replace(/^r1\/et1 /, "").replace(" address_only", ""))).toEqual(expected);
});

test.each<[string, JsonObject, string]>([
  [
    "confirmed by an address",
    { ...PAIR, ...declared("r2", "et2"), arpEntries: [arp("203.0.113.0")] },
    "match address_only",
  ],
  [
    "another port of the device",
    { ...PAIR, ...declared("r2", "et9"), arpEntries: [arp("203.0.113.0")] },
    "wrong_port address_only",
  ],
  [
    "another device",
    { ...PAIR, ...declared("r3", "et3"), arpEntries: [arp("203.0.113.0")] },
    "wrong_device address_only",
  ],
  [
    "another device by its MAC address alone",
    { ...declared("r3", "et3"), macEntries: [frame(MAC.r2)] },
    "wrong_device address_only",
  ],
  [
    "a shared segment with it",
    { ...declared("r3", "et3"), macEntries: [frame(MAC.r3), frame("0c:20:12:ee:00:09")] },
    "match address_only",
  ],
  [
    "a shared segment without it",
    { ...declared("r3", "et3"), macEntries: [frame(MAC.r2), frame("0c:20:12:ee:00:09")] },
    "unknown none",
  ],
  [
    "an address that two have",
    { ...SEGMENT, ...declared("r3", "et3"), arpEntries: [arp("10.0.0.2", { mac: MAC.r3 })] },
    "ambiguous address_only",
  ],
  ["silence where it listens", { ...declared("r2", "et2"), neighbors: [], macEntries: [] }, "missing none"],
  [
    "silence, but its MAC address",
    { ...declared("r2", "et2"), neighbors: [], macEntries: [frame(MAC.r2)] },
    "match address_only",
  ],
  [
    "a neighbour before addresses",
    {
      ...PAIR,
      ...declared("r3", "et3"),
      arpEntries: [arp("203.0.113.0")],
      neighbors: [{ interface: "et1", name: "r3", port: "et3" }],
    },
    "match one_end",
  ],
  ["entries that are not told of any more", { ...declared("r2", "et2") }, "unknown none"],
])("a declared link and %s", async (title, r1, expected) => {
  if (title.startsWith("entries that")) {
    await put({ r1: { ...r1, ...PAIR, arpEntries: [arp("203.0.113.0")] }, r2: R2, r3: R3 });
    expect(await links()).toEqual(["r1/et1 r2/et2 declared match address_only"]);
    await at.apply([
      actual(
        {
          apiVersion: "fabricsync.dev/v1alpha1",
          kind: "DeviceState",
          metadata: { name: "r1" },
          spec: { ...r1, ...PAIR },
        },
        at.fabricId,
        "2",
      ),
    ]);
    expect(await at.sql("SELECT FROM fabric_sync.device_arp_entry")).toHaveLength(1);
  } else await put({ r1, r2: R2, r3: R3 });
  const told = (await links()).filter((text) => text.includes(" declared "));
  expect(told).toEqual([expect.stringContaining(` declared ${expected}`)]);
});

test("both ends that see each other are one link, and its rows are told with their times", async () => {
  await put({
    r1: { ...PAIR, arpEntries: [arp("203.0.113.0")] },
    r2: { ...R2, arpEntries: [arp("203.0.113.1", { interface: "et2" })] },
  });
  expect(await links()).toEqual(["r1/et1 r2/et2 observed unexpected address_only"]);
  const [{ seen } = { seen: null }] = await at.sql<{ seen: unknown }>(
    "SELECT details -> 'seen_a' AS seen FROM fabric_sync.links",
  );
  expect(seen).toMatchObject({
    finding: "one",
    device: "r2",
    interface: "et2",
    candidates: ["r2"],
    by: ["arp"],
    point_to_point: true,
    stations: 1,
    since: expect.any(String) as string,
    entries: [{ in: ["arp"], at: "et1", address: "203.0.113.0", devices: ["r2"], since: expect.any(String) as string }],
  });
});

test("a port that hears somebody has its cable there, whatever is seen behind it", async () => {
  const heard = { neighbors: [{ interface: "et2", name: "r3", port: "et3" }] };
  await put({ r1: { macEntries: [frame(MAC.r2)] }, r2: { ...R2, ...heard }, r3: R3 });
  expect(await links()).toEqual(["r2/et2 r3/et3 observed unexpected one_end"]);
  const us = { neighbors: [{ interface: "et2", name: "r1", port: "et1" }] };
  await at.sql("DELETE FROM fabric_sync.resource");
  await put({ r1: { interfaces: [{ name: "et1" }], macEntries: [frame(MAC.r2)] }, r2: { ...R2, ...us } });
  expect(await links()).toEqual(["r2/et2 r1/et1 observed unexpected one_end"]);
});

test("a MAC address that is alone at two ports is on its way at one of them; with two interfaces it may be at both", async () => {
  const leaf = { macEntries: [frame(MAC.r2)] };
  await put({ r1: leaf, r4: { macEntries: [frame(MAC.r2, { interface: "et7" })] }, r2: R2 });
  expect(await links()).toEqual([]);
  // Among others it is behind somebody, and so at the first port after all.
  await put({ r5: { macEntries: [frame(MAC.r2), frame(MAC.r3)] } });
  expect(await links()).toEqual([]);
  await at.sql("DELETE FROM fabric_sync.resource WHERE name = 'r4'");
  expect(await links()).toEqual(["r1/et1 r2/et2 observed unexpected address_only"]);
  // Two of an address on a large subnet, by ARP.
  await at.sql("DELETE FROM fabric_sync.resource");
  const arps = { arpEntries: [arp("10.0.0.2")] };
  await put({
    r1: { ...SEGMENT, ...arps },
    r4: { addresses: [{ address: "10.0.0.4/24", interface: "et1" }], arpEntries: [arp("10.0.0.2", { mac: MAC.r2 })] },
    r2: R2,
  });
  expect((await links()).filter((text) => text.startsWith("r1"))).toEqual([]);
  await at.sql("DELETE FROM fabric_sync.resource");
  const bonded = {
    interfaces: ["et2", "et9"]
      .map((name) => ({ name, mac: MAC.r2, lag: "bond0" }))
      .concat([{ name: "bond0", mac: MAC.r2, lag: "" }]),
  };
  await put({ r1: leaf, r4: leaf, r2: bonded });
  expect(await links()).toEqual([
    "r1/et1 r2/ observed unexpected address_only",
    "r4/et1 r2/ observed unexpected address_only",
  ]);
});

test("what is met on an aggregate counts for its members, and makes no link beside theirs", async () => {
  const lag = {
    interfaces: [
      { name: "et1", lag: "PortChannel1" },
      { name: "et4", lag: "PortChannel1" },
    ],
    links: [
      { interface: "et1", remoteDevice: "r2", remoteInterface: "et2" },
      { interface: "et4", remoteDevice: "r2", remoteInterface: "et9" },
    ],
    macEntries: [frame(MAC.r2, { interface: "PortChannel1" })],
  };
  await put({
    r1: lag,
    r2: {
      interfaces: [
        { name: "et2", lag: "bond1" },
        { name: "et9", lag: "bond1" },
        { name: "bond1", mac: MAC.r2 },
      ],
    },
  });
  expect(await links()).toEqual([
    "r1/et1 r2/et2 declared match address_only",
    "r1/et4 r2/et9 declared match address_only",
  ]);
});
