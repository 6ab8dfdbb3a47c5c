import { pause } from "../../core/pause.ts";
import type { WritePath } from "../../core/vocabulary.ts";
import { fullJitterDelay } from "../../core/retry.ts";
import { gitError } from "./repository/transport-errors.ts";

/** What somebody asked for: the newest state, as of `notBefore` (ms since the epoch). */
export interface Ask {
  writePath: WritePath;
  notBefore: number;
  readonly waiting: { resolve(): void; reject(error: unknown): void }[];
}

/** Asks that wait for the next take; those that come before it begins share it. */
export class Asks {
  #waiting: Ask | null = null;
  #wake: (() => void) | null = null;

  /** Resolves, or rejects, with the take that answers. */
  add(writePath: WritePath, notBefore: number): Promise<void> {
    const ask = (this.#waiting ??= { writePath, notBefore, waiting: [] });
    ask.notBefore = Math.max(ask.notBefore, notBefore);
    // A webhook is what a row should say it came by, whoever else asked meanwhile.
    if (writePath !== "git_poll") ask.writePath = writePath;
    this.#wake?.();
    return new Promise((resolve, reject) => ask.waiting.push({ resolve, reject }));
  }

  /** The asks that wait; where there are none it is time for a poll. */
  next(now: number): Ask {
    const ask = this.#waiting ?? { writePath: "git_poll", notBefore: now, waiting: [] };
    this.#waiting = null;
    return ask;
  }

  /** Until somebody asks, for `ms` at most. */
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#waiting) return;
    const early = new AbortController();
    this.#wake = () => early.abort();
    await pause(ms, AbortSignal.any([signal, early.signal]));
    this.#wake = null;
  }

  /** Nobody will answer any more. */
  end(): void {
    for (const { reject } of this.#waiting?.waiting ?? []) reject(gitError("Aborted", "stopping"));
    this.#waiting = null;
  }
}

/** First wait after a failure, ms; it grows to the interval, or to {@link LONGEST_RETRY_MS}. The same whatever failed. */
const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 5 * 60_000;

/** ms from the last of some failures to the next try. */
export function retryDelay(failures: number, intervalMs: number, random: () => number = Math.random): number {
  const capMs = Math.min(intervalMs, LONGEST_RETRY_MS);
  // At least half of the bound: a server in trouble is not asked again within milliseconds.
  return fullJitterDelay(failures, { baseMs: FIRST_RETRY_MS, capMs }, () => 0.5 + random() / 2);
}
