/** What `git cat-file` says of one object. */
export interface GitObject {
  readonly id: string;
  readonly type: string;
  readonly size: number;
  /** Empty when only the header was asked for. From {@link SHARED_BYTES} on it lies in memory that threads may share. */
  readonly content: Buffer;
}

/**
 * Bytes from which an object's content is given shared memory: to copy many megabytes for another thread takes milliseconds in which the event loop does
 * nothing else.
 */
export const SHARED_BYTES = 256 * 1024;

const NOTHING = Buffer.alloc(0);
const NEWLINE = 0x0a;

/** An object of which not all has come. */
interface Partial {
  readonly object: GitObject;
  filled: number;
}

/**
 * What `git cat-file --batch` or `--batch-check` prints (git-cat-file(1), "BATCH OUTPUT"), piece by piece: the answers, in order. Each byte of a large
 * object is copied once, when its piece comes, to where it stays.
 */
export class ObjectAnswers {
  readonly #contents: boolean;
  readonly #onAnswer: (object: GitObject | null) => void;
  /** The begin of a header whose end has not come. */
  #header = NOTHING;
  #partial: Partial | null = null;

  /** @param options.onAnswer takes each answer; null for an object that does not exist. */
  constructor(options: { contents: boolean; onAnswer: (object: GitObject | null) => void }) {
    this.#contents = options.contents;
    this.#onAnswer = options.onAnswer;
  }

  take(piece: Buffer): void {
    let rest = piece;
    while (rest.length > 0) rest = this.#partial ? this.#goOn(this.#partial, rest) : this.#begin(rest);
  }

  #begin(piece: Buffer): Buffer {
    const end = piece.indexOf(NEWLINE);
    if (end < 0) {
      this.#header = Buffer.concat([this.#header, piece]);
      return NOTHING;
    }
    const header = this.#header.toString("latin1") + piece.toString("latin1", 0, end);
    this.#header = NOTHING;
    const rest = piece.subarray(end + 1);
    const match = /^([0-9a-f]+) (\w+) (\d+)$/.exec(header);
    if (match === null) this.#onAnswer(null);
    else {
      const [, id = "", type = ""] = match;
      const size = Number(match[3]);
      if (this.#contents) this.#partial = { object: { id, type, size, content: room(size) }, filled: 0 };
      else this.#onAnswer({ id, type, size, content: NOTHING });
    }
    return rest;
  }

  #goOn(partial: Partial, piece: Buffer): Buffer {
    const { content, size } = partial.object;
    const missing = size - partial.filled;
    partial.filled += piece.copy(content, partial.filled, 0, missing);
    // One more byte, a newline, ends it.
    if (piece.length <= missing) return NOTHING;
    this.#partial = null;
    this.#onAnswer(partial.object);
    return piece.subarray(missing + 1);
  }
}

function room(size: number): Buffer {
  return size < SHARED_BYTES ? Buffer.allocUnsafe(size) : Buffer.from(new SharedArrayBuffer(size));
}
