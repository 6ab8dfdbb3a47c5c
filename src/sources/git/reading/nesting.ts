import { MAX_DEPTH } from "../limits.ts";

const NEWLINE = 0x0a;
const SPACE = 0x20;
const DASH = 0x2d;
const COLON = 0x3a;
const QUESTION = 0x3f;
const BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const COMMA = 0x2c;

/** A bound of the values in a text: what parts them is counted, wherever it stands. Ends as soon as it is more than `most`. */
export function valuesAtMost(bytes: Uint8Array, most: number): number {
  let values = 1;
  for (let at = 0; at < bytes.length && values <= most; at += 1) {
    const byte = bytes[at];
    if (byte === COMMA || byte === NEWLINE) values += 1;
    else if ((byte === DASH || byte === COLON || byte === QUESTION) && isSpace(bytes[at + 1])) values += 1;
  }
  return values;
}

function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === NEWLINE || byte === 0x09 || byte === 0x0d;
}

/**
 * An upper bound of the nesting of `[` and `{`, and of `- - -` on one line, before a recursive parser sees the text, or anything is decoded: in
 * UTF-8 a byte of a longer character is none of these. Ends as soon as it is more than {@link MAX_DEPTH}.
 */
export function nesting(bytes: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  /** Collections that begin within each other at the beginning of the line; -1 once something else came. */
  let compact = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === NEWLINE) {
      compact = 0;
      continue;
    }
    if (compact >= 0 && byte !== SPACE) {
      const begins = (byte === DASH || byte === COLON || byte === QUESTION) && bytes[at + 1] === SPACE;
      compact = begins ? compact + 1 : -1;
      if (compact > deepest) deepest = compact;
    }
    if (byte === BRACKET || byte === BRACE) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if ((byte === CLOSE_BRACKET || byte === CLOSE_BRACE) && depth > 0) depth -= 1;
    if (deepest > MAX_DEPTH) return deepest;
  }
  return deepest;
}
