import type { Answered } from "../../../core/ports.ts";

/** Answers that are written at a time, while others are still asked for. */
const SETTLE_AT = 25;

/**
 * Writes answers while others are still asked for: one alone at once, and those that come during a write together in the next one.
 */
export class AnswerQueue {
  readonly #write: (answers: readonly Answered[]) => Promise<void>;
  readonly #waiting: Answered[] = [];
  #writing: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(write: (answers: readonly Answered[]) => Promise<void>) {
    this.#write = write;
  }

  /** Takes an answer; waits when the table is behind. @throws what a write threw */
  async add(answer: Answered): Promise<void> {
    this.#waiting.push(answer);
    this.#writing ??= this.#run();
    if (this.#waiting.length >= SETTLE_AT) await this.drain();
  }

  /** Resolves when everything is written. @throws what a write threw */
  async drain(): Promise<void> {
    await this.#writing;
    if (this.#failure !== null) throw this.#failure.error;
  }

  /** Never rejects: nobody may be waiting. */
  async #run(): Promise<void> {
    try {
      while (this.#waiting.length > 0 && this.#failure === null) await this.#write(this.#waiting.splice(0, SETTLE_AT));
    } catch (error) {
      this.#failure = { error };
    } finally {
      this.#writing = null;
    }
  }
}
