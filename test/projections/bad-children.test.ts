import type { JsonObject } from "../../src/core/json.ts";
import { openStore, type StoreFixture } from "../store/fixture.ts";
import { actual, exampleObjects, objectNamed } from "./example.ts";

let at: StoreFixture;
let objects: JsonObject[];
beforeEach(async () => {
  at = await openStore();
  objects = await exampleObjects();
});
afterEach(async () => {
  await at[Symbol.asyncDispose]();
});

const applyAll = async (some: readonly JsonObject[], resourceVersion = "1") =>
  at.apply(some.map((object) => actual(object, at.fabricId, resourceVersion)));

async function count(table: string, where = "true"): Promise<number> {
  const [row] = await at.sql<{ n: number }>(`SELECT count(*)::integer AS n FROM fabric_sync.${table} WHERE ${where}`);
  return row?.n ?? -1;
}

/** The Agent of leaf-03 after `change`. */
function agent(change: (state: JsonObject, agent: JsonObject) => void): JsonObject {
  const object = objectNamed(objects, "Agent", "leaf-03");
  change((object["status"] as JsonObject)["state"] as JsonObject, object);
  return object;
}

test("one bad child costs itself, and is named until it is well", async () => {
  await applyAll(objects);
  const neighbors = await count("device_neighbor");
  const bad = agent((state) => {
    const interfaces = state["interfaces"] as JsonObject;
    interfaces["E1/1"] = "no object";
    interfaces["E1/9"] = { oper: "up", lldpNeighbors: [{ portID: "x" }, { sysName: { no: "text" } }] };
    state["bgpNeighbors"] = { default: { "172.30.128.8": { state: "dancing" }, "172.30.128.10": { state: "idle" } } };
  });
  expect(await at.apply([actual(bad, at.fabricId, "2")])).toMatchObject({ changed: 1, deadLettered: [] });
  expect(await count("device_interface", "device = 'leaf-03' AND name = 'E1/9'")).toBe(1);
  expect(await count("device_bgp_session", "device = 'leaf-03'")).toBe(1);
  expect(await count("device_neighbor")).toBe(neighbors - 1);
  const letters = async (): Promise<string[]> =>
    (await at.sql<{ part: string }>("SELECT part FROM fabric_sync.resource_dead_letter ORDER BY 1")).map(
      ({ part }) => part,
    );
  const parts = [
    "/status/state/bgpNeighbors/default/172.30.128.8",
    "/status/state/interfaces/E1~11",
    "/status/state/interfaces/E1~19/lldpNeighbors/0",
    "/status/state/interfaces/E1~19/lldpNeighbors/1",
  ];
  expect(await letters()).toEqual(parts);
  // Seen again unchanged: still refused, and still told.
  await at.apply([actual(bad, at.fabricId, "2")]);
  expect(await letters()).toEqual(parts);
  await at.apply([actual(objectNamed(objects, "Agent", "leaf-03"), at.fabricId, "3")]);
  expect(await letters()).toEqual([]);
  expect(await count("device_neighbor")).toBe(neighbors);
});

test("a child that only the database can refuse costs itself too", async () => {
  await at.sql("ALTER TABLE fabric_sync.device_interface ADD CONSTRAINT no_25 CHECK (name <> 'E1/25')");
  await at.sql(
    "ALTER TABLE fabric_sync.device ADD CONSTRAINT no_leaf_04 CHECK (name <> 'leaf-04' OR source_kind <> 'Agent')",
  );
  expect(await applyAll(objects)).toMatchObject({ changed: objects.length, deadLettered: [] });
  expect(await count("device_interface", "device = 'leaf-01' AND name <> 'E1/25'")).toBeGreaterThan(3);
  expect(await count("device_interface", "device = 'leaf-04'")).toBe(0);
  const letters = await at.sql<{ name: string; part: string }>(
    "SELECT name, part FROM fabric_sync.resource_dead_letter ORDER BY 1, 2",
  );
  expect(letters).toEqual([
    { name: "leaf-01", part: "device_interface leaf-01 E1/25" },
    { name: "leaf-02", part: "device_interface leaf-02 E1/25" },
    { name: "leaf-03", part: "device_interface leaf-03 E1/25" },
    { name: "leaf-04", part: "device leaf-04" },
  ]);
  // Another set of the same switch changes: what is refused still is, and is still told.
  await at.apply([
    actual(
      agent((state) => (state["bgpNeighbors"] = {})),
      at.fabricId,
      "2",
    ),
  ]);
  expect(
    await at.sql("SELECT name, part FROM fabric_sync.resource_dead_letter WHERE name = 'leaf-03' ORDER BY 1, 2"),
  ).toEqual(letters.filter(({ name }) => name === "leaf-03"));
  await at.sql("ALTER TABLE fabric_sync.device_interface DROP CONSTRAINT no_25");
  await at.sql("ALTER TABLE fabric_sync.device DROP CONSTRAINT no_leaf_04");
  await at.store.rebuildProjections(at.fence, new AbortController().signal);
  expect(await count("resource_dead_letter")).toBe(0);
  expect(await count("device_interface", "name = 'E1/25'")).toBe(4);
});
