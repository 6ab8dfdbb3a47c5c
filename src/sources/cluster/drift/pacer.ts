import { pause } from "../../../core/pause.ts";

export interface Pace {
  /** Requests at the same time, at most. */
  readonly concurrency: number;
  /** Requests begun in a second, at most: never in a burst, one after the other in equal steps. */
  readonly perSecond: number;
}

/**
 * How fast one API server is asked, by all Fabrics together. 56 a second answer 1,000 suspects in 18 s, of 20 s that they may take; to be done
 * earlier would only make the server's other clients wait. Four at a time keep that pace up to 65 ms an answer.
 */
export const DRY_RUN_PACE: Pace = { concurrency: 4, perSecond: 56 };

/** An answer that takes so many times what it takes at best tells that the server has enough to do. */
const SLOW = 2;
/** Below this it has not: one more at a time is tried. Between the two everything stays as it is. */
const QUICK = 1.4;
/** Answers that are looked at together, so that each change is seen to work before the next. Their median decides: one that took long says nothing. */
const LOOK_AT = 9;
/**
 * A request that begins so many steps late is held up by the server. One that is late by less keeps up with the pace well enough: a second one at a
 * time would only stand in the way of others.
 */
const HELD_UP = 0.05;
/** A second at a time that was too many is tried again after so many looks at most: some ten seconds. */
const MOST_PATIENCE = 64;
/** What an answer takes at best is known from the last two spans of so long (ms): a server may become another. */
const BEST_OF_MS = 30_000;
/**
 * While one at a time is too many, the pause after each is so many times what it took, at most: a third of the server's time is others' then. Longer
 * pauses would let a machine that is busy with something else hold up the answers for minutes, and help its clients little.
 */
const MOST_REST = 0.5;
const REST_STEP = 0.25;

/**
 * Keeps requests from disturbing the other clients of an API server. There is one signal that every server gives, whatever is scarce in it:
 * how long its answers take, beside the best that they took lately. Additive increase, multiplicative decrease: one request at a time at first,
 * one more while answers are as quick as ever, half as many when they become slow; and where even one at a time is slow, pauses.
 */
export class Pacer {
  readonly #pace: Pace;
  readonly #now: () => number;
  readonly #sleep: typeof pause;
  readonly #waiting: (() => void)[] = [];
  readonly #best = new Map<string, Best>();
  #running = 0;
  #limit = 1;
  #rest = 0;
  /** Of the answers since the last look: how many times the best they took. */
  #slowness: number[] = [];
  /** Of the requests since the last look: how many the server's answers held up, not the pace. */
  #heldUp = 0;
  /** Looks at quick answers that it takes to try one more at a time; more each time that it was too many. */
  #patience = 1;
  #quick = 0;
  #nextAt = 0;

  /** @param now ms, monotonic */
  constructor(pace: Pace = DRY_RUN_PACE, now: () => number = () => performance.now(), sleep = pause) {
    this.#pace = pace;
    this.#now = now;
    this.#sleep = sleep;
  }

  /** Requests at a time, now. */
  get limit(): number {
    return this.#limit;
  }

  /** Parts of an answer's time that are paused after it, now. */
  get rest(): number {
    return this.#rest;
  }

  /**
   * Makes a request when it is its turn.
   * @param what requests of one `what` cost the server about the same
   * @throws what `request` throws; the signal's reason when it aborts while waiting
   */
  async request<T>(what: string, signal: AbortSignal, request: () => Promise<T>): Promise<T> {
    await this.#turn();
    try {
      await this.#step(signal);
      signal.throwIfAborted();
      const began = this.#now();
      const answer = await request();
      const took = this.#now() - began;
      this.#learn(what, took);
      if (this.#rest > 0) this.#nextAt = Math.max(this.#nextAt, this.#now() + took * this.#rest);
      return answer;
    } finally {
      this.#running -= 1;
      while (this.#running < this.#limit && this.#waiting.length > 0) {
        this.#running += 1;
        this.#waiting.shift()?.();
      }
    }
  }

  /** Runs `work` on each item, as many at a time as may ever be useful. What `work` rejects with ends it, after those under way have ended. */
  async forEach<T>(items: readonly T[], signal: AbortSignal, work: (item: T) => Promise<void>): Promise<void> {
    const queue = items[Symbol.iterator]();
    let failed: { readonly error: unknown } | null = null;
    const one = async (): Promise<void> => {
      for (const item of queue) {
        if (signal.aborted || failed !== null) return;
        try {
          await work(item);
        } catch (error) {
          failed ??= { error };
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#pace.concurrency, items.length) }, one));
    if (failed !== null) throw (failed as { readonly error: unknown }).error;
  }

  async #turn(): Promise<void> {
    if (this.#running < this.#limit) {
      this.#running += 1;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** No two begin nearer to each other than the pace says. */
  async #step(signal: AbortSignal): Promise<void> {
    const now = this.#now();
    const at = Math.max(now, this.#nextAt);
    const step = 1_000 / this.#pace.perSecond;
    if (now - this.#nextAt >= step * HELD_UP) this.#heldUp += 1;
    this.#nextAt = at + step;
    if (at > now) await this.#sleep(at - now, signal);
  }

  #learn(what: string, took: number): void {
    const best = this.#best.get(what) ?? new Best(this.#now());
    this.#best.set(what, best);
    best.see(took, this.#now());
    this.#slowness.push(took / best.ms);
    if (this.#slowness.length < LOOK_AT) return;
    const slowness = this.#slowness.sort((a, b) => a - b)[Math.floor(LOOK_AT / 2)] ?? 1;
    if (slowness > SLOW) this.#lessen();
    else if (slowness < QUICK) this.#increase(this.#heldUp > LOOK_AT / 2);
    this.#slowness = [];
    this.#heldUp = 0;
  }

  #lessen(): void {
    this.#quick = 0;
    if (this.#limit === 1) this.#rest = Math.min(MOST_REST, this.#rest + REST_STEP);
    else this.#patience = Math.min(MOST_PATIENCE, 2 * this.#patience);
    this.#limit = Math.max(1, Math.floor(this.#limit / 2));
  }

  /** @param useful more at a time would be more in a second */
  #increase(useful: boolean): void {
    if (this.#rest > 0) {
      this.#rest = Math.max(0, this.#rest - REST_STEP);
      return;
    }
    this.#quick += 1;
    if (!useful || this.#quick < this.#patience || this.#limit === this.#pace.concurrency) return;
    this.#quick = 0;
    this.#limit += 1;
  }
}

/** The shortest time of late. */
class Best {
  #since: number;
  #before = Infinity;
  #lately = Infinity;

  constructor(now: number) {
    this.#since = now;
  }

  /** ms, and never 0. */
  get ms(): number {
    return Math.max(0.1, Math.min(this.#before, this.#lately));
  }

  see(ms: number, now: number): void {
    if (now - this.#since > BEST_OF_MS) {
      // After a long silence what was known is of no use.
      this.#before = now - this.#since > 2 * BEST_OF_MS ? Infinity : this.#lately;
      this.#lately = Infinity;
      this.#since = now;
    }
    this.#lately = Math.min(this.#lately, ms);
  }
}
