import type { JsonObject } from "../../src/core/json.ts";
import { openStore, type StoreFixture } from "../store/fixture.ts";
import type { WritePath } from "../../src/core/vocabulary.ts";
import { withClient } from "../support/postgres.ts";
import { waitFor } from "../support/wait.ts";
import { actual, exampleObjects, objectNamed } from "./example.ts";
import { dump } from "./tables.ts";

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
