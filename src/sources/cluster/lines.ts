import { FabricSyncError } from "../../core/errors.ts";

/**
 * The longest line that is put together (bytes). etcd refuses objects over 1.5 MiB; JSON of one with binary content, escaped,
 * is a few times that. A longer line is no watch event.
 */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * Lines of a byte stream without their newline, decoded as UTF-8; empty lines are left out. A chunk is only looked at: the one copy
 * made is the string of a line, and the joined parts of a line that crosses chunks.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #held = 0;

  constructor(maxBytes: number = MAX_LINE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of the line that has begun and not ended. Not 0 at the end of a stream: it was cut in the middle of a line. */
  get held(): number {
    return this.#held;
  }

  /** @throws FabricSyncError `LineTooLong` (retry). */
  *push(chunk: Buffer): Generator<string, void, void> {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const line = this.#held === 0 ? chunk.toString("utf8", start, end) : this.#join(chunk.subarray(start, end));
      start = end + 1;
      if (line !== "") yield line;
    }
    if (start === chunk.length) return;
    this.#parts.push(chunk.subarray(start));
    this.#held += chunk.length - start;
    if (this.#held > this.#maxBytes) {
      throw new FabricSyncError("LineTooLong", "retry", `a line of the watch stream exceeds ${this.#maxBytes} bytes`);
    }
  }

  #join(last: Buffer): string {
    this.#parts.push(last);
    const line = Buffer.concat(this.#parts, this.#held + last.length).toString("utf8");
    this.#parts = [];
    this.#held = 0;
    return line;
  }
}
