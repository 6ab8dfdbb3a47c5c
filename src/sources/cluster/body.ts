import type { Readable } from "node:stream";

/** What may wait for its reader (bytes) before the connection is held: the server is told to wait by flow control. */
const HELD_BYTES = 64 * 1024;

/**
 * What has come of a body whenever its reader asks, in one piece. An API server sends every event for itself: a reader who was woken for each of them
 * cost a fifth of a first load's CPU. It is woken when everything that was there to be read has been read, in the same turn of the event loop.
 *
 * Leaving the loop ends the body. What came before it broke is still given.
 */
export async function* gathered(body: Readable): AsyncGenerator<Buffer, void, void> {
  const held = new Held(body);
  try {
    for (;;) {
      const piece = held.take();
      if (piece !== null) yield piece;
      else if (held.ended) return;
      else await held.more();
    }
  } finally {
    body.destroy();
  }
}

class Held {
  readonly #body: Readable;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #end: { readonly error?: Error } | null = null;
  #wake: (() => void) | null = null;

  constructor(body: Readable) {
    this.#body = body;
    body.on("data", (piece: Buffer) => this.#add(piece));
    body.on("end", () => this.#ended({}));
    body.on("error", (error) => this.#ended({ error }));
    body.on("close", () => this.#ended({ error: new Error("the body was closed before its end") }));
  }

  /** Whether nothing more will come. Throws what the body broke with. */
  get ended(): boolean {
    if (this.#end?.error !== undefined) throw this.#end.error;
    return this.#end !== null;
  }

  /** Everything that has come since; null when nothing has. */
  take(): Buffer | null {
    const [first, ...more] = this.#pieces;
    if (first === undefined) return null;
    const piece = more.length === 0 ? first : Buffer.concat(this.#pieces, this.#bytes);
    this.#pieces = [];
    this.#bytes = 0;
    if (this.#body.isPaused()) this.#body.resume();
    return piece;
  }

  /** Resolves when there is something to take, or the end. */
  more(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  #add(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes >= HELD_BYTES) this.#body.pause();
    this.#tell();
  }

  #ended(end: { readonly error?: Error }): void {
    this.#end ??= end;
    this.#tell();
  }

  #tell(): void {
    if (this.#wake === null) return;
    setImmediate(this.#wake);
    this.#wake = null;
  }
}
