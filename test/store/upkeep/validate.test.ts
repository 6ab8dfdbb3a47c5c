import { Client } from "pg";
import { assertSchemaCompatible } from "../../../src/store/upkeep/compatible.ts";
import { validate } from "../../../src/store/upkeep/validate.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

const FABRIC = "6a0f4a3e-0000-4000-8000-000000000001";
const NOBODY = "6a0f4a3e-0000-4000-8000-00000000dead";

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

/** What is not well, by the name of the check. */
async function trouble(): Promise<Record<string, readonly string[]>> {
  const { checks } = await validate(database.url);
  return Object.fromEntries(
    checks.filter(({ status }) => status !== "ok").map(({ name, findings }) => [name, findings]),
  );
}

/** Writes what a foreign key would refuse, as a restore with triggers off does. */
async function behindTheBack(statement: string): Promise<void> {
  await client.query(`BEGIN; SET LOCAL session_replication_role = replica; ${statement}; COMMIT`);
}

test("a migrated database is valid, and its rows are counted", async () => {
  const report = await validate(database.url);
  expect(report).toMatchObject({ ok: true, couldNotRun: false });
  expect(report.rows).toMatchObject({ fabric: 1, resource: 0, device_route: 0 });
});

describe("validate finds", () => {
  test("a column without default", async () => {
    await client.query("ALTER TABLE fabric_sync.resource ALTER COLUMN drift_score DROP DEFAULT");
    expect(await trouble()).toEqual({ columns_without_default: ["resource.drift_score"] });
  });

  test("a constraint that is not validated", async () => {
    await client.query("ALTER TABLE fabric_sync.cursor ADD CONSTRAINT cursor_later CHECK (position <> 'x') NOT VALID");
    expect(await trouble()).toEqual({ constraints_hold: ["cursor.cursor_later"] });
  });

  test("a foreign key whose triggers are off", async () => {
    await client.query("ALTER TABLE fabric_sync.device DISABLE TRIGGER ALL");
    expect(await trouble()).toEqual({
      constraints_hold: expect.arrayContaining(["device.device_resource_fkey"]) as string[],
    });
  });

  test("an index that a failed build left invalid", async () => {
    await client.query(
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'fabric_sync.resource_name_idx'::regclass",
    );
    expect(await trouble()).toEqual({ constraints_hold: ["resource.resource_name_idx"] });
  });

  test("a constraint, an index or a column that is missing", async () => {
    await client.query(`
      ALTER TABLE fabric_sync.resource DROP CONSTRAINT resource_name_required;
      DROP INDEX fabric_sync.sync_run_recent_idx;
      ALTER TABLE fabric_sync.git_file DROP COLUMN parsed`);
    expect(await trouble()).toMatchObject({
      schema_complete: ["git_file.parsed", "resource.resource_name_required", "sync_run.sync_run_recent_idx"],
    });
  });

  test("a cursor without fabric", async () => {
    await behindTheBack(`INSERT INTO fabric_sync.cursor (fabric_id, scope) VALUES ('${NOBODY}', 'x')`);
    expect(await trouble()).toEqual({ cursors: ["cursor: 1 without fabric (cursor_fabric_fkey)"] });
  });

  test("a row whose reference dangles", async () => {
    await behindTheBack(`INSERT INTO fabric_sync.resource (fabric_id, kind, name) VALUES ('${NOBODY}', 'K', 'n')`);
    expect(await trouble()).toEqual({ references: ["resource: 1 without fabric (resource_fabric_fkey)"] });
  });

  test("projections without parents", async () => {
    await behindTheBack(`
      INSERT INTO fabric_sync.device_interface (fabric_id, device, name, resource_id) VALUES ('${FABRIC}', 'gone', 'E1/1', '${NOBODY}'), ('${FABRIC}', 'gone', 'E1/2', '${NOBODY}');
      INSERT INTO fabric_sync.device (fabric_id, name, resource_id) VALUES ('${FABRIC}', 'alone', '${NOBODY}')`);
    expect(await trouble()).toEqual({
      projections: [
        "device_interface: 2 without device (device_interface_device_fkey)",
        "device: 1 without resource (device_resource_fkey)",
      ],
    });
  });

  test("half a side", async () => {
    await client.query(
      `INSERT INTO fabric_sync.resource (fabric_id, kind, name, actual_spec) VALUES ($1, 'K', 'half', '{}')`,
      [FABRIC],
    );
    expect(await trouble()).toEqual({ sides: ["K//half"] });
  });

  test("a file whose documents are not accounted for", async () => {
    await client.query(
      `INSERT INTO fabric_sync.git_file (fabric_id, path, documents, parsed) VALUES ($1, 'a.yaml', 2, true), ($1, 'b.yaml', 2, false)`,
      [FABRIC],
    );
    expect(await trouble()).toEqual({ git_files: ["a.yaml"] });
  });

  test("a database that is behind, and one whose migration was interrupted", async () => {
    await client.query(
      "UPDATE fabric_sync.schema_migration SET state = 'started' WHERE version = (SELECT max(version) FROM fabric_sync.schema_migration)",
    );
    expect((await validate(database.url)).checks[0]).toMatchObject({
      status: "failed",
      message: expect.stringMatching(/^\d{4}_\w+ was interrupted/) as string,
    });
    await client.query(
      "DELETE FROM fabric_sync.schema_migration WHERE version = (SELECT max(version) FROM fabric_sync.schema_migration)",
    );
    expect((await validate(database.url)).checks[0]).toMatchObject({
      status: "failed",
      message: expect.stringMatching(/at migration (\d+) of (?!\1)\d+/) as string,
    });
  });
});

test("a check that cannot be made is not a check that passed", async () => {
  await client.query("DROP TABLE fabric_sync.git_file CASCADE");
  const report = await validate(database.url);
  expect(report).toMatchObject({ ok: false, couldNotRun: true });
  expect(report.checks.filter(({ status }) => status === "could_not_run").map(({ name }) => name)).toEqual([
    "git_files",
    "row_counts",
  ]);
});

test("a database that cannot be reached is an error, not a report", async () => {
  await expect(validate("postgresql://nobody:none@127.0.0.1:1/none")).rejects.toMatchObject({ policy: "retry" });
});

describe("at the start", () => {
  test("a column that somebody added with a default is fine", async () => {
    await client.query(
      "ALTER TABLE fabric_sync.resource ADD COLUMN rack text NOT NULL DEFAULT 'none', ADD COLUMN row_no int",
    );
    await assertSchemaCompatible(database.url);
  });

  test("one without a default is an error that names it", async () => {
    await client.query("ALTER TABLE fabric_sync.resource ADD COLUMN rack text NOT NULL");
    await expect(assertSchemaCompatible(database.url)).rejects.toMatchObject({
      code: "SchemaColumnWithoutDefault",
      policy: "stall",
      message: expect.stringContaining("resource.rack must be given") as string,
    });
  });

  test("a column that is gone is an error that names it", async () => {
    await client.query("ALTER TABLE fabric_sync.resource DROP COLUMN sync_metadata");
    await expect(assertSchemaCompatible(database.url)).rejects.toMatchObject({
      code: "SchemaColumnMissing",
      message: expect.stringContaining("resource.sync_metadata") as string,
    });
  });

  test("an empty database and an older one are told to migrate", async () => {
    const empty = await createTestDatabase({ empty: true });
    await expect(assertSchemaCompatible(empty.url)).rejects.toMatchObject({ code: "SchemaOutOfDate" });
    await empty.drop();
    await client.query(
      "DELETE FROM fabric_sync.schema_migration WHERE version = (SELECT max(version) FROM fabric_sync.schema_migration)",
    );
    await expect(assertSchemaCompatible(database.url)).rejects.toMatchObject({ code: "SchemaOutOfDate" });
  });
});
