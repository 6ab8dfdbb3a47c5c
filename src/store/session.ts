import { createHash } from "node:crypto";
import type { PoolClient } from "pg";

/**
 * Limits of every transaction, set inside it because a pooler in transaction mode keeps no session settings (ms).
 * - statement: the longest batch takes under 2 s; what runs longer waits for something, and is better tried again
 * - lock: two writers of one row wait for each other; behind a whole Git revision this may take seconds
 * - idle: a writer that was stopped between two statements must not hold its locks for ever
 * - deadlock is left at the server's 1 s
 */
const LIMITS = { statement_timeout: 30_000, lock_timeout: 10_000, idle_in_transaction_session_timeout: 30_000 };

/**
 * - jit: where the server has a compiler, it takes seconds for the views of the topology, and gains nothing here
 * - enable_sort: what an index gives in order is read through that index, however empty the statistics say that the table is; all else that is
 *   sorted here is what was sent, and few
 */
const SETTINGS = Object.entries({ ...LIMITS, jit: "off", enable_sort: "off" }).map(
  ([name, value]) => `SET LOCAL ${name} = ${value}`,
);

const BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED";

/**
 * A session keeps the plans of its foreign keys' checks. One that was made while a table was empty reads all rows of a fabric for each check, and
 * stays until somebody analyses the table: measured, a first load of 8,000 switches took three times as long.
 */
const FORGET_PLANS = "DISCARD PLANS";

/** How old the plans get that brief transactions use (ms): made anew so rarely they cost nothing, and one that does not fit the tables any more is soon gone. */
const PLANS_MS = 10_000;

/** Statements that have a name, a session: each is a plan that the server keeps in memory, some 400 KB. */
const MOST_NAMES = 12;

/**
 * - `brief`: a few changes, over and over again with the same statements. The server spent half of its time on parsing and planning them, so they
 *   have names and plans that are kept, where the session is ours.
 * - `long`: planned for what it brings.
 */
export type Kind = "brief" | "long";

export interface NamedStatement {
  readonly name: string;
  /** Always the same string: what holds one for a while holds no other. */
  readonly text: string;
}

/** One connection to PostgreSQL, and what may be left with the session behind it. */
export class Session {
  readonly #client: PoolClient & { readonly processID?: number | null };
  /**
   * Whether the session behind the connection is always the same, and nobody else's: a pooler tells another process number than that of the server.
   * null until somebody has looked.
   */
  #isOurs: boolean | null = null;
  #plannedAt = -Infinity;
  readonly #named = new Map<string, NamedStatement>();

  constructor(client: PoolClient) {
    this.#client = client;
  }

  /** What opens a transaction. */
  begin(kind: Kind): string {
    const brief = kind === "brief" && this.#isOurs === true;
    const now = performance.now();
    const keep = brief && now - this.#plannedAt < PLANS_MS;
    if (!keep) this.#plannedAt = now;
    return [
      BEGIN,
      ...(keep ? [] : [FORGET_PLANS]),
      ...SETTINGS,
      ...(brief ? ["SET LOCAL plan_cache_mode = force_generic_plan"] : []),
      ...(this.#isOurs === null ? ["SELECT pg_backend_pid() AS pid"] : []),
    ].join("; ");
  }

  /** What the last statement of `begin` gave. */
  begun(rows: readonly { readonly pid?: number }[]): void {
    if (this.#isOurs !== null) return;
    const pid = rows[0]?.pid;
    this.#isOurs = pid !== undefined && pid === this.#client.processID;
  }

  /** A statement that comes again and again, under a name that says what it is, whoever made it; undefined where it has to go without. */
  named(text: string, kind: Kind): NamedStatement | undefined {
    if (kind !== "brief" || this.#isOurs !== true) return undefined;
    const known = this.#named.get(text);
    if (known !== undefined || this.#named.size >= MOST_NAMES) return known;
    const statement = { text, name: `fabric_sync_${createHash("sha256").update(text).digest("hex").slice(0, 32)}` };
    this.#named.set(text, statement);
    return statement;
  }

  /** Somebody took a named statement away: the session is not ours alone. */
  share(): void {
    this.#isOurs = false;
  }
}
