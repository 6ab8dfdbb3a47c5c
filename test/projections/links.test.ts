import type { JsonObject } from "../../src/core/json.ts";
import { openStore, type StoreFixture } from "../store/fixture.ts";
import { actual, exampleObjects, objectNamed } from "./example.ts";

let at: StoreFixture;
let objects: JsonObject[];
let version = 1;
beforeAll(async () => {
  at = await openStore();
  objects = await exampleObjects();
});
beforeEach(async () => put(...objects));
afterAll(async () => {
  await at[Symbol.asyncDispose]();
});

async function put(...some: JsonObject[]): Promise<void> {
  version += 1;
  expect(await at.apply(some.map((object) => actual(object, at.fabricId, String(version))))).toMatchObject({
    deadLettered: [],
  });
}

/** The Agent of a switch after `change` of its interfaces. */
function agent(name: string, change: (interfaces: Record<string, JsonObject>) => void): JsonObject {
  const object = objectNamed(objects, "Agent", name);
  const state = (object["status"] as JsonObject)["state"] as JsonObject;
  change(state["interfaces"] as Record<string, JsonObject>);
  return object;
}

/** Links that are neither match nor unknown, as `a/port b/port verdict evidence`. */
async function odd(): Promise<string[]> {
  const rows = await at.sql<{ text: string }>(
    `SELECT concat_ws(' ', device_a || '/' || interface_a, device_b || '/' || interface_b, verdict, evidence) AS text
       FROM fabric_sync.links WHERE verdict NOT IN ('match', 'unknown') ORDER BY 1`,
  );
  return rows.map(({ text }) => text);
}

/** A cable that is not plugged in, and a server that is up and says nothing. */
const KNOWN = ["server-04/enp2s1 leaf-03/E1/3 down none", "server-05/enp2s1 leaf-04/E1/1 missing none"];
const neighbor = (more: JsonObject): JsonObject => ({ lldpNeighbors: [more] });

test("the example fabric is well but for its dark link and a silent server", async () => {
  expect(await odd()).toEqual(KNOWN);
  const [fabric] = await at.sql(
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
  await put(agent(name, change));
  expect(await odd()).toEqual([...expected, ...KNOWN].sort());
});

test("a neighbour is known by its chassis where its name says nothing; two with one chassis are ambiguous", async () => {
  const byChassis = agent("leaf-01", (i) =>
    Object.assign(
      i["E1/25"] ?? {},
      neighbor({ sysName: "spine-01.example.net", chassis: "0c20.12fe.0001", portID: "Ethernet0" }),
    ),
  );
  await put(byChassis);
  expect(await odd()).toEqual(KNOWN);
  const twin = objectNamed(objects, "Switch", "spine-02");
  ((twin["spec"] as JsonObject)["boot"] as JsonObject)["mac"] = "0c:20:12:fe:00:01";
  await put(
    twin,
    agent("spine-01", (i) => delete i["E1/1"]?.["lldpNeighbors"]),
  );
  expect(await odd()).toEqual([...KNOWN, "spine-01/E1/1 leaf-01/E1/25 ambiguous one_end"]);
  const [found] = await at.sql(
    "SELECT details #> '{at_b,0,candidates}' AS candidates FROM fabric_sync.links WHERE verdict = 'ambiguous'",
  );
  expect(found).toEqual({ candidates: ["spine-01", "spine-02"] });
});

test("ports declared twice and ends that differ are findings, sessions and addresses too", async () => {
  const twice = objectNamed(objects, "Connection", "server-05--unbundled--leaf-04");
  (twice["metadata"] as JsonObject)["name"] = "again";
  const overlap = objectNamed(objects, "VPC", "web");
  (overlap["metadata"] as JsonObject)["name"] = "copy";
  const leaf = agent("leaf-02", (i) => Object.assign(i["E1/25"] ?? {}, { speed: "40G" }));
  const state = (leaf["status"] as JsonObject)["state"] as JsonObject;
  const sessions = (state["bgpNeighbors"] as Record<string, JsonObject>)["default"] as Record<string, JsonObject>;
  Object.assign(sessions["172.30.128.4"] ?? {}, { state: "active" });
  delete sessions["172.30.128.6"];
  sessions["203.0.113.9"] = { state: "idle" };
  await put(twice, overlap, leaf);
  const list = async (query: string): Promise<string[]> =>
    (await at.sql<{ text: string }>(query)).map(({ text }) => text);
  expect(
    await list(
      "SELECT concat_ws(' ', finding, device_a, interface_a) AS text FROM fabric_sync.link_findings WHERE finding ~ 'differs|twice' ORDER BY 1",
    ),
  ).toEqual(["declared_twice leaf-04 E1/1", "declared_twice server-05 enp2s1", "speed_differs spine-01 E1/3"]);
  expect(
    await list(
      "SELECT concat_ws(' ', finding, device, neighbor, remote_device) AS text FROM fabric_sync.session_findings WHERE device = 'leaf-02' ORDER BY 1",
    ),
  ).toEqual([
    "missing leaf-02 172.30.128.6 spine-01",
    "not_established leaf-02 172.30.128.4 spine-01",
    "unexpected leaf-02 203.0.113.9 ",
  ]);
  expect(
    await list("SELECT finding || ' ' || holders::text AS text FROM fabric_sync.address_findings ORDER BY 1"),
  ).toEqual(["subnets_overlap {copy/front,web/front}"]);
});

test("references are told on both sides, and those that lead nowhere are found", async () => {
  const lost = objectNamed(objects, "VPCAttachment", "data-db--server-04");
  (lost["spec"] as JsonObject)["connection"] = "nowhere";
  await put(lost);
  expect(
    await at.sql(
      `SELECT kind, name, path, target_kind, target_name FROM fabric_sync."references" WHERE dangling AND kind = 'VPCAttachment'`,
    ),
  ).toEqual([
    {
      kind: "VPCAttachment",
      name: "data-db--server-04",
      path: "/spec/connection",
      target_kind: "Connection",
      target_name: "nowhere",
    },
  ]);
  const [used] = await at.sql(
    `SELECT array_agg(DISTINCT kind ORDER BY kind) AS kinds FROM fabric_sync."references" WHERE target_kind = 'Switch' AND target_name = 'leaf-04'`,
  );
  expect(used).toEqual({ kinds: ["Agent", "Connection"] });
});

test("an External is who its address says: known to sessions and next hops, and not taken for a device of its name", async () => {
  const [found] = await at.sql(
    "SELECT name, role, asn::integer AS asn, source_kind FROM fabric_sync.devices WHERE role = 'external'",
  );
  expect(found).toEqual({ name: "ext.edge", role: "external", asn: 64600, source_kind: "External" });
  expect(await at.sql("SELECT address::text AS address FROM fabric_sync.addresses WHERE device = 'ext.edge'")).toEqual([
    { address: "192.0.2.0/32" },
  ]);
});

test("how much hangs on a resource is how many others refer to it, on either side, each once", async () => {
  const score = async (kind: string, name: string): Promise<unknown> =>
    (
      await at.sql<{ score: number }>(
        "SELECT dependency_score AS score FROM fabric_sync.resources WHERE kind = $1 AND name = $2",
        [kind, name],
      )
    )[0]?.score;
  const [others] = await at.sql<{ n: number }>(
    `SELECT count(DISTINCT resource_id)::integer AS n FROM fabric_sync."references" WHERE target_kind = 'Switch' AND target_name = 'leaf-04'`,
  );
  expect(others?.n).toBeGreaterThan(3);
  expect([await score("Switch", "leaf-04"), await score("VPCAttachment", "data-db--server-04")]).toEqual([
    others?.n,
    0,
  ]);
});

test("a Fabric names reference fields of kinds that are not known; what was there is made anew, once", async () => {
  const widget = (name: string, backends: string[]): JsonObject => ({
    apiVersion: "example.com/v1",
    kind: "Widget",
    metadata: { name },
    spec: { backends: backends.map((target) => ({ name: target })) },
  });
  await put(widget("one", ["two", "nowhere"]), widget("two", []));
  const edges = () =>
    at.sql(
      `SELECT name, path, target_name, dangling FROM fabric_sync."references" WHERE kind = 'Widget' ORDER BY path`,
    );
  expect(await edges()).toEqual([]);
  const rule = {
    group: "example.com",
    kind: "Widget",
    path: "/spec/backends/*/name",
    targetGroup: "example.com",
    targetKind: "Widget",
    relation: "backend",
  };
  const fabric = { namespace: "netops", name: "lab", uid: await uidOf() };
  const fence = await at.store.currentFence(at.fabricId);
  const { signal } = new AbortController();
  await at.store.registerFabric({ ...fabric, references: [rule] });
  expect(await at.store.refreshProjections(fence, signal)).toMatchObject({ writes: 2 });
  expect(await at.store.refreshProjections(fence, signal)).toBeNull();
  expect(await edges()).toEqual([
    { name: "one", path: "/spec/backends/0/name", target_name: "two", dangling: false },
    { name: "one", path: "/spec/backends/1/name", target_name: "nowhere", dangling: true },
  ]);
  await put(widget("one", ["two"]));
  expect(await edges()).toHaveLength(1);
  await at.store.registerFabric({ ...fabric, references: [] });
  expect(await at.store.refreshProjections(fence, signal)).toMatchObject({ writes: 1 });
  expect(await edges()).toEqual([]);
});

test("the VTEP address of an MCLAG pair is one; another's is used twice, and a device's own subnets must not overlap", async () => {
  const vtep = (name: string, redundancy: JsonObject): JsonObject => {
    const object = objectNamed(objects, "Switch", name);
    Object.assign(object["spec"] as JsonObject, { vtepIP: "172.30.12.77/32", redundancy });
    return object;
  };
  const found = async (): Promise<string[]> =>
    (
      await at.sql<{ text: string }>(
        "SELECT concat_ws(' ', finding, address, vrf, holders, age > interval '0') AS text FROM fabric_sync.address_findings WHERE holders::text ~ 'leaf-0[12]|router' ORDER BY 1",
      )
    ).map(({ text }) => text);
  const pair = { group: "mclag-1", type: "mclag" };
  await put(vtep("leaf-01", pair), vtep("leaf-02", pair));
  expect(await found()).toEqual([]);
  await put(vtep("leaf-02", { group: "mclag-2", type: "mclag" }));
  expect(await found()).toEqual(["used_twice 172.30.12.77  {leaf-01/Loopback1,leaf-02/Loopback1} t"]);
  await put(objectNamed(objects, "Switch", "leaf-01"), objectNamed(objects, "Switch", "leaf-02"));
  const router = {
    apiVersion: "fabricsync.dev/v1alpha1",
    kind: "DeviceState",
    metadata: { name: "router" },
    spec: {
      addresses: [
        { address: "10.9.0.1/16", interface: "et1" },
        { address: "10.9.7.1/24", interface: "et2" },
        { address: "10.9.7.2/24", interface: "et2" },
        { address: "10.9.7.1/24", interface: "et3", vrf: "blue" },
        { address: "10.9.0.9/32", interface: "lo" },
        { address: "fe80::1/64", interface: "et1" },
        { address: "fe80::2/64", interface: "et2" },
      ],
    },
  };
  await put(router);
  expect(await found()).toEqual([
    'subnets_overlap 10.9.0.0/16  {router/et1,"router/et2 10.9.7.0/24"} t',
    'subnets_overlap 10.9.0.0/16  {router/et1,"router/et2 10.9.7.0/24"} t',
  ]);
  await put({ ...router, spec: { addresses: [] } });
});

test("a collector that tells the same cable confirms it; another far end, or the port's first part again, is declared twice", async () => {
  const state = (name: string, links: JsonObject[]): JsonObject => ({
    apiVersion: "fabricsync.dev/v1alpha1",
    kind: "DeviceState",
    metadata: { name },
    spec: { links },
  });
  const twice = async (): Promise<string[]> =>
    (
      await at.sql<{ text: string }>(
        "SELECT concat_ws(' ', device_a, interface_a) AS text FROM fabric_sync.link_findings WHERE finding = 'declared_twice' AND interface_a IN ('enp2s9', 'E1/3', 'E1/10', 'E1/32') ORDER BY 1",
      )
    ).map(({ text }) => text);
  await put(
    state("server-04", [{ interface: "enp2s1", remoteDevice: "leaf-03", remoteInterface: "E1/3" }]),
    state("box", [{ interface: "et1", remoteDevice: "leaf-04", remoteInterface: "E1/10" }]),
  );
  expect(await twice()).toEqual([]);
  await put(
    state("server-04", [{ interface: "enp2s9", remoteDevice: "leaf-03", remoteInterface: "E1/3" }]),
    state("box", [{ interface: "et1", remoteDevice: "leaf-03", remoteInterface: "E1/32" }]),
  );
  expect(await twice()).toEqual(["leaf-03 E1/3", "leaf-03 E1/32"]);
  await put(state("server-04", []), state("box", []));
});

test("a link is as old as what its ends told last, a session as what the device told; what is stale is no finding", async () => {
  const ages = async (query: string): Promise<unknown> => (await at.sql(query))[0];
  const link =
    "SELECT observed_at::text FROM fabric_sync.links WHERE device_a = 'spine-01' AND interface_a = 'E1/1' AND declared";
  const told = agent("leaf-01", (i) => Object.assign(i["E1/9"] ?? (i["E1/9"] = {}), { descr: "later" }));
  const before = await ages(link);
  version += 1;
  const later = 1_700_000_900_000;
  await at.apply([actual(told, at.fabricId, String(version), "watch", later)]);
  expect(await ages(link)).toEqual(before);
  const spine = agent("spine-01", (i) => Object.assign(i["E1/9"] ?? (i["E1/9"] = {}), { descr: "later" }));
  await at.apply([actual(spine, at.fabricId, String(version), "watch", later)]);
  expect(await ages(link)).toEqual({ observed_at: expect.stringContaining("2023-11-14 22:28:20") as string });

  const odd = agent("leaf-02", () => undefined);
  const state = (odd["status"] as JsonObject)["state"] as JsonObject;
  (state["bgpNeighbors"] as Record<string, JsonObject>)["default"] = { "203.0.113.9": { state: "idle" } };
  await put(odd);
  const findings =
    "SELECT count(*)::integer AS n, bool_and(age > interval '0') AS aged FROM fabric_sync.session_findings WHERE device = 'leaf-02'";
  expect(await ages(findings)).toEqual({ n: 5, aged: true });
  delete state["bgpNeighbors"];
  await put(odd);
  expect(await ages(findings)).toEqual({ n: 0, aged: null });
});

async function uidOf(): Promise<string> {
  const [fabric] = await at.sql<{ uid: string }>("SELECT uid FROM fabric_sync.fabric WHERE id = $1", [at.fabricId]);
  return fabric?.uid ?? "";
}
