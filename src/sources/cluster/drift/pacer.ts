import { pause } from "../../../core/pause.ts";

export interface Pace {
  /** Requests at the same time. */
  readonly concurrency: number;
  /** Begun in a second, in the long run. */
  readonly perSecond: number;
  /** Begun at once after a rest. */
  readonly burst: number;
}

/**
 * How fast the API server is asked. 75 a second answer 1,000 suspects in 14 s. Three at a time, so that a server that takes 40 ms for each still
 * keeps that pace; more than it can work on at once only makes its other clients wait (`bench/drift`).
 */
export const DRY_RUN_PACE: Pace = { concurrency: 3, perSecond: 75, burst: 5 };

/** Lets work begin no faster than its pace. */
export class Pacer {
  readonly #pace: Pace;
  readonly #now: () => number;
  #tokens: number;
  #at: number;

  /** @param now ms, monotonic */
  constructor(pace: Pace = DRY_RUN_PACE, now: () => number = () => performance.now()) {
    this.#pace = pace;
    this.#now = now;
    this.#tokens = pace.burst;
    this.#at = now();
  }

  /** Runs `work` on each item, some at a time. What `work` rejects with ends it, after those under way have ended. */
  async forEach<T>(items: readonly T[], signal: AbortSignal, work: (item: T) => Promise<void>): Promise<void> {
    const queue = items[Symbol.iterator]();
    const one = async (): Promise<void> => {
      for (const item of queue) {
        await this.#turn(signal);
        if (signal.aborted) return;
        await work(item);
      }
    };
    const lanes = Array.from({ length: Math.min(this.#pace.concurrency, items.length) }, one);
    const ended = await Promise.allSettled(lanes);
    const failed = ended.find((lane) => lane.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { perSecond, burst } = this.#pace;
    const now = this.#now();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) * perSecond) / 1_000);
    this.#at = now;
    this.#tokens -= 1;
    if (this.#tokens < 0) await pause((-this.#tokens * 1_000) / perSecond, signal);
  }
}
