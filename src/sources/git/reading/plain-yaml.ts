import type { JsonObject, JsonValue } from "../../../core/json.ts";
import type { Place } from "../../../core/places.ts";
import { endOfLine, readLiteral } from "./plain-literal.ts";
import { PlainPlaces, TOO_LARGE, TOO_MANY } from "./plain-places.ts";
import {
  BRACE,
  BRACKET,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  DASH,
  HASH,
  isKey,
  isQuote,
  NOT_PLAIN,
  PIPE,
  readFlowScalar,
  readKey,
  readLineScalar,
  readQuoted,
  SPACE,
} from "./plain-tokens.ts";
import type { Token } from "./plain-tokens.ts";
import { TOO_MANY_ITEMS, TOO_MANY_VALUES } from "./read-document.ts";
import type { ReadDocument } from "./read-document.ts";
import { ScalarError } from "./yaml-scalars.ts";

/**
 * The YAML that nearly all manifests are written in, read some twenty times faster than the library does: block mappings and lists,
 * scalars on one line, flow collections on one line, `|` texts. Anything else is left to the library, so nothing is ever refused here:
 * anchors, tags, merge keys, tabs, carriage returns, texts over several lines, and whatever looks like a mistake.
 *
 * What it takes it reads exactly as `yaml-library.ts` does, places included; `plain-yaml.test.ts` and the fuzzer compare them.
 * @param firstLine 0-based line of the file on which the text begins.
 * @param maxItems of a top-level `items`; what has more is not read to its end.
 * @returns null when the text is not of that kind.
 */
export function readPlainYaml(
  text: string,
  firstLine: number,
  maxItems: number,
): ReadDocument | typeof TOO_MANY_ITEMS | typeof TOO_MANY_VALUES | null {
  if (UNUSUAL.test(text)) return null;
  try {
    return new PlainReader(text, firstLine, maxItems).read();
  } catch (error) {
    if (error === TOO_MANY) return TOO_MANY_ITEMS;
    if (error === TOO_LARGE) return TOO_MANY_VALUES;
    if (error === NOT_PLAIN || error instanceof ScalarError) return null;
    throw error;
  }
}

const UNUSUAL = /[\t\r\ufeff]/;
/** Far below the limit of the real reader, which then judges. */
const DEPTH = 50;
/** Longer lines are left to the library: what regular expressions keep to go back to is bounded by it. Of lines, 16 bytes each are 16 MiB. */
const MAX_LINE = 20_000;
const MAX_LINES = 1_000_000;

class PlainReader {
  readonly #text: string;
  readonly #firstLine: number;
  readonly #places: PlainPlaces;
  /** The line being read: offsets of its first character and of its end; -1 as indentation when the text is over. */
  #start = 0;
  #end = -1;
  #line = -1;
  #indent = -1;
  /** Where reading goes on in the line. */
  #at = 0;

  constructor(text: string, firstLine: number, maxItems: number) {
    this.#places = new PlainPlaces(maxItems);
    this.#text = text;
    this.#firstLine = firstLine;
  }

  read(): ReadDocument {
    this.#nextLine();
    if (this.#indent !== 0) throw NOT_PLAIN;
    const place = this.#placeOf(this.#start);
    const value = this.#mapping(0, 0);
    if (this.#indent >= 0) throw NOT_PLAIN;
    return { value, place, items: this.#places.items, fields: this.#places.fields };
  }

  /** Goes to the next line that holds more than a comment. */
  #nextLine(): void {
    const text = this.#text;
    for (let at = this.#end + 1; at < text.length; at = this.#end + 1) {
      this.#start = at;
      this.#end = endOfLine(text, at);
      if ((this.#line += 1) > MAX_LINES) throw TOO_LARGE;
      let first = at;
      while (text.charCodeAt(first) === SPACE) first += 1;
      if (first >= this.#end || text.charCodeAt(first) === HASH) continue;
      if (this.#end - at > MAX_LINE) throw NOT_PLAIN;
      this.#indent = first - at;
      return;
    }
    this.#indent = -1;
  }

  /** From the line being read, `indent` characters into it, to the first line that is indented less. */
  #mapping(indent: number, depth: number): JsonObject {
    if (depth > DEPTH) throw NOT_PLAIN;
    const object: JsonObject = {};
    const noted = this.#places.open;
    do {
      this.#at = this.#start + indent;
      const key = this.#key(object, depth, noted);
      object[key] = this.#valueInMapping(indent, depth + 1);
      if (this.#indent > indent) throw NOT_PLAIN;
    } while (this.#indent === indent);
    return object;
  }

  /** Reads a key with its colon. */
  #key(object: JsonObject, depth: number, noted: boolean): string {
    const { value, segment, length } = readKey(this.#text, this.#at);
    if (value === "__proto__" || Object.hasOwn(object, value)) throw NOT_PLAIN;
    this.#places.key(depth, segment, noted ? this.#placeOf(this.#at) : null);
    this.#at += length;
    return value;
  }

  #valueInMapping(indent: number, depth: number): JsonValue {
    this.#skipSpaces();
    const code = this.#at < this.#end ? this.#text.charCodeAt(this.#at) : HASH;
    if (code === PIPE) return this.#textBelow(indent);
    if (code !== HASH) return this.#inline(depth);
    this.#nextLine();
    if (this.#indent > indent) {
      return this.#isItem() ? this.#list(this.#indent, depth) : this.#mapping(this.#indent, depth);
    }
    // A list may stand as far left as the key that it belongs to.
    return this.#indent === indent && this.#isItem() ? this.#list(indent, depth) : null;
  }

  /** Whether the line begins with `- `. */
  #isItem(): boolean {
    const at = this.#start + this.#indent;
    return this.#text.charCodeAt(at) === DASH && this.#text.charCodeAt(at + 1) === SPACE;
  }

  #list(indent: number, depth: number): JsonValue[] {
    if (depth > DEPTH) throw NOT_PLAIN;
    const list: JsonValue[] = [];
    const noted = this.#places.open;
    const item = this.#places.takeItems();
    while (this.#indent === indent && this.#isItem()) {
      this.#at = this.#start + indent + 1;
      this.#skipSpaces();
      this.#places.element(depth, list.length, this.#placeOf(this.#at), { noted, item, before: list.at(-1) });
      const begins = isKey(this.#text, this.#at);
      list.push(begins ? this.#mapping(this.#at - this.#start, depth + 1) : this.#inline(depth + 1));
      if (this.#indent > indent) throw NOT_PLAIN;
    }
    return list;
  }

  /** What stands on the rest of the line; goes to the next one. */
  #inline(depth: number): JsonValue {
    const code = this.#text.charCodeAt(this.#at);
    let value: JsonValue;
    if (isQuote(code)) value = this.#token(readQuoted);
    else if (code === BRACE || code === BRACKET) value = this.#flow(depth);
    else {
      value = readLineScalar(this.#text.slice(this.#at, this.#end));
      this.#at = this.#end;
    }
    this.#endOfLine();
    this.#nextLine();
    return value;
  }

  #token<T>(read: (text: string, at: number) => Token<T>): T {
    const { value, length } = read(this.#text, this.#at);
    this.#at += length;
    return value;
  }

  /** A mapping or list in brackets that ends on the line it begins on. */
  #flow(depth: number): JsonValue {
    if (depth > DEPTH) throw NOT_PLAIN;
    const noted = this.#places.open;
    const isMap = this.#text.charCodeAt(this.#at) === BRACE;
    const item = this.#places.takeItems() && !isMap;
    const close = isMap ? CLOSE_BRACE : CLOSE_BRACKET;
    const list: JsonValue[] = [];
    const object: JsonObject = {};
    this.#at += 1;
    this.#skipSpaces();
    for (let more = this.#text.charCodeAt(this.#at) !== close; more;) {
      let key = "";
      if (isMap) {
        key = this.#key(object, depth, noted);
        this.#skipSpaces();
      } else {
        this.#places.element(depth, list.length, this.#placeOf(this.#at), { noted, item, before: list.at(-1) });
      }
      const value = this.#flowValue(depth + 1);
      if (isMap) object[key] = value;
      else list.push(value);
      this.#skipSpaces();
      const code = this.#text.charCodeAt(this.#at);
      more = code === COMMA;
      if (!more && code !== close) throw NOT_PLAIN;
      if (more) {
        this.#at += 1;
        this.#skipSpaces();
      }
    }
    this.#at += 1;
    return isMap ? object : list;
  }

  #flowValue(depth: number): JsonValue {
    const code = this.#text.charCodeAt(this.#at);
    if (code === BRACE || code === BRACKET) return this.#flow(depth);
    return isQuote(code) ? this.#token(readQuoted) : this.#token(readFlowScalar);
  }

  /** What stands below a `|`. */
  #textBelow(indent: number): string {
    const literal = readLiteral(this.#text, this.#at, indent);
    if (literal === null) throw NOT_PLAIN;
    this.#end = literal.end;
    this.#line += literal.lines;
    this.#nextLine();
    return literal.value;
  }

  /** Only a comment may follow. */
  #endOfLine(): void {
    const before = this.#at;
    this.#skipSpaces();
    if (this.#at >= this.#end) return;
    if (this.#text.charCodeAt(this.#at) !== HASH || this.#at === before) throw NOT_PLAIN;
  }

  #skipSpaces(): void {
    while (this.#text.charCodeAt(this.#at) === SPACE) this.#at += 1;
  }

  #placeOf(offset: number): Place {
    return { line: this.#firstLine + this.#line + 1, column: offset - this.#start + 1 };
  }
}
