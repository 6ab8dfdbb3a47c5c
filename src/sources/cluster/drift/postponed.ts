import { fullJitterDelay } from "../../../core/retry.ts";

const BACKOFF = { baseMs: 1_000, capMs: 60_000 };

/** Rows that could not be asked about, each with when to try again. */
export class Postponed {
  readonly #rows = new Map<string, { readonly attempts: number; readonly notBefore: number }>();
  readonly #now: () => number;
  readonly #random: () => number;

  constructor(now: () => number, random: () => number) {
    this.#now = now;
    this.#random = random;
  }

  /** When the first of them is due (ms since the epoch); Infinity where there is none. */
  get dueAt(): number {
    return Math.min(...[...this.#rows.values()].map(({ notBefore }) => notBefore));
  }

  isDue(id: string): boolean {
    return (this.#rows.get(id)?.notBefore ?? 0) <= this.#now();
  }

  /** Later, and later each time. Gives how often it was tried. */
  postpone(id: string): number {
    const attempts = (this.#rows.get(id)?.attempts ?? 0) + 1;
    this.#rows.set(id, { attempts, notBefore: this.#now() + fullJitterDelay(attempts, BACKOFF, this.#random) });
    return attempts;
  }

  answered(id: string): void {
    this.#rows.delete(id);
  }

  /** Forgets rows that are no suspects any more: they were due long ago. */
  sweep(): void {
    const old = this.#now() - BACKOFF.capMs;
    for (const [id, { notBefore }] of this.#rows) if (notBefore < old) this.#rows.delete(id);
  }
}
