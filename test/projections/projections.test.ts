import type { JsonObject } from "../../src/core/json.ts";
import { normaliseActual } from "../../src/core/normalise.ts";
import { compileVolatile } from "../../src/core/volatile.ts";
import { actualGone, openStore, type StoreFixture } from "../store/fixture.ts";
import { actual, exampleObjects, objectNamed } from "./example.ts";
import { dump, versions } from "./tables.ts";

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

test("a batch of the example fabric fills every table, and a second pass writes nothing", async () => {
  expect(await applyAll(objects)).toMatchObject({ deadLettered: [] });
  const tables = await dump(at);
  for (const table of [
    "device",
    "device_interface",
    "device_neighbor",
    "device_bgp_session",
    "link",
    "resource_edge",
  ]) {
    expect(tables[table]?.length).toBeGreaterThan(5);
  }
  expect(await count("dhcp_lease")).toBe(3);
  const before = await versions(at);
  expect(await applyAll(objects)).toMatchObject({ changed: 0 });
  expect(await versions(at)).toEqual(before);
});

test("the order of arrival does not matter: children before parents, observed before declared", async () => {
  for (const object of objects) await applyAll([object]);
  const forwards = await dump(at);
  const { id } = await at.store.registerFabric({ namespace: "netops", name: "backwards", uid: "backwards" });
  const fence = await at.store.acquireFence(id, "test");
  for (const object of objects.toReversed()) {
    await at.apply([actual(object, id)], { fence });
  }
  expect(await dump(at, id)).toEqual(forwards);
});

test("a heartbeat writes no projection, one flap writes one interface", async () => {
  await applyAll(objects);
  const structured = (all: readonly string[]): string[] =>
    all.filter((version) => !version.startsWith("device_snapshot"));
  const before = await versions(at);
  const beat = agent((_, object) => ((object["status"] as JsonObject)["lastHeartbeat"] = "2026-01-15T08:00:15Z"));
  expect(await at.apply([actual(beat, at.fabricId, "2")])).toMatchObject({ changed: 0 });
  expect(structured(await versions(at))).toEqual(structured(before));
  const flap = agent((state) => (((state["interfaces"] as JsonObject)["E1/1"] as JsonObject)["oper"] = "down"));
  expect(await at.apply([actual(flap, at.fabricId, "3")])).toMatchObject({ changed: 1 });
  const written = (await versions(at)).filter((version) => !before.includes(version));
  expect(written.map((version) => version.split(" ")[0])).toEqual(["device_interface", "device_snapshot"]);
});

test("a path that the Fabric calls volatile makes no history, and the tables say what the rows say", async () => {
  const volatile = compileVolatile({ "Agent.agent.githedgehog.com": ["/status/state/interfaces/*/oper"] });
  const seen = (oper: string, mtu: number, resourceVersion: string) => {
    const object = agent((state) => Object.assign((state["interfaces"] as JsonObject)["E1/1"] as JsonObject, { oper }));
    const spec = { ...(object["spec"] as JsonObject), mtu };
    const metadata = { name: "leaf-03", namespace: "default", uid: "uid-leaf-03", resourceVersion, generation: mtu };
    const by = { fabricId: at.fabricId, writePath: "watch", observedAt: 1_700_000_000_000, volatile } as const;
    return normaliseActual({ ...object, metadata, spec }, by);
  };
  const up = () => count("device_interface", "device = 'leaf-03' AND name = 'E1/1' AND oper_status = 'up'");
  await at.apply([seen("up", 1, "1")]);
  expect(await at.apply([seen("down", 1, "2")])).toMatchObject({ refreshed: 1 });
  expect(await up()).toBe(0);
  // A later change of something else takes nothing for told that was not.
  expect(await at.apply([seen("up", 2, "3")])).toMatchObject({ changed: 1 });
  expect(await up()).toBe(1);
  expect(await count("resource_event")).toBe(2);
});

test("observed empty empties, absent leaves and marks as stale, told again is current", async () => {
  await applyAll(objects);
  const mine = "device = 'leaf-03'";
  const sets = async (): Promise<unknown> =>
    (
      await at.sql<{ sets: unknown }>(
        "SELECT sets_observed AS sets FROM fabric_sync.device WHERE name = 'leaf-03' AND source_kind = 'Agent'",
      )
    )[0]?.sets;
  const sessions = await count("device_bgp_session", mine);
  expect(sessions).toBeGreaterThan(0);
  await at.apply([
    actual(
      agent((state) => delete state["bgpNeighbors"]),
      at.fabricId,
      "2",
      "watch",
      1_700_000_060_000,
    ),
  ]);
  expect(await count("device_bgp_session", mine)).toBe(sessions);
  expect(await sets()).toMatchObject({
    interfaces: "current",
    bgpSessions: expect.stringContaining("2023-11-14T22:14:20") as string,
  });
  expect(await at.sql("SELECT DISTINCT stale FROM fabric_sync.bgp_sessions WHERE device = 'leaf-03'")).toEqual([
    { stale: true },
  ]);
  await at.apply([
    actual(
      agent((state) => (state["bgpNeighbors"] = {})),
      at.fabricId,
      "3",
    ),
  ]);
  expect(await count("device_bgp_session", mine)).toBe(0);
  expect(await sets()).toMatchObject({ bgpSessions: "current" });
});

test("a value can go back to unknown, and what is unchanged keeps its time", async () => {
  await applyAll(objects);
  const seen = async (): Promise<unknown> =>
    at.sql(
      "SELECT name, mac, first_seen, updated_at FROM fabric_sync.device_interface WHERE device = 'leaf-03' AND name IN ('E1/1', 'E1/2') ORDER BY name",
    );
  const before = (await seen()) as { updated_at: string }[];
  await at.apply([
    actual(
      agent((state) => delete ((state["interfaces"] as JsonObject)["E1/1"] as JsonObject)["mac"]),
      at.fabricId,
      "2",
    ),
  ]);
  const after = (await seen()) as { mac: string; updated_at: string }[];
  expect(after[0]?.mac).toBe("");
  expect(after[0]?.updated_at).not.toBe(before[0]?.updated_at);
  expect(after[1]).toEqual(before[1]);
});

test("what is gone from the cluster takes its rows with it, and nobody else's", async () => {
  await applyAll(objects);
  const { key } = actual(
    agent(() => undefined),
    at.fabricId,
  );
  const gone = { ...actualGone({ fabricId: at.fabricId }, "x", { rv: "9", uid: "uid-Agent-leaf-03" }), key };
  expect(await at.apply([gone])).toMatchObject({ changed: 1 });
  expect(await count("device_interface", "device = 'leaf-03'")).toBe(0);
  expect(await count("device", "name = 'leaf-03' AND source_kind = 'Switch'")).toBe(1);
  expect(await count("device_interface", "device = 'leaf-01'")).toBeGreaterThan(0);
});

test("the raw observation is kept beside the tables, for longer with every heartbeat; a replay writes nothing", async () => {
  await applyAll(objects);
  expect(await count("device_snapshot")).toBe(6);
  const [snapshot] = await at.sql<{ serial: string; seconds: number }>(
    `SELECT observation #>> '{status,state,nos,serialNumber}' AS serial, extract(epoch FROM expires_at - observed_at)::integer AS seconds
       FROM fabric_sync.device_snapshot WHERE device = 'spine-01'`,
  );
  expect(snapshot).toEqual({ serial: "EX0001", seconds: 1_800 });
  expect(JSON.stringify(await at.sql("SELECT observation FROM fabric_sync.device_snapshot"))).not.toContain("$5$");

  const rows = async (): Promise<unknown> =>
    at.sql(
      "SELECT xmin::text, id FROM fabric_sync.resource UNION ALL SELECT xmin::text, resource_id FROM fabric_sync.resource_event ORDER BY 1, 2",
    );
  const beat = (version: number) => {
    const lastHeartbeat = `2026-01-15T08:00:${10 + version}Z`;
    const object = agent((_, { status }) => Object.assign(status as JsonObject, { lastHeartbeat }));
    return at.apply([actual(object, at.fabricId, String(version), "watch")]);
  };
  const kept = async () =>
    at.sql<{ device: string; version: string; beat: string }>(
      `SELECT device, resource_version AS version, observation #>> '{status,lastHeartbeat}' AS beat
         FROM fabric_sync.device_snapshot WHERE expires_at > now() + interval '20 minutes'`,
    );
  const [first] = (await kept()).filter(({ device }) => device === "leaf-03");
  const grownOld = "observed_at = now() - interval '29 minutes', expires_at = now() + interval '1 minute'";
  await at.sql(
    `UPDATE fabric_sync.device_snapshot SET ${grownOld}; UPDATE fabric_sync.resource SET actual_updated = now()`,
  );
  const before = await rows();
  expect(await beat(9)).toMatchObject({ unchanged: 1 });
  // The observation is not written again, so that neither is an index.
  expect(await kept()).toEqual([{ device: "leaf-03", version: "9", beat: first?.beat }]);
  expect(await beat(10)).toMatchObject({ unchanged: 1 });
  expect(await kept()).toMatchObject([{ version: "10" }]);

  // Seen before, all of it: after a restart, by a second list, by a watch that was resumed too early.
  const written = await versions(at);
  await beat(10);
  await beat(9);
  await applyAll(objects);
  expect(await versions(at)).toEqual(written);

  // A device that was silent for longer than that is kept anew.
  await at.sql("DELETE FROM fabric_sync.device_snapshot");
  await beat(11);
  expect(await kept()).toMatchObject([{ device: "leaf-03", version: "11", beat: first?.beat }]);
  expect(await rows()).toEqual(before);
  // Once a minute the row is written with its readings, and so is the observation.
  await at.sql("UPDATE fabric_sync.resource SET actual_updated = now() - interval '2 minutes'");
  expect(await beat(12)).toMatchObject({ refreshed: 1 });
  expect(await kept()).toEqual([{ device: "leaf-03", version: "12", beat: "2026-01-15T08:00:22Z" }]);
});
