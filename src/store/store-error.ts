import pg from "pg";
import { FabricSyncError, messageOf } from "../core/errors.ts";
import { ruleOf } from "./sqlstate.ts";

/** Longest message that is passed on, in characters: enough for every message of Postgres that holds no user data. */
const MESSAGE_LIMIT = 500;

/**
 * A failure of Postgres or of the way to it, with the policy of `sqlstate.ts`. `DETAIL` is never passed on: Postgres quotes
 * the whole row there.
 */
export class StoreError extends FabricSyncError {
  /** SQLSTATE; for a broken connection Node's code (`ECONNRESET`), '' when there is none. */
  readonly sqlstate: string;
  readonly constraint: string;
  readonly column: string;
  /** The connection must not go back to the pool. */
  readonly dropConnection: boolean;

  constructor(
    code: string,
    policy: FabricSyncError["policy"],
    message: string,
    facts: { sqlstate: string; constraint?: string; column?: string; dropConnection: boolean; cause?: unknown },
  ) {
    super(code, policy, message, { cause: facts.cause, context: { sqlstate: facts.sqlstate } });
    this.sqlstate = facts.sqlstate;
    this.constraint = facts.constraint ?? "";
    this.column = facts.column ?? "";
    this.dropConnection = facts.dropConnection;
  }
}

/** A transaction that took a short cut which was not there: the same is done again at once, the long way. */
export class DoneAgain extends StoreError {
  constructor(message: string, facts: { readonly sqlstate: string; readonly dropConnection: boolean }) {
    super("StoreConflict", "retry", message, facts);
  }
}

/** Classifies what pg threw while connecting or in a query. What already is ours is returned as it is. */
export function toStoreError(error: unknown): FabricSyncError {
  if (error instanceof FabricSyncError) return error;
  const message = plainText(messageOf(error)).slice(0, MESSAGE_LIMIT);
  if (error instanceof pg.DatabaseError && error.code !== undefined) {
    const rule = ruleOf(error.code);
    return new StoreError(rule.code, rule.policy, message, {
      sqlstate: error.code,
      constraint: error.constraint ?? "",
      column: error.column ?? "",
      dropConnection: rule.dropConnection,
      cause: error,
    });
  }
  return new StoreError("StoreUnavailable", "retry", message, {
    sqlstate: nodeCode(error),
    dropConnection: true,
    cause: error,
  });
}

/** Runs pure work on one batch's data: what it cannot digest is refused, like what the database cannot. */
export function refusing<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof FabricSyncError) throw error;
    throw new StoreError("ObjectRefused", "dead-letter", plainText(messageOf(error)).slice(0, MESSAGE_LIMIT), {
      sqlstate: "",
      dropConnection: false,
      cause: error,
    });
  }
}

/** Another writer has the fabric: this one must stop. */
export function fenceLost(fence: { fabricId: string; epoch: number }): FabricSyncError {
  return new FabricSyncError("FenceLost", "fatal", "another writer has taken over this fabric", {
    context: { fabricId: fence.fabricId, epoch: fence.epoch },
  });
}

/** Text that Postgres can hold in any column: no NUL, no lone surrogate. For descriptions only, never for data. */
export function plainText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\u{FFFD}");
}

function nodeCode(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
}
