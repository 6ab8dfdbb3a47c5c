import { pause } from "../core/pause.ts";
import { FabricSyncError } from "../core/errors.ts";
import { StoreError } from "./store-error.ts";

export interface RetryOptions {
  readonly signal: AbortSignal;
  /** Told before each repetition; `sqlstate` is the SQLSTATE or Node's error code. */
  onRetry(sqlstate: string, attempt: number): void;
}

/**
 * Attempts in all. What is still failing then is more than a passing conflict: the caller is told, shows it in its
 * condition and goes on asking at its own pace.
 */
const ATTEMPTS = 6;
/** Full jitter: a pause between 0 and min(CAP, BASE · 2^attempt) ms; six attempts take under 2 s in all. */
const BASE_MS = 25;
const CAP_MS = 800;

/**
 * Repeats a whole closure while it fails with policy `retry`. The closure must be safe to repeat: all of ours are one
 * transaction that reads what it decides on, so that a COMMIT whose answer was lost is repeated without a second effect.
 */
export async function retrying<T>(options: RetryOptions, closure: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await closure();
    } catch (error) {
      const again = error instanceof FabricSyncError && error.policy === "retry" && attempt < ATTEMPTS;
      if (!again || options.signal.aborted) throw error;
      options.onRetry(error instanceof StoreError ? error.sqlstate : error.code, attempt);
      await pause(pauseMs(attempt), options.signal);
    }
  }
}

/** The pause before the repetition after `attempt` (ms). */
export function pauseMs(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(CAP_MS, BASE_MS * 2 ** attempt);
}
