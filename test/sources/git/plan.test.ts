import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import type { DeclaredKey, FileRejection, GitFile } from "../../../src/core/ports.ts";
import { isComplete, isKept, planInFull } from "../../../src/sources/git/plan.ts";
import { Declarer } from "../../../src/sources/git/declare.ts";
import { ManifestTexts } from "../../../src/sources/git/manifest-texts.ts";
import { planRevision } from "../../../src/sources/git/plan-changes.ts";
import type { Plan, ReadFile } from "../../../src/sources/git/plan.ts";

/** A file as the tests write it: names that it declares, one a line, and whether a part of it is broken. */
interface Text {
  readonly names: readonly string[];
  readonly broken: boolean;
}
type Tree = Readonly<Record<string, Text>>;

const key = (name: string, line: number): DeclaredKey => ({
  apiGroup: "",
  kind: "ConfigMap",
  namespace: "default",
  name,
  line,
});
const blobOf = (text: Text): string => JSON.stringify(text);
const syntax: FileRejection = { line: 99, column: 1, code: "YamlSyntax", message: "broken" };

function readText(text: Text): ReadFile<string> {
  return {
    declared: text.names.map((name, index) => ({ key: key(name, index + 1), column: 1, manifest: blobOf(text) })),
    rejections: text.broken ? [syntax] : [],
    mentions: () => false,
  };
}

/** Reads what the source would read: new and changed files, and those with a duplicate. */
function plan(stored: ReadonlyMap<string, GitFile>, tree: Tree): Plan<string> {
  const read = new Map<string, ReadFile<string>>();
  for (const [path, text] of Object.entries(tree)) {
    const known = stored.get(path);
    const again = known?.rejections.some(({ code }) => code === "DuplicateKey") ?? false;
    if (known?.blob !== blobOf(text) || again) read.set(path, readText(text));
  }
  const entries = Object.entries(tree).map(([path, text]) => ({ path, blob: blobOf(text) }));
  const input = { stored, tree: entries, read, redeclare: false };
  const result = finish(planRevision(input));
  // Looking at what changed alone gives the same as looking at everything.
  const full = finish(planInFull(input));
  const equal = isDeepStrictEqual(comparable(result), comparable(full));
  if (!equal) expect(comparable(result)).toEqual(comparable(full));
  return result;
}

/** Without a stop at its pauses. */
function finish<T>(work: Iterator<void, T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

function comparable({ retire, upserts, ...rest }: Plan<string>): unknown {
  return { ...rest, retire: new Set(retire), upserts: new Set(upserts) };
}

/** What the database would hold: each row's name and the place that declares it. */
class Rows {
  readonly places = new Map<string, string>();
  files: ReadonlyMap<string, GitFile> = new Map();
  /** What the plan said the files would be. */
  promised: ReadonlyMap<string, GitFile> = new Map();

  take(tree: Tree): Plan<string> {
    const result = plan(this.files, tree);
    for (const { path, declared } of result.declare) this.places.set(declared.key.name, `${path}:${declared.key.line}`);
    for (const retired of result.retire) this.places.delete(retired.key.name);
    const files = new Map(this.files);
    for (const path of result.removed) files.delete(path);
    for (const file of result.upserts) files.set(file.path, file);
    this.files = files;
    this.promised = result.files;
    return result;
  }
}

const ok = (...names: string[]): Text => ({ names, broken: false });
const broken = (...names: string[]): Text => ({ names, broken: true });

const aName = fc.constantFrom("a", "b", "c", "d", "e");
const aText = fc.record({ names: fc.array(aName, { maxLength: 4 }), broken: fc.constant(false) });
const aBrokenText = fc.record({ names: fc.array(aName, { maxLength: 4 }), broken: fc.boolean() });
const aPath = fc.constantFrom("1.yaml", "2.yaml", "3.yaml", "dir/4.yaml");

describe("any sequence of trees", () => {
  test("ends in the rows of the last one", () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(aPath, aText), { minLength: 1, maxLength: 6 }), (trees) => {
        const walked = new Rows();
        for (const tree of trees) walked.take(tree);
        const direct = new Rows();
        direct.take(trees.at(-1) ?? {});
        expect(walked.places).toEqual(direct.places);
        expect(walked.files).toEqual(direct.files);
        expect(new Map(walked.files)).toEqual(new Map(walked.promised));
      }),
      { numRuns: 2_000 },
    );
  });

  test("declares each name at its first place, by path and line", () => {
    fc.assert(
      fc.property(fc.dictionary(aPath, aText), (tree) => {
        const rows = new Rows();
        rows.take(tree);
        const first = new Map<string, string>();
        for (const path of Object.keys(tree).sort()) {
          tree[path]?.names.forEach((name, index) => {
            if (!first.has(name)) first.set(name, `${path}:${index + 1}`);
          });
        }
        expect(rows.places).toEqual(first);
      }),
      { numRuns: 1_000 },
    );
  });

  test("accounts for every document: keys with a line and rejections", () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(aPath, aBrokenText), { maxLength: 5 }), (trees) => {
        const rows = new Rows();
        for (const tree of trees) {
          rows.take(tree);
          for (const [path, text] of Object.entries(tree)) {
            const file = rows.files.get(path);
            const documents = text.names.length + (text.broken ? 1 : 0);
            const declared = file?.keys.filter((declaredKey) => !isKept(declaredKey)).length ?? 0;
            expect(file?.documents).toBe(documents);
            expect(declared + (file?.rejections.length ?? 0)).toBe(documents);
            expect(file?.parsed).toBe(isComplete(file?.rejections ?? []));
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("a second pass over the same tree writes nothing", () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(aPath, aBrokenText), { minLength: 1, maxLength: 4 }), (trees) => {
        const rows = new Rows();
        for (const tree of trees) rows.take(tree);
        const again = rows.take(trees.at(-1) ?? {});
        expect([again.declare, again.retire, again.upserts, again.removed]).toEqual([[], [], [], []]);
      }),
      { numRuns: 1_000 },
    );
  });

  test("what a file declared is never retired while the file is there and cannot be read in full", () => {
    fc.assert(
      fc.property(aText, fc.array(aName, { maxLength: 3 }), fc.dictionary(aPath, aText), (before, after, others) => {
        const rows = new Rows();
        rows.take({ ...others, "0.yaml": before });
        rows.take({ ...others, "0.yaml": { names: after, broken: true } });
        for (const name of before.names) expect(rows.places.has(name)).toBe(true);
        // Read in full again, everything is as if it had never been broken.
        rows.take({ ...others, "0.yaml": { names: after, broken: false } });
        const direct = new Rows();
        direct.take({ ...others, "0.yaml": { names: after, broken: false } });
        expect(rows.places).toEqual(direct.places);
        expect(rows.files).toEqual(direct.files);
      }),
      { numRuns: 1_000 },
    );
  });
});

test("a rename keeps the rows and tells their new place", () => {
  const rows = new Rows();
  rows.take({ "a.yaml": ok("x", "y") });
  const result = rows.take({ "b.yaml": ok("x", "y") });
  expect(result.retire).toEqual([]);
  expect([...rows.places]).toEqual([
    ["x", "b.yaml:1"],
    ["y", "b.yaml:2"],
  ]);
});

test("both places of a duplicate are named, and the second takes over when the first goes", () => {
  const rows = new Rows();
  rows.take({ "a.yaml": ok("x"), "b.yaml": ok("y", "x") });
  expect(rows.files.get("b.yaml")?.rejections).toMatchObject([
    { code: "DuplicateKey", line: 2, message: expect.stringMatching(/a\.yaml:1 .*b\.yaml:2/) },
  ]);
  const result = rows.take({ "b.yaml": ok("y", "x") });
  expect(result.retire).toEqual([]);
  expect(rows.places.get("x")).toBe("b.yaml:2");
  expect(rows.files.get("b.yaml")?.rejections).toEqual([]);
});

test("a new first place takes an object over from a file that did not change", () => {
  const rows = new Rows();
  rows.take({ "b.yaml": ok("x") });
  rows.take({ "a.yaml": ok("x"), "b.yaml": ok("x") });
  expect(rows.places.get("x")).toBe("a.yaml:1");
  expect(rows.files.get("b.yaml")).toMatchObject({ documents: 1, keys: [], rejections: [{ code: "DuplicateKey" }] });
});

test("an object that moved into a broken file whose text names it is kept", () => {
  const stored = new Rows();
  stored.take({ "a.yaml": ok("x"), "b.yaml": ok("y") });
  const mentions = (name: string) => name === "x";
  const read = new Map([["b.yaml", { ...readText(broken("y")), mentions }]]);
  const tree = [{ path: "b.yaml", blob: "new" }];
  const result = finish(planRevision({ stored: stored.files, tree, read, redeclare: false }));
  expect(result.retire).toEqual([]);
  expect(result.files.get("b.yaml")?.keys.filter(isKept)).toMatchObject([{ name: "x" }]);
});

test("of many files the plan is made in turns", () => {
  const paths = Array.from({ length: 5_000 }, (_, index) => `f-${index}.yaml`);
  const read = new Map(paths.map((path, index) => [path, readText(ok(`x-${index}`))]));
  const tree = paths.map((path) => ({ path, blob: "new" }));
  const steps = planRevision({ stored: new Map(), tree, read, redeclare: true });
  let pauses = 0;
  while (!steps.next().done) pauses += 1;
  // Both where the keys are claimed and where what is known of each file is put together.
  expect(pauses).toBeGreaterThan((2 * paths.length) / 500);
});

const manyOrFew = (count: number, length: number): { texts: ManifestTexts; json: (number: number) => string } => {
  const json = (number: number): string =>
    `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a${number}","ownerReferences":[{"apiVersion":"v1","kind":"Secret","name":"b","uid":""}]},"data":{"p":"eA=="},"n":9007199254740993,"x":"${"\u2028é".repeat(length)}"}`;
  const texts = new ManifestTexts();
  for (let number = 0; number < count; number += 1) {
    expect(texts.add({ json: json(number), places: `0 0 1 ${number}` })).toBe(number);
  }
  return { texts, json };
};

test.each([
  ["8,001 small manifests", 8_001, 1],
  ["20,000 small manifests", 20_000, 10],
  ["40 large ones", 40, 500_000],
])("the texts of %s are packed, and each is what it was", (_, count, length) => {
  const { texts, json } = manyOrFew(count, length);
  expect(texts.many).toBe(true);
  for (let step = 0; step < count; step += 1) {
    // Back and forth, as the order of keys may be.
    const number = step % 2 === 0 ? step : count - step;
    const text = texts.get(number);
    if (text.json !== json(number) || text.places !== `0 0 1 ${number}`) throw new Error(`${number} is another one`);
  }
  expect(() => texts.get(count)).toThrow("no text");
});

test("what is declared is the same whether it is kept as an object or made of its text when it is asked for", () => {
  const [few, many] = [manyOrFew(3, 1), manyOrFew(8_100, 1)];
  const declare = (texts: ManifestTexts, number: number) => {
    const declarer = new Declarer({ fabricId: "f", writePath: "git_poll", observedAt: 1, texts });
    const key = { apiGroup: "", kind: "Secret", namespace: "default", name: `a${number}`, line: 1 };
    const change = { commit: "c", author: "a", authoredAt: "2026-01-02T03:04:05.000Z" };
    return declarer.declare({ key, filePath: "a.yaml", fileHash: "b", change, text: number });
  };
  const whole = declare(few.texts, 2);
  const late = declare(many.texts, 2);
  for (const [name, value] of Object.entries(whole)) expect([name, Reflect.get(late, name)]).toEqual([name, value]);
  expect(JSON.stringify(late)).toBe(JSON.stringify(whole));
  expect(whole).toMatchObject({ content: { spec: { x: "\u2028é" } }, owners: [{ name: "b" }] });
});
