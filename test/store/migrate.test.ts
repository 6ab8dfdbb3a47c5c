import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { migrate, rollback } from "../../src/store/migrate.ts";
import { migrationsDirectory, readMigrations } from "../../src/store/migrate-files.ts";
import { LOCK_STATEMENT } from "../../src/store/migrate-journal.ts";
import { createPool } from "../../src/store/pool.ts";
import { createTestDatabase, startPostgres, withClient, type TestDatabase } from "../support/postgres.ts";
import { waitFor } from "../support/wait.ts";
import { findPgDump } from "./pg-dump.ts";
import { catalogueOf } from "./schema/catalogue.ts";

const NEWEST = (await readMigrations()).migrations.length;
/** A month in the past, so that partitions made by one run and not by another would be seen. */
const NOW = new Date("2024-03-15T00:00:00Z");

let database: TestDatabase;
let client: Client;
let directory: string;

beforeEach(async () => {
  database = await createTestDatabase({ empty: true });
  client = new Client({ connectionString: database.url });
  await client.connect();
  directory = await mkdtemp(join(tmpdir(), "fabric-sync-migrations-"));
  await cp(migrationsDirectory(), directory, { recursive: true, filter: (path) => !path.includes("meta") });
});
afterEach(async () => {
  await client.end();
  await database.drop();
  await rm(directory, { recursive: true });
});

/** Adds a migration of the next number to the copied directory. */
async function addMigration(name: string, up: string, down = "SELECT 1;"): Promise<void> {
  const number = String(NEWEST + 1).padStart(4, "0");
  await writeFile(join(directory, `${number}_${name}.sql`), up);
  await writeFile(join(directory, `${number}_${name}.down.sql`), down);
}

async function journal(): Promise<{ version: number; state: string }[]> {
  return (
    await client.query<{ version: number; state: string }>(
      "SELECT version, state FROM fabric_sync.schema_migration ORDER BY version",
    )
  ).rows;
}

describe("db migrate", () => {
  test("brings an empty database to the newest migration, and a second run does nothing", async () => {
    const first = await migrate(database.url);
    expect(first).toMatchObject({ ok: true, from: 0, to: NEWEST, warnings: [] });
    expect(first.steps.map(({ action }) => action)).toEqual(Array(NEWEST).fill("applied"));
    const second = await migrate(database.url);
    expect(second).toMatchObject({ from: NEWEST, to: NEWEST, steps: [], partitions: [] });
  });

  test("ten at once: each step is applied by one of them", async () => {
    const reports = await Promise.all(Array.from({ length: 10 }, () => migrate(database.url)));
    expect(reports.map(({ to }) => to)).toEqual(Array(10).fill(NEWEST));
    expect(reports.flatMap(({ steps }) => steps.map(({ version }) => version)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: NEWEST }, (_, index) => index + 1),
    );
    expect(reports.flatMap(({ partitions }) => partitions)).toHaveLength(5);
  });

  test("works over a pool, and gives it back usable", async () => {
    const pool = createPool({ connection: { connectionString: database.url }, onConnectionError: () => undefined });
    await migrate(pool);
    expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    await pool.end();
  });

  test("of two databases of one server at once makes the reader role once", async () => {
    const other = await createTestDatabase({ empty: true });
    const reports = await Promise.all([migrate(database.url), migrate(other.url)]);
    expect(reports.flatMap(({ warnings }) => warnings)).toEqual([]);
    await other.drop();
  });

  test("a step that fails leaves nothing of itself, and the next run goes on from there", async () => {
    await addMigration("broken", "CREATE TABLE fabric_sync.half (a int); SELECT 1/0;");
    await expect(migrate(database.url, { directory })).rejects.toMatchObject({ code: "ObjectRefused" });
    expect(await journal()).toHaveLength(NEWEST);
    expect((await client.query("SELECT to_regclass('fabric_sync.half') AS half")).rows).toEqual([{ half: null }]);
    await addMigration("broken", "CREATE TABLE fabric_sync.whole (a int);");
    expect((await migrate(database.url, { directory })).steps).toMatchObject([
      { version: NEWEST + 1, action: "applied" },
    ]);
  });

  test("killed in the middle of a step: the next run does the step", async () => {
    await addMigration("slow", "CREATE TABLE fabric_sync.slow (a int); SELECT pg_sleep(600);");
    const killed = migrate(database.url, { directory }).catch((error: unknown) => error);
    await waitFor("the slow step", async () => {
      const { rows } = await client.query<{ ended: boolean }>(
        `SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity
          WHERE datname = current_database() AND query LIKE '%pg_sleep(600)%' AND wait_event = 'PgSleep'`,
      );
      return rows.some(({ ended }) => ended);
    });
    expect(await killed).toMatchObject({ policy: "retry" });
    expect(await journal()).toHaveLength(NEWEST);
    await addMigration("slow", "CREATE TABLE fabric_sync.slow (a int);");
    expect(await migrate(database.url, { directory })).toMatchObject({ to: NEWEST + 1 });
  });

  test("killed in the middle of a step outside of a transaction: the next run repairs it", async () => {
    await migrate(database.url);
    // Two equal rows let the unique index fail after it was begun: it stays behind invalid, as after a kill.
    await client.query("CREATE TABLE fabric_sync.twice (a int); INSERT INTO fabric_sync.twice VALUES (1), (1)");
    const statements = [
      "-- no-transaction",
      "CREATE TABLE IF NOT EXISTS fabric_sync.outside (a int);",
      "--> statement-breakpoint",
      "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS twice_key ON fabric_sync.twice (a);",
    ];
    await addMigration(
      "outside",
      statements.join("\n"),
      "DROP INDEX fabric_sync.twice_key; DROP TABLE fabric_sync.outside;",
    );
    await expect(migrate(database.url, { directory })).rejects.toMatchObject({ code: "ObjectRefused" });
    expect((await journal()).at(-1)).toEqual({ version: NEWEST + 1, state: "started" });

    await client.query("DELETE FROM fabric_sync.twice WHERE ctid = '(0,1)'");
    const report = await migrate(database.url, { directory });
    expect(report.steps).toMatchObject([{ version: NEWEST + 1, action: "repaired" }]);
    const { rows } = await client.query(
      "SELECT indisvalid FROM pg_index WHERE indexrelid = 'fabric_sync.twice_key'::regclass",
    );
    expect(rows).toEqual([{ indisvalid: true }]);
    expect(await rollback(database.url, NEWEST, { directory })).toMatchObject({ to: NEWEST });
  });

  test("gives way to a writer that holds a table, and does the step when it is free", async () => {
    await migrate(database.url);
    await addMigration("locked", "ALTER TABLE fabric_sync.resource ADD COLUMN extra text NOT NULL DEFAULT '';");
    await client.query("BEGIN; LOCK TABLE fabric_sync.resource IN ROW EXCLUSIVE MODE");
    const waiting = migrate(database.url, { directory });
    await withClient(database.url, async (observer) => {
      await waitFor("the step to wait for its lock", async () => {
        const { rows } = await observer.query(
          "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%extra%'",
        );
        return rows.length > 0;
      });
    });
    await client.query("COMMIT");
    expect(await waiting).toMatchObject({ to: NEWEST + 1 });
  });

  test("waits for another run as long as that works", async () => {
    await client.query(`BEGIN; ${LOCK_STATEMENT}`);
    const waiting = migrate(database.url);
    await withClient(database.url, async (observer) => {
      await waitFor("the run to wait", async () => {
        const { rows } = await observer.query(
          "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        );
        return rows.length > 0;
      });
    });
    await client.query("COMMIT");
    expect(await waiting).toMatchObject({ to: NEWEST });
  });
});

describe("a database that does not fit", () => {
  test("a changed applied migration is refused by its name", async () => {
    await migrate(database.url);
    await writeFile(join(directory, "0002_device_caches.sql"), "-- changed\nSELECT 1;");
    await expect(migrate(database.url, { directory })).rejects.toMatchObject({
      code: "MigrationChanged",
      message: expect.stringContaining("0002_device_caches was changed") as string,
    });
  });

  test("a database newer than the program is refused in words", async () => {
    await addMigration("future", "SELECT 1;");
    await migrate(database.url, { directory });
    const refused = {
      code: "DatabaseNewer",
      message: expect.stringContaining(`at migration ${String(NEWEST + 1).padStart(4, "0")}_future`) as string,
    };
    await expect(migrate(database.url)).rejects.toMatchObject(refused);
    await expect(rollback(database.url, 0)).rejects.toMatchObject(refused);
  });

  test("the same migration with other line ends is the same", async () => {
    await migrate(database.url);
    const [first] = (await readMigrations()).migrations;
    await writeFile(join(directory, "0001_core.sql"), (first?.up.text ?? "").replaceAll("\n", "\r\n"));
    expect(await migrate(database.url, { directory })).toMatchObject({ steps: [] });
  });

  test("migrations with a gap, or without a way back, are no migrations", async () => {
    await rm(join(directory, "0002_device_caches.down.sql"));
    await expect(readMigrations(directory)).rejects.toMatchObject({ code: "MigrationsBroken" });
    await rm(join(directory, "0002_device_caches.sql"));
    await expect(readMigrations(directory)).rejects.toMatchObject({
      code: "MigrationsBroken",
      message: expect.stringContaining("0003_views") as string,
    });
  });
});

describe("db rollback", () => {
  test("up, down and up again gives the same catalogue at every step", async () => {
    const options = { now: NOW };
    const seen: string[][] = [];
    for (let version = 1; version <= NEWEST; version += 1) {
      await migrate(database.url, { ...options, to: version });
      seen.push(await catalogueOf(client));
    }
    for (let version = NEWEST - 1; version >= 1; version -= 1) {
      await rollback(database.url, version);
      expect(await catalogueOf(client)).toEqual(seen[version - 1]);
    }
    await rollback(database.url, 0);
    const { rows } = await client.query(
      "SELECT relname FROM pg_class WHERE relnamespace = 'fabric_sync'::regnamespace AND relkind NOT IN ('i') AND relname <> 'schema_migration'",
    );
    expect(rows).toEqual([]);
    await migrate(database.url, options);
    expect(await catalogueOf(client)).toEqual(seen.at(-1));
  });

  test("up, down and up again gives the same pg_dump", async () => {
    const { rows } = await client.query<{ version: number }>(
      "SELECT current_setting('server_version_num')::int / 10000 AS version",
    );
    const pgDump = await findPgDump(rows[0]?.version ?? 0);
    const dump = async (): Promise<string> => {
      if (pgDump === null) return (await catalogueOf(client)).join("\n");
      const { stdout } = await promisify(execFile)(pgDump, ["--schema-only", "--schema=fabric_sync", database.url]);
      // Newer pg_dump writes a random key against injection.
      return stdout.replaceAll(/^\\(un)?restrict .*$/gm, "");
    };
    await migrate(database.url, { now: NOW });
    const first = await dump();
    await rollback(database.url, 0);
    await migrate(database.url, { now: NOW });
    expect(await dump()).toBe(first);
  });

  test("to a version that is not there is refused", async () => {
    await migrate(database.url);
    await expect(rollback(database.url, -1)).rejects.toMatchObject({ code: "RollbackTarget" });
    await expect(rollback(database.url, 0.5)).rejects.toMatchObject({ code: "RollbackTarget" });
    expect(await rollback(database.url, NEWEST + 5)).toMatchObject({ to: NEWEST, steps: [] });
  });
});

describe("a user without the right to make roles", () => {
  test("migrates, is told what to do, and the role gets its rights once it is there", async () => {
    // A server of its own: the role belongs to the whole server, where other suites have made it.
    const server = await startPostgres();
    const own = await server.createDatabase();
    try {
      await withClient(own.url, (admin) =>
        admin.query(`CREATE ROLE plain LOGIN PASSWORD 'plain'; GRANT CREATE ON DATABASE ${own.name} TO plain`),
      );
      const url = new URL(own.url);
      url.username = url.password = "plain";
      const { warnings } = await migrate(url.toString());
      expect(warnings).toEqual([expect.stringContaining("CREATE ROLE fabric_sync_reader NOLOGIN")]);
      await withClient(own.url, (admin) => admin.query("CREATE ROLE fabric_sync_reader NOLOGIN"));
      expect(await migrate(url.toString())).toMatchObject({ warnings: [] });
      await withClient(own.url, async (admin) => {
        const { rows } = await admin.query(
          "SELECT has_table_privilege('fabric_sync_reader', 'fabric_sync.resources', 'SELECT') AS reads",
        );
        expect(rows).toEqual([{ reads: true }]);
      });
    } finally {
      await server.stop();
    }
  });
});
