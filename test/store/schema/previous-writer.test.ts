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

/**
 * Replays a recording. The version (xmin) of a row that is updated is that of this database: a recorded one is of the server that it was recorded
 * on.
 */
async function replay(recording: string): Promise<void> {
  const statements = JSON.parse(await readFile(join(import.meta.dirname, recording), "utf8")) as Statement[];
  for (const { text, values } of statements) {
    const given = values.map(binary);
    if (text.includes("unnest($2::uuid[], $3::xid[])")) {
      const { rows } = await client.query<{ versions: string[] }>(
        `SELECT array(SELECT r.xmin::text FROM unnest($1::uuid[]) WITH ORDINALITY AS i (id, position)
                        JOIN fabric_sync.resource r USING (id) ORDER BY position) AS versions`,
        [given[1]],
      );
      given[2] = rows[0]?.versions;
    }
    await client.query(text, given);
  }
}

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
  await replay(recording);
  const { rows } = await client.query(`
    SELECT (SELECT count(*)::int FROM fabric_sync.resource WHERE desired_spec IS NOT NULL) AS resources,
           (SELECT count(*)::int FROM fabric_sync.resource_event) AS events,
           (SELECT count(*)::int FROM fabric_sync.cursor) AS cursors,
           (SELECT count(*)::int FROM fabric_sync.git_file) AS files,
           (SELECT count(*)::int FROM fabric_sync.sync_run) AS runs,
           (SELECT count(*)::int FROM fabric_sync.webhook_delivery) AS deliveries`);
  // The first recording knows inserts alone; later ones also change both sides, and end with the cluster's gone.
  const events = recording === "writer-0003.json" ? 2 : 5;
  expect(rows).toEqual([{ resources: 1, events, cursors: 1, files: 1, runs: 1, deliveries: 1 }]);
  if (events === 2) return;
  const updated = await client.query(
    "SELECT desired_spec, actual_spec, actual_resource_version, sync_attempts FROM fabric_sync.resource",
  );
  expect(updated.rows).toEqual([
    { desired_spec: { changed: true }, actual_spec: null, actual_resource_version: "10", sync_attempts: 5 },
  ]);
});

test.each(recordings)(
  "what %s recorded writes the same on the schema before its newest additions",
  async (recording) => {
    // Expand, then contract: the tables that a writer uses are there before the views and caches that later steps add.
    await migrate(database.url, { to: 1 });
    await replay(recording);
    expect((await client.query("SELECT kind, name FROM fabric_sync.resource")).rows).toEqual([
      { kind: "SelfTest", name: "minimal" },
    ]);
  },
);
