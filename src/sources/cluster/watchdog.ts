import { StreamFault } from "./fault.ts";

/**
 * Cuts a stream that went silent. The clock runs only while somebody waits for bytes: a reader who is held back by the database
 * does not make the server look dead.
 */
export class Watchdog {
  readonly #cut = new AbortController();
  #timer: NodeJS.Timeout | null = null;

  /** Aborts with a `StreamFault` of kind `silent`. */
  get signal(): AbortSignal {
    return this.#cut.signal;
  }

  /** Waits for `step`, at most `ms`. */
  async guard<T>(step: Promise<T>, ms: number): Promise<T> {
    this.#timer = setTimeout(() => {
      this.#cut.abort(
        new StreamFault("silent", "StreamSilent", `nothing came from the API server for ${ms / 1_000} s`),
      );
    }, ms);
    try {
      return await step;
    } finally {
      clearTimeout(this.#timer);
    }
  }

  /** The chunks of `stream`, each at most `ms` after it was asked for. */
  async *chunks(stream: AsyncIterable<Buffer>, ms: number): AsyncGenerator<Buffer, void, void> {
    const iterator = stream[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await this.guard(iterator.next(), ms);
        if (done) return;
        yield value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  /** Ends the stream for a reason of our own. */
  cut(reason: Error): void {
    this.#cut.abort(reason);
  }
}
