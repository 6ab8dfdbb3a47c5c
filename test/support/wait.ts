import { setTimeout as delay } from "node:timers/promises";

export interface WaitOptions {
  /** How long to try, ms. Default 30 s: servers on a busy machine of two cores. Nobody waits so long for what works. */
  readonly timeoutMs?: number;
  /** Between two tries, ms. Default 25. */
  readonly intervalMs?: number;
}

/**
 * Tries `probe` until it gives something other than undefined, null or false and does not throw, and returns that. For conditions that
 * nothing announces; tests use it instead of sleeping.
 * @throws Error naming `what` and the last failure when the time is over.
 */
export async function waitFor<T>(
  what: string,
  probe: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const { timeoutMs = 30_000, intervalMs = 25 } = options;
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      last = undefined;
      const value = await probe();
      if (value !== undefined && value !== null && value !== false) return value as NonNullable<Exclude<T, false>>;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(
        `gave up after ${timeoutMs} ms waiting for ${what}`,
        last === undefined ? undefined : { cause: last },
      );
    }
    await delay(intervalMs);
  }
}
