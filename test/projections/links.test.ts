import type { JsonObject } from "../../src/core/json.ts";
import { actual, objectNamed } from "./example.ts";
import { deviceState, made, openLab, type Lab } from "./lab.ts";

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
});
beforeEach(async () => lab.put(...lab.objects));
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

/** Links that are neither match nor unknown, as `a/port b/port verdict evidence`. */
const odd = (): Promise<string[]> =>
  lab.list(
    `SELECT concat_ws(' ', device_a || '/' || interface_a, device_b || '/' || interface_b, verdict, evidence) AS text
       FROM fabric_sync.links WHERE verdict NOT IN ('match', 'unknown') ORDER BY 1`,
  );

/** A cable that is not plugged in, and a server that is up and says nothing. */
const KNOWN = ["server-04/enp2s1 leaf-03/E1/3 down none", "server-05/enp2s1 leaf-04/E1/1 missing none"];
const neighbor = (more: JsonObject): JsonObject => ({ lldpNeighbors: [more] });

test("the example fabric is well but for its dark link and a silent server", async () => {
  expect(await odd()).toEqual(KNOWN);
  const [fabric] = await lab.at.sql(
    "SELECT count(*)::integer AS links, count(*) FILTER (WHERE evidence = 'both_ends')::integer AS both FROM fabric_sync.links WHERE kind = 'fabric'",
  );
  expect(fabric).toEqual({ links: 16, both: 16 });
});

test.each<[string, string, (interfaces: Record<string, JsonObject>) => void, string[]]>([
  [
    "hears nothing where the other end does",
    "spine-01",
    (i) => delete i["E1/1"]?.["lldpNeighbors"],
    ["spine-01/E1/1 leaf-01/E1/25 one_sided one_end"],
  ],
  [
    "hears the wrong device",
    "leaf-01",
    (i) => Object.assign(i["E1/1"] ?? {}, neighbor({ sysName: "server-05", portDescr: "enp2s1", portID: "x" })),
    ["server-01/enp2s1 leaf-01/E1/1 wrong_device one_end"],
  ],
  [
    "hears the wrong port of the right device",
    "leaf-01",
    (i) => Object.assign(i["E1/1"] ?? {}, neighbor({ sysName: "server-01", portDescr: "enp2s2", portID: "x" })),
    ["server-01/enp2s1 leaf-01/E1/1 wrong_port one_end"],
  ],
  [
    "does not take sw1 for sw10",
    "leaf-01",
    (i) => Object.assign(i["E1/1"] ?? {}, neighbor({ sysName: "server-0", portDescr: "enp2s1", portID: "x" })),
    ["server-01/enp2s1 leaf-01/E1/1 wrong_device one_end"],
  ],
  [
    "hears nobody though it is up",
    "leaf-03",
    (i) => delete i["E1/1"]?.["lldpNeighbors"],
    ["server-03/enp2s1 leaf-03/E1/1 missing none"],
  ],
  [
    "is down",
    "leaf-04",
    (i) => Object.assign(i["E1/25"] ?? {}, { oper: "down" }),
    ["spine-01/E1/7 leaf-04/E1/25 down both_ends"],
  ],
  [
    "hears somebody where nothing is declared",
    "leaf-04",
    (i) => (i["E1/20"] = { oper: "up", ...neighbor({ sysName: "stranger", portID: "eth7" }) }),
    ["leaf-04/E1/20 /eth7 unexpected name_only"],
  ],
])("one end %s", async (_title, name, change, expected) => {
  await lab.put(lab.agent(name, change));
  expect(await odd()).toEqual([...expected, ...KNOWN].sort());
});

test("a neighbour is known by its chassis where its name says nothing; two with one chassis are ambiguous", async () => {
  const byChassis = lab.agent("leaf-01", (i) =>
    Object.assign(
      i["E1/25"] ?? {},
      neighbor({ sysName: "spine-01.example.net", chassis: "0c20.12fe.0001", portID: "Ethernet0" }),
    ),
  );
  await lab.put(byChassis);
  expect(await odd()).toEqual(KNOWN);
  const twin = objectNamed(lab.objects, "Switch", "spine-02");
  ((twin["spec"] as JsonObject)["boot"] as JsonObject)["mac"] = "0c:20:12:fe:00:01";
  await lab.put(
    twin,
    lab.agent("spine-01", (i) => delete i["E1/1"]?.["lldpNeighbors"]),
  );
  expect(await odd()).toEqual([...KNOWN, "spine-01/E1/1 leaf-01/E1/25 ambiguous one_end"]);
  const [found] = await lab.at.sql(
    "SELECT details #> '{at_b,0,candidates}' AS candidates FROM fabric_sync.links WHERE verdict = 'ambiguous'",
  );
  expect(found).toEqual({ candidates: ["spine-01", "spine-02"] });
});

test.each<[string, JsonObject, JsonObject, string[]]>([
  ["the same", { mtu: 9100, speed: "100G", fec: "rs" }, { mtu: 9100, speed: 100_000, fec: "rs" }, []],
  ["another MTU", { mtu: 9100 }, { mtu: 1500 }, ["mtu_differs 9100 1500"]],
  ["another speed", { speed: "100G" }, { speed: "40G" }, ["speed_differs 100000 40000"]],
  ["another FEC", { fec: "rs" }, { fec: "none" }, ["fec_differs rs none"]],
  ["nothing at the other end", { mtu: 9100, speed: "100G", fec: "rs" }, {}, []],
])("the two ends of a link tell %s", async (_title, a, b, expected) => {
  const end = (name: string, port: JsonObject, links: JsonObject[]): JsonObject =>
    deviceState(name, { interfaces: [{ name: "et1", ...port }], links });
  await lab.put(
    end("end-a", a, [{ interface: "et1", remoteDevice: "end-b", remoteInterface: "et1" }]),
    end("end-b", b, []),
  );
  expect(
    await lab.list(
      "SELECT concat_ws(' ', finding, details ->> 'a', details ->> 'b') AS text FROM fabric_sync.link_findings WHERE device_a = 'end-a' ORDER BY 1",
    ),
  ).toEqual(expected);
  await lab.at.sql("DELETE FROM fabric_sync.resource WHERE name LIKE 'end-_'");
});

test.each<[string, string, string, string]>([
  ["of a lane is that part of the port", "E1/32/2", "Ethernet125", "match both_ends"],
  ["of another lane is another part", "E1/32/2", "Ethernet126", "one_sided one_end"],
  ["of the first lane is the first part", "E1/32/1", "Ethernet124", "match both_ends"],
  ["of the first lane is the port itself as well", "E1/32", "Ethernet124", "match both_ends"],
  ["of the port as a whole is the port", "E1/32", "1/32", "match both_ends"],
  ["that the profile does not have speaks for the device alone", "E1/32/2", "Ethernet999", "match one_end"],
])("a name of the operating system %s", async (_title, port, nosName, expected) => {
  const cable = made("wiring.githedgehog.com/v1beta1", "Connection", "broken-out", {
    spec: { mesh: { links: [{ leaf1: { port: `leaf-03/${port}` }, leaf2: { port: "leaf-04/E1/31" } }] } },
  });
  const hears = (name: string, own: string, far: string, portID: string): JsonObject =>
    lab.agent(name, (i) => (i[own] = { oper: "up", ...neighbor({ sysName: far, portID }) }));
  await lab.put(cable, hears("leaf-03", port, "leaf-04", "Ethernet30"), hears("leaf-04", "E1/31", "leaf-03", nosName));
  const [found] = await lab.list(
    "SELECT concat_ws(' ', verdict, evidence) AS text FROM fabric_sync.links WHERE device_b = 'leaf-04' AND interface_b = 'E1/31'",
  );
  expect(found).toBe(expected);
  // Of that end alone: the name must be that of the port.
  await lab.put(lab.agent("leaf-03", (i) => (i[port] = { oper: "up" })));
  const [alone] = await lab.list(
    "SELECT verdict AS text FROM fabric_sync.links WHERE device_b = 'leaf-04' AND interface_b = 'E1/31'",
  );
  await lab.at.sql("DELETE FROM fabric_sync.resource WHERE name = 'broken-out'");
  expect(alone).toBe(nosName === "Ethernet126" ? "wrong_port" : "one_sided");
});

test("a collector that tells the same cable confirms it; another far end, or the port's first part again, is declared twice", async () => {
  const state = (name: string, links: JsonObject[]): JsonObject => deviceState(name, { links });
  const twice = (): Promise<string[]> =>
    lab.list(
      "SELECT concat_ws(' ', device_a, interface_a) AS text FROM fabric_sync.link_findings WHERE finding = 'declared_twice' AND interface_a IN ('enp2s9', 'E1/3', 'E1/10', 'E1/32') ORDER BY 1",
    );
  await lab.put(
    state("server-04", [{ interface: "enp2s1", remoteDevice: "leaf-03", remoteInterface: "E1/3" }]),
    state("box", [{ interface: "et1", remoteDevice: "leaf-04", remoteInterface: "E1/10" }]),
  );
  expect(await twice()).toEqual([]);
  await lab.put(
    state("server-04", [{ interface: "enp2s9", remoteDevice: "leaf-03", remoteInterface: "E1/3" }]),
    state("box", [{ interface: "et1", remoteDevice: "leaf-03", remoteInterface: "E1/32" }]),
  );
  expect(await twice()).toEqual(["leaf-03 E1/3", "leaf-03 E1/32"]);
  await lab.put(state("server-04", []), state("box", []));
});

test("a link is as old as what its ends told last", async () => {
  const ages = async (query: string): Promise<unknown> => (await lab.at.sql(query))[0];
  const link =
    "SELECT observed_at::text FROM fabric_sync.links WHERE device_a = 'spine-01' AND interface_a = 'E1/1' AND declared";
  const told = lab.agent("leaf-01", (i) => Object.assign(i["E1/9"] ?? (i["E1/9"] = {}), { descr: "later" }));
  const before = await ages(link);
  const later = 1_700_000_900_000;
  await lab.at.apply([actual(told, lab.at.fabricId, "1000", "watch", later)]);
  expect(await ages(link)).toEqual(before);
  const spine = lab.agent("spine-01", (i) => Object.assign(i["E1/9"] ?? (i["E1/9"] = {}), { descr: "later" }));
  await lab.at.apply([actual(spine, lab.at.fabricId, "1000", "watch", later)]);
  expect(await ages(link)).toEqual({ observed_at: expect.stringContaining("2023-11-14 22:28:20") as string });
});
