import type { Heartbeat, Heartbeats } from "../core/telemetry.ts";

export interface LoopReport {
  readonly loop: string;
  readonly withinMs: number;
  /** Since the last beat. */
  readonly silentMs: number;
}

/**
 * Which loops make progress. A loop that was not heard of within its own time makes the process not live.
 * @param now a clock that never goes back (ms): an adjusted wall clock must not kill the process.
 */
export class Loops implements Heartbeats {
  readonly #beats = new Map<symbol, { loop: string; withinMs: number; at: number }>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  register(loop: string, withinMs: number): Heartbeat {
    const id = Symbol(loop);
    const entry = { loop, withinMs, at: this.#now() };
    this.#beats.set(id, entry);
    return {
      beat: () => {
        entry.at = this.#now();
      },
      end: () => {
        this.#beats.delete(id);
      },
    };
  }

  /** All loops that were registered and have not ended, by name. */
  report(): LoopReport[] {
    const now = this.#now();
    return [...this.#beats.values()]
      .map(({ loop, withinMs, at }) => ({ loop, withinMs, silentMs: now - at }))
      .sort((a, b) => (a.loop < b.loop ? -1 : 1));
  }
}
