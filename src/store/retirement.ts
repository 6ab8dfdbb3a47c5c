import { is } from "drizzle-orm";
import { getTableConfig, PgTable } from "drizzle-orm/pg-core";
import type { Pool } from "pg";
import * as tables from "./schema/tables.ts";
import { inTransaction } from "./transaction.ts";

/**
 * Rows a statement. A chunk of this size takes well under a second, so that locks are short and a time-out of the statement or
 * of the process loses little: the next call goes on where this one ended.
 */
const CHUNK = 5_000;

/**
 * Tables of a fabric, children before parents: what would go with its parent (ON DELETE CASCADE) goes before it, in chunks of its own. A switch
 * has hundreds of children, and a chunk of resources would take a million rows with it.
 */
const TABLES = childrenFirst().filter((name) => name !== "fabric" && name !== "schema_migration");

/** The tables in an order in which none comes before one that refers to it. */
function childrenFirst(): string[] {
  let left = Object.values(tables)
    .filter((table) => is(table, PgTable))
    .map((table) => {
      const { name, foreignKeys } = getTableConfig(table);
      return { name, parents: foreignKeys.map((key) => getTableConfig(key.reference().foreignTable).name) };
    });
  const order: string[] = [];
  while (left.length > 0) {
    const free = left.filter(({ name }) => !left.some(({ parents }) => parents.includes(name)));
    if (free.length === 0) throw new Error(`tables refer to each other: ${left.map(({ name }) => name).join(", ")}`);
    order.push(...free.map(({ name }) => name));
    left = left.filter((table) => !free.includes(table));
  }
  return order;
}

/** Keeps every row, and says that no Fabric object stands behind them any more. Ends the writers. */
export async function detachFabric(pool: Pool, fabricId: string): Promise<void> {
  await inTransaction(pool, async (sql) => {
    await sql.rows("SELECT id FROM fabric_sync.fabric WHERE id = $1 FOR UPDATE", [fabricId]);
    await sql.rows(
      `UPDATE fabric_sync.fabric
          SET detached_at = coalesce(detached_at, now()), writer_epoch = writer_epoch + 1 WHERE id = $1`,
      [fabricId],
    );
  });
}

/** Removes a fabric with its history, a chunk a transaction. Safe to repeat; `signal` stops it between two chunks. */
export async function deleteFabric(pool: Pool, fabricId: string, signal: AbortSignal): Promise<void> {
  await inTransaction(pool, async (sql) => {
    await sql.rows("SELECT id FROM fabric_sync.fabric WHERE id = $1 FOR UPDATE", [fabricId]);
    await sql.rows(
      `UPDATE fabric_sync.fabric
          SET retiring_at = coalesce(retiring_at, now()), writer_epoch = writer_epoch + 1 WHERE id = $1`,
      [fabricId],
    );
  });
  for (const table of TABLES) {
    for (;;) {
      signal.throwIfAborted();
      const gone = await inTransaction(pool, (sql) =>
        // tableoid: a ctid is unique only inside one partition.
        sql.rows(
          `DELETE FROM fabric_sync.${table} WHERE (tableoid, ctid) IN (
             SELECT tableoid, ctid FROM fabric_sync.${table} WHERE fabric_id = $1 LIMIT ${CHUNK})
           RETURNING 1 AS gone`,
          [fabricId],
        ),
      );
      if (gone.length < CHUNK) break;
    }
  }
  await inTransaction(pool, (sql) => sql.rows("DELETE FROM fabric_sync.fabric WHERE id = $1", [fabricId]));
}
