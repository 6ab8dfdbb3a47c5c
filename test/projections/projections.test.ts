import type { JsonObject } from "../../src/core/json.ts";
import { normaliseActual } from "../../src/core/normalise.ts";
import { compileVolatile } from "../../src/core/volatile.ts";
import { actualGone, openStore, type StoreFixture } from "../store/fixture.ts";
import type { WritePath } from "../../src/core/vocabulary.ts";
import { withClient } from "../support/postgres.ts";
import { waitFor } from "../support/wait.ts";
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

test("every path gives the same tables: watch, list, import, repair, rebuild over nothing and over damage", async () => {
  await applyAll(objects);
  const expected = await dump(at);
  const raw =
    "SELECT device, observation, resource_version FROM fabric_sync.device_snapshot WHERE fabric_id = $1 ORDER BY 1";
  const snapshots = await at.sql<{ device: string }>(raw, [at.fabricId]);
  for (const path of ["watch", "list", "cli", "import", "repair"] as const) {
    const { id } = await at.store.registerFabric({ namespace: "netops", name: path, uid: path });
    const fence = await at.store.acquireFence(id, "test");
    const half = objects.length >> 1;
    await at.apply(
      objects.slice(half).map((object) => actual(object, id, "1", path)),
      { fence },
    );
    await at.apply(
      objects.slice(0, half).map((object) => actual(object, id, "1", path)),
      { fence },
    );
    expect(await dump(at, id)).toEqual(expected);
  }
  const signal = new AbortController().signal;
  expect(await at.store.rebuildProjections(at.fence, signal)).toMatchObject({ writes: 0 });
  await at.sql(`DELETE FROM fabric_sync.device_neighbor; DELETE FROM fabric_sync.device WHERE name LIKE 'leaf-%'; DELETE FROM fabric_sync.link;
    DELETE FROM fabric_sync.resource_edge; UPDATE fabric_sync.device_interface SET mtu = 1;
    INSERT INTO fabric_sync.device (fabric_id, name, resource_id) SELECT fabric_id, 'ghost', id FROM fabric_sync.resource WHERE kind = 'Agent';
    DELETE FROM fabric_sync.device_snapshot WHERE device = 'leaf-03'; 
    UPDATE fabric_sync.resource SET actual_updated = now() - interval '1 minute' * CASE WHEN name = 'leaf-02' THEN 31 ELSE 1 END`);
  await at.store.rebuildProjections(at.fence, signal);
  expect(await dump(at)).toEqual(expected);
  // Raw observations as well, but for one that would have ended by now.
  expect(await at.sql(raw, [at.fabricId])).toEqual(snapshots.filter(({ device }) => device !== "leaf-02"));
});

/** Runs `work`, and ends its connection in the middle of its statement on neighbours, as a process that is killed would. */
async function killedMidway<T>(work: () => Promise<T>): Promise<T> {
  // A connection of its own, beside any pooler: the lock belongs to a session.
  return withClient(at.database.url, async (holder) => {
    await holder.query("SELECT pg_advisory_lock(4711)");
    const running = work();
    let pid: number | undefined;
    await waitFor("the writer to be in the middle", async () => {
      const { rows } = await holder.query<{ pid: number }>(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted",
      );
      pid = rows[0]?.pid;
      return pid !== undefined;
    });
    await holder.query("SELECT pg_terminate_backend($1)", [pid]);
    await holder.query("SELECT pg_advisory_unlock(4711)");
    return running;
  });
}

test("a write or a rebuild that is cut off in between leaves the same tables, and so does who comes after it", async () => {
  await applyAll(objects);
  const expected = await dump(at);
  await at.sql(`
    CREATE FUNCTION fabric_sync.hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN new; END';
    CREATE TRIGGER hold BEFORE INSERT ON fabric_sync.device_neighbor FOR EACH STATEMENT EXECUTE FUNCTION fabric_sync.hold()`);
  try {
    const { id } = await at.store.registerFabric({ namespace: "netops", name: "killed", uid: "killed" });
    const seen = (path: WritePath) => objects.map((object) => actual(object, id, "1", path));
    const first = await at.store.acquireFence(id, "first");
    await killedMidway(() => at.apply(seen("watch"), { fence: first }));
    expect(await dump(at, id)).toEqual(expected);

    // Another process lists everything again: there is nothing to write.
    const second = await at.store.acquireFence(id, "second");
    expect(await at.apply(seen("list"), { fence: second })).toMatchObject({ changed: 0 });
    expect(await dump(at, id)).toEqual(expected);

    await at.sql("DELETE FROM fabric_sync.device_neighbor; DELETE FROM fabric_sync.link");
    const { signal } = new AbortController();
    await killedMidway(() => at.store.rebuildProjections(second, signal));
    expect(await dump(at, id)).toEqual(expected);
    await at.store.rebuildProjections(at.fence, signal);
    expect(await dump(at)).toEqual(expected);
  } finally {
    await at.sql("DROP FUNCTION fabric_sync.hold CASCADE");
  }
});

test("what another release made of rows is made anew once, and not while nothing changed", async () => {
  await applyAll(objects);
  const expected = await dump(at);
  const { signal } = new AbortController();
  expect(await at.store.refreshProjections(at.fence, signal)).toBeNull();
  await at.sql(
    "UPDATE fabric_sync.fabric SET projections_version = 0; DELETE FROM fabric_sync.resource_edge; UPDATE fabric_sync.link SET kind = 'old'",
  );
  expect(await at.store.refreshProjections(at.fence, signal)).toMatchObject({
    resources: expect.any(Number) as number,
  });
  expect(await dump(at)).toEqual(expected);
  expect(await at.store.refreshProjections(at.fence, signal)).toBeNull();
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

test("a writer that waits for a rebuild in the middle of its statement knows what the rebuild has written", async () => {
  await applyAll(objects);
  const silent = agent((state) => {
    for (const port of Object.values(state["interfaces"] as JsonObject)) delete (port as JsonObject)["lldpNeighbors"];
  });
  await at.sql(`
    DELETE FROM fabric_sync.device_neighbor;
    CREATE FUNCTION fabric_sync.hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN new; END';
    CREATE TRIGGER hold BEFORE INSERT ON fabric_sync.device_neighbor FOR EACH STATEMENT EXECUTE FUNCTION fabric_sync.hold()`);
  try {
    await withClient(at.database.url, async (holder) => {
      const waiting = async (event: string): Promise<boolean> =>
        (
          await holder.query(
            "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = $1 AND datname = current_database()",
            [event],
          )
        ).rows.length > 0;
      await holder.query("SELECT pg_advisory_lock(4711)");
      const rebuilt = at.store.rebuildProjections(at.fence, new AbortController().signal);
      await waitFor("the rebuild to be in its statement", () => waiting("advisory"));
      const applied = at.apply([actual(silent, at.fabricId, "2")]);
      await waitFor("the writer to be in its statement", () => waiting("transactionid"));
      await holder.query("SELECT pg_advisory_unlock(4711)");
      expect(await rebuilt).not.toMatchObject({ writes: 0 });
      expect(await applied).toMatchObject({ changed: 1 });
    });
    expect(await count("device_neighbor", "device <> 'leaf-03'")).toBeGreaterThan(0);
    expect(await count("device_neighbor", "device = 'leaf-03'")).toBe(0);
  } finally {
    await at.sql("DROP FUNCTION fabric_sync.hold CASCADE");
  }
});
