import { Composer, isMap, isSeq, LineCounter, Parser } from "yaml";
import type { CST, Document, ParsedNode } from "yaml";
import type { Place } from "../../../core/places.ts";
import { fieldPlaces } from "./field-places.ts";
import { lexemesOf } from "./lexemes.ts";
import { MAX_DEPTH, MAX_LEXEMES } from "../limits.ts";
import { isRefused } from "./read-document.ts";
import type { DocumentOutcome } from "./read-document.ts";
import { countBreaks } from "./yaml-documents.ts";
import { documentValue, ValueError } from "./yaml-values.ts";

export interface LibraryReading {
  readonly documents: readonly DocumentOutcome[];
  /** What it took, in lexemes of the ordinary kind. */
  readonly cost: number;
}

/**
 * Reads the text between two `---` lines with the `yaml` library: everything that YAML 1.1 has.
 * @param firstLine 0-based line of the file on which the text begins.
 * @param most what it may take, in lexemes of the ordinary kind.
 */
export function readWithLibrary(text: string, firstLine: number, most = MAX_LEXEMES): LibraryReading {
  const lexed = lexemesOf(text, most);
  if (!("code" in lexed)) return { documents: parse(lexed.lexemes, firstLine), cost: lexed.cost };
  const { code, message, offset, cost } = lexed;
  const column = offset === 0 ? 1 : offset - text.lastIndexOf("\n", offset - 1);
  const place = { line: firstLine + 1 + countBreaks(text, offset), column };
  return { documents: [{ place, code, message }], cost };
}

function parse(lexemes: readonly string[], firstLine: number): DocumentOutcome[] {
  const lines = new LineCounter();
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: firstLine + line, column: col };
  };
  const start = { line: firstLine + 1, column: 1 };
  const { stackTraceLimit } = Error;
  try {
    // A text of nothing but mistakes has a hundred thousand errors, of which we tell the first: their stacks would be four fifths of its time.
    Error.stackTraceLimit = 0;
    const composer = new Composer({
      version: "1.1",
      schema: "failsafe",
      merge: false,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: "error",
    });
    const documents = [...composer.compose(tokensOf(lexemes, lines))] as Document.Parsed[];
    const outcomes = documents.flatMap((document, index) => outcomeOf(document, index, at) ?? []);
    const [first] = outcomes;
    // Behind a mistake the library takes an indented `---` for another document's beginning.
    return first && isRefused(first) && !lexemes.includes("...") ? [first] : outcomes;
  } catch (error) {
    if (error instanceof ValueError) return [{ place: at(error.offset), code: error.code, message: error.message }];
    // The stack is used up.
    if (error instanceof Error && error.name === "RangeError")
      return [{ place: start, code: "TooDeep", message: `nested deeper than ${MAX_DEPTH} levels` }];
    // Whatever a parser throws at a strange text is that text's fault, and only its document's.
    return [{ place: start, code: "YamlSyntax", message: "the document cannot be parsed" }];
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** What the library's `Parser.parse` does, with lexemes that are there already. */
function* tokensOf(lexemes: readonly string[], lines: LineCounter): Generator<CST.Token, void> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  for (const lexeme of lexemes) yield* parser.next(lexeme);
  yield* parser.end();
}

/** @throws ValueError */
function outcomeOf(document: Document.Parsed, index: number, at: (offset: number) => Place): DocumentOutcome | null {
  const [error] = document.errors;
  if (error) return { place: at(error.pos[0]), code: "YamlSyntax", message: firstLineOf(error.message) };
  const { contents } = document;
  if (contents === null) return null;
  const place = at(contents.range[0]);
  if (index > 0) {
    const message = "kubectl ignores what follows `...`; begin a document with ---";
    return { place, code: "ContentAfterEnd", message };
  }
  return {
    value: documentValue(document),
    place,
    items: itemPlaces(contents, at),
    fields: fieldPlaces(contents, at),
  };
}

/** Where the entries of a top-level `items` stand. */
function itemPlaces(contents: ParsedNode, at: (offset: number) => Place): Place[] {
  if (!isMap(contents)) return [];
  const items: unknown = contents.get("items", true);
  if (!isSeq(items)) return [];
  return items.items.map((item) => at((item as ParsedNode | null)?.range?.[0] ?? contents.range[0]));
}

function firstLineOf(message: string): string {
  return (message.split("\n")[0] ?? message).slice(0, 200);
}
