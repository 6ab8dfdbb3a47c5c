import { createStore } from "../../src/store/store.ts";
import { waitFor } from "../support/wait.ts";
import {
  actualVpc,
  clusterCursor,
  COMMIT_1,
  desiredVpc,
  openStore,
  somebodyWaits,
  type StoreFixture,
} from "./fixture.ts";

describe("the fence", () => {
  let at: StoreFixture;
  beforeEach(async () => {
    at = await openStore();
  });
  afterEach(async () => {
    await at[Symbol.asyncDispose]();
  });

  test("a writer whose epoch is not current cannot commit, and is told by name", async () => {
    const newer = await at.store.acquireFence(at.fabricId, "other");
    expect(newer.epoch).toBe(at.fence.epoch + 1);
    const stale = at.apply([actualVpc(at, "vpc-1", { rv: "10" })], { cursors: [clusterCursor("10")] });
    await expect(stale).rejects.toMatchObject({ code: "FenceLost", policy: "fatal" });
    await expect(at.store.dropCursor(at.fence, "cluster", "x")).rejects.toMatchObject({ code: "FenceLost" });
    expect(await at.sql("SELECT FROM fabric_sync.resource")).toEqual([]);
    await at.apply([actualVpc(at, "vpc-1", { rv: "10" })], { fence: newer });
    expect(await at.store.currentFence(at.fabricId)).toEqual(newer);
  });

  test("is checked also where there is nothing to write", async () => {
    await at.store.acquireFence(at.fabricId, "other");
    await expect(at.apply([])).rejects.toMatchObject({ code: "FenceLost" });
  });

  test("taking over waits for the transaction of the writer before", async () => {
    const writer = await at.pool.connect();
    await writer.query("BEGIN");
    await writer.query("SELECT FROM fabric_sync.fabric WHERE id = $1 FOR KEY SHARE", [at.fabricId]);
    let taken = false;
    const taking = at.store.acquireFence(at.fabricId, "other").then((fence) => {
      taken = true;
      return fence;
    });
    await somebodyWaits(at);
    expect(taken).toBe(false);
    await writer.query("COMMIT");
    writer.release();
    expect((await taking).epoch).toBe(at.fence.epoch + 1);
  });

  test("of two writers, every row after the take-over is the new one's", async () => {
    let lost = 0;
    const old = (async () => {
      for (let rv = 10; lost === 0; rv += 1) {
        await at.apply([actualVpc(at, "old", { rv: String(rv) }, { spec: { rv } })]).catch((error: unknown) => {
          expect(error).toMatchObject({ code: "FenceLost" });
          lost += 1;
        });
      }
    })();
    const fence = await at.store.acquireFence(at.fabricId, "other");
    const [before] = await at.sql("SELECT count(*) FROM fabric_sync.resource_event");
    await old;
    const [after] = await at.sql("SELECT count(*) FROM fabric_sync.resource_event");
    expect(after).toEqual(before);
    await at.apply([actualVpc(at, "new", { rv: "10" })], { fence });
  });

  test("a new Fabric object under an old name is a new fabric; its predecessor's rows stay, its writers stop", async () => {
    await at.apply([actualVpc(at, "vpc-1", { rv: "10" })]);
    const successor = await at.store.registerFabric({ namespace: "netops", name: "lab", uid: "fabric-uid-2" });
    expect(successor.id).not.toBe(at.fabricId);
    expect(await at.store.registerFabric({ namespace: "netops", name: "lab", uid: "fabric-uid-2" })).toEqual(successor);
    expect(await at.store.listFabrics()).toEqual([successor]);
    await expect(at.apply([])).rejects.toMatchObject({ code: "FenceLost" });
    expect((await at.store.counts(at.fabricId)).objects).toBe(1);
    const summaries = await at.store.summarise();
    expect(summaries.map(({ id, detachedAt }) => [id, detachedAt === null])).toEqual([
      [at.fabricId, false],
      [successor.id, true],
    ]);
  });

  test("retiring ends the writers: retain keeps every row, delete leaves nothing", async () => {
    await at.apply([actualVpc(at, "vpc-1", { rv: "10" }), desiredVpc(at, "vpc-2", COMMIT_1)], {
      cursors: [clusterCursor("10")],
    });
    await at.store.retireFabric(at.fabricId, "retain");
    await expect(at.apply([])).rejects.toMatchObject({ code: "FenceLost" });
    expect((await at.store.counts(at.fabricId)).objects).toBe(1);
    await at.store.retireFabric(at.fabricId, "delete");
    await at.store.retireFabric(at.fabricId, "delete");
    for (const table of ["fabric", "resource", "resource_event", "cursor"]) {
      expect(await at.sql(`SELECT FROM fabric_sync.${table}`)).toEqual([]);
    }
    await expect(at.store.currentFence(at.fabricId)).rejects.toMatchObject({ code: "FabricNotFound" });
  });

  test("a large fabric is removed in chunks, none of which takes more rows than it names; stopped, it goes on where it was", async () => {
    const CHUNK = 5_000;
    await at.sql(
      `INSERT INTO fabric_sync.resource (fabric_id, id, kind, name)
       SELECT $1, md5(n::text)::uuid, 'K', 'n-' || n FROM generate_series(1, 12000) AS n`,
      [at.fabricId],
    );
    await at.sql(
      `INSERT INTO fabric_sync.device (fabric_id, resource_id, name)
       SELECT $1, md5(n::text)::uuid, 'n-' || n FROM generate_series(1, 100) AS n`,
      [at.fabricId],
    );
    await at.sql(
      `INSERT INTO fabric_sync.device_interface (fabric_id, resource_id, device, name)
       SELECT $1, md5(n::text)::uuid, 'n-' || n, 'E1/' || p FROM generate_series(1, 100) AS n, generate_series(1, 64) AS p`,
      [at.fabricId],
    );
    // Every DELETE and how many rows it and its cascades took, as the server counts them.
    await at.sql("CREATE TABLE public.taken (xid xid8, rows bigint)");
    await at.sql(`
      CREATE FUNCTION public.take() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO public.taken SELECT pg_current_xact_id(), count(*) FROM gone; RETURN NULL; END $$`);
    for (const table of ["resource", "device", "device_interface"]) {
      await at.sql(`
        CREATE TRIGGER take AFTER DELETE ON fabric_sync.${table} REFERENCING OLD TABLE AS gone
           FOR EACH STATEMENT EXECUTE FUNCTION public.take()`);
    }
    const stop = new AbortController();
    const chunks = (): Promise<{ rows: number }[]> =>
      at.sql("SELECT sum(rows)::int AS rows FROM public.taken GROUP BY xid HAVING sum(rows) > 0");
    const stopping = createStore(at.pool, { signal: stop.signal });
    const retiring = stopping.retireFabric(at.fabricId, "delete");
    await waitFor("the first chunks", async () => (await chunks()).length > 0);
    stop.abort();
    await retiring.catch((error: unknown) => expect(error).toMatchObject({ name: "AbortError" }));
    await at.store.retireFabric(at.fabricId, "delete");
    expect(await at.sql("SELECT FROM fabric_sync.fabric")).toEqual([]);
    const taken = (await chunks()).map(({ rows }) => rows);
    expect(taken.reduce((sum, rows) => sum + rows, 0)).toBe(12_000 + 100 + 6_400);
    expect(Math.max(...taken)).toBe(CHUNK);
  });

  test("two replicas that register the same Fabric at once get the same row", async () => {
    const fabric = { namespace: "netops", name: "twice", uid: "fabric-uid-3" };
    const records = await Promise.all(Array.from({ length: 6 }, () => at.store.registerFabric(fabric)));
    expect(new Set(records.map(({ id }) => id)).size).toBe(1);
  });

  test("runs are judged by their counters; a delivery is recorded once", async () => {
    const run = await at.store.beginRun({ fabricId: at.fabricId, source: "git", trigger: "git_poll", target: "main" });
    const outcome = { documents: 3, changed: 1, unchanged: 1, rejected: 1, error: "" };
    expect(await at.store.finishRun(run, outcome)).toBe("partial");
    const [summary] = await at.store.summarise();
    expect(summary?.runs).toMatchObject([{ ...outcome, result: "partial", source: "git", target: "main" }]);
    const delivery = { fabricId: at.fabricId, provider: "github", deliveryId: "d-1", waits: false };
    expect(await at.store.recordDelivery(delivery)).toBe(true);
    expect(await at.store.recordDelivery(delivery)).toBe(false);
  });

  test("a delivery that waits for another replica is told to it once, and a replay of it never", async () => {
    const { uid } = (await at.store.listFabrics()).find(({ id }) => id === at.fabricId) ?? { uid: "" };
    const delivery = { fabricId: at.fabricId, provider: "github", deliveryId: "d-2", waits: true };
    expect(await at.store.recordDelivery(delivery)).toBe(true);
    expect(await at.store.recordDelivery({ ...delivery, deliveryId: "d-3" })).toBe(true);
    expect(await at.store.takeWaitingDeliveries(["another"])).toEqual([]);
    expect(await at.store.takeWaitingDeliveries([uid, "another"])).toEqual([uid]);
    expect(await at.store.takeWaitingDeliveries([uid])).toEqual([]);
    expect(await at.store.recordDelivery(delivery)).toBe(false);
    expect(await at.store.takeWaitingDeliveries([uid])).toEqual([]);
  });
});
