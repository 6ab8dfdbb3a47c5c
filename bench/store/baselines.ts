import { getTableColumns, sql, type SQL } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import type pg from "pg";
import type { ResourceRow } from "../../src/core/row.ts";
import { resource } from "../../src/store/schema/resource.ts";
import { copyIn, copyText } from "./copy-in.ts";

const columns = Object.entries(getTableColumns(resource));
const KEY = ["fabric_id", "api_group", "kind", "namespace", "name"];
const target = [resource.fabricId, resource.apiGroup, resource.kind, resource.namespace, resource.name];

/** drizzle's own batch upsert, as its documentation shows it: rows only, no history, no cursor, no fence. */
export async function drizzleUpsert(pool: pg.Pool, rows: readonly ResourceRow[]): Promise<void> {
  const set: Record<string, SQL> = {};
  for (const [property, column] of columns) {
    if (property !== "id" && !KEY.includes(column.name)) set[property] = sql.raw(`excluded."${column.name}"`);
  }
  await drizzle(pool)
    .insert(resource)
    .values([...rows])
    .onConflictDoUpdate({ target, set });
}

/** COPY into a staging table and one merge: rows only, no history, no cursor, no fence. The practical limit. */
export async function copyAndMerge(pool: pg.Pool, rows: readonly ResourceRow[]): Promise<void> {
  const names = columns.map(([, column]) => `"${column.name}"`).join(", ");
  const updates = columns
    .filter(([property, column]) => property !== "id" && !KEY.includes(column.name))
    .map(([, column]) => `"${column.name}" = excluded."${column.name}"`)
    .join(", ");
  const properties = columns.map(([property]) => property as keyof ResourceRow);
  const lines = rows.map((row) => properties.map((property) => copyText(row[property])).join("\t")).join("\n");
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await client.query(
      "CREATE TEMPORARY TABLE staging ON COMMIT DROP AS SELECT * FROM fabric_sync.resource WITH NO DATA",
    );
    await copyIn(client, `COPY staging (${names}) FROM STDIN`, `${lines}\n`);
    await client.query(
      `INSERT INTO fabric_sync.resource (${names}) SELECT ${names} FROM staging ORDER BY ${KEY.join(", ")}
       ON CONFLICT (${KEY.join(", ")}) DO UPDATE SET ${updates}`,
    );
    await client.query("COMMIT");
  } finally {
    client.release();
  }
}
