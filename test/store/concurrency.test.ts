import { actualVpc, COMMIT_1, desiredVpc, openStore, somebodyWaits, POLICY, type StoreFixture } from "./fixture.ts";

const WRITERS = 8;
const KEYS = 40;

describe("writers of the same rows", () => {
  let at: StoreFixture;
  beforeEach(async () => {
    at = await openStore();
  });
  afterEach(async () => {
    await at[Symbol.asyncDispose]();
  });

  test("eight at once lose no update, and no deadlock reaches a caller", async () => {
    let version = 1_000;
    const newest = new Map<string, number>();
    let changed = 0;
    const writer = async (own: number): Promise<void> => {
      for (let round = 0; round < 8; round += 1) {
        // Every writer takes most of the keys, each in another order.
        const names = Array.from({ length: KEYS }, (_, index) => `vpc-${(index * 7 + own * 11 + round) % KEYS}`);
        const observations = names.slice(0, 30).map((name) => {
          const rv = (version += 1);
          newest.set(name, Math.max(newest.get(name) ?? 0, rv));
          return actualVpc(at, name, { rv: String(rv) }, { spec: { rv } });
        });
        const result = await at.apply(observations);
        expect(result.deadLettered).toEqual([]);
        changed += result.changed;
      }
    };
    await Promise.all(Array.from({ length: WRITERS }, (_, own) => writer(own)));

    const rows = await at.sql<{ name: string; rv: string; spec: string }>(
      "SELECT name, actual_resource_version AS rv, actual_spec->>'rv' AS spec FROM fabric_sync.resource ORDER BY name",
    );
    expect(rows).toEqual([...newest].sort().map(([name, rv]) => ({ name, rv: String(rv), spec: String(rv) })));
    const [events] = await at.sql("SELECT count(*)::int AS count FROM fabric_sync.resource_event");
    expect(events).toEqual({ count: changed });
    // Rows are locked in one order by everybody: deadlocks are left to new keys, which are inserted after known ones are locked.
    expect(at.retries.filter((sqlstate) => sqlstate === "40P01").length).toBeLessThan(WRITERS);
  });

  test("both sides of new objects, written at once by two sources, end in one row each, without a deadlock", async () => {
    for (const round of [0, 1, 2, 3, 4]) {
      const names = Array.from({ length: 300 }, (_, index) => `vpc-${round}-${index}`);
      await Promise.all([
        at.apply(names.map((name) => desiredVpc(at, name, COMMIT_1))),
        at.apply(names.toReversed().map((name) => actualVpc(at, name, { rv: "10" }))),
      ]);
    }
    const [count] = await at.sql(
      `SELECT count(*)::int AS rows, (count(*) FILTER (WHERE resource_state = 'synced'))::int AS synced
         FROM fabric_sync.resource`,
    );
    expect(count).toEqual({ rows: 1_500, synced: 1_500 });
    expect(await at.sql("SELECT FROM fabric_sync.resource_event")).toHaveLength(3_000);
    // Everybody inserts in key order, whatever the order of the batch.
    expect(at.retries).not.toContain("40P01");
  });

  test("a row that changed between read and write is read again, not overwritten", async () => {
    await at.apply([desiredVpc(at, "vpc-1", COMMIT_1)]);
    // The holder's update commits after the writer has read, and before it may write.
    const holder = await at.pool.connect();
    await holder.query("BEGIN; UPDATE fabric_sync.resource SET custom_field_data = '{\"kept\": true}'");
    const writing = at.apply([actualVpc(at, "vpc-1", { rv: "10" })]);
    await somebodyWaits(at);
    await holder.query("COMMIT");
    holder.release();
    expect((await writing).changed).toBe(1);
    const [row] = await at.sql("SELECT custom_field_data, actual_resource_version FROM fabric_sync.resource");
    expect(row).toEqual({ custom_field_data: { kept: true }, actual_resource_version: "10" });
  });

  test("a real deadlock (40P01) with somebody who locks in another order is repeated", async () => {
    await at.apply([actualVpc(at, "a", { rv: "1" }), actualVpc(at, "b", { rv: "2" })]);
    const other = await at.pool.connect();
    // A short time-out for the detector of the one that shall lose: ours stays at the server's default.
    await other.query("BEGIN; SELECT FROM fabric_sync.resource WHERE name = 'b' FOR UPDATE");
    const observations = ["a", "b"].map((name) => actualVpc(at, name, { rv: "9" }, { spec: { vlan: 9 } }));
    const writing = at.store.apply({ fence: at.fence, policy: POLICY, observations, cursors: [] });
    await somebodyWaits(at);
    // Whoever waits longer than deadlock_timeout first is the victim; either may be.
    const crossing = other
      .query("SELECT FROM fabric_sync.resource WHERE name = 'a' FOR UPDATE")
      .then(() => other.query("COMMIT"))
      .catch(() => other.query("ROLLBACK"));
    await crossing;
    other.release();
    expect((await writing).changed).toBe(2);
  });
});
