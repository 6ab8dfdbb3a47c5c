import { jest } from "@jest/globals";
import fc from "fast-check";
import { isMap, isPair, isSeq, parseAllDocuments, stringify } from "yaml";
import { canonicalJson } from "../../../src/core/json.ts";
import { MAX_DEPTH, MAX_LEXEMES } from "../../../src/sources/git/limits.ts";
import { lexemesOf } from "../../../src/sources/git/reading/lexemes.ts";
import { readManifests } from "../../../src/sources/git/reading/manifests.ts";
import { isRefused } from "../../../src/sources/git/reading/read-document.ts";
import { readWithLibrary } from "../../../src/sources/git/reading/yaml-library.ts";
import { countLexemes } from "../../support/git/lexeme-count.ts";

const HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nx: &anchor 1\n";

const refusal = (text: string): string => {
  const lexed = lexemesOf(text);
  return "code" in lexed ? lexed.code : "none";
};

/** Collections within each other in what the library makes of a text. */
function depthOf(node: unknown): number {
  const inside = isPair(node) ? [node.key, node.value] : isMap(node) || isSeq(node) ? node.items : [];
  const own = isMap(node) || isSeq(node) ? 1 : 0;
  return own + inside.reduce<number>((deepest, item) => Math.max(deepest, depthOf(item)), 0);
}

test("lexemes are the whole text, in its order", () => {
  const text = `${HEAD}data: {a: [1, "x"], b: 'y'}\nc: |\n  z\n# end\n`;
  const lexed = lexemesOf(text);
  expect("code" in lexed ? lexed : lexed.lexemes.filter((one) => !/^[\u0002\u001f]$/.test(one)).join("")).toBe(text);
});

describe("what is too deep is known before the parser sees it", () => {
  const many = (text: string): string => text.repeat(MAX_DEPTH * 2);
  test.each([
    ["brackets", many("[")],
    ["braces after a text that ends too early", `a: "\n${many("{")}\n"`],
    ["brackets after a quoted text", `a: "[[" ${many("[")}`],
    ["brackets after a text in single quotes with doubled ones", `- '[''['\n- ${many("[")}`],
    ["brackets below a block text", `a: |\n  [[\nb: ${many("[")}`],
    ["brackets below a block text without lines", `a: |\n${many("[")}`],
    ["brackets after an error that ended others", `a: [\nb: ${many("[")}`],
    ["brackets after a comment", `# [[\n${many("[")}`],
    ["brackets over many lines", many("[\n ")],
    ["dashes", many("- ")],
    ["question marks", many("? ")],
    ["colons", many(": ")],
    ["dashes behind an anchor and a tag", `&a !b ${many("- ")}`],
    ["keys on one line", many("k: ")],
    ["a staircase", Array.from({ length: MAX_DEPTH * 2 }, (_, level) => `${" ".repeat(level)}a:\n`).join("")],
    ["a staircase of lists", Array.from({ length: MAX_DEPTH * 2 }, (_, level) => `${" ".repeat(level)}-\n`).join("")],
  ])("%s", (_name, text) => {
    expect(refusal(HEAD + text)).toBe("TooDeep");
    expect(refusal(text)).toBe("TooDeep");
  });

  test("with its place", () => {
    const { rejections } = readManifests(Buffer.from(`a: 1\n---\n${HEAD}data:\n  ${"[".repeat(300)}`), 10);
    expect(rejections).toMatchObject([{ line: 1 }, { code: "TooDeep", line: 8, column: 2 + MAX_DEPTH + 2 }]);
  });

  test("whatever stands in what order: what is YAML, and let through, is nested no deeper than twice the bound", () => {
    const piece = fc.constantFrom(
      ...["[", "{", "]", "}", "- ", "? ", ": ", "a: ", "a:\n", "\n", " ", "  ", '"', "'", "|\n", ">-\n", ",", "# "],
      ...["&a ", "!t ", "*a ", "...\n", "\t", "x", "''", '"" ', "[\n", " {\n", " - ", "\\"],
    );
    const repeated = fc.tuple(fc.array(piece, { minLength: 1, maxLength: 4 }), fc.constantFrom(1, 2, 3, 250, 450));
    fc.assert(
      fc.property(fc.array(repeated, { maxLength: 5 }), (parts) => {
        const text = parts.map(([pieces, count]) => pieces.join("").repeat(count)).join("");
        if (refusal(text) !== "none") return;
        const documents = parseAllDocuments(text, { version: "1.1", schema: "failsafe", logLevel: "error" });
        const whole = [...documents].filter(({ errors }) => errors.length === 0);
        for (const document of whole) expect(depthOf(document.contents)).toBeLessThan(MAX_DEPTH * 2 + 4);
      }),
      { numRuns: 200, seed: 20_260_101 },
    );
  }, 120_000);
});

test.each([
  ["pairs on a line", "", "k: k:\n"],
  ["dashes in brackets", "[\n", "- "],
  ["pairs in brackets", "[", "a: "],
  ["question marks behind an anchor", "", "? a:\n&a "],
  ["dashes behind a pair", "- &a ", "- : x|\n"],
])("%s are a mistake, however often they nest, and no more", (_name, before, text) => {
  expect(readWithLibrary(`${before}${text.repeat(5_000)}`, 0).documents).toMatchObject([{ code: "YamlSyntax" }]);
});

describe("what is too much is known before the parser sees it", () => {
  test.each([
    ["values", `l: [${"x,".repeat(MAX_LEXEMES / 2)}]`],
    ["empty items", "-\n".repeat(MAX_LEXEMES / 2)],
    ["mistakes", `l: ${"[]".repeat(MAX_LEXEMES / 3)}`],
    ["line breaks of a text", `a: |+\n${"\n".repeat(MAX_LEXEMES * 12)}`],
    ["one text that never ends", `"${"a\n ".repeat(MAX_LEXEMES * 20)}`],
    ["brackets that are closed", "[]".repeat(MAX_LEXEMES / 2)],
    ["tags", "! ".repeat(MAX_LEXEMES)],
    ["lists within lists", `${"- ".repeat(100)}\n`.repeat(MAX_LEXEMES / 150)],
    ["documents", "...\na\n".repeat(MAX_LEXEMES / 5)],
    ["comments", "#\n".repeat(MAX_LEXEMES / 2)],
    ["escapes", `"${'\\"'.repeat(MAX_LEXEMES * 16)}"`],
    ["lines of a text", `a: |\n${"   x\n".repeat(MAX_LEXEMES * 5)}`],
    ["spaces", " ".repeat(MAX_LEXEMES * 32)],
  ])("%s", (_name, text) => {
    expect(refusal(HEAD + text)).toBe("TooManyValues");
  });

  test("a document as large as the largest are is read", () => {
    const fields = Array.from({ length: 9_900 }, (_, index) => `  field-${index}: "a value"\n`).join("");
    expect(readManifests(Buffer.from(`${HEAD}data:\n${fields}`), 10)).toMatchObject({
      manifests: [{}],
      rejections: [],
    });
  });
});

describe("a file of documents that cannot be taken", () => {
  afterEach(() => void jest.restoreAllMocks());
  const good = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\n";
  test.each([
    ["aliases of nothing", "a: *x\n"],
    ["brackets", `${"[".repeat(20)}\n`],
    ["objects without a kind", "a: &x 1\n"],
  ])("%s: each is refused, and all of them cost what one may", (_what, text) => {
    const count = 30_000;
    const lexemes = countLexemes();
    const { manifests, rejections } = readManifests(Buffer.from(`---\n${text}`.repeat(count)), 50_000);
    expect(manifests).toEqual([]);
    expect(rejections).toHaveLength(count);
    expect(rejections.at(-1)).toMatchObject({ code: "ParseTooCostly", line: count * 2 });
    expect(lexemes()).toBeGreaterThan(MAX_LEXEMES / 50);
    expect(lexemes()).toBeLessThan(MAX_LEXEMES * 3);
  });

  test("what is plain is read behind a thousand of them", () => {
    const { manifests, rejections } = readManifests(Buffer.from("---\na: *x\n".repeat(1_000) + `---\n${good}`), 50_000);
    expect(manifests).toMatchObject([{ object: { metadata: { name: "good" } } }]);
    expect(rejections).toHaveLength(1_000);
  });

  test("good ones, however many, keep none from being read", () => {
    const { manifests, rejections } = readManifests(Buffer.from(`---\n${good}x: &y 1\n`.repeat(8_000)), 50_000);
    expect([manifests.length, rejections.length]).toEqual([8_000, 0]);
  });
});

test("any value is read as it is, however much in its texts looks like nesting", () => {
  const text = fc.oneof(
    fc.string(),
    fc
      .constantFrom("[", "{", "- ", "]\n[", "? ", "# ", '"', "'")
      .chain((piece) => fc.integer({ min: 1, max: 300 }).map((count) => piece.repeat(count))),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, text, fc.integer(), fc.array(tie("value")), fc.dictionary(text, tie("value"))),
  }));
  const style = fc.record({
    // The library writes `undefined` into some lines that it folds.
    lineWidth: fc.constant(0),
    collectionStyle: fc.constantFrom("block", "flow", "any"),
    singleQuote: fc.constantFrom(true, false, null),
    blockQuote: fc.constantFrom(true, "folded" as const, "literal" as const),
  });
  fc.assert(
    fc.property(value, style, (wanted, options) => {
      const document = stringify({ x: wanted }, { version: "1.1", ...options });
      const [read] = readWithLibrary(document, 0).documents;
      fc.pre(read !== undefined && !(isRefused(read) && ["NotJson", "DuplicateField"].includes(read.code)));
      expect(isRefused(read) ? read : canonicalJson(read.value)).toEqual(canonicalJson({ x: wanted } as never));
    }),
    { numRuns: 250, seed: 20_260_101 },
  );
});
