import { isAlias, isMap, isPair, isScalar, isSeq } from "yaml";
import type { Alias, Document, Node, ParsedNode, Scalar, YAMLMap, YAMLSeq } from "yaml";
import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { MAX_ALIASED_BYTES, MAX_ALIASED_VALUES, MAX_DEPTH } from "../limits.ts";
import { keyText, resolveScalar, ScalarError } from "./yaml-scalars.ts";

/** Why a document's value cannot be taken, and where (offset in its text). */
export class ValueError extends Error {
  readonly code: "TooDeep" | "AliasBomb" | "DuplicateField" | "BadAlias" | "BadMerge" | "NotJson";
  readonly offset: number;
  constructor(code: ValueError["code"], offset: number, message: string) {
    super(message);
    this.code = code;
    this.offset = offset;
  }
}

/**
 * The JSON value of a composed YAML document (made with the failsafe schema: every scalar is still a text), with aliases and merge keys
 * resolved within limits.
 * @throws ValueError
 */
export function documentValue(document: Document.Parsed): JsonValue {
  return new Converter().convert(document.contents);
}

class Converter {
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  #aliased = 0;
  #aliasDepth = 0;
  #aliasedBytes = 0;

  convert(node: ParsedNode | null): JsonValue {
    return this.#value(node, 0);
  }

  #value(node: unknown, depth: number): JsonValue {
    if (node === null || node === undefined) return null;
    if (depth > MAX_DEPTH) throw new ValueError("TooDeep", offsetOf(node), `nested deeper than ${MAX_DEPTH} levels`);
    if (this.#aliasDepth > 0 && (this.#aliased += 1) > MAX_ALIASED_VALUES) {
      throw new ValueError("AliasBomb", offsetOf(node), `aliases add more than ${MAX_ALIASED_VALUES} values`);
    }
    if (isAlias(node)) return this.#alias(node, depth);
    if (isScalar(node)) return this.#scalar(node);
    if (!isMap(node) && !isSeq(node)) throw new ValueError("NotJson", offsetOf(node), "not a value that JSON has");
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    this.#open.add(node);
    const value = isMap(node) ? this.#map(node, depth) : this.#list(node, depth);
    this.#open.delete(node);
    return value;
  }

  #alias(alias: Alias, depth: number): JsonValue {
    const target = this.#target(alias);
    this.#aliasDepth += 1;
    const value = this.#value(target, depth + 1);
    this.#aliasDepth -= 1;
    return value;
  }

  #target(alias: Alias): Node {
    const target = this.#anchors.get(alias.source);
    if (!target) throw new ValueError("BadAlias", offsetOf(alias), `no anchor &${alias.source} before this alias`);
    if (this.#open.has(target)) throw new ValueError("BadAlias", offsetOf(alias), `&${alias.source} holds itself`);
    return target;
  }

  #scalar(node: Scalar): JsonValue {
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    const text = typeof node.value === "string" ? node.value : (node.source ?? "");
    if (this.#aliasDepth > 0 && (this.#aliasedBytes += text.length) > MAX_ALIASED_BYTES) {
      throw new ValueError("AliasBomb", offsetOf(node), `aliases add more than ${MAX_ALIASED_BYTES} bytes`);
    }
    if (!text.isWellFormed())
      throw new ValueError("NotJson", offsetOf(node), "an escaped half of a surrogate pair is no character");
    const tag = node.tag ?? "";
    if (tag === "" && node.type !== "PLAIN") return text;
    try {
      return resolveScalar(text, tag === "!" ? "tag:yaml.org,2002:str" : tag);
    } catch (error) {
      if (error instanceof ScalarError) throw new ValueError("NotJson", offsetOf(node), error.message);
      throw error;
    }
  }

  #list(node: YAMLSeq, depth: number): JsonValue[] {
    return node.items.map((item) => {
      // `[a: 1]`: a mapping with one pair
      if (isPair(item)) throw new ValueError("NotJson", offsetOf(item.key), "a pair stands where a value should");
      if (node.flow) refuseQuestionMark(item);
      return this.#value(item, depth + 1);
    });
  }

  #map(node: YAMLMap, depth: number): JsonObject {
    const object: JsonObject = {};
    const own = new Set<string>();
    for (const pair of node.items) {
      if (node.flow) for (const part of [pair.key, pair.value]) refuseQuestionMark(part);
      if (isMerge(pair.key)) {
        this.#merge(pair.value, object, depth);
        continue;
      }
      const key = this.#key(pair.key, depth);
      if (own.has(key))
        throw new ValueError(
          "DuplicateField",
          offsetOf(pair.key),
          `the field ${JSON.stringify(key)} stands here twice`,
        );
      own.add(key);
      define(object, key, this.#value(pair.value, depth + 1));
    }
    return object;
  }

  #key(node: unknown, depth: number): string {
    try {
      return keyText(this.#value(node, depth + 1));
    } catch (error) {
      if (error instanceof ScalarError) throw new ValueError("NotJson", offsetOf(node), error.message);
      throw error;
    }
  }

  /** `<<`: go-yaml writes the merged fields where the merge key stands; of a list, earlier ones win. */
  #merge(value: unknown, into: JsonObject, depth: number): void {
    const sources = isSeq(value) ? [...value.items].reverse() : [value];
    for (const source of sources) {
      const map = isAlias(source) ? this.#target(source) : source;
      if (!isMap(map)) throw new ValueError("BadMerge", offsetOf(source), "<< takes a mapping or a list of mappings");
      const merged = this.#value(source, depth + 1);
      for (const [key, item] of Object.entries(merged as JsonObject)) define(into, key, item);
    }
  }
}

/** In brackets `?x` is a key to YAML 1.1 and a text to 1.2. */
function refuseQuestionMark(node: unknown): void {
  if (isScalar(node) && node.type === "PLAIN" && typeof node.value === "string" && node.value.startsWith("?")) {
    throw new ValueError("NotJson", offsetOf(node), "in brackets a text that begins with ? must be quoted");
  }
}

function isMerge(key: unknown): boolean {
  return isScalar(key) && key.value === "<<" && key.type === "PLAIN";
}

function offsetOf(node: unknown): number {
  const range = (node as { range?: [number, number, number] | null } | null)?.range;
  return range?.[0] ?? 0;
}

/** An own property, also where the key is `__proto__`. */
function define(object: JsonObject, key: string, value: JsonValue): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else object[key] = value;
}
