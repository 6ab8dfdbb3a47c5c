import type { JsonObject } from "../../src/core/json.ts";
import { objectNamed } from "./example.ts";
import { deviceState, made, openLab, stateOf, type Lab } from "./lab.ts";

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
});
beforeEach(async () => lab.put(...lab.objects));
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

test("ports declared twice and ends that differ are findings, sessions and addresses too", async () => {
  const twice = objectNamed(lab.objects, "Connection", "server-05--unbundled--leaf-04");
  (twice["metadata"] as JsonObject)["name"] = "again";
  const overlap = objectNamed(lab.objects, "VPC", "web");
  (overlap["metadata"] as JsonObject)["name"] = "copy";
  const leaf = lab.agent("leaf-02", (i) => Object.assign(i["E1/25"] ?? {}, { speed: "40G" }));
  const state = stateOf(leaf);
  const sessions = (state["bgpNeighbors"] as Record<string, JsonObject>)["default"] as Record<string, JsonObject>;
  Object.assign(sessions["172.30.128.4"] ?? {}, { state: "active" });
  delete sessions["172.30.128.6"];
  sessions["203.0.113.9"] = { state: "idle" };
  await lab.put(twice, overlap, leaf);
  expect(
    await lab.list(
      "SELECT concat_ws(' ', finding, device_a, interface_a) AS text FROM fabric_sync.link_findings WHERE finding ~ 'differs|twice' ORDER BY 1",
    ),
  ).toEqual(["declared_twice leaf-04 E1/1", "declared_twice server-05 enp2s1", "speed_differs spine-01 E1/3"]);
  expect(
    await lab.list(
      "SELECT concat_ws(' ', finding, device, neighbor, remote_device) AS text FROM fabric_sync.session_findings WHERE device = 'leaf-02' ORDER BY 1",
    ),
  ).toEqual([
    "missing leaf-02 172.30.128.6 spine-01",
    "not_established leaf-02 172.30.128.4 spine-01",
    "unexpected leaf-02 203.0.113.9 ",
  ]);
  expect(
    await lab.list("SELECT finding || ' ' || holders::text AS text FROM fabric_sync.address_findings ORDER BY 1"),
  ).toEqual(["subnets_overlap {copy/front,web/front}"]);
});

type Sessions = Record<string, JsonObject>;
const BFD_OF_LEAF = ["172.30.128.20", "172.30.128.22", "172.30.128.4", "172.30.128.6"];

test.each<[string, Record<string, (state: JsonObject, spec: JsonObject) => void>, string[]]>([
  ["told as up by both ends", {}, []],
  [
    "down at one end",
    { "leaf-02": (state) => (peersOf(state)["172.30.128.4"] = { state: "down" }) },
    ["bfd_not_up leaf-02 172.30.128.4 down"],
  ],
  [
    "switched off by hand",
    { "leaf-02": (state) => (peersOf(state)["172.30.128.4"] = { state: "adminDown" }) },
    ["bfd_not_up leaf-02 172.30.128.4 admin_down"],
  ],
  [
    "not among those that the device tells",
    { "leaf-02": (state) => delete peersOf(state)["172.30.128.4"] },
    ["bfd_missing leaf-02 172.30.128.4 unknown"],
  ],
  [
    "told by nobody at all: it may be up",
    { "leaf-02": (state) => delete state["bfdPeers"], "spine-01": (state) => delete state["bfdPeers"] },
    [
      "bfd_unobserved leaf-02 172.30.128.4 unknown",
      "bfd_unobserved leaf-02 172.30.128.6 unknown",
      "bfd_unobserved spine-01 172.30.128.5 unknown",
      "bfd_unobserved spine-01 172.30.128.7 unknown",
    ],
  ],
  ["told by the other end alone", { "leaf-02": (state) => delete state["bfdPeers"] }, []],
  [
    "told by an empty list",
    { "leaf-02": (state) => (state["bfdPeers"] = {}) },
    BFD_OF_LEAF.map((neighbor) => `bfd_missing leaf-02 ${neighbor} unknown`),
  ],
  [
    "not called for",
    {
      "leaf-02": (state, spec) => {
        (spec["config"] as JsonObject)["disableBFD"] = true;
        state["bfdPeers"] = {};
      },
    },
    [],
  ],
  [
    "not called for as far as is known",
    {
      "leaf-02": (state, spec) => {
        delete spec["config"];
        state["bfdPeers"] = {};
      },
    },
    [],
  ],
  [
    "beside a session whose state is not told",
    { "leaf-02": (state) => (sessionsOf(state)["172.30.128.4"] = {}) },
    ["unobserved leaf-02 172.30.128.4 up"],
  ],
])("the BFD session of a BGP session is %s", async (_title, changes, expected) => {
  const agents = Object.entries(changes).map(([name, change]) => {
    const object = objectNamed(lab.objects, "Agent", name);
    change(stateOf(object), object["spec"] as JsonObject);
    return object;
  });
  await lab.put(...agents);
  expect(
    await lab.list(
      `SELECT concat_ws(' ', finding, device, neighbor, bfd_state) AS text FROM fabric_sync.session_findings
        WHERE vrf = '' AND (device = 'leaf-02' OR remote_device = 'leaf-02') ORDER BY 1`,
    ),
  ).toEqual(expected);
});

function peersOf(state: JsonObject): Sessions {
  return (state["bfdPeers"] as Record<string, Sessions>)["default"] as Sessions;
}
function sessionsOf(state: JsonObject): Sessions {
  return (state["bgpNeighbors"] as Record<string, Sessions>)["default"] as Sessions;
}

test("a gateway is told to use BFD, cannot tell of it, and has the word of the switch at the other end", async () => {
  const gateway = (fabricBFD: boolean): JsonObject =>
    made("gwint.githedgehog.com/v1alpha1", "GatewayAgent", "gw-1", {
      spec: { config: { fabricBFD }, gateway: { interfaces: { enp2s1: { ips: ["172.30.200.1/31"] } } } },
      status: {
        state: { bgp: { vrfs: { default: { neighbors: { "172.30.200.0": { sessionState: "established" } } } } } },
      },
    });
  const cable = made("wiring.githedgehog.com/v1beta1", "Connection", "leaf-02--gateway--gw-1", {
    spec: {
      gateway: {
        links: [
          {
            switch: { port: "leaf-02/E1/30", ip: "172.30.200.0/31" },
            gateway: { port: "gw-1/enp2s1", ip: "172.30.200.1/31" },
          },
        ],
      },
    },
  });
  const leaf = (gatewayBFD: boolean, peer?: string): JsonObject => {
    const object = objectNamed(lab.objects, "Agent", "leaf-02");
    Object.assign((object["spec"] as JsonObject)["config"] as JsonObject, { gatewayBFD });
    sessionsOf(stateOf(object))["172.30.200.1"] = { state: "established" };
    if (peer !== undefined) peersOf(stateOf(object))["172.30.200.1"] = { state: peer };
    return object;
  };
  const found = (): Promise<string[]> =>
    lab.list(
      "SELECT concat_ws(' ', finding, device, neighbor) AS text FROM fabric_sync.session_findings WHERE neighbor LIKE '172.30.200.%' ORDER BY 1",
    );
  await lab.put(cable, gateway(true), leaf(true, "up"));
  expect(await found()).toEqual([]);
  await lab.put(leaf(true));
  expect(await found()).toEqual(["bfd_missing leaf-02 172.30.200.1", "bfd_unobserved gw-1 172.30.200.0"]);
  await lab.put(leaf(false), gateway(false));
  expect(await found()).toEqual([]);
  await lab.at.sql("DELETE FROM fabric_sync.resource WHERE name IN ('gw-1', 'leaf-02--gateway--gw-1')");
});

test("the VTEP address of an MCLAG pair is one; another's is used twice, and a device's own subnets must not overlap", async () => {
  const vtep = (name: string, redundancy: JsonObject): JsonObject => {
    const object = objectNamed(lab.objects, "Switch", name);
    Object.assign(object["spec"] as JsonObject, { vtepIP: "172.30.12.77/32", redundancy });
    return object;
  };
  const found = (): Promise<string[]> =>
    lab.list(
      "SELECT concat_ws(' ', finding, address, vrf, holders, age > interval '0') AS text FROM fabric_sync.address_findings WHERE holders::text ~ 'leaf-0[12]|router' ORDER BY 1",
    );
  const pair = { group: "mclag-1", type: "mclag" };
  await lab.put(vtep("leaf-01", pair), vtep("leaf-02", pair));
  expect(await found()).toEqual([]);
  await lab.put(vtep("leaf-02", { group: "mclag-2", type: "mclag" }));
  expect(await found()).toEqual(["used_twice 172.30.12.77  {leaf-01/Loopback1,leaf-02/Loopback1} t"]);
  await lab.put(objectNamed(lab.objects, "Switch", "leaf-01"), objectNamed(lab.objects, "Switch", "leaf-02"));
  const router = deviceState("router", {
    addresses: [
      { address: "10.9.0.1/16", interface: "et1" },
      { address: "10.9.7.1/24", interface: "et2" },
      { address: "10.9.7.2/24", interface: "et2" },
      { address: "10.9.7.1/24", interface: "et3", vrf: "blue" },
      { address: "10.9.0.9/32", interface: "lo" },
      { address: "fe80::1/64", interface: "et1" },
      { address: "fe80::2/64", interface: "et2" },
    ],
  });
  await lab.put(router);
  expect(await found()).toEqual([
    'subnets_overlap 10.9.0.0/16  {router/et1,"router/et2 10.9.7.0/24"} t',
    'subnets_overlap 10.9.0.0/16  {router/et1,"router/et2 10.9.7.0/24"} t',
  ]);
  await lab.put(deviceState("router", { addresses: [] }));
});

test("a session is as old as what the device told; what is stale is no finding", async () => {
  const odd = lab.agent("leaf-02", () => undefined);
  const state = stateOf(odd);
  (state["bgpNeighbors"] as Record<string, JsonObject>)["default"] = { "203.0.113.9": { state: "idle" } };
  await lab.put(odd);
  const findings =
    "SELECT count(*)::integer AS n, bool_and(age > interval '0') AS aged FROM fabric_sync.session_findings WHERE device = 'leaf-02'";
  expect((await lab.at.sql(findings))[0]).toEqual({ n: 5, aged: true });
  delete state["bgpNeighbors"];
  await lab.put(odd);
  expect((await lab.at.sql(findings))[0]).toEqual({ n: 0, aged: null });
});
