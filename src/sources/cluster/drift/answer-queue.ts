import { pause } from "../../../core/pause.ts";
import type { Answered } from "../../../core/ports.ts";

/** Answers that come within so long of the first are written together (ms): a transaction for each would cost more than the answers. */
const GATHER_MS = 250;
/** At most so many at a time: a transaction of some 10 ms. */
const AT_ONCE = 100;
/** So many that wait hold up who adds more: the table is behind. */
const MANY = 2 * AT_ONCE;

/** Writes answers while others are still asked for, some at a time. {@link drain} writes what is there at once. */
export class AnswerQueue {
  readonly #write: (answers: readonly Answered[]) => Promise<void>;
  readonly #waiting: Answered[] = [];
  readonly #enough = new AbortController();
  #writing: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(write: (answers: readonly Answered[]) => Promise<void>) {
    this.#write = write;
  }

  /** Takes an answer; waits when the table is behind. @throws what a write threw */
  async add(answer: Answered): Promise<void> {
    this.#waiting.push(answer);
    this.#writing ??= this.#run();
    if (this.#waiting.length >= MANY) await this.#written();
  }

  /** Resolves when everything is written; nothing is added any more. @throws what a write threw */
  async drain(): Promise<void> {
    this.#enough.abort();
    await this.#written();
  }

  async #written(): Promise<void> {
    await this.#writing;
    if (this.#failure !== null) throw this.#failure.error;
  }

  /** Never rejects: nobody may be waiting. */
  async #run(): Promise<void> {
    try {
      while (this.#waiting.length > 0 && this.#failure === null) {
        if (this.#waiting.length < AT_ONCE) await pause(GATHER_MS, this.#enough.signal);
        await this.#write(this.#waiting.splice(0, AT_ONCE));
      }
    } catch (error) {
      this.#failure = { error };
    } finally {
      this.#writing = null;
    }
  }
}
