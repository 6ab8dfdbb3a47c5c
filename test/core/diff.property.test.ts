import fc from "fast-check";
import { compareDeclared } from "../../src/core/diff.ts";
import { rulesFor } from "../../src/core/equivalence.ts";
import { isJsonObject } from "../../src/core/json.ts";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { pointer } from "../../src/core/pointer.ts";

const RULES = { rules: rulesFor("example.com", "Widget"), kind: null };

/** Values that are something: declaring nothing is no declaration. */
const scalar = fc.oneof(fc.string({ minLength: 1 }), fc.integer(), fc.boolean());
const name = fc.string({ minLength: 1 }).filter((key) => key !== "__proto__");
const { tree } = fc.letrec<{ tree: JsonValue }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie("tree"), { minLength: 1, maxLength: 4 }),
    fc.dictionary(name, tie("tree"), { minKeys: 1, maxKeys: 4 }),
  ),
}));
const document = fc.dictionary(name, tree, { minKeys: 1, maxKeys: 6 });

/** Every path that holds a scalar. */
function leaves(value: JsonValue, path: readonly string[]): (readonly string[])[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => leaves(item, [...path, String(index)]));
  if (isJsonObject(value)) return Object.keys(value).flatMap((key) => leaves(value[key] ?? null, [...path, key]));
  return [path];
}

/** `value` with what is at `path` replaced. */
function edit(value: JsonValue, path: readonly string[]): JsonValue {
  const [head, ...rest] = path;
  if (head === undefined) return { edited: true };
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === head ? edit(item, rest) : item));
  return isJsonObject(value) ? { ...value, [head]: edit(value[head] ?? null, rest) } : value;
}

/** The cluster's own additions beside everything declared. */
function hydrate(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(hydrate);
  if (!isJsonObject(value)) return value;
  const own: JsonObject = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hydrate(item)]));
  return { ...own, "\u{1F512}added-by-the-cluster": { at: "once" } };
}

function differences(git: JsonValue, cluster: JsonValue): string[] {
  const found: string[] = [];
  compareDeclared(git, cluster, ["spec"], RULES, ({ path }) => found.push(pointer(path)) > 0);
  return found.sort();
}

describe("the comparison", () => {
  it("finds exactly the edited paths, whatever the cluster adds", () => {
    fc.assert(
      fc.property(document, fc.infiniteStream(fc.boolean()), (git, coin) => {
        const edited = leaves(git, []).filter(() => coin.next().value);
        const cluster = edited.reduce<JsonValue>((value, path) => edit(value, path), hydrate(git));
        expect(differences(git, cluster)).toEqual(edited.map((path) => pointer(["spec", ...path])).sort());
      }),
      { numRuns: 300 },
    );
  });

  it("stops when it was told enough", () => {
    let told = 0;
    compareDeclared({ a: 1, b: 1, c: 1 }, { a: 2, b: 2, c: 2 }, ["spec"], RULES, () => (told += 1) < 2);
    expect(told).toBe(2);
  });
});
