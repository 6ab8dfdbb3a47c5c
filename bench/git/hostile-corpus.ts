import type { Entry, Forge } from "./hostile-trees.ts";

const HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hostile}\n";

/** What somebody pushes who means harm, or has had an accident. `refused`: what must come of it. */
export interface Hostile {
  readonly what: string;
  /** A rejection's code; the error's code where the whole revision is refused; `taken` where it is harmless. */
  readonly refused: string;
  /** The server sends everything, also what it is asked to leave out. */
  readonly unfiltered?: true;
  make(forge: Forge): Promise<readonly Entry[]>;
}

const file = (what: string, refused: string, content: () => string | Buffer): Hostile => ({
  what,
  refused,
  make: async (forge) => [await forge.file("hostile.yaml", content())],
});
const named = (what: string, refused: string, name: string | Buffer): Hostile => ({
  what,
  refused,
  make: async (forge) => [await forge.file(name, HEAD.replace("hostile", `named-${what.replace(/[^a-z]/g, "")}-x`))],
});
const link = (what: string, target: string): Hostile => ({
  what,
  refused: "Symlink",
  make: async (forge) => [{ mode: "120000", id: await forge.blob(target), name: "hostile.yaml" }],
});

function bomb(levels: number): string {
  let text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
  for (let level = 1; level <= levels; level += 1) text += `a${level}: &a${level} [${`*a${level - 1},`.repeat(9)}]\n`;
  return text;
}

function mergeBomb(): string {
  const level = (i: number): string => `a${i + 1}: &a${i + 1} {<<: *a${i}, l: *a${i}, r: *a${i}}\n`;
  return `a0: &a0 {x: 1}\n${Array.from({ length: 40 }, (_, i) => level(i)).join("")}`;
}

function staircase(depth: number): string {
  return Array.from({ length: depth }, (_, level) => `${" ".repeat(level)}a:\n`).join("");
}

/** Folders in folders, each holding the next one ten times: some objects, 10^10 paths. */
async function treeBomb(forge: Forge): Promise<Entry[]> {
  let entries = [await forge.file("a.yaml", HEAD)];
  for (let level = 0; level < 10; level += 1) {
    const id = await forge.tree(entries);
    entries = Array.from({ length: 10 }, (_, index) => ({ mode: "040000", id, name: `f${index}` }));
  }
  return entries;
}

async function wide(forge: Forge, folders: number, files: number): Promise<Entry[]> {
  const id = await forge.blob(HEAD);
  const made: Entry[] = [];
  for (let folder = 0; folder < folders; folder += 1) {
    const entries = Array.from({ length: files }, (_, index): Entry => {
      return { mode: "100644", id, name: `f${String(folder * files + index).padStart(7, "0")}.yaml` };
    });
    made.push(await forge.folder(`d${String(folder).padStart(4, "0")}`, entries));
  }
  return made;
}

async function chain(forge: Forge, depth: number): Promise<Entry[]> {
  let entries = [await forge.file("a.yaml", HEAD)];
  for (let level = 0; level < depth; level += 1) entries = [await forge.folder("d", entries)];
  return entries;
}

/** @param largeMb size of the blobs that are far too large. */
export function hostileCorpus(largeMb: number): Hostile[] {
  return [
    file("alias bomb", "AliasBomb", () => HEAD + bomb(20)),
    file("alias bomb of text", "AliasBomb", () => `${HEAD}a: &a ${"x".repeat(50_000)}\nb: [${"*a,".repeat(1_000)}]\n`),
    file("merge keys that multiply", "AliasBomb", () => HEAD + mergeBomb()),
    file("10 MB of [", "TooDeep", () => "[".repeat(10_000_000)),
    file("10 MB of {a: ", "TooDeep", () => "{a: ".repeat(2_500_000)),
    file("10 MB of - ", "TooDeep", () => "- ".repeat(5_000_000)),
    file("2,000 levels of indentation", "TooDeep", () => HEAD + staircase(2_000)),
    file("10 MB of JSON braces", "TooDeep", () => '{"a":'.repeat(2_000_000)),
    file("10^6 documents", "TooManyDocuments", () => "---\na: 1\n".repeat(1_000_000)),
    file(
      "10^6 items of a list",
      "TooManyDocuments",
      () => `{"kind": "List", "apiVersion": "v1", "items": [${"{},".repeat(1_000_000)}{}]}`,
    ),
    file(
      "10^6 items of a YAML list",
      "TooManyDocuments",
      () => `kind: List\napiVersion: v1\nitems:\n${"- {}\n".repeat(1_000_000)}`,
    ),
    file("10^6 values beside an alias", "TooManyValues", () => `${HEAD}y: &a 1\nl: [${"x,".repeat(1_000_000)}x]\n`),
    file("10 MB of brackets that are closed", "TooManyValues", () => `${HEAD}l: ${"[]".repeat(5_000_000)}`),
    file("35,000 mistakes in a document", "TooManyValues", () => `${HEAD}l: ${"[]".repeat(35_000)}`),
    file("13,000 mistakes in a document", "YamlSyntax", () => `${HEAD}l: ${"[]".repeat(13_000)}`),
    file("19,000 values in vain", "BadAlias", () => `${HEAD}l: [${"x,".repeat(19_000)}*a]\n`),
    file("16 MB of one object", "TooManyValues", () => `${HEAD}l:\n${"- 1\n".repeat(4_000_000)}`),
    file("16 MB of one JSON object", "TooManyValues", () => `{"l":[${"[],".repeat(5_300_000)}1]}`),
    file("16 MB of empty lines", "TooManyValues", () => `${HEAD}${"\n".repeat(16_000_000)}y: *a\n`),
    file("16 MB of a text over lines", "TooManyValues", () => `${HEAD}t: a\n${"  ab\n".repeat(3_200_000)}`),
    file("16 MB of plain documents, all wrong", "MissingKind, ParseTooCostly", () =>
      `---\na: [${"1, ".repeat(105)}1]\n`.repeat(49_000),
    ),
    file("45,000 documents, all wrong", "BadAlias, ParseTooCostly", () => "---\na: *x\n".repeat(45_000)),
    file("10 MB that is not UTF-8", "InvalidUtf8", () => Buffer.alloc(10_000_000, 0xff)),
    file("10 MB of NUL", "ControlCharacter", () => Buffer.alloc(10_000_000)),
    file(`a blob of ${largeMb} MB`, "FileTooLarge", () => Buffer.alloc(largeMb * 1_000_000, "a: 1\n")),
    {
      ...file(`a pack bomb, ${largeMb} MB of zeros`, "FileTooLarge", () => Buffer.alloc(largeMb * 1_000_000)),
      unfiltered: true,
    },
    link("symlink to a file", "good/leaf-0.yaml"),
    link("symlink out of the repository", "/etc/passwd"),
    link("symlink to itself", "hostile.yaml"),
    link("symlink to a folder", "good"),
    named("..", "taken", "...yaml"),
    {
      what: "a folder named ..",
      refused: "taken",
      make: async (forge) => [await forge.folder("..", [await forge.file("up.yaml", HEAD.replace("hostile", "up"))])],
    },
    named("control characters in a name", "BadPath", "a\u0007\n.yaml"),
    named("invalid UTF-8 in a name", "BadPath", Buffer.from([0x62, 0xff, 0x2e, 0x79, 0x61, 0x6d, 0x6c])),
    named("right-to-left override in a name", "BadPath", "a\u202elmay.yaml"),
    file("look-alike letters in an object's name", "BadName", () => HEAD.replace("hostile", "le\u0430f-1")),
    {
      what: "names that differ in case alone",
      refused: "DuplicateKey",
      make: async (forge) => [await forge.file("Case.yaml", HEAD), await forge.file("case.yaml", HEAD)],
    },
    {
      what: "a submodule",
      refused: "Submodule",
      make: () => Promise.resolve([{ mode: "160000", id: "1".repeat(40), name: "hostile.yaml" }]),
    },
    { what: "600 folders in each other", refused: "BadPath", make: (forge) => chain(forge, 600) },
    { what: "10^10 paths of 10 trees", refused: "LimitExceeded", make: treeBomb },
    { what: "10^6 files in one folder", refused: "LimitExceeded", make: (forge) => wide(forge, 1, 1_000_000) },
    { what: "10^6 files in 100 folders", refused: "LimitExceeded", make: (forge) => wide(forge, 100, 10_000) },
  ];
}
