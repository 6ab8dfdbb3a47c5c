import pg from "pg";
import { columnTypes } from "./column-types.ts";
import { toStoreError } from "./store-error.ts";

/** Where to work: a pool, or a connection string. */
export type Database = pg.Pool | string;

/** Changing a large table may take this long (ms); the pool's own limit is for writers. */
const ANSWER_TIMEOUT_MS = 6 * 3_600_000;
/** A server that does not answer a connection request in this time is away (ms). */
const CONNECT_TIMEOUT_MS = 5_000;

/** One session. Every failure is a `StoreError` with the policy of its SQLSTATE. */
export interface Session {
  rows<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** Runs `body` with a session of its own. A transaction that `body` leaves open ends with the connection. */
export async function withSession<T>(database: Database, body: (session: Session) => Promise<T>): Promise<T> {
  return typeof database === "string" ? withClient(database, body) : withPooled(database, body);
}

/** One transaction of `body`; rolled back when it throws. */
export async function transaction<T>(session: Session, settings: string, body: () => Promise<T>): Promise<T> {
  await session.rows(`BEGIN; ${settings}`);
  let result: T;
  try {
    result = await body();
  } catch (error) {
    // Where the connection is gone the server rolls back by itself; the first error is the news.
    await session.rows("ROLLBACK").catch(() => undefined);
    throw error;
  }
  await session.rows("COMMIT");
  return result;
}

async function withClient<T>(url: string, body: (session: Session) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    application_name: "fabric-sync db",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    types: columnTypes,
  });
  // A connection that breaks between two statements is told by the next one's rejection.
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw toStoreError(error);
  }
  try {
    return await body(sessionOf(client));
  } finally {
    await client.end();
  }
}

async function withPooled<T>(pool: pg.Pool, body: (session: Session) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw toStoreError(error);
  });
  const ignore = (): void => undefined;
  client.on("error", ignore);
  let failed = true;
  try {
    const result = await body(sessionOf(client));
    failed = false;
    return result;
  } finally {
    client.off("error", ignore);
    // After a failure the session may be in any state: it is not given to a writer.
    client.release(failed);
  }
}

function sessionOf(client: pg.ClientBase): Session {
  return {
    async rows<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
      const config = { text, query_timeout: ANSWER_TIMEOUT_MS };
      try {
        // Without values pg uses the simple protocol, which takes a whole script.
        const result = await client.query<Row>(values.length === 0 ? config : { ...config, values: [...values] });
        return result.rows;
      } catch (error) {
        throw toStoreError(error);
      }
    },
  };
}
