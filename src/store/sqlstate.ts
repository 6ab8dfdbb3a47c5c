/**
 * What to do about each error of Postgres: one table, which `docs/sqlstate.md` quotes. Nothing reads message texts.
 *
 * Codes are those of appendix A of the PostgreSQL manual; a row names a whole class (two characters) or one code (five), and
 * the longer match wins. Errors without a SQLSTATE come from the connection (Node's `ECONN…`, pg's own time-outs).
 */
import type { ErrorPolicy } from "../core/errors.ts";

export interface SqlstateRule {
  /** A class (`40`) or a code (`40001`). */
  readonly match: string;
  readonly policy: ErrorPolicy;
  /** CamelCase, fit for a condition's reason. */
  readonly code: string;
  readonly meaning: string;
  /** True when the connection that answered so must not be used again: it is gone, or leads to the wrong server. */
  readonly dropConnection: boolean;
}

const CONFLICT = { policy: "retry", code: "StoreConflict", dropConnection: false } as const;
const UNAVAILABLE = { policy: "retry", code: "StoreUnavailable", dropConnection: true } as const;
const FULL = { policy: "wait", code: "StoreExhausted", dropConnection: true } as const;
const REFUSED = { policy: "dead-letter", code: "ObjectRefused", dropConnection: false } as const;
const DENIED = { policy: "stall", code: "StoreAccessDenied", dropConnection: true } as const;
const MISMATCH = { policy: "fatal", code: "StoreSchemaMismatch", dropConnection: false } as const;

export const SQLSTATE_RULES: readonly SqlstateRule[] = [
  { match: "40", ...CONFLICT, meaning: "transaction rollback: serialization failure, deadlock (40001, 40P01)" },
  { match: "55P03", ...CONFLICT, meaning: "a lock was not free within lock_timeout" },
  { match: "57014", ...CONFLICT, meaning: "statement cancelled, usually by statement_timeout" },
  { match: "08", ...UNAVAILABLE, meaning: "connection exception" },
  { match: "57P01", ...UNAVAILABLE, meaning: "the server is shutting down, or the session was terminated" },
  { match: "57P02", ...UNAVAILABLE, meaning: "the server crashed and is recovering" },
  { match: "57P03", ...UNAVAILABLE, meaning: "the server is starting up" },
  { match: "57P05", ...UNAVAILABLE, meaning: "idle session time-out" },
  { match: "25P03", ...UNAVAILABLE, meaning: "idle in transaction for too long: the session was ended" },
  { match: "25P04", ...UNAVAILABLE, meaning: "transaction_timeout: the session was ended" },
  { match: "25006", ...UNAVAILABLE, meaning: "read-only: a standby, or a primary that was demoted" },
  { match: "26", ...UNAVAILABLE, meaning: "a prepared statement is not there: the pooler changed the server" },
  { match: "53300", ...UNAVAILABLE, meaning: "too many connections" },
  { match: "53", ...FULL, meaning: "insufficient resources: disk full (53100), out of memory (53200)" },
  { match: "58", ...FULL, meaning: "system error outside of Postgres: I/O error" },
  { match: "21", ...REFUSED, meaning: "cardinality violation" },
  { match: "22", ...REFUSED, meaning: "data exception: a value that no column of this type can hold" },
  { match: "23", ...REFUSED, meaning: "a constraint refuses the row" },
  { match: "44", ...REFUSED, meaning: "a view's check option refuses the row" },
  { match: "54", ...REFUSED, meaning: "program limit exceeded: nested too deep, too large" },
  { match: "28", ...DENIED, meaning: "password or pg_hba.conf refuses this user" },
  { match: "3D000", ...DENIED, meaning: "the database does not exist" },
  { match: "42501", ...DENIED, meaning: "the role lacks a privilege" },
  {
    match: "42",
    ...MISMATCH,
    meaning: "a table, column or function is missing or of another type: another schema version",
  },
  { match: "3F000", ...MISMATCH, meaning: "the schema does not exist" },
  { match: "0A000", ...MISMATCH, meaning: "this server cannot do what a statement asks: unsupported version" },
];

/** Where no row matches: the connection is dropped, and the closure tried again; the error stays visible while it lasts. */
export const UNKNOWN_SQLSTATE: SqlstateRule = {
  match: "",
  policy: "retry",
  code: "StoreError",
  meaning: "anything else with a SQLSTATE",
  dropConnection: true,
};

/** Whether what failed with this code, a SQLSTATE or Node's own, left no usable connection behind. */
export function breaksConnection(code: string): boolean {
  return !/^[0-9A-Z]{5}$/.test(code) || ruleOf(code).dropConnection;
}

/** The rule for a SQLSTATE: that of the code, else that of its class, else {@link UNKNOWN_SQLSTATE}. */
export function ruleOf(sqlstate: string): SqlstateRule {
  return (
    SQLSTATE_RULES.find((rule) => rule.match === sqlstate) ??
    SQLSTATE_RULES.find((rule) => rule.match === sqlstate.slice(0, 2)) ??
    UNKNOWN_SQLSTATE
  );
}
