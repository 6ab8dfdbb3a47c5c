import { CursorsLost, FabricSyncError } from "../../src/core/errors.ts";
import { Pump } from "../../src/pump/pump.ts";
import type { StoreHealth } from "../../src/pump/retrying-writer.ts";
import type { Cursor } from "../../src/core/ports.ts";
import { waitFor } from "../support/wait.ts";
import { POLICY, pumpOptions, RecordingStore, seen } from "./recording-store.ts";

const cursor = (position: string, scope = "s"): Cursor => ({ source: "cluster", scope, position, completeAt: null });
const transient = (code = "StoreReadOnly") => new FabricSyncError(code, "wait", "the server is read-only");
const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe("Pump", () => {
  let store: RecordingStore;
  let pump: Pump;
  beforeEach(() => {
    store = new RecordingStore();
  });
  afterEach(() => pump.stop());

  test("writes at once when idle and gathers while a write is in flight, one at a time", async () => {
    pump = new Pump(pumpOptions(store));
    const lane = pump.lane("a");
    store.hold();
    await lane.offer(seen("first", 1));
    await turns(3);
    expect(store.inFlight).toBe(1);
    for (let i = 0; i < 20; i++) await lane.offer(seen(`k${i}`, i));
    store.open();
    await lane.drained();
    expect(store.committed.map((batch) => batch.observations.length)).toEqual([1, 20]);
    expect(store.maxInFlight).toBe(1);
  });

  describe("what a list brings", () => {
    const listed = (name: string) => ({ ...seen(name, 1), writePath: "list" as const });
    const sizes = () => store.committed.map(({ observations }) => observations.length);

    test("gathers until there is enough of it, or until somebody waits; what a watch tells takes it along at once", async () => {
      pump = new Pump(pumpOptions(store, { limits: { gatherItems: 10, gatherMs: 1_000_000 } }));
      const lane = pump.lane("a");
      await lane.offer(listed("first of all"));
      await waitFor("the first, which waits for nothing", () => store.committed.length === 1);
      for (let i = 1; i < 10; i++) await lane.offer(listed(`k${i}`));
      await turns(5);
      expect(store.attempts).toBe(1);
      await lane.offer(listed("k10"));
      await waitFor("the tenth", () => store.committed.length === 2);
      await lane.offer(listed("alone"));
      await turns(5);
      await lane.offer(seen("told", 1));
      await waitFor("the one that was told", () => store.committed.length === 3);
      await lane.offer(listed("last"));
      lane.advance(cursor("7"));
      await waitFor("the end of the list", () => store.committed.length === 4);
      await lane.offer(listed("awaited"));
      await lane.drained();
      expect(sizes()).toEqual([1, 10, 2, 1, 1]);
    });

    test("gathers no longer than its time, and not where its source is held", async () => {
      pump = new Pump(pumpOptions(store, { limits: { gatherMs: 20, laneItems: 5 } }));
      const lane = pump.lane("a");
      await lane.offer(listed("first of all"));
      await lane.drained();
      await lane.offer(listed("second"));
      await waitFor("its time to be over", () => store.committed.length === 2);
      pump.stop();
      pump = new Pump(pumpOptions(store, { limits: { gatherMs: 1_000_000, laneItems: 5 } }));
      const full = pump.lane("b");
      await full.offer(listed("first of all"));
      await full.drained();
      for (let i = 1; i <= 5; i++) await full.offer(listed(`k${i}`));
      await full.drained();
      expect(sizes()).toEqual([1, 1, 1, 5]);
    });
  });

  test("replaces a queued observation by a newer one of the same key", async () => {
    pump = new Pump(pumpOptions(store));
    const lane = pump.lane("a");
    store.hold();
    await lane.offer(seen("x", 1));
    await turns(3);
    for (let version = 2; version <= 50; version++) await lane.offer(seen("x", version));
    store.open();
    await lane.drained();
    expect(store.written).toEqual(["x@1", "x@50"]);
  });

  test("a cursor commits with the batch that holds the last thing offered before it", async () => {
    pump = new Pump(pumpOptions(store, { limits: { minBatch: 2, maxBatch: 2 } }));
    const lane = pump.lane("a");
    for (let i = 1; i <= 3; i++) await lane.offer(seen(`k${i}`, i));
    lane.advance(cursor("3"));
    await lane.offer(seen("k4", 4));
    await lane.offer(seen("k5", 5));
    lane.advance(cursor("5"));
    await lane.drained();
    expect(store.committed.map((b) => [b.observations.length, b.cursors.map((c) => c.position)])).toEqual([
      [2, []],
      [2, ["3"]],
      [1, ["5"]],
    ]);
  });

  test("a cursor alone waits a moment for company, then commits", async () => {
    pump = new Pump(pumpOptions(store, { limits: { markDelayMs: 20 } }));
    const [a, b] = [pump.lane("a"), pump.lane("b")];
    a.advance(cursor("7", "a"));
    b.advance(cursor("8", "b"));
    a.advance(cursor("9", "a"));
    await Promise.all([a.drained(), b.drained()]);
    expect(store.committed).toHaveLength(1);
    expect(store.committed[0]?.cursors.map((c) => c.position)).toEqual(["9", "8"]);
  });

  test("a flood in one lane does not hold up another", async () => {
    pump = new Pump(pumpOptions(store, { limits: { minBatch: 10, maxBatch: 10, laneItems: 1_000, totalItems: 100 } }));
    const flood = pump.lane("flood");
    const small = pump.lane("small");
    store.hold();
    for (let i = 0; i < 500; i++) void flood.offer(seen(`f${i}`, i));
    await turns(3);
    await small.offer(seen("urgent", 1));
    // Its write begins beside that of the flood, which is still under way.
    await turns(3);
    store.open();
    await small.drained();
    expect(store.committed.findIndex((b) => b.observations.some((o) => o.key.name === "urgent"))).toBe(1);
    await flood.drained();
    expect(store.written).toHaveLength(501);
  });

  test("a full lane holds its source until there is room", async () => {
    pump = new Pump(pumpOptions(store, { limits: { laneItems: 5, minBatch: 5 } }));
    const lane = pump.lane("a");
    store.hold();
    for (let i = 0; i < 4; i++) await lane.offer(seen(`k${i}`, i));
    let went = false;
    const fifth = lane.offer(seen("k4", 4)).then(() => (went = true));
    expect(pump.backlog.items).toBe(5);
    expect(went).toBe(false);
    store.open();
    await fifth;
    await lane.drained();
    expect(store.written).toHaveLength(5);
  });

  test("bytes bound a lane as items do", async () => {
    pump = new Pump(pumpOptions(store, { limits: { laneBytes: 100_000 } }));
    const lane = pump.lane("a");
    store.hold();
    await lane.offer(seen("in flight", 1));
    await turns(3);
    const large = lane.offer(seen("large", 1, "x".repeat(200_000)));
    await expect(Promise.race([large.then(() => "went on"), turns(2).then(() => "waits")])).resolves.toBe("waits");
    store.open();
    await large;
  });

  test("keeps its batch through transient errors, says so, and commits it once", async () => {
    const told: StoreHealth[] = [];
    pump = new Pump(pumpOptions(store, { onHealth: (health) => told.push(health) }));
    store.faults.push(transient(), transient(), transient());
    const lane = pump.lane("a");
    await lane.offer(seen("x", 1));
    lane.advance(cursor("1"));
    await lane.drained();
    expect(store.attempts).toBe(4);
    expect(store.written).toEqual(["x@1"]);
    expect(told.map((health) => (health.ok ? "ok" : health.code))).toEqual(["StoreReadOnly", "ok"]);
    expect(pump.storeHealth()).toEqual({ ok: true });
  });

  test("uses the policy and the fence of the moment", async () => {
    let epoch = 1;
    let policy = POLICY;
    pump = new Pump(pumpOptions(store, { fence: () => ({ fabricId: "f", epoch }), policy: () => policy }));
    const lane = pump.lane("a");
    await lane.offer(seen("x", 1));
    await lane.drained();
    epoch = 2;
    policy = { ...POLICY, driftMode: "disabled" };
    await lane.offer(seen("x", 2));
    await lane.drained();
    expect(store.committed.map((b) => [b.fence.epoch, b.policy.driftMode])).toEqual([
      [1, "local"],
      [2, "disabled"],
    ]);
  });

  test("a lost fence ends the pump and everybody learns of it", async () => {
    pump = new Pump(pumpOptions(store));
    const lost = new FabricSyncError("FenceLost", "fatal", "another writer has the fabric");
    store.faults.push(lost);
    const lane = pump.lane("a");
    await lane.offer(seen("x", 1));
    await expect(lane.drained()).rejects.toBe(lost);
    await expect(lane.offer(seen("y", 1))).rejects.toBe(lost);
    await expect(pump.failure).resolves.toBe(lost);
    expect(store.committed).toEqual([]);
  });

  test("drain writes what is queued, then stops", async () => {
    pump = new Pump(pumpOptions(store));
    const lane = pump.lane("a");
    for (let i = 0; i < 100; i++) await lane.offer(seen(`k${i}`, i));
    lane.advance(cursor("99"));
    await expect(pump.drain(5_000)).resolves.toBe(true);
    expect(store.written).toHaveLength(100);
    expect(store.committed.at(-1)?.cursors.map((c) => c.position)).toEqual(["99"]);
    await expect(lane.offer(seen("late", 1))).rejects.toMatchObject({ code: "PumpStopped" });
  });

  test("drain gives up in time and leaves the cursor where it was", async () => {
    pump = new Pump(pumpOptions(store));
    const lane = pump.lane("a");
    store.hold();
    await lane.offer(seen("x", 1));
    lane.advance(cursor("1"));
    await expect(pump.drain(10)).resolves.toBe(false);
    expect(store.committed).toEqual([]);
    store.open();
  });

  test("a revision of Git is one transaction, repeated until it is taken", async () => {
    pump = new Pump(pumpOptions(store));
    store.faults.push(transient("StoreUnreachable"));
    const result = await pump.revisions.commit({
      observations: [],
      cursor: { source: "git", scope: "repo", position: "abc", completeAt: 1 },
      gitFiles: { upserts: [], removed: ["old.yaml"] },
    });
    expect(result.observations).toBe(0);
    expect(store.committed[0]?.gitFiles?.removed).toEqual(["old.yaml"]);
    expect(store.attempts).toBe(2);
  });

  test("a closed lane is still written", async () => {
    pump = new Pump(pumpOptions(store));
    const lane = pump.lane("a");
    await lane.offer(seen("x", 1));
    lane.close();
    await lane.drained();
    expect(store.written).toEqual(["x@1"]);
    await expect(lane.offer(seen("y", 1))).rejects.toThrow("closed");
  });

  test("where the database lost commits the rows are written, the lost cursors are not, and the sources are told", async () => {
    let told = 0;
    pump = new Pump({ ...pumpOptions(store), onInterrupted: () => void (told += 1) });
    const a = pump.lane("a", cursor("1", "a"));
    const b = pump.lane("b", cursor("1", "b"));
    store.faults.push(new CursorsLost(["a"]));
    await Promise.all([a.offer(seen("x", 2)), b.offer(seen("y", 2))]);
    a.advance(cursor("2", "a"));
    b.advance(cursor("2", "b"));
    await Promise.all([a.drained(), b.drained()]);
    expect(store.written.toSorted()).toEqual(["x@2", "y@2"]);
    expect(store.committed.flatMap(({ cursors }) => cursors.map(({ scope }) => scope))).toEqual(["b"]);
    expect([a.saved()?.position, b.saved()?.position, told]).toEqual(["1", "2", 1]);
  });

  test("a write tells which cursors it continues; a lane that went back continues from there", async () => {
    pump = new Pump(pumpOptions(store));
    const lane = pump.lane("a", cursor("5", "a"));
    const step = async (version: string) => {
      await lane.offer(seen("x", version));
      lane.advance(cursor(version, "a"));
      await lane.drained();
      return store.committed.at(-1)?.expected?.map(({ position }) => position);
    };
    expect(await step("6")).toEqual(["5"]);
    expect(await step("7")).toEqual(["6"]);
    lane.rewind(null);
    expect(await step("8")).toEqual([]);
  });

  test("three batches are under way at most, each of other lanes", async () => {
    pump = new Pump(pumpOptions(store));
    const lanes = ["a", "b", "c", "d"].map((name) => pump.lane(name));
    store.hold();
    for (const [index, lane] of lanes.entries()) {
      await lane.offer(seen(`k${index}`, 1));
      await turns(3);
      await lane.offer(seen(`k${index}`, 2));
    }
    await turns(3);
    expect(store.inFlight).toBe(3);
    store.open();
    await Promise.all(lanes.map((lane) => lane.drained()));
    expect(store.maxInFlight).toBe(3);
    expect(store.written.filter((name) => name.startsWith("k0"))).toEqual(["k0@1", "k0@2"]);
  });

  test("a write that was taken after Postgres had been away is told", async () => {
    let told = 0;
    pump = new Pump({ ...pumpOptions(store), onInterrupted: () => void (told += 1) });
    const lane = pump.lane("a");
    await lane.offer(seen("x", 1));
    await lane.drained();
    expect(told).toBe(0);
    store.faults.push(transient());
    await lane.offer(seen("x", 2));
    await lane.drained();
    expect(told).toBe(1);
  });
});
