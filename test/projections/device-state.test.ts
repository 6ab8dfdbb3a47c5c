import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { DEVICE_STATE_CRD_PATH, generateDeviceStateCrd } from "../../src/api/device-state.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { openStore, type StoreFixture } from "../store/fixture.ts";
import { actual, exampleObjects, objectNamed } from "./example.ts";

let at: StoreFixture;
let router: JsonObject;
beforeEach(async () => {
  at = await openStore();
  router = parse(await readFile("examples/device-state.yaml", "utf8")) as JsonObject;
});
afterEach(async () => {
  await at[Symbol.asyncDispose]();
});

const list = async (query: string): Promise<string[]> =>
  (await at.sql<{ text: string }>(query)).map(({ text }) => text);

function sameAs(a: JsonObject, b: JsonObject): boolean {
  return a["kind"] === b["kind"] && (a["metadata"] as JsonObject)["name"] === (b["metadata"] as JsonObject)["name"];
}

test("the file in deploy/ is the one that src/api makes", async () => {
  expect(await readFile(DEVICE_STATE_CRD_PATH, "utf8")).toBe(generateDeviceStateCrd());
});

test("a device that nothing manages is in every table, and its link is recognised at both ends", async () => {
  const objects = await exampleObjects();
  const leaf = objectNamed(objects, "Agent", "leaf-04");
  const state = (leaf["status"] as JsonObject)["state"] as JsonObject;
  (state["interfaces"] as JsonObject)["E1/10"] = {
    oper: "up",
    lldpNeighbors: [{ sysName: "edge-rtr-1.example.net", chassis: "0c:20:12:cc:00:01", portID: "et1" }],
  };
  (router["spec"] as JsonObject)["links"] = [
    { interface: "et1", remoteDevice: "leaf-04", remoteInterface: "E1/10", kind: "uplink" },
  ];
  await at.apply(
    [...objects.filter((object) => !sameAs(object, leaf)), leaf, router].map((object) => actual(object, at.fabricId)),
  );
  for (const table of ["interface", "ip_address", "neighbor", "arp_entry", "route", "bgp_session", "snapshot"]) {
    const [found] = await at.sql<{ n: number }>(
      `SELECT count(*)::integer AS n FROM fabric_sync.device_${table} WHERE device = 'edge-rtr-1'`,
    );
    expect([table, found?.n]).not.toEqual([table, 0]);
  }
  expect(
    await list(
      "SELECT concat_ws(' ', device_a, interface_a, device_b, interface_b, verdict, evidence) AS text FROM fabric_sync.links WHERE 'edge-rtr-1' IN (device_a, device_b) ORDER BY 1",
    ),
  ).toEqual(["edge-rtr-1 vlan 100 ext.edge  unknown none", "leaf-04 E1/10 edge-rtr-1 et1 match both_ends"]);
  expect(await list("SELECT prefix::text || ' ' || protocol AS text FROM fabric_sync.routes ORDER BY 1")).toEqual([
    "0.0.0.0/0 static",
    "10.20.1.0/24 bgp",
  ]);
});

test("routes that are all gone go; a list that was not asked for stays", async () => {
  await at.apply([actual(router, at.fabricId)]);
  const spec = router["spec"] as JsonObject;
  spec["routes"] = [];
  delete spec["arpEntries"];
  await at.apply([actual(router, at.fabricId, "2")]);
  expect(await list("SELECT prefix::text AS text FROM fabric_sync.routes")).toEqual([]);
  expect(await list("SELECT address::text AS text FROM fabric_sync.device_arp_entry")).toEqual(["192.0.2.1/32"]);
  expect(
    await list("SELECT key AS text FROM fabric_sync.device, jsonb_each_text(sets_observed) WHERE value <> 'current'"),
  ).toEqual(["arpEntries"]);
});

test("what is not told any more goes back to NULL, and a text to empty", async () => {
  const told = () =>
    at.sql(
      `SELECT asn::integer AS asn, chassis_id, s.remote_asn::integer AS remote, s.established_at IS NULL AS never
         FROM fabric_sync.device d JOIN fabric_sync.device_bgp_session s ON s.device = d.name`,
    );
  const spec = router["spec"] as JsonObject;
  spec["bgpSessions"] = [{ neighbor: "192.0.2.1", remoteAsn: 65106, establishedAt: "2026-01-15T08:00:00Z" }];
  Object.assign(spec, { asn: 64_600, chassisId: "0c20.12cc.0001" });
  await at.apply([actual(router, at.fabricId)]);
  expect(await told()).toEqual([{ asn: 64600, chassis_id: "0c:20:12:cc:00:01", remote: 65106, never: false }]);
  spec["bgpSessions"] = [{ neighbor: "192.0.2.1" }];
  delete spec["asn"];
  delete spec["chassisId"];
  await at.apply([actual(router, at.fabricId, "2")]);
  expect(await told()).toEqual([{ asn: null, chassis_id: "", remote: null, never: true }]);
});

test("each entry that cannot be read is named by its path, the others are taken in", async () => {
  Object.assign(router["spec"] as JsonObject, {
    interfaces: [{ name: "et1", mtu: -1 }, { name: "et1" }, { name: "et1" }, { name: "et3", operStatus: "sleepy" }],
    addresses: [{ address: "192.0.2.300/31" }, { address: "2001:DB8::1/64" }],
    routes: [
      { prefix: "10.20.1.1/24" },
      { prefix: "2001:db8::/32", protocol: "OSPF" },
      { prefix: "10.0.0.0/8", nextHop: "soon" },
    ],
    macEntries: [
      { mac: "0c20.12cc.0002", vlan: 5000 },
      { mac: "0C-20-12-CC-00-02", vlan: 10 },
    ],
    asn: 64_600,
  });
  await at.apply([actual(router, at.fabricId)]);
  expect(
    await list("SELECT concat_ws(' ', part, sqlstate) AS text FROM fabric_sync.resource_dead_letter ORDER BY 1"),
  ).toEqual([
    "/spec/addresses/0 22P02",
    "/spec/interfaces/0 22003",
    "/spec/interfaces/2 23505",
    "/spec/interfaces/3 22P02",
    "/spec/macEntries/0 22003",
    "/spec/routes/0 22P02",
    "/spec/routes/2 22P02",
  ]);
  expect(await list("SELECT name AS text FROM fabric_sync.device_interface")).toEqual(["et1"]);
  expect(await list("SELECT address::text AS text FROM fabric_sync.device_ip_address")).toEqual(["2001:db8::1/64"]);
  expect(await list("SELECT prefix::text || ' ' || protocol AS text FROM fabric_sync.device_route")).toEqual([
    "2001:db8::/32 ospf",
  ]);
  expect(await list("SELECT mac::text AS text FROM fabric_sync.device_mac_entry")).toEqual(["0c:20:12:cc:00:02"]);
});
