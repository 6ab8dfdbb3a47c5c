/**
 * What to do about an error is part of its type; nothing reads message texts to decide (principle 6 of the style).
 *
 * - `retry`: transient, try again with backoff and jitter
 * - `wait`: something outside must change first (disk full, server away); keep asking slowly, and say so
 * - `stall`: a person must change the Fabric, a Secret or a permission
 * - `dead-letter`: this one input is refused; the others go on
 * - `fatal`: this process cannot do its work (a lost fence, a schema of another version)
 */
export type ErrorPolicy = "retry" | "wait" | "stall" | "dead-letter" | "fatal";

/** Base of every error that this program raises on purpose. `code` is a CamelCase word fit for a condition's reason. */
export class FabricSyncError extends Error {
  readonly code: string;
  readonly policy: ErrorPolicy;
  readonly context: Readonly<Record<string, string | number | boolean>>;

  constructor(
    code: string,
    policy: ErrorPolicy,
    message: string,
    options: { cause?: unknown; context?: Record<string, string | number | boolean> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = code;
    this.code = code;
    this.policy = policy;
    this.context = options.context ?? {};
  }
}

/** The database does not hold what it had committed (see `Batch.expected` in `ports.ts`). The sources go back to where it stands. */
export class CursorsLost extends FabricSyncError {
  readonly scopes: readonly string[];

  constructor(scopes: readonly string[]) {
    super("CursorsLost", "wait", "the database lost commits: its cursors stand behind what it had confirmed", {
      context: { scopes: scopes.join(", ") },
    });
    this.scopes = scopes;
  }
}

/** The policy of any thrown value; what is not ours is transient until somebody has classified it. */
export function policyOf(error: unknown): ErrorPolicy {
  return error instanceof FabricSyncError ? error.policy : "retry";
}

/** A one-line text of any thrown value. Callers redact before they pass foreign text on. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
