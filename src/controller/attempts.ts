import { fullJitterDelay } from "../core/retry.ts";
import type { Backoff } from "../core/retry.ts";

/** When to try again what failed. */
export class Attempts {
  readonly #backoff: Backoff;
  readonly #now: () => number;
  #failed = 0;
  #dueAt = 0;

  constructor(backoff: Backoff, now: () => number) {
    this.#backoff = backoff;
    this.#now = now;
  }

  /** How often it failed since it went well last. */
  get failed(): number {
    return this.#failed;
  }

  /** Not before then (ms since the epoch). */
  get dueAt(): number {
    return this.#dueAt;
  }

  failure(): void {
    this.#failed += 1;
    this.#dueAt = this.#now() + fullJitterDelay(this.#failed, this.#backoff, Math.random);
  }

  success(): void {
    this.#failed = 0;
    this.#dueAt = 0;
  }
}
