import type { JsonValue } from "../../../core/json.ts";
import { keyText, resolveScalar } from "./yaml-scalars.ts";

/** Thrown as it is: a text that is not plain costs no stack trace. */
export const NOT_PLAIN = new Error("not plain");

export const SPACE = 0x20;
export const DOUBLE_QUOTE = 0x22;
export const HASH = 0x23;
export const SINGLE_QUOTE = 0x27;
export const COMMA = 0x2c;
export const DASH = 0x2d;
export const BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const BRACE = 0x7b;
export const PIPE = 0x7c;
export const CLOSE_BRACE = 0x7d;

/** A key and its colon: plain, or in quotes without escapes. The library refuses keys beyond 1,024 characters. */
const KEY = /(?:([A-Za-z0-9_][\w./-]{0,999})|"([^"\\\n]{1,999})"|'([^'\n]{1,999})'):(?=[ \n]|$)/y;
/** In brackets: words of harmless characters. */
const FLOW_SCALAR = /(?:[\w./+~]|-(?=[\w.]))(?:[\w./+~@=()*-]|:(?=\w))*(?: +(?:[\w./+~@=()*-]|:(?=\w))+)*(?= *[,\]}])/y;
const DOUBLE_QUOTED = /"(?:[^"\\\n]|\\["\\/bfnrt])*"/y;
const SINGLE_QUOTED = /'(?:[^'\n]|'')*'/y;
/** What a text outside of brackets and quotes may begin with. */
const SCALAR_START = /^(?:[A-Za-z0-9_./+~$(^;\u00c0-\ud7ff]|-[\w.])/;

/** A token and the characters that it takes. Every reader throws {@link NOT_PLAIN} where none of its kind stands. */
export interface Token<T> {
  readonly value: T;
  readonly length: number;
}
export interface Key extends Token<string> {
  /** As it is written, without quotes: what a path calls it. */
  readonly segment: string;
}

export function isKey(text: string, at: number): boolean {
  KEY.lastIndex = at;
  return KEY.test(text);
}

export function readKey(text: string, at: number): Key {
  KEY.lastIndex = at;
  const match = KEY.exec(text);
  if (match === null) throw NOT_PLAIN;
  const plain = match[1];
  const segment = plain ?? match[2] ?? match[3] ?? "";
  const value = plain === undefined ? segment : keyText(resolveScalar(plain, ""));
  return { value, segment, length: match[0].length };
}

export function isQuote(code: number): boolean {
  return code === DOUBLE_QUOTE || code === SINGLE_QUOTE;
}

export function readQuoted(text: string, at: number): Token<string> {
  const single = text.charCodeAt(at) === SINGLE_QUOTE;
  const literal = matchAt(single ? SINGLE_QUOTED : DOUBLE_QUOTED, text, at);
  const inside = literal.slice(1, -1);
  const { length } = literal;
  if (single) return { value: inside.replaceAll("''", "'"), length };
  // The escapes that are allowed mean the same in JSON.
  return { value: inside.includes("\\") ? (JSON.parse(literal) as string) : inside, length };
}

export function readFlowScalar(text: string, at: number): Token<JsonValue> {
  const plain = matchAt(FLOW_SCALAR, text, at);
  return { value: resolveScalar(plain, ""), length: plain.length };
}

/** A scalar without quotes that ends with its line, or with the comment on it. */
export function readLineScalar(line: string): JsonValue {
  if (!SCALAR_START.test(line)) throw NOT_PLAIN;
  const comment = line.indexOf(" #");
  let end = comment < 0 ? line.length : comment;
  while (line.charCodeAt(end - 1) === SPACE) end -= 1;
  const plain = line.slice(0, end);
  if (plain.includes(": ") || plain.endsWith(":")) throw NOT_PLAIN;
  return resolveScalar(plain, "");
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  if (match === null) throw NOT_PLAIN;
  return match[0];
}
