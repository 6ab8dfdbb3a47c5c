import { randomBytes } from "node:crypto";
import { Client, escapeIdentifier, Pool } from "pg";
import { startPostgres } from "../test/support/postgres.ts";

/** The database that the demo fills. */
export interface DemoDatabase {
  readonly url: string;
  /** What was made on a server of the user's, for the announcement; '' for our own server. */
  readonly makes: string;
  /** Makes what `makes` announced, or starts our own server. */
  open(): Promise<void>;
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Takes everything away again. */
  close(): Promise<void>;
}

/** PostgreSQL 18 of our own, in a temporary directory. */
export function ownDatabase(): DemoDatabase {
  let server: Awaited<ReturnType<typeof startPostgres>> | undefined;
  let pool: Pool | undefined;
  let url = "";
  return {
    get url() {
      return url;
    },
    makes: "",
    async open() {
      server = await startPostgres();
      url = (await server.createDatabase({ name: "fabric_sync" })).url;
      pool = connect(url);
    },
    query: (text, values) => rowsOf(pool, text, values),
    async close() {
      await pool?.end();
      await server?.stop();
    },
  };
}

/** A database of its own on the user's server; its user must be allowed to create databases. */
export function givenDatabase(serverUrl: string): DemoDatabase {
  const name = `fabric_sync_demo_${randomBytes(3).toString("hex")}`;
  const target = new URL(serverUrl);
  target.pathname = `/${name}`;
  const url = target.toString();
  let pool: Pool | undefined;
  let made = false;
  return {
    url,
    makes: `a database ${name}; the role fabric_sync_reader, where the server has none yet and lets us make one`,
    async open() {
      await onServer(serverUrl, `CREATE DATABASE ${escapeIdentifier(name)}`);
      made = true;
      pool = connect(url);
    },
    query: (text, values) => rowsOf(pool, text, values),
    async close() {
      await pool?.end();
      if (made) await onServer(serverUrl, `DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`);
    },
  };
}

function connect(url: string): Pool {
  const pool = new Pool({ connectionString: url, max: 2 });
  // The server is stopped under idle connections at the end; queries report their own errors.
  pool.on("error", () => undefined);
  return pool;
}

async function rowsOf<Row extends object>(
  pool: Pool | undefined,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  if (pool === undefined) throw new Error("the database is not open");
  return (await pool.query<Row>(text, [...values])).rows;
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
