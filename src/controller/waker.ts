import { pause } from "../core/pause.ts";

/** One sleeper that news can wake; news that comes while nobody sleeps is kept, once. */
export class Waker {
  #news = false;
  #wakeUp: (() => void) | null = null;

  wake(): void {
    this.#news = true;
    this.#wakeUp?.();
  }

  /** Resolves at the next news, after `ms`, or when `signal` aborts, whichever is first. Never rejects. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#news) {
      const slept = new AbortController();
      this.#wakeUp = () => slept.abort();
      await pause(ms, AbortSignal.any([signal, slept.signal]));
      this.#wakeUp = null;
    }
    this.#news = false;
  }
}
