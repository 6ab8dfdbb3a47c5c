/**
 * Phase one: the paths that Git declares, compared with the cluster, without the API server. What the cluster has beyond the declared
 * paths is its own: defaults, other managers' fields, hydrated addresses.
 *
 * With the kind's schema the comparison knows which fields are pruned, which lists are matched by key, which texts are quantities,
 * durations, times or bytes, and which defaults are filled in. Without one (`schema` is null) it knows the tables of `equivalence.ts`
 * and `merge-key.ts` alone.
 *
 * Equal are:
 * - numbers of the same value; texts that `same-text.ts` takes for one value
 * - whatever `equivalence.ts` lists for the kind
 * - a redacted value and anything: what is not known is not compared (invariant 16)
 * - a field that the schema prunes, and anything
 *
 * `weak` are differences of which only the API server can say whether they are any: declared null, `{}`, `[]` or a zero against absent, a
 * number against a text of the same digits, keys that somebody added inside an atomic value. Who cannot ask it takes them for equal.
 */
import { agreesPlainly } from "./agree.ts";
import { elementsOf } from "./elements.ts";
import type { DifferenceSink, Knowledge } from "./difference.ts";
import type { KindRules, PathRule } from "./equivalence.ts";
import { isJsonObject, numberText, sameDecimal, sameJson, sameNumber } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { step } from "./path-tree.ts";
import type { PathTree } from "./path-tree.ts";
import { REDACTED } from "./redact.ts";
import { sameText } from "./same-text.ts";
import { fieldSchema, itemSchema, schemaAt } from "./schema.ts";
import type { Schema } from "./schema.ts";

/** Tells `sink` every declared path under `path` at which `actual` differs. Gives false when the sink had enough. */
export function compareDeclared(
  desired: JsonValue,
  actual: JsonValue | undefined,
  path: readonly string[],
  { rules, kind }: Knowledge,
  sink: DifferenceSink,
): boolean {
  const tree = path.reduce<PathTree<PathRule> | null>((node, segment) => step(node, segment), rules.paths);
  const schema = schemaAt(kind, path);
  if (schema === "pruned" || agreesPlainly(desired, actual, schema)) return true;
  const walk = new Comparison(rules, kind?.typed === true, path, sink);
  return walk.compare(desired, actual, { tree, schema, siblings: {}, actualSiblings: {}, exact: false });
}

/** Where in the rules, in the schema and among its siblings a value stands. */
interface Place {
  readonly tree: PathTree<PathRule> | null;
  readonly schema: Schema | null;
  readonly siblings: JsonObject;
  readonly actualSiblings: JsonObject;
  /** Inside a value that is applied as a whole: what only the cluster has counts, too. */
  readonly exact: boolean;
}

const NOTHING: JsonObject = {};

class Comparison {
  readonly #rules: KindRules;
  readonly #typed: boolean;
  readonly #sink: DifferenceSink;
  readonly #path: string[];
  readonly #actualPath: string[];

  constructor(rules: KindRules, typed: boolean, path: readonly string[], sink: DifferenceSink) {
    this.#rules = rules;
    this.#typed = typed;
    this.#sink = sink;
    this.#path = [...path];
    this.#actualPath = [...path];
  }

  compare(desired: JsonValue, actual: JsonValue | undefined, place: Place): boolean {
    if (desired === actual || desired === REDACTED || actual === REDACTED) return true;
    if (desired === null) return this.#compareNull(actual, place.schema);
    if (place.tree?.rule?.same?.(desired, actual, place) === true) return true;
    if (actual === undefined || actual === null) return this.#compareAbsent(desired, place);
    if (isJsonObject(desired) && isJsonObject(actual)) return this.#compareMaps(desired, actual, place);
    if (Array.isArray(desired) && Array.isArray(actual)) return this.#compareLists(desired, actual, place);
    return this.#compareScalars(desired, actual, place.schema);
  }

  #compareNull(actual: JsonValue | undefined, schema: Schema | null): boolean {
    if (actual === undefined || actual === null || schema === null) return true;
    if (schema.nullable && schema.form !== "any") return this.#tell(null, actual, false);
    if (schema.fallback !== undefined && sameJson(actual, schema.fallback)) return true;
    // Defaults of built-in kinds are not in their schema.
    return this.#tell(null, actual, this.#typed || isEmpty(actual) || schema.fallback !== undefined);
  }

  #compareAbsent(desired: JsonValue, { tree, schema, siblings }: Place): boolean {
    if (this.saysNothing(desired, tree, siblings)) {
      const redacted = desired === REDACTED;
      return redacted || schema === null || desired === null || this.#tell(desired, undefined, true);
    }
    const zero = isZero(desired) && this.#typed;
    return this.#tell(desired, undefined, zero);
  }

  #compareMaps(desired: JsonObject, actual: JsonObject, place: Place): boolean {
    const { tree, schema } = place;
    const atomic = schema !== null && "atomic" in schema && schema.atomic;
    const exact = place.exact || atomic;
    const normal = tree?.rule?.mapKey;
    const renamed = normal === undefined ? null : new Map(Object.keys(actual).map((key) => [normal(key), key]));
    for (const key of Object.keys(desired)) {
      const there = normal === undefined ? key : (renamed?.get(normal(key)) ?? key);
      const found = Object.hasOwn(actual, there) ? actual[there] : undefined;
      // As a rule: said before anything is looked up or made for it.
      if (found !== undefined && found === desired[key]) continue;
      const field = fieldSchema(schema, key);
      if (field === "pruned") continue;
      this.#path.push(key);
      this.#actualPath.push(there);
      const goOn = this.compare(desired[key] ?? null, found, {
        tree: step(tree, key),
        schema: field,
        siblings: desired,
        actualSiblings: actual,
        exact,
      });
      this.#path.pop();
      this.#actualPath.pop();
      if (!goOn) return false;
    }
    return !exact || this.#compareAdditions(desired, actual, place, atomic);
  }

  /** Keys of an atomic value that Git does not declare, and that are not its defaults. */
  #compareAdditions(desired: JsonObject, actual: JsonObject, { tree, schema }: Place, atomic: boolean): boolean {
    for (const key of Object.keys(actual)) {
      if (Object.hasOwn(desired, key) || step(tree, key)?.rule?.filledIn === true) continue;
      const field = fieldSchema(schema, key);
      const value = actual[key] ?? null;
      const known = field !== null && field !== "pruned" && field.fallback !== undefined;
      if (value === null || (known && sameJson(value, field.fallback ?? null))) continue;
      this.#path.push(key);
      this.#actualPath.push(key);
      // A struct's field may be a webhook's; a key of an atomic map of texts can only be somebody's.
      const goOn = this.#tell(undefined, value, !(atomic && schema?.form === "map"));
      this.#path.pop();
      this.#actualPath.pop();
      if (!goOn) return false;
    }
    return true;
  }

  #compareLists(desired: JsonValue[], actual: JsonValue[], place: Place): boolean {
    // However its elements are told apart, and whatever counts inside of it.
    if (sameJson(desired, actual)) return true;
    const { tree, schema } = place;
    const byKey = desired.length === 0 ? null : this.#compareByKey(desired, actual, place);
    if (byKey !== null) return byKey;
    const apart = schema?.form === "list" && schema.list !== "atomic";
    // Git's own elements cannot be told apart: the server will say what it makes of that.
    if (apart) return desired.length === 0 || this.#tell([...desired], [...actual], false);
    if (desired.length !== actual.length) return this.#tell([...desired], [...actual], false);
    const order = tree?.rule?.unordered === true ? this.#align(desired, actual, place) : null;
    return desired.every((item, index) => {
      const at = order?.[index] ?? index;
      return this.#element(item, actual[at], index, at, { ...place, exact: place.exact || schema !== null });
    });
  }

  /** null when the list is one value, or its elements cannot be told apart. */
  #compareByKey(desired: JsonValue[], actual: JsonValue[], place: Place): boolean | null {
    const field = this.#path.at(-1) ?? "";
    const wanted = elementsOf(desired, place.schema, field, this.#rules.builtIn);
    const found = wanted === null ? null : elementsOf(actual, place.schema, field, this.#rules.builtIn);
    if (wanted === null || found === null) return null;
    return [...wanted].every(([name, [item, index]]) => {
      const there = found.get(name);
      return this.#element(item, there?.[0], index, there?.[1] ?? index, place);
    });
  }

  #element(desired: JsonValue, actual: JsonValue | undefined, index: number, at: number, place: Place): boolean {
    const segment = String(index);
    this.#path.push(segment);
    this.#actualPath.push(String(at));
    const goOn = this.compare(desired, actual, {
      tree: step(place.tree, segment),
      schema: itemSchema(place.schema),
      siblings: NOTHING,
      actualSiblings: NOTHING,
      exact: place.exact,
    });
    this.#path.pop();
    this.#actualPath.pop();
    return goOn;
  }

  /** For each of Git's elements the index of its partner; those without one fill the gaps, so that each is told against one other. */
  #align(desired: JsonValue[], actual: JsonValue[], place: Place): number[] {
    const left = [...actual.keys()];
    const partners = desired.map((item) => {
      const at = left.findIndex((index) => this.#equal(item, actual[index] ?? null, place));
      return at < 0 ? undefined : left.splice(at, 1)[0];
    });
    return partners.map((partner) => partner ?? left.shift() ?? 0);
  }

  #equal(desired: JsonValue, actual: JsonValue, place: Place): boolean {
    const quiet = new Comparison(this.#rules, this.#typed, [], ({ weak }) => weak === true);
    const inside = { ...place, tree: step(place.tree, "*"), schema: itemSchema(place.schema), exact: false };
    return quiet.compare(desired, actual, inside);
  }

  #compareScalars(desired: JsonValue, actual: JsonValue, schema: Schema | null): boolean {
    if (sameNumber(desired, actual) || sameJson(desired, actual)) return true;
    const digits = sameDigits(desired, actual) || sameDigits(actual, desired);
    if (schema === null) return digits || this.#tell(desired, actual, false);
    if (schema.form === "text" && sameText(schema.text, desired, actual)) return true;
    return this.#tell(desired, actual, digits && schema.form !== "any");
  }

  /** Whether declaring `value` is the same as declaring nothing. */
  saysNothing(value: JsonValue, tree: PathTree<PathRule> | null, siblings: JsonObject): boolean {
    if (value === null || value === REDACTED) return true;
    if (tree?.rule?.same?.(value, undefined, { siblings, actualSiblings: NOTHING }) === true) return true;
    if (Array.isArray(value)) return value.length === 0;
    if (isJsonObject(value)) {
      return Object.keys(value).every((key) => this.saysNothing(value[key] ?? null, step(tree, key), value));
    }
    return this.#rules.zeroIsAbsent && isZero(value);
  }

  #tell(desired: JsonValue | undefined, actual: JsonValue | undefined, weak: boolean): boolean {
    const difference = { path: [...this.#path], actualPath: [...this.#actualPath], desired, actual };
    return this.#sink(weak ? { ...difference, weak } : difference);
  }
}

function sameDigits(number: JsonValue, text: JsonValue): boolean {
  const digits = numberText(number);
  return digits !== null && typeof text === "string" && sameDecimal(digits, text);
}

function isZero(value: JsonValue): boolean {
  return value === false || value === "" || value === 0;
}

function isEmpty(value: JsonValue): boolean {
  return Array.isArray(value) ? value.length === 0 : isJsonObject(value) && Object.keys(value).length === 0;
}
