import { Lexer } from "yaml";
import { MAX_DEPTH, MAX_LEXEMES, MAX_LIBRARY_CHARACTERS } from "../limits.ts";
import { countBreaks } from "./yaml-documents.ts";

export interface Lexed {
  readonly lexemes: readonly string[];
  /** What parsing them takes, in lexemes of the ordinary kind. */
  readonly cost: number;
}

/** Why a text is not parsed, and where that became clear (offset). */
export interface Excess {
  readonly code: "TooDeep" | "TooManyValues";
  readonly message: string;
  readonly offset: number;
  /** What finding that out took. */
  readonly cost: number;
}

/**
 * The lexemes of a text, for the library's parser, or why it is not given to it. The library's own lexer finds them, so that what counts is what the
 * parser would see: a bracket in a text or a comment is none. It works forward and keeps nothing, and is left as soon as there is too much.
 * @param most what parsing them may take, in lexemes of the ordinary kind.
 */
export function lexemesOf(text: string, most = MAX_LEXEMES): Lexed | Excess {
  // One lexeme may be all of a text.
  const part = text.length > MAX_LIBRARY_CHARACTERS ? text.slice(0, MAX_LIBRARY_CHARACTERS) : text;
  const lexemes: string[] = [];
  const nesting = new Nesting();
  let cost = OVERHEAD;
  let offset = 0;
  let isScalar = false;
  /** The last lexeme that is no space. */
  let before = "";
  for (const lexeme of new Lexer().lex(part)) {
    lexemes.push(lexeme);
    if (!isScalar && isSign(lexeme)) {
      nesting.sign(lexeme);
      if (lexeme === DOCUMENT) cost += DOCUMENT_COST;
      isScalar = lexeme === SCALAR;
      continue;
    }
    nesting.add(lexeme, isScalar);
    const isGap = !isScalar && isSpace(lexeme);
    isScalar = false;
    offset += lexeme.length;
    cost += isGap ? lexeme.length >> LINE_SHIFT : costOf(lexeme, before);
    if (!isGap) before = lexeme;
    if (nesting.depth > MAX_DEPTH + 2)
      return { code: "TooDeep", message: `nested deeper than ${MAX_DEPTH} levels`, offset, cost: cost / LEXING };
    if (cost > most) return tooMany(offset, cost);
  }
  return part.length < text.length ? tooMany(offset, cost) : { lexemes, cost };
}

function tooMany(offset: number, cost: number): Excess {
  const message = `more than ${MAX_LEXEMES} values and marks in one document that is not plain YAML`;
  return { code: "TooManyValues", message, offset, cost: cost / LEXING };
}

/** Finding a lexeme takes less than half of what it takes in all. */
const LEXING = 2;

/**
 * In lexemes of the ordinary kind, as measured: each costs one, a collection that begins within another on its line two, and long ones more. So does
 * a bracket that opens where one was closed: always a mistake, of which each is noted.
 */
function costOf(lexeme: string, before: string): number {
  const nested = isIndicator(lexeme) && isIndicator(before) ? 1 : 0;
  const wrong = isOpening(lexeme) && isClosing(before) ? 1 : 0;
  return 1 + nested + wrong + (lexeme.includes("\n") ? textCost(lexeme) : lexeme.length >> LINE_SHIFT);
}

/** A text over several lines, whose line breaks count as well. */
function textCost(text: string): number {
  const cost = text.length >> LINE_SHIFT;
  return cost > MAX_LEXEMES ? cost : cost + (countBreaks(text, text.length) >> BREAKS_SHIFT);
}

/** Characters, and line breaks within a text, that cost as much as one lexeme, as powers of two: escapes are looked at one by one. */
const LINE_SHIFT = 5;
const BREAKS_SHIFT = 4;

/** What a text takes before anything is in it. */
export const OVERHEAD = 48;
/** Of a document that begins, after `...`. */
const DOCUMENT_COST = 4;

function isIndicator(lexeme: string): boolean {
  return lexeme === "-" || lexeme === "?" || lexeme === ":";
}

function isOpening(lexeme: string): boolean {
  return lexeme === "[" || lexeme === "{";
}

function isClosing(lexeme: string): boolean {
  return lexeme === "]" || lexeme === "}";
}

/** Signs of the lexer's own, which stand for no character. */
const DOCUMENT = "\u0002";
const FLOW_ERROR = "\u0018";
const SCALAR = "\u001f";

function isSign(lexeme: string): boolean {
  return lexeme === SCALAR || lexeme === DOCUMENT || lexeme === FLOW_ERROR;
}

function isSpace(lexeme: string): boolean {
  return lexeme.startsWith(" ") || lexeme.startsWith("\t");
}

/**
 * How many collections are open: brackets, and columns at which one of the block's begins, each left of the next. Two may share a column (a list
 * that stands as far left as its key), and a value that is none has one of its own: the exact depth is told where the values are made. What the parser
 * nests without end in a text that is none is bounded by its length.
 */
class Nesting {
  readonly #columns: number[] = [];
  #column = 0;
  #flow = 0;
  /** Nothing stands on the line yet, or what does may hold a collection: `- `, `? `, `: `. */
  #mayBegin = true;

  get depth(): number {
    return this.#columns.length + this.#flow;
  }

  /** One of the lexer's own signs. */
  sign(sign: string): void {
    if (sign === FLOW_ERROR) this.#flow = 0;
    if (sign === DOCUMENT) this.#columns.length = 0;
  }

  add(lexeme: string, isScalar: boolean): void {
    if (isScalar) this.#content();
    else if (!isSpace(lexeme)) this.#mark(lexeme);
    const newline = lexeme.lastIndexOf("\n");
    if (newline < 0) this.#column += lexeme.length;
    else {
      this.#column = lexeme.length - newline - 1;
      if (this.#column === 0) this.#mayBegin = true;
    }
  }

  #mark(lexeme: string): void {
    switch (lexeme) {
      case "\n":
      case "\r\n":
      case ",":
        return;
      case "[":
      case "{":
        this.#content();
        this.#flow += 1;
        return;
      case "]":
      case "}":
        if (this.#flow > 0) this.#flow -= 1;
        return;
      case "-":
      case "?":
      case ":":
        this.#content();
        this.#mayBegin = true;
        return;
      default:
        if (!lexeme.startsWith("#")) this.#content();
    }
  }

  #content(): void {
    if (this.#flow > 0 || !this.#mayBegin) return;
    while ((this.#columns.at(-1) ?? -1) > this.#column) this.#columns.pop();
    if (this.#columns.at(-1) !== this.#column) this.#columns.push(this.#column);
    this.#mayBegin = false;
  }
}
