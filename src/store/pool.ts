import pg from "pg";
import { columnTypes } from "./column-types.ts";

export interface PoolOptions {
  /** A `postgres://` URL, or libpq's parts; read from the environment by `src/config.ts` only. */
  readonly connection: pg.ClientConfig;
  /** Most connections at once. Each source of each fabric writes over one; ten are enough for all of one process. */
  readonly max?: number;
  /** Shown in `pg_stat_activity` and in the server's log. */
  readonly applicationName?: string;
  /** Told of each idle connection that broke. The pool replaces it by itself. */
  onConnectionError(error: Error): void;
}

/** A server that does not answer a connection request in this time is away (ms). */
const CONNECT_TIMEOUT_MS = 5_000;
/** Idle connections are given back after this time (ms): longer than the pauses between two bookmarks of a quiet cluster. */
const IDLE_TIMEOUT_MS = 90_000;
/** First TCP keep-alive probe (ms): a peer that vanished without a word is noticed well before the kernel's two hours. */
const KEEPALIVE_DELAY_MS = 10_000;
/**
 * A statement without answer in this time (ms) lost its server: longer than the server's own `statement_timeout` (see
 * `transaction.ts`), so that a live server always speaks first.
 */
const ANSWER_TIMEOUT_MS = 45_000;

/**
 * A pool that works behind pgbouncer in transaction mode: nothing is asked of the session (no startup options but
 * `application_name`, no session settings, named statements only where no pooler is, see `session.ts`).
 */
export function createPool(options: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    application_name: options.applicationName ?? "fabric-sync",
    ...options.connection,
    max: options.max ?? 10,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_DELAY_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    types: columnTypes,
    // What does not depend on an answer is sent behind what it follows: BEGIN with the statement that reads, the one that writes with COMMIT.
    pipeline: true,
  });
  pool.on("error", (error) => options.onConnectionError(error));
  // The pool stops listening before the one who asked for the connection begins to. What the server says in between, that it ends the session
  // for one, would end the process; the connection is unusable then, and its first statement fails.
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}
