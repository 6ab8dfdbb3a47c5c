import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { readMigrations } from "../../../src/store/migrate-files.ts";
import { migrate } from "../../../src/store/migrate.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

/** Recordings of released writers (`record-writer.ts`), each by the number of the migration that it was made for. */
const recordings = (await readdir(import.meta.dirname)).filter((name) => /^writer-\d{4}\.json$/.test(name)).sort();
const newest = (await readMigrations()).migrations.length;

interface Statement {
  readonly text: string;
  /** Binary ones as `{"base64": …}`. */
  readonly values: readonly unknown[];
}

let database: TestDatabase;
let client: Client;

beforeEach(async () => {
  database = await createTestDatabase({ empty: true });
  client = new Client({ connectionString: database.url });
  await client.connect();
});
afterEach(async () => {
  await client.end();
  await database.drop();
});

function binary(value: unknown): unknown {
  return typeof value === "object" && value !== null && "base64" in value
    ? Buffer.from(String(value.base64), "base64")
    : value;
}

test("there is a recording of a writer that is not newer than the schema", () => {
  expect(recordings.length).toBeGreaterThan(0);
  expect(Math.max(...recordings.map((name) => Number(name.slice(7, 11))))).toBeLessThanOrEqual(newest);
});

test.each(recordings)("what %s recorded writes its rows on the newest schema", async (recording) => {
  await migrate(database.url);
  const statements = JSON.parse(await readFile(join(import.meta.dirname, recording), "utf8")) as Statement[];
  for (const { text, values } of statements) await client.query(text, values.map(binary));
  const { rows } = await client.query(`
    SELECT (SELECT count(*)::int FROM fabric_sync.resource WHERE desired_spec IS NOT NULL AND actual_spec IS NOT NULL) AS resources,
           (SELECT count(*)::int FROM fabric_sync.resource_event) AS events,
           (SELECT count(*)::int FROM fabric_sync.cursor) AS cursors,
           (SELECT count(*)::int FROM fabric_sync.git_file) AS files,
           (SELECT count(*)::int FROM fabric_sync.sync_run) AS runs,
           (SELECT count(*)::int FROM fabric_sync.webhook_delivery) AS deliveries`);
  expect(rows).toEqual([{ resources: 1, events: 2, cursors: 1, files: 1, runs: 1, deliveries: 1 }]);
});

test.each(recordings)(
  "what %s recorded writes the same on the schema before its newest additions",
  async (recording) => {
    // Expand, then contract: the tables that a writer uses are there before the views and caches that later steps add.
    await migrate(database.url, { to: 1 });
    const statements = JSON.parse(await readFile(join(import.meta.dirname, recording), "utf8")) as Statement[];
    for (const { text, values } of statements) await client.query(text, values.map(binary));
    expect((await client.query("SELECT kind, name FROM fabric_sync.resource")).rows).toEqual([
      { kind: "SelfTest", name: "minimal" },
    ]);
  },
);
