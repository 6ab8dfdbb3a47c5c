import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { jest } from "@jest/globals";
import fc from "fast-check";
import { MAX_DEPTH, MAX_LEXEMES, MAX_OBJECT_VALUES } from "../../../src/sources/git/limits.ts";
import { readManifests } from "../../../src/sources/git/reading/manifests.ts";
import { ManifestParser } from "../../../src/sources/git/reading/parser.ts";
import { SHARED_BYTES } from "../../../src/sources/git/repository/object-answers.ts";
import { countLexemes } from "../../support/git/lexeme-count.ts";

const HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

function read(text: string | Buffer, maxDocuments = 1_000) {
  return readManifests(Buffer.from(text as string), maxDocuments);
}

describe("places", () => {
  test("each document keeps the line and column of its first token", () => {
    const { manifests } = read(
      `# one\n\n${HEAD}---\n# two\n  \n${HEAD}---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n`,
    );
    expect(manifests.map(({ line, column }) => [line, column])).toEqual([
      [3, 1],
      [9, 1],
      [13, 1],
    ]);
  });

  test("each item of a list keeps its own", () => {
    const item = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}";
    const yaml = read(`apiVersion: v1\nkind: List\nitems:\n  - ${item}\n  - ${item}\n`).manifests;
    expect(yaml.map(({ line, column }) => [line, column])).toEqual([
      [4, 5],
      [5, 5],
    ]);
    const json = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}';
    const list = read(`{"apiVersion":"v1","kind":"List","items":[\n ${json},\n ${json}]}`).manifests;
    expect(list.map(({ line, column }) => [line, column])).toEqual([
      [2, 2],
      [3, 2],
    ]);
  });

  test("CRLF and a byte order mark move nothing", () => {
    const { manifests } = read(`\ufeff# c\n${HEAD}---\n${HEAD}`.replaceAll("\n", "\r\n"));
    expect(manifests.map(({ line }) => line)).toEqual([2, 6]);
  });
});

describe("a bad document costs itself alone", () => {
  const bad: [string, string, string][] = [
    ["broken syntax", "a: [1\nb: 2\n", "YamlSyntax"],
    ["a tab as indentation", "a:\n\tb: 1\n", "YamlSyntax"],
    ["no kind", "apiVersion: v1\nmetadata: {name: a}\n", "MissingKind"],
    ["no apiVersion", "kind: ConfigMap\nmetadata: {name: a}\n", "MissingApiVersion"],
    ["no name", "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n", "MissingName"],
    ["no metadata", "apiVersion: v1\nkind: ConfigMap\n", "MissingName"],
    ["generateName", "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a-}\n", "MissingName"],
    ["a name that is a number", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 12}\n", "BadName"],
    ["a name with capitals", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Leaf-01}\n", "BadName"],
    ["a name with a look-alike letter", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: le\u0430f}\n", "BadName"],
    ["a name with a path", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ../a}\n", "BadName"],
    ["a long name", `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${"a".repeat(254)}}\n`, "BadName"],
    ["a bad namespace", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: a.b}\n", "BadNamespace"],
    [
      "a label that is a boolean",
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {x: yes}}\n",
      "BadLabels",
    ],
    [
      "an annotation that is a number",
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {x: 1}}\n",
      "BadAnnotations",
    ],
    ["a bad kind", "apiVersion: v1\nkind: a/b\nmetadata: {name: a}\n", "BadKind"],
    ["a bad apiVersion", "apiVersion: a/b/c\nkind: A\nmetadata: {name: a}\n", "BadApiVersion"],
    ["a text", "hello\n", "NotAnObject"],
    ["a list", "- a\n", "NotAnObject"],
    ["a template", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Values.name }}\n", "NotJson"],
    ["a control character", `${HEAD}data: {a: \u0007}\n`, "ControlCharacter"],
    ["an alias of nothing", `${HEAD}data: {a: *x}\n`, "BadAlias"],
    ["an anchor within itself", `${HEAD}data: &x {a: *x}\n`, "BadAlias"],
    ["content after the separator", "", "YamlSyntax"],
  ];
  test.each(bad)("%s", (name, text, code) => {
    const separator = name === "content after the separator" ? "--- a\n" : "---\n";
    const { manifests, rejections } = read(`${HEAD}${separator}${text}---\n${HEAD}`);
    expect(manifests).toHaveLength(2);
    expect(rejections).toHaveLength(1);
    expect(rejections[0]?.code).toBe(code);
    expect(rejections[0]?.line).toBeGreaterThanOrEqual(4);
    expect(rejections[0]?.line).toBeLessThan(4 + separator.length + text.split("\n").length);
  });

  test("bytes that are not UTF-8", () => {
    const text = Buffer.concat([
      Buffer.from(`${HEAD}---\n`),
      Buffer.from([0x61, 0x3a, 0x20, 0xff, 0x0a]),
      Buffer.from(`---\n${HEAD}`),
    ]);
    const { manifests, rejections } = readManifests(text, 10);
    expect(manifests.map(({ line }) => line)).toEqual([1, 7]);
    expect(rejections).toMatchObject([{ code: "InvalidUtf8", line: 5 }]);
  });

  test("a syntax error is told at its line and column", () => {
    expect(read(`${HEAD}---\n${HEAD}data:\n  a: "x\n`).rejections).toMatchObject([{ code: "YamlSyntax", line: 10 }]);
  });

  test("an item of a list", () => {
    const { manifests, rejections } = read(
      `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A, metadata: {name: a}}\n- {kind: B}\n- 5\n`,
    );
    expect(manifests).toHaveLength(1);
    expect(rejections).toMatchObject([
      { code: "MissingApiVersion", line: 5 },
      { code: "NotAnObject", line: 6 },
    ]);
  });

  test("no text of the document reaches the message of a value that may be a secret", () => {
    const [rejection] = read(`${HEAD}data: {password: !!int hunter2-canary}\n`).rejections;
    expect(JSON.stringify(rejection)).not.toContain("canary");
  });
});

test("a mistake is one, though an indented --- follows it; what follows ... is another", () => {
  const broken = `${HEAD}data: {a: b& c\n`;
  const codes = (text: string) => read(text).rejections.map(({ code }) => code);
  expect(codes(`${broken}\t---\n}\n`)).toEqual(["YamlSyntax"]);
  expect(codes(`${broken}...\na: 1\n`)).toEqual(["YamlSyntax", "ContentAfterEnd"]);
});

describe("hostile files are refused before they cost anything", () => {
  afterEach(() => void jest.restoreAllMocks());
  const bomb = (levels: number): string => {
    let text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
    for (let level = 1; level <= levels; level += 1) text += `a${level}: &a${level} [${`*a${level - 1},`.repeat(9)}]\n`;
    return text;
  };
  const cases: [string, () => string, string][] = [
    ["an alias bomb", () => HEAD + bomb(20), "AliasBomb"],
    ["an alias bomb of text", () => `${HEAD}a: &a ${"x".repeat(50_000)}\nb: [${"*a,".repeat(1_000)}]\n`, "AliasBomb"],
    [
      "merge keys that multiply",
      () =>
        `${HEAD}a0: &a0 {x: 1}\n${Array.from({ length: 40 }, (_, i) => `a${i + 1}: &a${i + 1} {<<: *a${i}, l: *a${i}, r: *a${i}}`).join("\n")}\n`,
      "AliasBomb",
    ],
    ["brackets", () => "[".repeat(1_000_000), "TooDeep"],
    ["braces", () => "{a: ".repeat(250_000), "TooDeep"],
    ["JSON braces", () => '{"a":'.repeat(5_000) + "1" + "}".repeat(5_000), "TooDeep"],
    ["nested dashes", () => "- ".repeat(5_000) + "a", "TooDeep"],
    ["brackets of a JSON text", () => '{"a":'.repeat(1_000_000), "TooDeep"],
    ["items of a JSON list", () => `{"kind":"List","items":[${"{},".repeat(500_000)}{}]}`, "TooManyDocuments"],
    ["items of a YAML list", () => `kind: List\nitems:\n${"- {}\n".repeat(500_000)}`, "TooManyDocuments"],
    ["values beside an alias", () => `${HEAD}y: &a 1\nl: [${"x,".repeat(500_000)}x]\n`, "TooManyValues"],
    ["lists in lists beside an alias", () => `${HEAD}y: &a 1\nl:\n${"- - -\n".repeat(150_000)}`, "TooManyValues"],
    ["values of one object", () => `${HEAD}data:\n${"  - 1\n".repeat(MAX_OBJECT_VALUES)}`, "TooManyValues"],
    ["fields in brackets", () => `${HEAD}l:\n${`- [${"1, ".repeat(999)}1]\n`.repeat(2_000)}`, "TooManyValues"],
    ["values of one JSON object", () => `{"a":[${"[],".repeat(400_000)}1]}`, "TooManyValues"],
    [
      "values of items of which none can be taken",
      () => `kind: List\napiVersion: v1\nitems:\n${`- {a: [${"1, ".repeat(5_000)}1]}\n`.repeat(900)}`,
      "TooManyValues",
    ],
    ["carriage returns", () => `${HEAD}${"#\r\n".repeat(1_000_000)}y: &a\n`, "TooManyValues"],
    ["empty lines", () => `${HEAD}${"\n".repeat(3_000_000)}y: &a 1\n`, "TooManyValues"],
    ["separators", () => "---\n".repeat(300_000), "TooManyDocuments"],
    ["bytes that are no text", () => "\u0000".repeat(5_000_000), "ControlCharacter"],
    ["documents", () => "---\na\n".repeat(200_000), "TooManyDocuments"],
    ["items", () => `apiVersion: v1\nkind: List\nitems: [${"{},".repeat(5_000)}]`, "TooManyDocuments"],
  ];
  test.each(cases)("%s", (_name, text, code) => {
    const lexemes = countLexemes();
    const { manifests, rejections } = read(text());
    expect(manifests).toEqual([]);
    expect(rejections).toHaveLength(1);
    expect(rejections[0]?.code).toBe(code);
    // Spaces and signs of the lexer's own cost nothing, and stand beside what does. What all of it takes is measured by bench/git/hostile.ts.
    expect(lexemes()).toBeLessThan(MAX_LEXEMES * 3);
  });

  test("of many that cannot be taken the last are not looked at, whoever reads them", () => {
    const plain = read(`---\na: [${"1, ".repeat(100)}1]\n`.repeat(20_000), 50_000).rejections;
    expect(plain).toHaveLength(20_000);
    expect([plain[0]?.code, plain.at(-1)?.code]).toEqual(["MissingKind", "ParseTooCostly"]);
    const json = read(`{"a":[${"1,".repeat(150)}1]}\n`.repeat(20_000), 50_000).rejections;
    expect(json.length).toBeLessThan(10_000);
    expect([json[0]?.code, json.at(-1)?.code]).toEqual(["MissingKind", "ParseTooCostly"]);
    const afterDots = `---\n${HEAD}y: &a 1\n...\nl: [${"x,".repeat(16_000)}x]\n`;
    const { manifests, rejections } = read(afterDots.repeat(50));
    expect(manifests.length).toBeLessThan(5);
    expect([rejections[0]?.code, rejections.at(-1)?.code]).toEqual(["ContentAfterEnd", "ParseTooCostly"]);
  });

  test("what is large and good is read: an object of nearly all values that one may have, and a list of such", () => {
    const values = MAX_OBJECT_VALUES - 100;
    const plain = `${HEAD}data:\n${"- 1\n".repeat(values)}`;
    expect(read(plain)).toMatchObject({ manifests: [{}], rejections: [] });
    const object = (name: string) => ({
      ...{ apiVersion: "v1", kind: "A", metadata: { name } },
      data: Array.from({ length: values }, () => 1),
    });
    const items = [object("a"), object("b"), object("c")];
    expect(read(JSON.stringify({ apiVersion: "v1", kind: "List", items })).manifests).toHaveLength(3);
    const item = (name: string) =>
      `- apiVersion: v1\n  kind: A\n  metadata: {name: ${name}}\n  data:\n${"  - 1\n".repeat(values)}`;
    expect(read(`apiVersion: v1\nkind: List\nitems:\n${item("a")}${item("b")}${item("c")}`).manifests).toHaveLength(3);
  });

  test("nesting that is allowed is read", () => {
    const deep = "[".repeat(MAX_DEPTH - 5) + "]".repeat(MAX_DEPTH - 5);
    expect(read(`${HEAD}data: ${deep}\n`).manifests).toHaveLength(1);
  });
});

describe("in the worker thread", () => {
  const parser = new ManifestParser({ deadlineMs: 30_000 });
  afterAll(() => parser.close());

  test("objects come back with every digit", async () => {
    const { manifests } = await parser.parse(Buffer.from(`${HEAD}data: {n: 9007199254740993}`), 10);
    expect(manifests[0]?.json).toContain("9007199254740993");
  });

  test("a file that takes too long is refused and its thread ended; the files behind it are read", async () => {
    // Nearly as much as one document may have; the deadline is for what nobody thought of.
    const slow = Buffer.from(`${HEAD}x: &a 1\nl: [${"x,".repeat(MAX_LEXEMES / 2 - 100)}]\n`);
    const impatient = new ManifestParser({ deadlineMs: 5 });
    const [first, second] = await Promise.all([impatient.parse(slow, 10), impatient.parse(Buffer.from(HEAD), 10)]);
    await impatient.close();
    expect(first).toMatchObject({ manifests: [], rejections: [{ code: "ParseTooCostly" }] });
    expect(second.manifests.length + second.rejections.length).toBe(1);
  });

  test("of a file of many documents all come back, some at a time", async () => {
    const one = (index: number): string => (index % 3 === 0 ? `a: ${index}\n` : HEAD.replace(": a", `: a-${index}`));
    const text = Buffer.from(Array.from({ length: 6_000 }, (_, index) => one(index)).join("---\n"));
    const [expected, few] = [read(text, 10_000), Buffer.from(HEAD)];
    const found = await Promise.all([few, text, few].map((file) => parser.parse(file, 10_000)));
    expect(found.map(({ manifests }) => manifests.length)).toEqual([1, 4_000, 1]);
    expect(found[1]?.rejections).toEqual(expected.rejections);
    expect(found[1]?.manifests.map(({ line, name }) => [line, name])).toEqual(
      expected.manifests.map(({ line, object }) => [line, (object["metadata"] as { name: string }).name]),
    );
  });

  test("the event loop has its turn between them", async () => {
    const text = Buffer.from("---\na: 1\n".repeat(8_000));
    await parser.parse(Buffer.from(HEAD), 10);
    // A thread sends what follows only when it was told that what it sent is taken.
    const told = jest.spyOn(Atomics, "notify");
    const { rejections } = await parser.parse(text, 10_000);
    const parts = told.mock.calls.length;
    told.mockRestore();
    expect(rejections).toHaveLength(8_000);
    expect(parts).toBeGreaterThan(3);
  });

  test("one blob is parsed once for all who ask", async () => {
    let loads = 0;
    const load = () => {
      loads += 1;
      return Promise.resolve(Buffer.from(HEAD));
    };
    const answers = await Promise.all(Array.from({ length: 50 }, () => parser.parseBlob("b".repeat(40), load, 10)));
    expect(loads).toBe(1);
    expect(new Set(answers).size).toBe(1);
  });

  test("the event loop goes on while a file is parsed", async () => {
    const big = Buffer.from(HEAD + "data:\n" + Array.from({ length: 20_000 }, (_, i) => `  k${i}: v${i}`).join("\n"));
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    const { manifests } = await parser.parse(big, 10);
    clearInterval(timer);
    expect(manifests).toHaveLength(1);
    // It takes a hundred times as long. Were it parsed here, there would be no turn at all.
    expect(turns).toBeGreaterThan(10);
  });
});

describe("a thread that is slow to begin", () => {
  const DEADLINE_MS = 30_000;
  let directory: string;
  let parser: ManifestParser;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "fabric-sync-parser-"));
    // The first of the threads waits for `go` before it is one; those after it begin at once.
    const worker = `
      import { appendFileSync, existsSync } from "node:fs";
      const first = !existsSync("threads");
      appendFileSync("threads", "1");
      while (first && !existsSync("go")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      await import(${JSON.stringify(import.meta.resolve("../../../src/sources/git/reading/parse-worker.ts"))});`;
    const file = join(directory, "worker.mjs");
    await writeFile(
      file,
      worker.replaceAll(/"(threads|go)"/g, (_, name: string) => JSON.stringify(join(directory, name))),
    );
    // Ours are the clocks; the thread's is its own.
    jest.useFakeTimers({ doNotFake: ["setImmediate", "nextTick", "queueMicrotask"] });
    parser = new ManifestParser({ deadlineMs: DEADLINE_MS, workerUrl: pathToFileURL(file) });
  });
  afterEach(async () => {
    jest.useRealTimers();
    await writeFile(join(directory, "go"), "");
    await parser.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** The deadline passes, and the parser looks. */
  async function passDeadline(): Promise<void> {
    jest.advanceTimersByTime(DEADLINE_MS);
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
  const threads = (): string => readFileSync(join(directory, "threads"), "utf8");
  const begun = async (): Promise<void> => {
    while (!existsSync(join(directory, "threads"))) await new Promise((resolve) => setImmediate(resolve));
  };

  test("costs no file its deadline", async () => {
    const parsed = parser.parse(Buffer.from(HEAD), 10);
    await begun();
    await passDeadline();
    await writeFile(join(directory, "go"), "");
    expect(await parsed).toMatchObject({ manifests: [{ name: "a" }], rejections: [] });
    expect(threads()).toBe("1");
  });

  test("is given up after a minute, and what waits is read by another, nobody blamed", async () => {
    const large = Buffer.from(new SharedArrayBuffer(SHARED_BYTES));
    large.fill(" ").write(HEAD.replace(": a", ": b"));
    const parsed = [parser.parse(Buffer.from(HEAD), 10), parser.parse(large, 10)];
    await begun();
    await passDeadline();
    await passDeadline();
    expect(await Promise.all(parsed)).toMatchObject([
      { manifests: [{ name: "a" }], rejections: [] },
      { manifests: [{ name: "b" }], rejections: [] },
    ]);
    expect(threads()).toBe("11");
  });
});

describe("any text", () => {
  const fragment = fc.constantFrom(
    "---\n",
    "a: ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "\n",
    "  ",
    "\t",
    "'",
    '"',
    "|\n",
    "? ",
    ": ",
    "#",
    "!!int ",
    "<<: ",
    "\u0000",
    "😀",
    "null",
    "1e9",
    HEAD,
    "...\n",
    "%",
    "@",
    "\r\n",
  );
  test("never throws, and every document is an object or a rejection", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fragment, fc.string({ maxLength: 5 })), { maxLength: 40 }), (parts) => {
        const { manifests, rejections } = read(parts.join(""), 50);
        for (const { line, column } of [...manifests, ...rejections]) {
          expect(line).toBeGreaterThan(0);
          expect(column).toBeGreaterThan(0);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("damage to one document never touches its neighbours", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
        fc.pre(!Buffer.from(noise).includes("---"));
        const text = Buffer.concat([Buffer.from(`${HEAD}---\n`), Buffer.from(noise), Buffer.from(`\n---\n${HEAD}`)]);
        const { manifests } = readManifests(text, 100);
        const lines = Buffer.from(noise).filter((byte) => byte === 10).length;
        expect(manifests.map(({ line }) => line)).toEqual(expect.arrayContaining([1, 7 + lines]));
      }),
      { numRuns: 1_000 },
    );
  });
});
