import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type pg from "pg";
import { migrate, rollback } from "../../../src/store/migrate.ts";
import { createPool } from "../../../src/store/pool.ts";
import { assertSchemaCompatible } from "../../../src/store/upkeep/compatible.ts";
import { health } from "../../../src/store/upkeep/health.ts";
import { maintain } from "../../../src/store/upkeep/maintain.ts";
import { selftest } from "../../../src/store/upkeep/selftest.ts";
import { validate } from "../../../src/store/upkeep/validate.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

const text = await readFile(join(import.meta.dirname, "../../../docs/runbook-migrations.md"), "utf8");
const blocks = [...text.matchAll(/^<!-- example: (.+) -->\n\n```(sh|sql)\n([\s\S]*?)^```$/gm)];
const examples = new Map(blocks.map(([, name = "", , body = ""]) => [name, body]));

const FABRIC = "6a0f4a3e-0000-4000-8000-000000000001";

let database: TestDatabase;
let pool: pg.Pool;

beforeEach(async () => {
  database = await createTestDatabase();
  pool = createPool({ connection: { connectionString: database.url }, onConnectionError: () => undefined });
  await pool.query("INSERT INTO fabric_sync.fabric (id, namespace, name, uid) VALUES ($1, 'netops', 'lab', 'u')", [
    FABRIC,
  ]);
});
afterEach(async () => {
  await pool.end();
  await database.drop();
});

/** Executes an example: SQL as it is, commands by the functions behind them. Each command's `ok`. */
async function follow(name: string): Promise<boolean[]> {
  const body = examples.get(name);
  if (body === undefined) throw new Error(`the runbook has no example ${name}`);
  if (!body.startsWith("fabric-sync ")) {
    await pool.query(body);
    return [];
  }
  const results: boolean[] = [];
  for (const line of body.trim().split("\n")) results.push((await command(line)).ok);
  return results;
}

function command(line: string): Promise<{ ok: boolean }> {
  const [program, db, verb, ...rest] = line.split(" ");
  if (program !== "fabric-sync" || db !== "db") throw new Error(`not a db command: ${line}`);
  if (verb === "migrate") return migrate(database.url);
  if (verb === "rollback" && rest[0] === "--to") return rollback(database.url, Number(rest[1]));
  if (verb === "validate") return validate(database.url);
  if (verb === "health") return health(database.url);
  if (verb === "maintain") return maintain(database.url);
  if (verb === "selftest") return selftest(pool);
  throw new Error(`no such command: ${line}`);
}

const insert = (columns = "", values = ""): Promise<unknown> =>
  pool.query(
    `INSERT INTO fabric_sync.resource (fabric_id, kind, name${columns}) VALUES ('${FABRIC}', 'K', 'n'${values})`,
  );

test("every block of the runbook is an example with a test", () => {
  expect(text.match(/^```(sh|sql)$/gm)).toHaveLength(examples.size);
  expect([...examples.keys()].sort()).toEqual(
    [
      ...["before", "upgrade", "rollback", "nullable", "default", "constraint", "orphaned cursors", "take in anew"],
      ...["restore", "after restore"],
    ].sort(),
  );
});

test("before and after an upgrade the checks pass", async () => {
  expect(await follow("before")).toEqual([true, true]);
  expect(await follow("upgrade")).toEqual([true, true]);
});

test("after a rollback, validate says that the release does not fit", async () => {
  expect(await follow("rollback")).toEqual([true, false]);
  expect(await follow("upgrade")).toEqual([true, true]);
});

test.each(["nullable", "default"])("a column that must be given is put right (%s)", async (example) => {
  await pool.query("ALTER TABLE fabric_sync.resource ADD COLUMN rack text NOT NULL");
  await expect(assertSchemaCompatible(database.url)).rejects.toMatchObject({ code: "SchemaColumnWithoutDefault" });
  await follow(example);
  await assertSchemaCompatible(database.url);
  await insert();
});

test("a check that refuses what is right is replaced, and holds", async () => {
  await expect(insert(", drift_score", ", 500")).rejects.toMatchObject({ constraint: "resource_drift_score_range" });
  await follow("constraint");
  await insert(", drift_score", ", 500");
  expect(await validate(database.url)).toMatchObject({ ok: true });
});

test("cursors without a fabric are removed", async () => {
  await pool.query(`BEGIN; SET LOCAL session_replication_role = replica;
    INSERT INTO fabric_sync.cursor (fabric_id, scope) VALUES (gen_random_uuid(), 'x'); COMMIT`);
  expect(await validate(database.url)).toMatchObject({ ok: false });
  await follow("orphaned cursors");
  expect(await validate(database.url)).toMatchObject({ ok: true });
});

test("a fabric is taken in anew", async () => {
  await pool.query(`INSERT INTO fabric_sync.cursor (fabric_id, scope) VALUES ('${FABRIC}', 'x')`);
  await follow("take in anew");
  expect((await pool.query("SELECT FROM fabric_sync.cursor")).rowCount).toBe(0);
});

test("history that was restored on another server is put in order, and kept in it", async () => {
  const event = (name: string, xid: string): Promise<unknown> =>
    pool.query(
      `INSERT INTO fabric_sync.resource_event (fabric_id, resource_id, kind, name, xid) VALUES ('${FABRIC}', gen_random_uuid(), 'K', $1, $2::xid8)`,
      [name, xid],
    );
  await event("first", "9000000000");
  await event("second", "9000000001");
  expect(await health(database.url)).toMatchObject({ ok: false });
  await follow("restore");
  expect(await follow("after restore")).toEqual([true, true, true]);
  expect(await health(database.url)).toMatchObject({ ok: true });
  await insert();
  const { rows } = await pool.query(
    `SELECT name FROM fabric_sync.resource_event WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, seq`,
  );
  expect(rows).toEqual([{ name: "first" }, { name: "second" }]);
});
