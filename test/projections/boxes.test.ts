import type { JsonObject } from "../../src/core/json.ts";
import { objectNamed } from "./example.ts";
import { deviceState, openLab, stateOf, type Lab } from "./lab.ts";

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
});
beforeEach(async () => {
  await lab.at.sql("DELETE FROM fabric_sync.resource");
  await lab.put(...lab.objects);
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

/** Links as `a/port b/port verdict evidence`. */
const links = (where: string): Promise<string[]> =>
  lab.list(
    `SELECT concat_ws(' ', device_a || '/' || interface_a, device_b || '/' || interface_b, verdict, evidence) AS text
       FROM fabric_sync.links WHERE ${where} ORDER BY 1`,
  );

/** What a collector tells of the box behind leaf-04/E1/10. */
const ADDRESS: JsonObject = { addresses: [{ address: "192.0.2.0/31", interface: "et1" }] };
const TO_LEAF = { interface: "et1", remoteDevice: "leaf-04", remoteInterface: "E1/10" };
const HEARS_LEAF = { interface: "et1", name: "leaf-04", port: "E1/10" };
function leaf(...heard: JsonObject[]): JsonObject {
  const object = objectNamed(lab.objects, "Agent", "leaf-04");
  (stateOf(object)["interfaces"] as JsonObject)["E1/10"] = { oper: "up", lldpNeighbors: heard };
  return object;
}

test.each<[string, () => JsonObject[], string[]]>([
  [
    "nobody is told of",
    () => [],
    [
      "leaf-04/E1/10 outside:leaf-04--external--edge/ unknown none",
      "outside:leaf-04--external--edge/vlan 100 ext.edge/ unknown none",
    ],
  ],
  [
    "it declares the cable",
    () => [deviceState("box", { links: [TO_LEAF] })],
    ["box/vlan 100 ext.edge/ unknown none", "leaf-04/E1/10 box/et1 unknown none"],
  ],
  [
    "it is declared and both hear each other",
    () => [deviceState("box", { links: [TO_LEAF], neighbors: [HEARS_LEAF] }), leaf({ sysName: "box", portID: "et1" })],
    ["box/vlan 100 ext.edge/ unknown none", "leaf-04/E1/10 box/et1 match both_ends"],
  ],
  [
    "it is heard by its name",
    () => [deviceState("box", {}), leaf({ sysName: "box", portID: "et1" })],
    ["box/vlan 100 ext.edge/ unknown none", "leaf-04/E1/10 box/et1 match one_end"],
  ],
  [
    "it is heard by its chassis",
    () => [
      deviceState("box", { chassisId: "0c:20:12:ee:00:01" }),
      leaf({ sysName: "x", chassis: "0c:20:12:ee:00:01", portID: "et1" }),
    ],
    ["box/vlan 100 ext.edge/ unknown none", "leaf-04/E1/10 box/et1 match one_end"],
  ],
  [
    "it hears the port",
    () => [deviceState("box", { neighbors: [HEARS_LEAF] })],
    ["box/vlan 100 ext.edge/ unknown none", "leaf-04/E1/10 box/et1 match one_end"],
  ],
  [
    "it hears the switch by its chassis, and the port by its name",
    () => [
      deviceState("box", {
        neighbors: [{ ...HEARS_LEAF, name: "leaf-04.example.net", chassisId: "0c:20:12:fe:00:13" }],
      }),
    ],
    ["box/vlan 100 ext.edge/ unknown none", "leaf-04/E1/10 box/et1 match one_end"],
  ],
  [
    "it has the External's address",
    () => [deviceState("box", ADDRESS)],
    ["box/vlan 100 ext.edge/ unknown none", "leaf-04/E1/10 box/et1 unknown none"],
  ],
  [
    "its port is down",
    () => [deviceState("box", { links: [TO_LEAF], interfaces: [{ name: "et1", operStatus: "down" }] })],
    ["box/vlan 100 ext.edge/ unknown none", "leaf-04/E1/10 box/et1 down none"],
  ],
  [
    "two declare it: both lines stay",
    () => [
      deviceState("box", { links: [TO_LEAF] }),
      deviceState("box-2", { links: [{ ...TO_LEAF, interface: "et7" }] }),
    ],
    [
      "box-2/et7 leaf-04/E1/10 missing none",
      "box/et1 leaf-04/E1/10 missing none",
      "leaf-04/E1/10 outside:leaf-04--external--edge/ unknown none",
      "outside:leaf-04--external--edge/vlan 100 ext.edge/ unknown none",
    ],
  ],
  [
    "one declares it and another is heard: both lines stay",
    () => [
      deviceState("box", { links: [TO_LEAF] }),
      deviceState("box-2", {}),
      leaf({ sysName: "box-2", portID: "et1" }),
    ],
    [
      "box/et1 leaf-04/E1/10 wrong_device one_end",
      "leaf-04/E1/10 outside:leaf-04--external--edge/ match name_only",
      "outside:leaf-04--external--edge/vlan 100 ext.edge/ unknown none",
    ],
  ],
  [
    "one of the fabric's own declares it",
    () => [deviceState("spine-01", { links: [{ ...TO_LEAF, interface: "E1/30" }] })],
    [
      "leaf-04/E1/10 outside:leaf-04--external--edge/ unknown none",
      "outside:leaf-04--external--edge/vlan 100 ext.edge/ unknown none",
      "spine-01/E1/30 leaf-04/E1/10 missing none",
    ],
  ],
])("of the box behind a cable that leads out: %s", async (_title, more, expected) => {
  await lab.put(...more());
  const here =
    "(device_a, interface_a) = ('leaf-04', 'E1/10') OR (device_b, interface_b) = ('leaf-04', 'E1/10') OR kind = 'attachment'";
  expect(await links(here)).toEqual(expected);
});

test("a box that is not known for certain is told with who it may be and why; a merged one leaves no stub on the map", async () => {
  await lab.put(
    deviceState("box", { links: [TO_LEAF] }),
    deviceState("box-2", { links: [{ ...TO_LEAF, interface: "et7" }] }),
  );
  const box = async (): Promise<unknown> =>
    (
      await lab.at.sql<{ box: unknown }>(
        "SELECT details -> 'box' AS box FROM fabric_sync.links WHERE kind = 'external'",
      )
    )[0]?.box;
  expect(await box()).toEqual({
    candidates: ["box", "box-2"],
    why: "more than one device or port is told of at the end of this cable",
  });
  const stubs = async (): Promise<string[]> =>
    (await lab.at.store.readTopology(lab.at.fabricId)).devices.flatMap(({ name, role }) =>
      role === "outside" ? [name] : [],
    );
  expect(await stubs()).toEqual(["outside:leaf-04--external--edge"]);
  await lab.put(deviceState("box-2", { links: [] }));
  expect(await box()).toEqual({ device: "box", interface: "et1", by: "declaration", candidates: ["box"] });
  expect(await stubs()).toEqual([]);
});

test("a cable that is moved to another port leaves the box with its own line", async () => {
  await lab.put(deviceState("box", { links: [TO_LEAF] }));
  const here = "kind = 'external'";
  expect(await links(here)).toEqual(["leaf-04/E1/10 box/et1 unknown none"]);
  const moved = objectNamed(lab.objects, "Connection", "leaf-04--external--edge");
  moved["spec"] = { external: { link: { switch: { port: "leaf-04/E1/11" } } } };
  await lab.put(moved);
  expect(await links(here)).toEqual(["leaf-04/E1/11 outside:leaf-04--external--edge/ unknown none"]);
  expect(await links("device_a = 'box'")).toEqual(["box/et1 leaf-04/E1/10 missing none"]);
});
