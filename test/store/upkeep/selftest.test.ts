import type pg from "pg";
import { createPool } from "../../../src/store/pool.ts";
import { selftest } from "../../../src/store/upkeep/selftest.ts";
import { fabricSync } from "../../cli/support/program.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

let database: TestDatabase;
let pool: pg.Pool;

beforeEach(async () => {
  database = await createTestDatabase();
  pool = createPool({ connection: { connectionString: database.url }, onConnectionError: () => undefined });
});
afterEach(async () => {
  await pool.end();
  await database.drop();
});

async function failures(): Promise<Record<string, readonly string[]>> {
  const { checks } = await selftest(pool);
  return Object.fromEntries(
    checks.filter(({ status }) => status !== "ok").map(({ name, findings }) => [name, findings]),
  );
}

test("passes on a migrated database, and leaves no row behind", async () => {
  expect(await selftest(pool)).toMatchObject({ ok: true, couldNotRun: false });
  const { rows } = await pool.query(`
    SELECT (SELECT count(*) FROM fabric_sync.fabric) + (SELECT count(*) FROM fabric_sync.resource)
         + (SELECT count(*) FROM fabric_sync.resource_event) AS rows`);
  expect(rows).toEqual([{ rows: 0 }]);
});

test("fails when a default was dropped, and names the column", async () => {
  await pool.query("ALTER TABLE fabric_sync.resource ALTER COLUMN drift_status DROP DEFAULT");
  expect(await failures()).toEqual({
    row_of_defaults_resource: ["drift_status"],
    defaults_in_range_resource: ["drift_status"],
  });
});

test("fails when a default is not in its list", async () => {
  await pool.query("ALTER TABLE fabric_sync.resource ALTER COLUMN write_path SET DEFAULT 'magic'");
  expect(await failures()).toEqual({ defaults_in_range_resource: ["resource_write_path_listed"] });
});

test("fails when a column must be given that the one INSERT does not know", async () => {
  await pool.query("ALTER TABLE fabric_sync.resource ADD COLUMN rack text NOT NULL");
  expect(Object.keys(await failures())).toEqual(expect.arrayContaining(["minimal_object", "maximal_object"]));
});

test("fails when something changes what is written", async () => {
  await pool.query(`
    CREATE FUNCTION fabric_sync.meddle() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN NEW.state_change_reason = 'meddled'; RETURN NEW; END $$;
    CREATE TRIGGER meddle BEFORE INSERT ON fabric_sync.resource FOR EACH ROW EXECUTE FUNCTION fabric_sync.meddle()`);
  expect(await failures()).toEqual({ minimal_object: ["stateChangeReason"], maximal_object: ["stateChangeReason"] });
});

test("fails when a table refuses defaults by something else than a name that must be given", async () => {
  await pool.query("ALTER TABLE fabric_sync.webhook_delivery ADD CONSTRAINT a_rule CHECK (received_at < 'epoch')");
  expect(await failures()).toEqual({
    row_of_defaults_webhook_delivery: ["a_rule"],
    defaults_in_range_webhook_delivery: ["a_rule"],
  });
});

test("the command exits with 0 when all is well, 1 when a default was dropped, 2 when it cannot ask", async () => {
  const environment = { DATABASE_URL: database.url };
  expect(await fabricSync(["db", "selftest"], environment)).toMatchObject({ code: 0 });
  await pool.query("ALTER TABLE fabric_sync.resource ALTER COLUMN drift_status DROP DEFAULT");
  const failed = await fabricSync(["db", "selftest"], environment);
  expect(failed).toMatchObject({ code: 1 });
  expect(failed.stdout).toContain("drift_status");
  expect(await fabricSync(["db", "validate"], environment)).toMatchObject({ code: 1 });
  const nowhere = new URL(database.url);
  nowhere.pathname = "/nowhere";
  for (const command of ["selftest", "validate", "health", "maintain"]) {
    expect(await fabricSync(["db", command], { DATABASE_URL: nowhere.href })).toMatchObject({ code: 2 });
  }
});
