import { normaliseActual } from "../../src/core/normalise.ts";
import { waitFor } from "../support/wait.ts";
import {
  actualGone,
  actualVpc,
  clusterCursor,
  COMMIT_1,
  COMMIT_2,
  desiredGone,
  desiredVpc,
  openStore,
  POLICY,
  type StoreFixture,
} from "./fixture.ts";

describe("apply", () => {
  let at: StoreFixture;
  beforeEach(async () => {
    at = await openStore();
  });
  afterEach(async () => {
    await at[Symbol.asyncDispose]();
  });

  test("puts desired beside actual in one row, with an event for each change", async () => {
    await at.apply([desiredVpc(at, "vpc-1", COMMIT_1)]);
    await at.apply([actualVpc(at, "vpc-1", { rv: "10" })]);
    const [row] = await at.store.findResources({ fabricId: at.fabricId, kind: "VPC", name: "vpc-1" });
    expect(row).toMatchObject({
      resourceState: "synced",
      driftStatus: "in_sync",
      desiredCommit: COMMIT_1,
      desiredFilePath: "vpcs/vpc-1.yaml",
      actualResourceVersion: "10",
    });
    const events = await at.sql<{ side: string; event_type: string; resource_id: string }>(
      "SELECT side, event_type, resource_id FROM fabric_sync.resource_event ORDER BY xid, seq",
    );
    expect(events).toEqual([
      { side: "desired", event_type: "added", resource_id: row?.id },
      { side: "actual", event_type: "added", resource_id: row?.id },
    ]);
  });

  test("accounts for every observation: changed, unchanged, refreshed, stale, dead-lettered add up", async () => {
    await at.apply([actualVpc(at, "kept", { rv: "10" }), actualVpc(at, "older", { rv: "50" })]);
    const result = await at.apply([
      actualVpc(at, "kept", { rv: "10" }),
      actualVpc(at, "older", { rv: "20" }, { spec: { vlan: 2 } }),
      actualVpc(at, "new", { rv: "60" }),
      actualVpc(at, "bad", { rv: "61" }, { spec: { text: "\0" } }),
    ]);
    expect(result).toMatchObject({ observations: 4, changed: 1, unchanged: 1, refreshed: 0, stale: 1 });
    expect(result.deadLettered).toHaveLength(1);
  });

  test("N changes make N events, also of one resource in one batch", async () => {
    const result = await at.apply([
      actualVpc(at, "vpc-1", { rv: "10" }),
      actualVpc(at, "vpc-1", { rv: "11" }, { spec: { vlan: 1 } }),
      desiredVpc(at, "vpc-1", COMMIT_1, { spec: { vlan: 1 } }),
      actualVpc(at, "vpc-1", { rv: "12" }, { spec: { vlan: 2 } }),
      actualGone(at, "vpc-1", { rv: "13" }),
      desiredGone(at, "vpc-1", COMMIT_2),
    ]);
    expect(result.changed).toBe(6);
    const events = await at.sql<{ event_type: string; state_after: string }>(
      "SELECT event_type, state_after FROM fabric_sync.resource_event ORDER BY xid, seq",
    );
    expect(events.map((event) => event.event_type)).toEqual([
      "added",
      "modified",
      "added",
      "modified",
      "deleted",
      "deleted",
    ]);
    expect(events.at(-1)?.state_after).toBe("deleted");
  });

  test("events carry the transaction id of the row that they tell of", async () => {
    await at.apply([actualVpc(at, "vpc-1", { rv: "10" }), actualVpc(at, "vpc-2", { rv: "11" })]);
    await at.apply([actualVpc(at, "vpc-1", { rv: "12" }, { spec: { vlan: 7 } })]);
    const rows = await at.sql<{ name: string; newest: boolean }>(
      `SELECT r.name, r.xmin = max(e.xid)::text::bigint::text::xid AS newest
         FROM fabric_sync.resource r JOIN fabric_sync.resource_event e ON e.resource_id = r.id
        GROUP BY r.name, r.xmin ORDER BY r.name`,
    );
    expect(rows).toEqual([
      { name: "vpc-1", newest: true },
      { name: "vpc-2", newest: true },
    ]);
  });

  test("saves the cursor in the transaction of the rows that it covers", async () => {
    await at.apply([actualVpc(at, "vpc-1", { rv: "10" })], { cursors: [clusterCursor("10", 1_700_000_000_000)] });
    const [same] = await at.sql<{ same: boolean }>(
      "SELECT c.xmin = r.xmin AS same FROM fabric_sync.cursor c, fabric_sync.resource r",
    );
    expect(same).toEqual({ same: true });
    expect(await at.store.readCursors(at.fabricId)).toEqual([clusterCursor("10", 1_700_000_000_000)]);
  });

  test("a batch that fails leaves neither rows nor cursor", async () => {
    const refusedCursor = { ...clusterCursor("11"), scope: "" };
    const batch = at.apply([actualVpc(at, "vpc-1", { rv: "10" })], { cursors: [clusterCursor("10"), refusedCursor] });
    await expect(batch).rejects.toMatchObject({ constraint: "cursor_scope_required" });
    expect(await at.sql("SELECT FROM fabric_sync.resource")).toEqual([]);
    expect(await at.store.readCursors(at.fabricId)).toEqual([]);
  });

  test("refuses an observation of another fabric than the fence's", async () => {
    const other = await at.store.registerFabric({ namespace: "netops", name: "other", uid: "fabric-uid-2" });
    const foreign = actualVpc({ fabricId: other.id }, "vpc-1", { rv: "1" });
    await expect(at.apply([foreign])).rejects.toMatchObject({ code: "ForeignFabric" });
  });

  test("keeps history after its subject has gone, and tells what a side said at any instant", async () => {
    await at.apply([actualVpc(at, "vpc-1", { rv: "10" }, { spec: { vlan: 1 } })]);
    const [{ between } = { between: "" }] = await at.sql<{ between: string }>(
      "SELECT at AS between FROM fabric_sync.resource_event",
    );
    await waitFor("a later millisecond", () => Date.now() > Date.parse(between));
    await at.apply([actualVpc(at, "vpc-1", { rv: "11" }, { spec: { vlan: 2 } })]);
    await at.apply([actualGone(at, "vpc-1", { rv: "12" })]);
    const { key } = actualVpc(at, "vpc-1", { rv: "10" });
    expect((await at.store.sideAsOf(key, "actual", "2000-01-01T00:00:00Z"))?.image ?? null).toBeNull();
    expect((await at.store.sideAsOf(key, "actual", between))?.image).toMatchObject({ spec: { vlan: 1 } });
    const last = await at.store.sideAsOf(key, "actual", new Date(Date.now() + 60_000).toISOString());
    expect(last).toMatchObject({ eventType: "deleted", image: null });
    // What maintenance does to a tombstone whose time is over: the history of the object outlives its row.
    await at.sql("DELETE FROM fabric_sync.resource");
    expect((await at.store.sideAsOf(key, "actual", between))?.image).toMatchObject({ spec: { vlan: 1 } });
  });

  test("writes a revision of thousands of objects at once, in statements of bounded size", async () => {
    const names = Array.from({ length: 1_750 }, (_, index) => `vpc-${String(index).padStart(5, "0")}`);
    const seen = new Set<number>();
    let writing = true;
    const watcher = (async () => {
      while (writing) {
        const [row] = await at.sql<{ rows: number }>("SELECT count(*)::int AS rows FROM fabric_sync.resource");
        seen.add(row?.rows ?? -1);
      }
    })();
    const result = await at.apply(names.toReversed().map((name) => desiredVpc(at, name, COMMIT_1)));
    writing = false;
    await watcher;
    expect(result.changed).toBe(1_750);
    expect([...seen].filter((rows) => rows !== 0 && rows !== 1_750)).toEqual([]);
  });

  test("keeps file records with the revision, and writes only those that changed", async () => {
    const file = { path: "vpcs/a.yaml", blob: "c".repeat(40), documents: 1, keys: [], rejections: [], parsed: true };
    const bad = {
      ...file,
      path: "vpcs/b.yaml",
      rejections: [{ line: 1, column: 2, code: "YamlSyntax", message: "a NUL \0 and \ud800" }],
      parsed: false,
    };
    await at.apply([], { gitFiles: { upserts: [file, bad], removed: [] } });
    const before = await at.sql<{ path: string; xmin: string }>("SELECT path, xmin FROM fabric_sync.git_file");
    await at.apply([], { gitFiles: { upserts: [file, { ...bad, documents: 2 }], removed: ["vpcs/none.yaml"] } });
    const after = await at.sql<{ path: string; xmin: string }>("SELECT path, xmin FROM fabric_sync.git_file");
    expect(after.find(({ path }) => path === file.path)).toEqual(before.find(({ path }) => path === file.path));
    await at.apply([], { gitFiles: { upserts: [], removed: ["vpcs/b.yaml"] } });
    expect(await at.store.readGitFiles(at.fabricId)).toEqual([file]);
  });

  test("takes the file records of a large repository", async () => {
    const upserts = Array.from({ length: 9_000 }, (_, index) => ({
      path: `vpcs/${index}.yaml`,
      blob: "c".repeat(40),
      documents: 0,
      keys: [],
      rejections: [],
      parsed: true,
    }));
    await at.apply([], { gitFiles: { upserts, removed: [] }, cursors: [clusterCursor("1")] });
    expect(await at.store.readGitFiles(at.fabricId)).toHaveLength(9_000);
    expect(await at.store.readCursors(at.fabricId)).toHaveLength(1);
  });

  test("judges again under another policy, and writes only rows whose verdict differs", async () => {
    await at.apply([actualVpc(at, "extra", { rv: "1" }), actualVpc(at, "both", { rv: "2" })]);
    await at.apply([desiredVpc(at, "both", COMMIT_1)]);
    const { signal } = new AbortController();
    expect(await at.store.rejudge(at.fence, { ...POLICY, reportExtra: false }, signal)).toEqual({
      changed: 1,
      unchanged: 1,
    });
    const [event] = await at.sql("SELECT name, event_type FROM fabric_sync.resource_event ORDER BY xid DESC LIMIT 1");
    expect(event).toEqual({ name: "extra", event_type: "reclassified" });
  });

  test("pages through the keys of one kind in key order", async () => {
    const names = ["c", "a", "b", "d"];
    await at.apply([...names.map((name) => actualVpc(at, name, { rv: "1" })), desiredVpc(at, "only-git", COMMIT_1)]);
    const query = { fabricId: at.fabricId, apiGroup: "vpc.githedgehog.com", kind: "VPC", namespace: "" };
    const first = await at.store.actualKeys({ ...query, after: null, limit: 3 });
    expect(first.map(({ name }) => name)).toEqual(["a", "b", "c"]);
    const rest = await at.store.actualKeys({ ...query, after: first.at(-1) ?? null, limit: 3 });
    expect(rest).toEqual([{ namespace: "default", name: "d", uid: "uid-d", resourceVersion: "1" }]);
    expect(await at.store.actualKeys({ ...query, namespace: "elsewhere", after: null, limit: 3 })).toEqual([]);
  });

  test("counts from rows", async () => {
    await at.apply([desiredVpc(at, "both", COMMIT_1), desiredVpc(at, "missing", COMMIT_1)]);
    await at.apply([actualVpc(at, "both", { rv: "1" }), actualVpc(at, "extra", { rv: "2" })]);
    await at.apply([actualVpc(at, "bad", { rv: "3" }, { spec: { text: "\0" } })]);
    expect(await at.store.counts(at.fabricId)).toEqual({
      objects: 2,
      desired: 2,
      byState: { synced: 1, committed: 1, orphaned: 1 },
      byDrift: { in_sync: 1, missing: 1, extra: 1 },
      bySeverity: { high: 1, low: 1 },
      driftScore: 70,
      unknown: [],
      rejections: 0,
      deadLetters: 1,
    });
  });

  test("a minimal object, kind and name only, fills every column", async () => {
    const seen = { fabricId: at.fabricId, writePath: "import", observedAt: 1_700_000_000_000 } as const;
    await at.apply([normaliseActual({ apiVersion: "v1", kind: "Node", metadata: { name: "n" } }, seen)]);
    const [row] = await at.store.findResources({ fabricId: at.fabricId, kind: "Node", name: "n" });
    expect(Object.entries(row ?? {}).filter(([, value]) => value === undefined)).toEqual([]);
    expect(row).toMatchObject({ namespace: "", actualSpec: {}, writePath: "import" });
  });
});
