import type { Pool, PoolClient } from "pg";
import { ask, type Answer } from "./ask.ts";
import type { FabricSyncError } from "../core/errors.ts";
import { lateTypes } from "./column-types.ts";
import { Session, type Kind, type NamedStatement } from "./session.ts";
import { DoneAgain, StoreError, toStoreError } from "./store-error.ts";

/** One open transaction, or the pool where one statement is enough. Every failure is a {@link StoreError}. */
export interface Sql {
  /** Rows as objects, columns by their name in the statement. */
  rows<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Rows as arrays, JSON and times still as text (`rowDecoder` reads them): for statements that read many rows of fifty columns, and write nothing. */
  tuples(text: string, values: readonly unknown[]): Promise<unknown[][]>;
  /** As `rows`, with the COMMIT right behind it: one wait for the server instead of two. The transaction has ended then, either way. */
  lastRows<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]>;
}

/**
 * Runs `body` in one transaction and commits it. Rolls back when `body` throws. The connection goes back to the pool only when
 * it is known to be in order.
 * @throws StoreError with the policy of the SQLSTATE; what `body` throws otherwise is passed on as it is.
 */
export async function inTransaction<T>(pool: Pool, body: (sql: Sql) => Promise<T>, kind: Kind = "long"): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw toStoreError(error);
  });
  // A connection that breaks between two statements tells so by an event; the next statement fails with the same news.
  let broken: Error | undefined;
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on("error", onError);
  const transaction = new Transaction(client, kind);
  try {
    const result = await body(transaction);
    await transaction.end();
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
  const rows: Sql["rows"] = (text, values = []) => resultOf(send(pool, { text }, values));
  return { rows, lastRows: rows, tuples: (text, values) => resultOf(sendForTuples(pool, { text }, values)) };
}

/** Of each connection of every pool, for as long as it is there. */
const SESSIONS = new WeakMap<PoolClient, Session>();

function sessionOf(client: PoolClient): Session {
  const session = SESSIONS.get(client) ?? new Session(client);
  SESSIONS.set(client, session);
  return session;
}

class Transaction implements Sql {
  readonly #client: PoolClient;
  readonly #kind: Kind;
  readonly #session: Session;
  /** The answer to BEGIN, until somebody has waited for it: what reads first is sent right behind it. */
  #begun: Promise<unknown> | null;
  #ended = false;

  constructor(client: PoolClient, kind: Kind) {
    this.#client = client;
    this.#kind = kind;
    this.#session = sessionOf(client);
    this.#begun = resultOf(ask<{ pid?: number }>(client, { text: this.#session.begin(kind) })).then((rows) =>
      this.#session.begun(rows),
    );
    // Whoever waits for it is told; a body that fails before it sends anything waits for nothing.
    this.#begun.catch(() => undefined);
  }

  async rows<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    // It may write, and that is for a transaction that is known to have begun: without one it would be committed as it is.
    await this.#hasBegun();
    return this.#rows(text, values);
  }

  tuples(text: string, values: readonly unknown[]): Promise<unknown[][]> {
    const named = this.#session.named(text, this.#kind);
    return this.#answer(resultOf(sendForTuples(this.#client, named ?? { text }, values)), named);
  }

  async lastRows<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]> {
    await this.#hasBegun();
    // In this order: each is sent when it is called.
    const [rows, end] = await Promise.allSettled([this.#rows<Row>(text, values), this.end()]);
    if (rows.status === "rejected") throw rows.reason;
    if (end.status === "rejected") throw end.reason;
    return rows.value;
  }

  /** COMMIT of a transaction that failed before answers with the tag ROLLBACK and no error: that is no commit. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const result = await this.#answer(ask(this.#client, { text: "COMMIT" }).catch(rethrown));
    if (result.command === "COMMIT") return;
    throw new StoreError("StoreConflict", "retry", "the transaction was rolled back instead of committed", {
      sqlstate: "25P02",
      dropConnection: true,
    });
  }

  #rows<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]> {
    const named = values.length === 0 ? undefined : this.#session.named(text, this.#kind);
    return this.#answer(resultOf(send<Row>(this.#client, named ?? { text }, values)), named);
  }

  /** The answer to a statement, once it is known that the transaction has begun. */
  async #answer<T>(answer: Promise<T>, named?: NamedStatement): Promise<T> {
    const [begun, result] = await Promise.allSettled([this.#hasBegun(), answer]);
    if (begun.status === "rejected") throw begun.reason;
    if (result.status === "fulfilled") return result.value;
    throw named === undefined ? result.reason : this.#withoutNames(result.reason);
  }

  async #hasBegun(): Promise<void> {
    if (this.#begun === null) return;
    await this.#begun.catch(rethrown);
    this.#begun = null;
  }

  /** What is wrong with a name alone is done again without. */
  #withoutNames(error: unknown): unknown {
    if (!(error instanceof StoreError) || !LOST_NAMES.has(error.sqlstate)) return error;
    this.#session.share();
    return new DoneAgain("a named statement was not as it was left", {
      sqlstate: error.sqlstate,
      dropConnection: true,
    });
  }
}

/** The statement is not there, is there already, or gives other columns than it did: somebody else uses the session, or the tables changed. */
const LOST_NAMES: ReadonlySet<string> = new Set(["26000", "42P05", "0A000"]);

type Statement = NamedStatement | { readonly text: string };

// Without values pg uses the simple protocol, which takes several statements at once.
function send<Row extends object>(
  to: Pool | PoolClient,
  statement: Statement,
  values: readonly unknown[],
): Promise<Answer<Row>> {
  return ask(to, values.length === 0 ? { ...statement } : { ...statement, values: [...values] });
}

function sendForTuples(
  to: Pool | PoolClient,
  statement: Statement,
  values: readonly unknown[],
): Promise<Answer<unknown[]>> {
  return ask<unknown[]>(to, { ...statement, values: [...values], rowMode: "array", types: lateTypes });
}

async function resultOf<Row>(answer: Promise<Answer<Row>>): Promise<Row[]> {
  return (await answer.catch(rethrown)).rows;
}

function rethrown(error: unknown): never {
  throw toStoreError(error);
}

/** Undefined when the connection can be used again, else what is wrong with it. */
async function rollback(client: PoolClient): Promise<FabricSyncError | undefined> {
  return ask(client, { text: "ROLLBACK" }).then(() => undefined, toStoreError);
}
