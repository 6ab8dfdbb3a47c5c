/**
 * Reads a corpus with the program's reader and with real kubectl, and compares. The corpus is written here: every scalar form that YAML 1.1
 * has, structures, streams, and documents drawn from a seeded generator.
 */
import { canonicalJson, isJsonObject, parseJson } from "../../../src/core/json.ts";
import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import { readManifests } from "../../../src/sources/git/reading/manifests.ts";
import { compareReaders } from "../../fuzz/plain-yaml.ts";
import { KubectlError } from "../../support/control-plane.ts";
import { controlPlane } from "../../support/shared-control-plane.ts";

const HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

/** The objects that kubectl would send, null when it refuses the file. */
async function byKubectl(text: string): Promise<JsonObject[] | null> {
  try {
    const args = ["create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-"];
    const output = await controlPlane.kubectl(args, text);
    // One object after another, each beginning in the first column.
    return output
      .split(/^(?=\{)/m)
      .filter((piece) => piece.trim() !== "")
      .map((piece) => parseJson(piece))
      .filter(isJsonObject)
      .map(withoutNamespace);
  } catch (error) {
    // kubectl calls a file without objects an error.
    return error instanceof KubectlError && error.stderr.includes("no objects passed") ? [] : null;
  }
}

function byUs(text: string): JsonObject[] | null {
  const { manifests, rejections } = readManifests(Buffer.from(text), 10_000);
  return rejections.length > 0 ? null : manifests.map(({ object }) => withoutNamespace(object));
}

/** kubectl adds the namespace of its context. */
function withoutNamespace(object: JsonObject): JsonObject {
  const metadata = isJsonObject(object["metadata"]) ? { ...object["metadata"] } : {};
  delete metadata["namespace"];
  return { ...object, metadata };
}

/** kubectl keeps 64-bit integers and rounds what is larger to a double; the program keeps the digits. Rounded, both must agree. */
function comparable(value: JsonValue): string {
  const text = canonicalJson(value);
  return text.replace(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (digits) => {
    const exact = /^-?\d+$/.test(digits) ? BigInt(digits) : null;
    const fits = exact !== null && exact >= -(2n ** 63n) && exact < 2n ** 63n;
    return fits ? digits : String(Number(digits));
  });
}

const SCALARS =
  `0 -0 +0 00 1 01 007 08 09.5 010 0o17 0O17 0x1F 0X1f -0x1F +0x1f 0b11 0B11 -0b11 0b2 0x 0b 0o8 1_000 1__0 1_ _1 0_7 0x_0A_74_AE 0b1010_0111
685_230.15 0.1_5 .5 -.5 +.5 .5_0 5. 5.e3 1.5 -1.5 1e3 1E3 1e+3 1e-3 1.e+3 1e05 1e e1 0e0 .5e .e5 1.5.2 1-1 1+1 --1 ++1 +-1
9007199254740993 9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809 18446744073709551615
18446744073709551616 123456789012345678901234567890 0xFFFFFFFFFFFFFFFF 0xFFFFFFFFFFFFFFFFF -0x8000000000000000 01777777777777777777777
07777777777777777777777777 1e21 1e22 1e400 -1e400 5e-324 1e-400 0.1234567890123456789 0.1 0.30000000000000004 100000000000000000000.0
y Y n N yes Yes YES yEs no No NO on On ON oN off Off OFF true True TRUE tRue false False FALSE null Null NULL nUll ~ Infinity NaN nan inf
1:20 190:20:30 1:20.5 12:30:45 2020-01-01 2001-12-14t21:59:43.10-05:00 2001-12-15T02:59:43Z 10.0.0.1 10.0.0.0/24 fe80::1 v1.2.3 1.2.3
abc a-b a.b a/b a#b a:b <<< = == @x %x \`x !x &x *x |x >x ?x -x :x {x [x ]x }x ,x 'x' "x" '' "" 'it''s' "a\\tb" "\\x41\\u263A" "\\0" 1s 5m 1Gi 100m 0.5Gi -1s`.split(
    /\s+/,
  );

const TAGGED = [
  "!!str 12",
  '!!int "12"',
  "!!float 3",
  "!!float 1_0.5",
  "!!int 0x10",
  "!!int 1.5",
  "!!bool yes",
  "!!bool 12",
  "!!null ''",
  "!!null x",
  "!!binary aGVsbG8=",
  '!!binary "@@"',
  "!!timestamp 2020-01-01",
  "!!timestamp abc",
  "!foo bar",
  "! 12",
  "!<tag:yaml.org,2002:str> 12",
  "!!map {b: 1}",
  "!!seq [1]",
  "!!str",
];

const STRUCTURES = [
  // A script in colours: brackets that are never closed.
  `data:\n  run.sh: |\n${"    echo \\033[31m {\n".repeat(400)}`,
  "data: {1: a, 010: b, 1.5: c, true: d, 1e3: g, 0.1: h}",
  "data: {? null : a}",
  "data: {~: a}",
  "data: {[1]: a}",
  "x: &a {k: 1, z: 9}\ndata:\n  k: 2\n  <<: *a\n  z: 3\n",
  "x: [&a {k: 1}, &b {k: 2, m: 3}]\ndata:\n  <<: [*a, *b]\n",
  "data:\n  <<: {k: 5}\n  k: 6",
  "data:\n  '<<': {k: 5}\n",
  "data:\n  <<: 5\n",
  "data: {a: &x 1, b: *x, c: &x 2, d: *x}",
  "data: {a: *x}",
  "data: &x {a: *x}",
  "data:\n  a: |\n    x\n     y\n\n  b: >-\n    one\n    two\n\n    three\n  c: |+\n    keep\n\n",
  "data:\n  a: |2\n      two\n  b: >+1\n   one\n",
  "data:\n\ta: 1",
  "data:\n  a:\t1\n",
  'data: {"a":1,"b":2}',
  "data: {a: 1,}",
  "data: [1,,2]",
  'data: {a: "multi\n  line"}',
  "data:\n  a: x\n   y\n",
  "data:\n  a: x: y\n",
  "data:\n- a\n- b\n",
  "data:\n  - a\n  - - b\n    - c\n",
  "data:\n  a: - b\n",
  'data:\n  a: "x"y\n',
  "data: {a: b#c, d: e #f\n }",
  "data:\n  a: ]\n",
  "data:\n  ? a\n  : b\n",
  "data:\n  ? {x: 1}\n  : b\n",
  "data: {a, b: 1}",
  "data:\n  a:\n  b: 1\n",
  "data:\n  key with spaces: 1\n  'q': 2\n",
  "data:\n  a: a\u00a0b\n",
  "data:\n  a: 'it''s'\n  b: \"a\\\n    b\"\n",
  "data:\n  a: 1\n...\n",
  "data: {__proto__: {a: 1}, constructor: 1}",
  'data: {a: "\\z"}',
  'data: {a: "\\ud800"}',
  "data: {!!str 1: a}",
  "data:\n  a: 1\n b: 2\n",
  "data:\n  a: {b: [c, {d: e}], f: []}\n",
  "data:\n  long: >\n    folded\n    text\n\n      indented\n    end\n",
  "data: {emoji: 😀, accents: äöü, cjk: 光纤}",
  "data: {a: \u0001}",
  "data: {a: .inf}",
  "data: {a: -.INF}",
  "data: {a: .NaN}",
].map((body) => HEAD + body);

/** More brackets than any nesting may have, all of them in texts and comments; the anchor keeps the fast reader from them. */
const BRACKETED = [
  `data:\n  a: >\n${"    folded [ {\n".repeat(300)}`,
  `data:\n  a: |+2\n${"      kept [[\n".repeat(300)}\n`,
  `data:\n  - |-\n${"    {[\n".repeat(300)}  - ">-": [x]\n`,
  `data: {a: "${"[{ \n  ".repeat(300)}"}\n`,
  `data:\n  a: "${'[ \\" {'.repeat(300)}"\n  b: '${"[ '' {".repeat(300)}'\n`,
  `data:\n  a: '${"[[\n    - ? : {{\n    ".repeat(300)}'\n`,
  `data:\n  a: plain\n${"    [ and { more\n".repeat(300)}`,
  `data:\n  a: ${"x[ {".repeat(300)}\n`,
  `${"# [[[ {{{\n".repeat(300)}data: 1 # ${"[".repeat(300)}\n${"  # {\n".repeat(300)}`,
  `data:\n  "${"[".repeat(300)}": ${"-".repeat(300)}\n  ${"[".repeat(3)}x]]]: 1\n`,
  `data:\n  a: >\n${`    ${"- ".repeat(300)}\n`.repeat(3)}`,
  `data: ${"[".repeat(150)}x${"]".repeat(150)}\n`,
  `data:\n${Array.from({ length: 120 }, (_, level) => `${" ".repeat(level + 1)}a:\n`).join("")}${" ".repeat(121)}b\n`,
].map((body) => `${HEAD}x: &anchor 1\n${body}`);

const item = (name: string) => `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}}}`;
const STREAMS = [
  `${HEAD}---\n${HEAD}`,
  `---\n${HEAD}---\n---\n# nothing\n---\n${HEAD}---\n`,
  `--- # a comment\n${HEAD}`,
  `--- ${item("a")}\n`,
  `---x\n${HEAD}`,
  `----\n${HEAD}`,
  `\ufeff${HEAD}`,
  HEAD.replaceAll("\n", "\r\n") + "data:\r\n  a: |\r\n    x\r\n    y\r\n---\r\n" + HEAD.replaceAll("\n", "\r\n"),
  `${HEAD}---\nnull\n---\n~\n`,
  `apiVersion: v1\nkind: List\nitems: [${item("a")}, ${item("b")}]\n`,
  "apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: a}\n- {kind: ConfigMap, apiVersion: v1, metadata: {name: b}}\n",
  "apiVersion: v1\nkind: List\nitems: []\n",
  '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "x\\/y", "n": 9007199254740993}}',
  '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}\n{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"b"}}\n',
  '\n\t{"apiVersion":"v1",\n\t"kind":"ConfigMap",\n\t"metadata":{"name":"a"},"data":{"e":"\\ud83d\\ude00"}}\n',
  "# only a comment\n",
  "",
  "just text\n",
  "- a\n- b\n",
  "apiVersion: v1\nmetadata: {name: a}\n",
];

/** Documents of nested maps and lists over the scalars, the same at each run. */
function generated(count: number): string[] {
  let seed = 20_240_229;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const safe = SCALARS.filter((scalar) => /^[\w.:/+-]+$/.test(scalar) && !/[:-]$|^[-:]|^:/.test(scalar));
  const value = (depth: number): string => {
    const choice = random(depth > 3 ? 4 : 8);
    if (choice < 4) return safe[random(safe.length)] ?? "x";
    if (choice === 4) return JSON.stringify(safe[random(safe.length)] ?? "x");
    const parts = Array.from({ length: random(4) }, (_, index) => [`k${index}`, value(depth + 1)] as const);
    if (choice === 5) return `[${parts.map(([, part]) => part).join(", ")}]`;
    return `{${parts.map(([key, part]) => `${key}: ${part}`).join(", ")}}`;
  };
  return Array.from({ length: count }, () => {
    const fields = Array.from({ length: 1 + random(6) }, (_, index) => `  f${index}: ${value(0)}\n`).join("");
    return `${HEAD}data:\n${fields}`;
  });
}

interface Reading {
  readonly text: string;
  readonly objects: readonly string[] | null;
}

/** How both read each text. kubectl is asked in one go where that can be told apart, else text by text. */
async function readBoth(texts: readonly string[]): Promise<{ ours: Reading[]; theirs: Reading[] }> {
  const ours = texts.map((text) => ({ text, objects: byUs(text)?.map(comparable) ?? null }));
  const readable = ours.filter(({ objects }) => objects !== null);
  const stream = readable.map(({ text }) => (text.endsWith("\n") ? text : `${text}\n`)).join("---\n");
  const together = (await byKubectl(stream))?.map(comparable) ?? [];
  const counted = together.length === readable.reduce((sum, { objects }) => sum + (objects?.length ?? 0), 0);
  const theirs: Reading[] = [];
  for (const { text, objects } of ours) {
    const asked = counted && objects !== null ? together.splice(0, objects.length) : await byKubectl(text);
    theirs.push({ text, objects: asked?.map((one) => (typeof one === "string" ? one : comparable(one))) ?? null });
  }
  return { ours, theirs };
}

describe("reads what kubectl reads", () => {
  test("every scalar, plain, in a list and as a flow value", async () => {
    const block = SCALARS.map((scalar) => `${HEAD}data:\n  v: ${scalar}\n`);
    // Where a tag or a colon ends inside brackets the grammars of 1.1 and 1.2 differ; kubectl refuses what they make of it.
    const flow = SCALARS.filter((scalar) => !/^[!:?]/.test(scalar)).map((scalar) => `${HEAD}data: [${scalar}]\n`);
    expect(block.length + flow.length).toBeGreaterThan(300);
    const { ours, theirs } = await readBoth([...block, ...flow]);
    expect(ours).toEqual(theirs);
  }, 120_000);

  test.each([
    [
      "tagged scalars",
      TAGGED.map(
        (scalar) => `${HEAD}data: {v: ${scalar} }
`,
      ),
    ],
    ["structures", STRUCTURES],
    ["structures with carriage returns", STRUCTURES.map((text) => text.replaceAll("\n", "\r\n"))],
    ["brackets in texts and comments", BRACKETED],
    ["generated documents", generated(400)],
  ])(
    "%s",
    async (_name, texts) => {
      const { ours, theirs } = await readBoth(texts);
      expect(ours).toEqual(theirs);
    },
    60_000,
  );

  test.each(STREAMS)("a file: %j", async (text) => {
    expect(byUs(text)?.map(comparable) ?? null).toEqual((await byKubectl(text))?.map(comparable) ?? null);
  });
});

test("the fast reader makes of every document what the library makes of it, or leaves it alone", () => {
  const bodies = SCALARS.flatMap((scalar) => [
    `v: ${scalar}\n`,
    `v: {w: ${scalar}}\n`,
    `v: [${scalar}]\n`,
    `${scalar}: v\n`,
  ]);
  const texts = [...bodies, ...STRUCTURES, ...STREAMS, ...TAGGED.map((scalar) => `v: ${scalar}\n`), ...generated(400)];
  const taken = texts.filter(compareReaders);
  expect(taken.length).toBeGreaterThan(texts.length / 3);
});

/** Where the program differs on purpose: it never gives another value, it refuses or it takes. */
describe("differs from kubectl", () => {
  test("refuses a field that stands twice, where kubectl silently takes the last", async () => {
    const text = `${HEAD}data: {a: 1, a: 2}`;
    expect(await byKubectl(text)).toHaveLength(1);
    expect(readManifests(Buffer.from(text), 10).rejections).toMatchObject([
      { code: "DuplicateField", line: 4, column: 14 },
    ]);
  });

  test("names what stands after `...`, where kubectl silently drops it", async () => {
    const text = `${HEAD}...\n${HEAD}`;
    expect(await byKubectl(text)).toHaveLength(1);
    expect(readManifests(Buffer.from(text), 10)).toMatchObject({
      manifests: [{ line: 1 }],
      rejections: [{ code: "ContentAfterEnd", line: 5 }],
    });
  });

  test("refuses a plain text in brackets that begins with a question mark: a key in 1.1, a text in 1.2", () => {
    for (const data of ["[?x]", "{a: ?x}", "{?x: a}"]) {
      expect(readManifests(Buffer.from(`${HEAD}data: ${data}`), 10).rejections).toMatchObject([{ code: "NotJson" }]);
    }
  });

  test("refuses line breaks that only YAML 1.1 knows", () => {
    expect(readManifests(Buffer.from(`${HEAD}data: {a: a\u0085b}`), 10).rejections).toMatchObject([
      { code: "ControlCharacter" },
    ]);
  });

  test("takes a list within a list, which kubectl refuses, and YAML in flow style, which older releases refuse", async () => {
    const nested = `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: List, items: [${item("a")}]}\n- ${item("b")}\n`;
    expect(await byKubectl(nested)).toBeNull();
    expect(byUs(nested)).toHaveLength(2);
    // A document that begins with a brace is JSON to older releases of kubectl, and YAML in flow style to newer ones.
    expect([null, byUs(`${item("a")}\n`)]).toContainEqual(await byKubectl(`${item("a")}\n`));
    expect(byUs(`${item("a")}\n`)).toHaveLength(1);
  });

  test("keeps every digit of numbers beyond 64 bits, which kubectl rounds", () => {
    const { manifests } = readManifests(Buffer.from(`${HEAD}data: {a: 123456789012345678901234567890}`), 10);
    expect(JSON.stringify(manifests[0]?.object["data"])).toBe('{"a":123456789012345678901234567890}');
  });
});
