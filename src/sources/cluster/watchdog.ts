import { StreamFault } from "./fault.ts";

/**
 * Cuts a stream that went silent. The clock runs only while somebody waits for bytes: a reader who is held back by the database
 * does not make the server look dead.
 */
export class Watchdog {
  readonly #cut = new AbortController();

  /** Aborts with a `StreamFault` of kind `silent`. */
  get signal(): AbortSignal {
    return this.#cut.signal;
  }

  /** Waits for `step`, at most `ms`. */
  async guard<T>(step: Promise<T>, ms: number): Promise<T> {
    const timer = setTimeout(() => this.#cutSilent(ms), ms);
    try {
      return await step;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The chunks of `stream`, each at most `ms` after it was asked for. One timer for all of them: one a chunk would be made and cleared for each event. */
  async *chunks(stream: AsyncIterable<Buffer>, ms: number): AsyncGenerator<Buffer, void, void> {
    const iterator = stream[Symbol.asyncIterator]();
    let askedAt: number | null = null;
    const look = (): void => {
      const left = askedAt === null ? ms : askedAt + ms - performance.now();
      if (left <= 0) this.#cutSilent(ms);
      else timer = setTimeout(look, left);
    };
    let timer = setTimeout(look, ms);
    try {
      for (;;) {
        askedAt = performance.now();
        const { done, value } = await iterator.next();
        askedAt = null;
        if (done) return;
        yield value;
      }
    } finally {
      clearTimeout(timer);
      await iterator.return?.();
    }
  }

  /** Ends the stream for a reason of our own. */
  cut(reason: Error): void {
    this.#cut.abort(reason);
  }

  #cutSilent(ms: number): void {
    this.#cut.abort(new StreamFault("silent", "StreamSilent", `nothing came from the API server for ${ms / 1_000} s`));
  }
}
