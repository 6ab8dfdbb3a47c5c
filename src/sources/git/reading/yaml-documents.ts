/** One piece of a YAML stream, from one `---` line to the next. */
export interface Chunk {
  /** Where it begins and ends in the stream. */
  readonly start: number;
  readonly end: number;
  /** 0-based line of the file on which the piece begins. */
  readonly firstLine: number;
  /** What follows `---` on its line, when that is more than a comment: kubectl refuses it. */
  readonly afterSeparator: string;
}

const DASH = 0x2d;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
/** Separators with nothing between them that a file may have beside its documents. */
const MOST_SEPARATORS = 100_000;

/** The bytes without a UTF-8 byte order mark. */
export function withoutBom(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/**
 * Splits a stream at the lines that begin with `---`, before anything is decoded or parsed, as kubectl does: what is wrong with one
 * document cannot hide the next.
 * @param limit stops after this many pieces; the caller sees one more than it allows.
 * @returns null when there are far more separators than documents.
 */
export function splitDocuments(bytes: Buffer, limit: number): Chunk[] | null {
  const chunks: Chunk[] = [];
  const { length } = bytes;
  let separators = 0;
  let start = 0;
  let line = 0;
  let firstLine = 0;
  let afterSeparator = "";
  // One pass over the bytes, whatever they are: searches would take long in a file of line breaks or of dashes.
  for (let at = 0; at < length && chunks.length <= limit; at += 1) {
    if (bytes[at] === DASH && bytes[at + 1] === DASH && bytes[at + 2] === DASH) {
      if ((separators += 1) > limit + MOST_SEPARATORS) return null;
      push(chunks, bytes, { start, end: at, firstLine, afterSeparator });
      const newline = bytes.indexOf(NEWLINE, at);
      start = newline < 0 ? length : newline + 1;
      firstLine = line + 1;
      const rest = newline === at + 3 ? "" : bytes.toString("utf8", at + 3, Math.min(start, at + 200)).trim();
      afterSeparator = rest.startsWith("#") ? "" : rest;
    }
    while (at < length && bytes[at] !== NEWLINE) at += 1;
    line += 1;
  }
  push(chunks, bytes, { start, end: length, firstLine, afterSeparator });
  return chunks;
}

function push(chunks: Chunk[], bytes: Buffer, chunk: Chunk): void {
  if (chunk.afterSeparator !== "" || !isBlank(bytes, chunk)) chunks.push(chunk);
}

/** Only white space and whole-line comments. */
function isBlank(bytes: Buffer, { start, end }: Chunk): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === 0x23) {
      const newline = bytes.indexOf(NEWLINE, at);
      if (newline < 0 || newline >= end) return true;
      at = newline;
    } else if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d && byte !== NEWLINE) return false;
  }
  return true;
}

/** To YAML a line break is one whoever wrote it; the plain reader knows one of them. A lone carriage return is left for the library to judge. */
export function withPlainBreaks(bytes: Buffer): Buffer {
  if (!bytes.includes(RETURN)) return bytes;
  const plain = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte !== RETURN) plain[length++] = byte;
    else if (bytes[at + 1] !== NEWLINE) return bytes;
  }
  return plain.subarray(0, length);
}

/** Line breaks before an offset: without a piece for each, of which there may be millions. */
export function countBreaks(text: string, to: number): number {
  let breaks = 0;
  for (let at = 0; at < to; at += 1) if (text.charCodeAt(at) === NEWLINE) breaks += 1;
  return breaks;
}
