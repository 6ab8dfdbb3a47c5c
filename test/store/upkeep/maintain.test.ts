import { Client } from "pg";
import { createPartitions, monthPartition } from "../../../src/store/partitions.ts";
import { health } from "../../../src/store/upkeep/health.ts";
import { maintain } from "../../../src/store/upkeep/maintain.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

const FABRIC = "6a0f4a3e-0000-4000-8000-000000000001";
const LONGER = "6a0f4a3e-0000-4000-8000-000000000002";
const NOW = new Date("2031-05-10T12:00:00Z");

let database: TestDatabase;
let client: Client;

beforeEach(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query("INSERT INTO fabric_sync.fabric (id, namespace, name, uid) VALUES ($1, 'lab', 'one', 'u1')", [
    FABRIC,
  ]);
});
afterEach(async () => {
  await client.end();
  await database.drop();
});

async function event(at: string): Promise<void> {
  await client.query(
    `INSERT INTO fabric_sync.resource_event (fabric_id, resource_id, kind, name, at) VALUES ($1, gen_random_uuid(), 'K', 'n', $2)`,
    [FABRIC, at],
  );
}

async function partitionOf(at: string): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT tableoid::regclass::text AS name FROM fabric_sync.resource_event WHERE at = $1",
    [at],
  );
  return rows[0]?.name ?? "none";
}

describe("months", () => {
  test("are cut in UTC, over the end of a year", () => {
    expect(monthPartition(new Date("2030-12-31T23:59:59Z"), 0)).toEqual({
      name: "resource_event_2030_12",
      from: "2030-12-01T00:00:00.000Z",
      to: "2031-01-01T00:00:00.000Z",
    });
    expect(monthPartition(new Date("2030-12-31T23:59:59Z"), 1).name).toBe("resource_event_2031_01");
    expect(monthPartition(new Date("2031-01-31T00:00:00Z"), 1).name).toBe("resource_event_2031_02");
  });

  test("are made ahead, and their limits do not depend on the session's time zone", async () => {
    await client.query("ALTER DATABASE " + database.name + " SET timezone = 'Asia/Kolkata'");
    expect(await createPartitions(database.url, NOW)).toEqual([
      "resource_event_2031_04",
      "resource_event_2031_05",
      "resource_event_2031_06",
      "resource_event_2031_07",
      "resource_event_2031_08",
    ]);
    expect(await createPartitions(database.url, NOW)).toEqual([]);
    await event("2031-05-31T23:59:59.999Z");
    await event("2031-06-01T00:00:00Z");
    expect(await partitionOf("2031-05-31T23:59:59.999Z")).toBe("fabric_sync.resource_event_2031_05");
    expect(await partitionOf("2031-06-01T00:00:00Z")).toBe("fabric_sync.resource_event_2031_06");
  });

  test("take over the events that waited in the default partition", async () => {
    await event("2031-05-09T00:00:00Z");
    await event("2039-01-01T00:00:00Z");
    expect(await partitionOf("2031-05-09T00:00:00Z")).toBe("fabric_sync.resource_event_default");
    await maintain(database.url, { now: NOW });
    expect(await partitionOf("2031-05-09T00:00:00Z")).toBe("fabric_sync.resource_event_2031_05");
    expect(await partitionOf("2039-01-01T00:00:00Z")).toBe("fabric_sync.resource_event_default");
  });
});

describe("db maintain", () => {
  test("drops a month when the fabric that keeps history longest needs no day of it", async () => {
    await client.query(
      "INSERT INTO fabric_sync.fabric (id, namespace, name, uid, history_retention) VALUES ($1, 'lab', 'longer', 'u2', '120 days')",
      [LONGER],
    );
    await createPartitions(database.url, new Date("2031-01-10T00:00:00Z"), 0);
    await event("2030-12-31T00:00:00Z");
    await event("2031-01-31T00:00:00Z");
    // 120 days before 10 May is 10 January.
    const report = await maintain(database.url, { now: NOW });
    expect(report).toMatchObject({ ok: true });
    expect(report.partitionsDropped).toContain("resource_event_2030_12");
    expect(report.partitionsDropped).not.toContain("resource_event_2031_01");
    expect(report.checks.find(({ name }) => name === "history_retention")?.message).toContain("120 days");
    expect(await partitionOf("2030-12-31T00:00:00Z")).toBe("none");
    expect(await partitionOf("2031-01-31T00:00:00Z")).toBe("fabric_sync.resource_event_2031_01");
  });

  test("gives way to a reader of the history, says so, and does the rest", async () => {
    await createPartitions(database.url, new Date("2030-01-10T00:00:00Z"), 0);
    await createPartitions(database.url, NOW);
    await client.query("BEGIN; SELECT count(*) FROM fabric_sync.resource_event");
    const report = await maintain(database.url, { now: NOW });
    await client.query("ROLLBACK");
    expect(report).toMatchObject({ ok: false, couldNotRun: true });
    expect(report.checks.filter(({ status }) => status !== "ok").map(({ name }) => name)).toEqual([
      "history_retention",
    ]);
    expect(report.purged).toMatchObject({ resource: 0 });
    expect((await maintain(database.url, { now: NOW })).partitionsDropped).toContain("resource_event_2030_01");
  });

  test("purges tombstones of each fabric by its own retention, in chunks, and nothing that lives", async () => {
    await client.query(
      `INSERT INTO fabric_sync.resource (fabric_id, kind, name, resource_state, last_state_change)
       SELECT $1::uuid, 'K', 'old-' || n, 'deleted', $2::timestamptz - interval '31 days' FROM generate_series(1, 2500) AS n
       UNION ALL SELECT $1::uuid, 'K', 'young', 'deleted', $2::timestamptz - interval '29 days'
       UNION ALL SELECT $1::uuid, 'K', 'alive', 'synced', $2::timestamptz - interval '300 days'`,
      [FABRIC, NOW.toISOString()],
    );
    expect((await maintain(database.url, { now: NOW })).purged).toMatchObject({ resource: 2500 });
    const { rows } = await client.query("SELECT name FROM fabric_sync.resource ORDER BY name");
    expect(rows).toEqual([{ name: "alive" }, { name: "young" }]);
  });

  test("leaves a tombstone that a writer holds, and takes it the next time", async () => {
    await client.query(
      "INSERT INTO fabric_sync.resource (fabric_id, kind, name, resource_state, last_state_change) VALUES ($1, 'K', 'held', 'deleted', '2020-01-01')",
      [FABRIC],
    );
    await client.query("BEGIN; SELECT FROM fabric_sync.resource FOR UPDATE");
    expect((await maintain(database.url, { now: NOW })).purged).toMatchObject({ resource: 0 });
    await client.query("ROLLBACK");
    expect((await maintain(database.url, { now: NOW })).purged).toMatchObject({ resource: 1 });
  });

  test("purges snapshots, deliveries, runs and strayed events that have expired", async () => {
    await client.query(`
      INSERT INTO fabric_sync.resource (id, fabric_id, kind, name) VALUES ('${LONGER}', '${FABRIC}', 'Agent', 'leaf');
      INSERT INTO fabric_sync.device (fabric_id, name, resource_id) VALUES ('${FABRIC}', 'leaf', '${LONGER}'), ('${FABRIC}', 'spine', '${LONGER}');
      INSERT INTO fabric_sync.device_snapshot (fabric_id, device, resource_id, source, expires_at)
      VALUES ('${FABRIC}', 'leaf', '${LONGER}', 'Old', '2031-05-10 11:59Z'), ('${FABRIC}', 'spine', '${LONGER}', 'New', '2031-05-10 12:01Z');
      INSERT INTO fabric_sync.webhook_delivery (fabric_id, provider, delivery_id, received_at)
      VALUES ('${FABRIC}', 'github', 'old', '2031-05-03 11:59Z'), ('${FABRIC}', 'github', 'new', '2031-05-03 12:01Z');
      INSERT INTO fabric_sync.sync_run (fabric_id, target, started_at)
      VALUES ('${FABRIC}', 'old', '2031-02-09'), ('${FABRIC}', 'new', '2031-02-11')`);
    await event("1999-01-01T00:00:00Z");
    expect((await maintain(database.url, { now: NOW })).purged).toEqual({
      resource: 0,
      sync_run: 1,
      device_snapshot: 1,
      webhook_delivery: 1,
      resource_event_default: 1,
    });
    const { rows } = await client.query(
      `SELECT source AS kept FROM fabric_sync.device_snapshot UNION ALL SELECT delivery_id FROM fabric_sync.webhook_delivery
       UNION ALL SELECT target FROM fabric_sync.sync_run`,
    );
    expect(rows).toEqual([{ kept: "New" }, { kept: "new" }, { kept: "new" }]);
  });
});

describe("db health", () => {
  async function notOk(now = new Date()): Promise<Record<string, string>> {
    const { checks } = await health(database.url, { now });
    return Object.fromEntries(checks.filter(({ status }) => status !== "ok").map(({ name, status }) => [name, status]));
  }

  test("is well after a migration", async () => {
    expect(await health(database.url)).toMatchObject({ ok: true, couldNotRun: false });
    expect(await notOk()).toEqual({});
  });

  test("fails when this month or the next has no partition", async () => {
    expect(await notOk(NOW)).toEqual({ partitions_ahead: "failed" });
    await maintain(database.url, { now: NOW });
    expect(await notOk(NOW)).toEqual({});
  });

  test("fails when the database is behind the program", async () => {
    await client.query(
      "DELETE FROM fabric_sync.schema_migration WHERE version = (SELECT max(version) FROM fabric_sync.schema_migration)",
    );
    expect(await notOk()).toEqual({ migration: "failed" });
  });

  test("fails when history is ahead of the server's transactions, as after a restore on another server", async () => {
    await client.query(
      `INSERT INTO fabric_sync.resource_event (fabric_id, resource_id, kind, name, xid) VALUES ($1, gen_random_uuid(), 'K', 'n', '9000000000')`,
      [FABRIC],
    );
    expect(await notOk()).toEqual({ history_order: "failed" });
  });

  test("warns of old streams, refusals, events in no month", async () => {
    await client.query(`
      INSERT INTO fabric_sync.cursor (fabric_id, scope, complete_at) VALUES ('${FABRIC}', 'g/v1/old', now() - interval '1 hour'),
        ('${FABRIC}', 'g/v1/never', NULL), ('${FABRIC}', 'g/v1/fresh', now());
      INSERT INTO fabric_sync.resource_dead_letter (fabric_id, kind, name) VALUES ('${FABRIC}', 'K', 'n')`);
    await event("1999-01-01T00:00:00Z");
    expect(await notOk()).toEqual({ lag: "warning", refused: "warning", default_partition: "warning" });
    const lag = (await health(database.url)).checks.find(({ name }) => name === "lag");
    expect(lag?.findings).toHaveLength(2);
  });

  test("could not run where the tables are not there", async () => {
    const empty = await createTestDatabase({ empty: true });
    expect(await health(empty.url)).toMatchObject({ ok: false, couldNotRun: true });
    await empty.drop();
  });
});
