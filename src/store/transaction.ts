import type { Pool, PoolClient } from "pg";
import type { FabricSyncError } from "../core/errors.ts";
import { lateTypes } from "./column-types.ts";
import { StoreError, toStoreError } from "./store-error.ts";

/** One open transaction, or the pool where one statement is enough. Every failure is a {@link StoreError}. */
export interface Sql {
  /** Rows as objects, columns by their name in the statement. */
  rows<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Rows as arrays, JSON and times still as text (`rowDecoder` reads them): for statements that read many rows of fifty columns. */
  tuples(text: string, values: readonly unknown[]): Promise<unknown[][]>;
}

/**
 * Limits of every transaction, set inside it because a pooler in transaction mode keeps no session settings (ms).
 * - statement: the longest batch takes under 2 s; what runs longer waits for something, and is better tried again
 * - lock: two writers of one row wait for each other; behind a whole Git revision this may take seconds
 * - idle: a writer that was stopped between two statements must not hold its locks for ever
 * - deadlock is left at the server's 1 s
 */
const LIMITS = { statement_timeout: 30_000, lock_timeout: 10_000, idle_in_transaction_session_timeout: 30_000 };

/**
 * - DISCARD PLANS: a session keeps the plans of its foreign keys' checks. One that was made while a table was empty reads all rows of a fabric for
 *   each check, and stays until somebody analyses the table: measured, a first load of 8,000 switches took three times as long.
 * - jit: where the server has a compiler, it takes seconds for the views of the topology, and gains nothing here.
 */
const BEGIN = [
  "BEGIN ISOLATION LEVEL READ COMMITTED",
  "DISCARD PLANS",
  ...Object.entries({ ...LIMITS, jit: "off" }).map(([name, value]) => `SET LOCAL ${name} = ${value}`),
].join("; ");

/**
 * Runs `body` in one transaction and commits it. Rolls back when `body` throws. The connection goes back to the pool only when
 * it is known to be in order.
 * @throws StoreError with the policy of the SQLSTATE; what `body` throws otherwise is passed on as it is.
 */
export async function inTransaction<T>(pool: Pool, body: (sql: Sql) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw toStoreError(error);
  });
  // A connection that breaks between two statements tells so by an event; the next statement fails with the same news.
  let broken: Error | undefined;
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on("error", onError);
  const sql = sqlOf(client);
  try {
    await sql.rows(BEGIN);
    const result = await body(sql);
    await commit(client);
    return result;
  } catch (error) {
    if (error instanceof StoreError && error.dropConnection) broken = error;
    if (broken === undefined) broken = await rollback(client);
    throw error;
  } finally {
    client.off("error", onError);
    client.release(broken);
  }
}

/** Runs single statements, each in its own transaction. */
export function autocommit(pool: Pool): Sql {
  return sqlOf(pool);
}

function sqlOf(queryable: Pool | PoolClient): Sql {
  return {
    async rows<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
      try {
        // Without values pg uses the simple protocol, which takes several statements at once.
        const result =
          values.length === 0 ? await queryable.query<Row>(text) : await queryable.query<Row>(text, [...values]);
        return result.rows;
      } catch (error) {
        throw toStoreError(error);
      }
    },
    async tuples(text: string, values: readonly unknown[]): Promise<unknown[][]> {
      try {
        return (await queryable.query<unknown[]>({ text, values: [...values], rowMode: "array", types: lateTypes }))
          .rows;
      } catch (error) {
        throw toStoreError(error);
      }
    },
  };
}

/** COMMIT of a transaction that failed before answers with the tag ROLLBACK and no error: that is no commit. */
async function commit(client: PoolClient): Promise<void> {
  const result = await client.query("COMMIT").catch((error: unknown): never => {
    throw toStoreError(error);
  });
  if (result.command !== "COMMIT") {
    throw new StoreError("StoreConflict", "retry", "the transaction was rolled back instead of committed", {
      sqlstate: "25P02",
      dropConnection: true,
    });
  }
}

/** Undefined when the connection can be used again, else what is wrong with it. */
async function rollback(client: PoolClient): Promise<FabricSyncError | undefined> {
  return client.query("ROLLBACK").then(() => undefined, toStoreError);
}
