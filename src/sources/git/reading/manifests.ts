import { LineCounter } from "yaml";
import { isJsonObject } from "../../../core/json.ts";
import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { writePlaces } from "../../../core/places.ts";
import type { FieldPlace, Place, Places } from "../../../core/places.ts";
import type { FileRejection } from "../../../core/ports.ts";
import { readJsonDocuments } from "./json-documents.ts";
import { MAX_DEPTH, MAX_LEXEMES, MAX_OBJECT_VALUES } from "../limits.ts";
import { OVERHEAD } from "./lexemes.ts";
import { checkManifest } from "./manifest-checks.ts";
import { readPlainYaml } from "./plain-yaml.ts";
import { isRefused, TOO_MANY_ITEMS, TOO_MANY_VALUES } from "./read-document.ts";
import { countBreaks, splitDocuments, withoutBom, withPlainBreaks } from "./yaml-documents.ts";
import type { Chunk } from "./yaml-documents.ts";
import { readWithLibrary } from "./yaml-library.ts";

/** One object that a file declares, and where it begins (1-based). */
export interface Manifest {
  readonly line: number;
  readonly column: number;
  readonly object: JsonObject;
  /** Where its fields stand; '' where that is not known. */
  readonly places: Places;
}

/** What became of a file: `manifests.length + rejections.length` documents were in it (invariant 11). */
export interface FileContents {
  readonly manifests: readonly Manifest[];
  readonly rejections: readonly FileRejection[];
}

/**
 * Reads a manifest file as kubectl does: YAML 1.1 or JSON, documents parted by `---`, lists flattened into their items. What is wrong
 * with one document costs that document alone. Never throws for what a file holds.
 * @param maxDocuments refuses a file with more of them as a whole.
 */
export function readManifests(file: Buffer, maxDocuments: number): FileContents {
  const bytes = withoutBom(file);
  const reader = new FileReader(maxDocuments);
  if (/^\s*\{/.test(bytes.toString("latin1", 0, 1024)) && reader.readJson(bytes)) return reader.contents();
  const chunks = splitDocuments(bytes, maxDocuments);
  if (chunks === null || chunks.length > maxDocuments) return tooMany(maxDocuments);
  for (const chunk of chunks) reader.readChunk(bytes, chunk);
  return reader.contents();
}

const FATAL_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/**
 * What YAML does not allow in a stream, as go-yaml sees it; and U+0085, U+2028 and U+2029, which break lines in YAML 1.1 and not in 1.2:
 * refused rather than read in one of two ways.
 */
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]/;

/** What the plain reader takes, in lexemes of the library's: for a document, and how many characters (a power of two) are one. */
const PLAIN_OVERHEAD = 24;
const PLAIN_SHIFT = 4;
/** After this much in vain nothing more is looked at; after {@link MAX_LEXEMES} only what is plain. */
const MAX_WASTE = MAX_LEXEMES * 1.5;

class FileReader {
  readonly #maxDocuments: number;
  #manifests: Manifest[] = [];
  #rejections: FileRejection[] = [];
  #tooMany = false;
  /** What was spent on what was not taken, in the library's lexemes: a file of nothing else must not cost what one of good ones does. */
  #wasted = 0;

  constructor(maxDocuments: number) {
    this.#maxDocuments = maxDocuments;
  }

  contents(): FileContents {
    const documents = this.#manifests.length + this.#rejections.length;
    if (documents <= this.#maxDocuments && !this.#tooMany)
      return { manifests: this.#manifests, rejections: this.#rejections };
    return tooMany(this.#maxDocuments);
  }

  /** False when the text is not JSON throughout. */
  readJson(bytes: Buffer): boolean {
    let text: string;
    try {
      text = FATAL_UTF8.decode(bytes);
    } catch {
      return false;
    }
    const documents = readJsonDocuments(text, this.#maxDocuments + 1);
    if (documents === null) return false;
    if (documents === TOO_MANY_ITEMS) {
      this.#tooMany = true;
      return true;
    }
    if (documents === TOO_MANY_VALUES) {
      this.#tooLarge({ line: 1, column: 1 });
      return true;
    }
    const lines = lineCounter(text);
    for (const { value, offset, items, duplicate, depth, givenUp } of documents) {
      const at = lines.linePos(offset);
      const place = { line: at.line, column: at.col };
      if (givenUp) this.#giveUp(place);
      else if (duplicate) {
        const where = lines.linePos(duplicate.offset);
        const message = `the field ${JSON.stringify(duplicate.key)} stands here twice`;
        this.#refuse({ line: where.line, column: where.col }, "DuplicateField", message);
      } else if (depth > MAX_DEPTH) this.#refuse(place, "TooDeep", `nested deeper than ${MAX_DEPTH} levels`);
      else {
        const places = items.map((item) => lines.linePos(item)).map(({ line, col }) => ({ line, column: col }));
        this.#take(value, place, places);
      }
    }
    return true;
  }

  readChunk(bytes: Buffer, chunk: Chunk): void {
    const start: Place = { line: chunk.firstLine + 1, column: 1 };
    if (chunk.afterSeparator !== "") {
      return this.#refuse(
        { line: Math.max(chunk.firstLine, 1), column: 4 },
        "YamlSyntax",
        "after --- only a comment may follow on the line",
      );
    }
    if (this.#wasted > MAX_WASTE) return this.#giveUp(start);
    let text: string;
    try {
      text = FATAL_UTF8.decode(withPlainBreaks(withoutBom(bytes.subarray(chunk.start, chunk.end))));
    } catch {
      return this.#refuse(start, "InvalidUtf8", "the document is not UTF-8");
    }
    const control = FORBIDDEN.exec(text);
    if (control) {
      const { index } = control;
      const column = index === 0 ? 1 : index - text.lastIndexOf("\n", index - 1);
      const place = { line: chunk.firstLine + countBreaks(text, index) + 1, column };
      return this.#refuse(place, "ControlCharacter", "a control character that YAML does not allow");
    }
    const plain = readPlainYaml(text, chunk.firstLine, this.#maxDocuments);
    if (plain === TOO_MANY_ITEMS) {
      this.#tooMany = true;
      return;
    }
    const taken = this.#manifests.length;
    const refused = this.#rejections.length;
    if (plain === TOO_MANY_VALUES) this.#tooLarge(start);
    else if (plain) this.#take(plain.value, plain.place, plain.items, plain.fields);
    if (plain) {
      if (this.#rejections.length > refused) this.#waste(PLAIN_OVERHEAD + (text.length >> PLAIN_SHIFT), taken, refused);
      return;
    }
    if (this.#wasted >= MAX_LEXEMES) {
      // That it is not plain took something too: in the end not even that is looked at.
      this.#wasted += OVERHEAD + (text.length >> PLAIN_SHIFT);
      return this.#giveUp(start);
    }
    const { documents, cost } = readWithLibrary(text, chunk.firstLine, MAX_LEXEMES - this.#wasted);
    for (const read of documents) {
      if (!isRefused(read)) this.#take(read.value, read.place, read.items, read.fields);
      else if (read.code === "TooManyValues" && this.#wasted > 0) this.#giveUp(read.place);
      else this.#refuse(read.place, read.code, read.message);
    }
    // What follows `...` is always refused, whatever was taken before it.
    const spent = cost + (text.length >> PLAIN_SHIFT);
    if (documents.length > 1) this.#wasted += spent;
    else if (this.#rejections.length > refused) this.#waste(spent, taken, refused);
  }

  /** Of a list of which some items were taken the others are what was in vain. */
  #waste(cost: number, taken: number, refused: number): void {
    const bad = this.#rejections.length - refused;
    this.#wasted += (cost * bad) / (bad + this.#manifests.length - taken);
  }

  #tooLarge(place: Place): void {
    this.#refuse(place, "TooManyValues", `more than ${MAX_OBJECT_VALUES} values in one object`);
  }

  #giveUp(place: Place): void {
    this.#refuse(place, "ParseTooCostly", "too much of the file before it could not be taken; it is not looked at");
  }

  /** One document's value: nothing, one object, or a list of them. */
  #take(value: JsonValue, place: Place, items: readonly Place[], fields: Fields = NO_FIELDS): void {
    if (value === null) return;
    if (!isJsonObject(value))
      return this.#refuse(place, "NotAnObject", "a document must be a mapping with apiVersion, kind and metadata");
    this.#takeObject(value, place, items, 0, fields);
  }

  #takeObject(object: JsonObject, place: Place, places: readonly Place[], depth: number, fields: Fields): void {
    const items = object["items"];
    const kind = typeof object["kind"] === "string" ? object["kind"] : "";
    if (Array.isArray(items) && kind !== "" && depth < MAX_DEPTH) {
      const inside = ofItems(fields, depth * 2);
      items.forEach((item, index) => {
        const at = places[index] ?? place;
        if (!isJsonObject(item)) this.#refuse(at, "NotAnObject", `item ${index + 1} of the list is not a mapping`);
        else this.#takeObject(ofTypedList(item, object, kind), at, [], depth + 1, inside[index] ?? NO_FIELDS);
      });
      return;
    }
    const refusal = checkManifest(object);
    if (refusal) this.#refuse(place, refusal.code, refusal.message);
    else this.#manifests.push({ ...place, object, places: writePlaces(fields, place.line, depth * 2) });
  }

  #refuse(place: Place, code: string, message: string): void {
    this.#rejections.push({ ...place, code, message });
  }
}

type Fields = readonly FieldPlace[];
const NO_FIELDS: Fields = [];

/** The fields of each entry of the `items` that stands `depth` collections into the document. */
function ofItems(fields: Fields, depth: number): FieldPlace[][] {
  const items: FieldPlace[][] = [];
  let inItems = false;
  let item: FieldPlace[] | undefined;
  for (const field of fields) {
    if (field.depth === depth) inItems = field.segment === "items";
    else if (!inItems) continue;
    else if (field.depth === depth + 1) item = items[Number(field.segment)] ??= [];
    else item?.push(field);
  }
  return items;
}

function tooMany(maxDocuments: number): FileContents {
  const message = `more than ${maxDocuments} documents (limits.maxDocuments)`;
  return { manifests: [], rejections: [{ line: 1, column: 1, code: "TooManyDocuments", message }] };
}

/** Items of a `FooList` may leave out what the list says; of a plain `List` they may not. */
function ofTypedList(item: JsonObject, list: JsonObject, listKind: string): JsonObject {
  const kind = /^(.+)List$/.exec(listKind)?.[1];
  if (kind === undefined || (typeof item["kind"] === "string" && item["kind"] !== "")) return item;
  return { ...item, kind, apiVersion: list["apiVersion"] ?? null };
}

function lineCounter(text: string): LineCounter {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines.addNewLine(at + 1);
  return lines;
}
