import { CursorsLost, FabricSyncError, messageOf, policyOf } from "../core/errors.ts";
import type { ErrorPolicy } from "../core/errors.ts";
import { pause } from "../core/pause.ts";
import type { ReducePolicy } from "../core/policy.ts";
import type { ApplyResult, Batch, Fence, ObservationStore } from "../core/ports.ts";
import { fullJitterDelay } from "../core/retry.ts";
import type { Backoff } from "../core/retry.ts";
import type { FabricLabels, Logger, Telemetry } from "../core/telemetry.ts";

/** Whether Postgres takes this Fabric's writes; the controller makes `StoreReady` of it. */
export type StoreHealth =
  | { readonly ok: true }
  /** `since`: ms since the epoch, the first refusal of the write that still waits. */
  | { readonly ok: false; readonly code: string; readonly message: string; readonly since: number };

export interface WriterOptions {
  readonly labels: FabricLabels;
  readonly store: Pick<ObservationStore, "apply">;
  /** Asked before each attempt: a fence that was acquired anew is used at once. */
  readonly fence: () => Fence;
  /** Asked before each attempt: the Fabric's policy may change while the pump runs. */
  readonly policy: () => ReducePolicy;
  readonly telemetry: Pick<Telemetry, "batchApplied" | "writeRetried">;
  readonly logger: Logger;
  /** Called when the health, or the reason for it, changes. */
  readonly onHealth?: (health: StoreHealth) => void;
  /**
   * Postgres was away and is back, or stands behind what it had confirmed: what was committed may be lost, the cursors in the database
   * are the truth.
   */
  readonly onInterrupted?: () => void;
  /** [0, 1); for tests. */
  readonly random?: () => number;
}

// The store has spent its own short retries before an error gets here. 5 s at most between two attempts, so that rows are
// whole again within 10 s of the end of a fault.
const TRANSIENT: Backoff = { baseMs: 200, capMs: 5_000 };
/**
 * A write without an answer for so long (ms) is told, though nobody refused it: the longest takes under 2 s. The store gives up on it later.
 */
const SILENT_MS = 5_000;
// A person must act; asking more often than every half minute helps nobody.
const STALLED: Backoff = { baseMs: 5_000, capMs: 30_000 };

/**
 * Repeats one write until the store takes it, however long that is, and tells about it meanwhile. Only a `fatal` error or the
 * signal ends it. Repeating is safe when the answer of a COMMIT was lost: the second pass finds nothing to change.
 */
export class RetryingWriter {
  readonly #options: WriterOptions;
  readonly #signal: AbortSignal;
  /** One entry for each write that waits, with its first refusal. */
  readonly #troubles = new Map<object, { code: string; message: string; since: number }>();
  #told = "";

  constructor(options: WriterOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  health(): StoreHealth {
    let oldest: { code: string; message: string; since: number } | null = null;
    for (const trouble of this.#troubles.values()) if (!oldest || trouble.since < oldest.since) oldest = trouble;
    return oldest ? { ok: false, ...oldest } : { ok: true };
  }

  /** @throws the store's error when its policy is `fatal`, and `CursorsLost`; `PumpStopped` when the signal aborts first. */
  async write(source: "cluster" | "git", content: Omit<Batch, "fence" | "policy">): Promise<ApplyResult> {
    const { store, fence, policy, labels, telemetry } = this.#options;
    const write = {};
    try {
      for (let attempt = 1; ; attempt++) {
        if (this.#signal.aborted) throw pumpStopped();
        const silent = setTimeout(() => this.#noteSilence(write), SILENT_MS);
        try {
          const result = await store.apply({ ...content, fence: fence(), policy: policy() });
          telemetry.batchApplied({ ...labels, source }, { ...result, deadLettered: result.deadLettered.length });
          if (attempt > 1 || result.reconnected === true) this.#options.onInterrupted?.();
          return result;
        } catch (error) {
          const reaction = policyOf(error);
          if (reaction === "fatal" || error instanceof CursorsLost) throw error;
          this.#note(write, error, reaction, attempt);
          clearTimeout(silent);
          const delay = fullJitterDelay(attempt, backoffFor(reaction), this.#options.random ?? Math.random);
          await pause(delay, this.#signal);
        } finally {
          clearTimeout(silent);
        }
      }
    } finally {
      this.#troubles.delete(write);
      this.#tell();
    }
  }

  #noteSilence(write: object): void {
    const since = this.#troubles.get(write)?.since ?? Date.now() - SILENT_MS;
    const message = `the database has not answered a write for ${SILENT_MS / 1_000} s`;
    this.#troubles.set(write, { code: "StoreSilent", message, since });
    this.#options.logger.warn({ code: "StoreSilent" }, message);
    this.#tell();
  }

  #note(write: object, error: unknown, policy: ErrorPolicy, attempt: number): void {
    const code = error instanceof FabricSyncError ? error.code : "StoreError";
    const message = messageOf(error);
    this.#troubles.set(write, { code, message, since: this.#troubles.get(write)?.since ?? Date.now() });
    this.#options.telemetry.writeRetried(this.#options.labels, sqlstateOf(error) ?? code);
    this.#options.logger.warn({ code, policy, attempt, error: message }, "write refused, it will be repeated");
    this.#tell();
  }

  #tell(): void {
    const health = this.health();
    const now = health.ok ? "" : health.code;
    if (now === this.#told) return;
    this.#told = now;
    this.#options.onHealth?.(health);
  }
}

export function pumpStopped(): FabricSyncError {
  return new FabricSyncError(
    "PumpStopped",
    "fatal",
    "the pump was stopped; what it held is read again from the cursor",
  );
}

function backoffFor(policy: ErrorPolicy): Backoff {
  return policy === "retry" || policy === "wait" ? TRANSIENT : STALLED;
}

function sqlstateOf(error: unknown): string | undefined {
  const sqlstate = error instanceof FabricSyncError ? error.context["sqlstate"] : undefined;
  return typeof sqlstate === "string" ? sqlstate : undefined;
}
