import { pause } from "../../../core/pause.ts";

export interface Pace {
  /** Requests at the same time, at most. */
  readonly concurrency: number;
  /** Requests begun in a second that are enough: more than one at a time are tried only where fewer are reached. */
  readonly enough: number;
  /** Requests begun in a second, at most, by however quick a server. Never in a burst: one after the other in equal steps. */
  readonly most: number;
}

/**
 * How fast one API server is asked, by all Fabrics together. 56 a second answer 1,000 suspects in 18 s, of 20 s that they may take. Four at a time keep
 * that pace up to 65 ms an answer. A server that answers in 5 ms is asked 100 times a second: half of the time it is nobody's.
 */
export const DRY_RUN_PACE: Pace = { concurrency: 4, enough: 56, most: 200 };

/** Answers that take so many times what they take otherwise: the server has enough to do, and its other clients feel the same. */
const SLOW = 1.5;
/** The same where one at a time is asked for, which is hardly the cause: whoever is, is given way. */
const SLOW_ALONE = 2;
/** Below this they are as quick as ever: one more at a time is tried. Between the two everything stays as it is. */
const QUICK = 1.25;
/** Answers that are looked at together, so that each change is seen to work before the next. Their median decides: one that took long says nothing. */
const LOOK_AT = 15;
/**
 * A request that begins so many steps late is held up by the server. One that is late by less keeps up with the pace well enough: a second one at a
 * time would only stand in the way of others.
 */
const HELD_UP = 0.05;
/** Beyond what is enough, a request begins so many times an answer's time after the one before, at least: the server has as much time without us. */
const SHARE = 2;
/** A second at a time that was too many is tried again after so many looks at most: some ten seconds. */
const MOST_PATIENCE = 64;
/**
 * While one at a time is too many, the pause after each is so many times what it took, at most: a third of the server's time is others' then. Longer
 * pauses would let a machine that is busy with something else hold up the answers for minutes, and help its clients little.
 */
const MOST_REST = 0.5;
const REST_STEP = 0.25;

/**
 * Keeps requests from disturbing the other clients of an API server. There is one signal that every server gives, whatever is scarce in it:
 * how long its answers take, beside what they take when it is asked for one at a time. Additive increase, multiplicative decrease: one request at a
 * time at first, one more while answers are as quick as ever, half as many when they become slow; and where even one at a time is slow, pauses.
 */
export class Pacer {
  readonly #pace: Pace;
  readonly #now: () => number;
  readonly #sleep: typeof pause;
  readonly #waiting: (() => void)[] = [];
  readonly #usual = new Map<string, Usual>();
  #running = 0;
  #limit = 1;
  #rest = 0;
  /** What answers take that were looked at last (ms). */
  #typical = Infinity;
  /** Requests since the last look, and how many of them the server's answers held up, not the pace. */
  #begun = 0;
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
    const step = this.#stepMs();
    this.#begun += 1;
    if (now - this.#nextAt >= step * HELD_UP) this.#heldUp += 1;
    this.#nextAt = at + step;
    if (at > now) await this.#sleep(at - now, signal);
  }

  #stepMs(): number {
    const { enough, most } = this.#pace;
    return Math.min(1_000 / enough, Math.max(1_000 / most, SHARE * this.#typical));
  }

  #learn(what: string, took: number): void {
    const usual = this.#usual.get(what) ?? new Usual();
    this.#usual.set(what, usual);
    const look = usual.see(took, this.#now(), this.#limit === 1);
    if (look === null) return;
    this.#typical = look.ms;
    const { slowness } = look;
    if (slowness > (this.#limit === 1 ? SLOW_ALONE : SLOW)) this.#lessen();
    else if (this.#rest > 0 && slowness < SLOW) this.#rest = Math.max(0, this.#rest - REST_STEP);
    else if (slowness < QUICK) this.#increase(this.#heldUp > this.#begun / 2);
    this.#begun = 0;
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
    // So many are borne: that they were too many once was chance, or another's doing.
    if (this.#limit > 1) this.#patience = Math.max(1, this.#patience / 2);
    this.#quick += 1;
    if (!useful || this.#quick < this.#patience || this.#limit === this.#pace.concurrency) return;
    this.#quick = 0;
    this.#limit += 1;
  }
}

/** After so long a silence a server may be another (ms). */
const FORGOTTEN_AFTER_MS = 60_000;
/**
 * How much of a look goes into what is usual. Less upwards: a server that is busy for a while must look slow for that while. The shortest time of late
 * would not do: of answers that vary on a quiet server, most take half as long again as the shortest.
 */
const UPWARDS = 0.02;
const DOWNWARDS = 0.06;

/** What answers of one kind take when they are asked for one at a time. */
class Usual {
  #times: number[] = [];
  #ms = NaN;
  #at = -Infinity;

  /** What the last answers together say, once there are enough of them: what they take, and how many times the usual that is. */
  see(took: number, now: number, alone: boolean): { readonly ms: number; readonly slowness: number } | null {
    if (now - this.#at > FORGOTTEN_AFTER_MS) [this.#times, this.#ms] = [[], NaN];
    this.#at = now;
    this.#times.push(took);
    if (this.#times.length < LOOK_AT) return null;
    // Never 0: a clock has its steps.
    const ms = Math.max(0.1, this.#times.sort((a, b) => a - b)[Math.floor(LOOK_AT / 2)] ?? 0);
    this.#times = [];
    if (Number.isNaN(this.#ms)) this.#ms = ms;
    const slowness = ms / this.#ms;
    if (alone || slowness < 1) this.#ms += (ms - this.#ms) * (slowness < 1 ? DOWNWARDS : UPWARDS);
    return { ms, slowness };
  }
}
