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
    const delivery = { fabricId: at.fabricId, provider: "github", deliveryId: "d-1" };
    expect(await at.store.recordDelivery(delivery)).toBe(true);
    expect(await at.store.recordDelivery(delivery)).toBe(false);
  });
});
