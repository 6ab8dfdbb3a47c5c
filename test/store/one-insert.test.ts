import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { getTableColumns } from "drizzle-orm";
import { resource } from "../../src/store/schema/resource.ts";
import { actualVpc, clusterCursor, openStore } from "./fixture.ts";

/** `INSERT INTO …resource`, the table itself and not one whose name begins so, drizzle's builder included. */
const INSERTS = [/INSERT\s+INTO\s+(?:"?fabric_sync"?\.)?"?resource"?[\s(]/gi, /\.insert\(\s*resource\s*\)/g];

test("one statement of the source inserts into resource", async () => {
  const root = join(import.meta.dirname, "../../src");
  const places: string[] = [];
  for (const file of await readdir(root, { recursive: true })) {
    if (!file.endsWith(".ts")) continue;
    const text = await readFile(join(root, file), "utf8");
    for (const pattern of INSERTS) for (const _ of text.matchAll(pattern)) places.push(file);
  }
  expect(places).toEqual(["store/write-rows.ts"]);
});

test("its column list is the table's", async () => {
  await using at = await openStore();
  await at.sql("ALTER TABLE fabric_sync.resource ADD COLUMN added_behind_our_back text NOT NULL DEFAULT ''");
  const seen: string[] = [];
  at.pool.on("acquire", (client) => {
    const query = client.query.bind(client) as (...values: unknown[]) => unknown;
    const spy = (...values: unknown[]): unknown => {
      seen.push(typeof values[0] === "string" ? values[0] : "");
      return query(...values);
    };
    Object.assign(client, { query: spy });
  });
  const result = await at.apply([actualVpc(at, "vpc-1", { rv: "10" })], { cursors: [clusterCursor("10")] });
  expect(result.changed).toBe(1);
  const [list] = seen.flatMap((text) => /INSERT INTO fabric_sync\.resource \(([^)]*)\)/.exec(text)?.[1] ?? []);
  const columns = Object.values(getTableColumns(resource)).map(({ name }) => `"${name}"`);
  expect(list?.split(", ")).toEqual(columns);
});

test("the server has seen no other insert into resource (pg_stat_statements, where it is loaded)", async () => {
  await using at = await openStore();
  const loaded = await at.sql<{ libraries: string }>("SELECT current_setting('shared_preload_libraries') AS libraries");
  await at.apply([actualVpc(at, "vpc-1", { rv: "10" }), actualVpc(at, "bad", { rv: "11" }, { spec: { a: "\0" } })]);
  await at.apply([actualVpc(at, "vpc-1", { rv: "12" }, { spec: { vlan: 3 } })], { cursors: [clusterCursor("12")] });
  // A server that was given by TEST_DATABASE_URL may lack the module; the two tests above hold there all the same.
  if (loaded[0]?.libraries.includes("pg_stat_statements") !== true) return;
  await at.sql("CREATE EXTENSION pg_stat_statements");
  const statements = await at.sql<{ query: string }>(
    `SELECT query FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
      WHERE d.datname = current_database() AND query ~* 'insert into "?fabric_sync"?\\."?resource"?[ (]'`,
  );
  expect(statements.length).toBeGreaterThan(0);
  for (const { query } of statements) expect(query).toMatch(/^\s*WITH\s+same AS/);
});
