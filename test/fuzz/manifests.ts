import { parseAllDocuments } from "yaml";
import { readManifests } from "../../src/sources/git/reading/manifests.ts";
import { mutate, pick } from "./mutations.ts";
import type { Dice } from "./mutations.ts";

const WORDS = [
  "[",
  "{",
  "]",
  "}",
  "&a ",
  "*a",
  "<<: *a\n",
  "!!binary ",
  "? ",
  ": ",
  "- ",
  "|\n",
  ">-\n",
  '"',
  "'",
  "#",
  "%YAML 1.1\n",
  "\n---\n",
  "\n--- # c\n",
  "\n--- x",
  "\t",
  "\r\n",
  "\u2028",
  "\ufeff",
  "\0",
  "0o17",
  ".inf",
  "9223372036854775808",
  "\\x",
  "\u{1f4a3}",
] as const;

const BODIES = [
  "data: {on: 'yes', mode: \"0644\", long: 9223372036854775807}\n",
  "base: &base {mtu: 9100, tags: [a, b]}\nspec:\n  <<: *base\n  ports: [*base, *base]\n",
  "data:\n  text: |\n    one\n    two\n  folded: >-\n    three\n    four\n",
  "spec:\n  list:\n    - a: 1\n      b: [true, no, ~, 1e3, .5]\n    - - x\n      - y\n",
  "spec: {\"quoted\": \"a\\u0041\\n\", 'single': 'it''s', deep: {a: {b: {c: []}}}}\n",
] as const;

function manifest(name: string, roll: Dice): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${pick(roll, BODIES)}`;
}

/**
 * Mutates one document of a file with some. The others must be read as if nothing had happened; what was mutated is one object or one
 * rejection for each document that it has become, or, where nothing is left, nothing. @throws Error that tells what was broken, with the file.
 */
export function fuzzManifest(roll: Dice): void {
  const count = 1 + roll(4);
  const documents = Array.from({ length: count }, (_, index) => manifest(`whole-${index}`, roll));
  const hit = roll(count);
  const mutated = mutate(Buffer.from(manifest("hit", roll)), roll, WORDS);
  const text = mutated.toString("utf8");
  const pieces = documents.map((document, index) => (index === hit ? mutated : Buffer.from(document)));
  const file = Buffer.concat(pieces.flatMap((piece) => [Buffer.from("---\n"), piece, Buffer.from("\n")]));

  const { manifests, rejections } = readManifests(file, 1_000);
  const names = manifests.map(({ object }) => JSON.stringify(object["metadata"]));
  for (let index = 0; index < count; index += 1) {
    if (index !== hit && !names.includes(`{"name":"whole-${index}"}`)) throw broken(`whole-${index} is lost`, file);
  }
  for (const { line, column } of [...manifests, ...rejections]) {
    if (line < 1 || column < 1) throw broken(`a place ${line}:${column}`, file);
  }
  // `items` makes a list of it, and what follows `...` is named for itself: then only what is around it is counted.
  if (/^\.\.\./m.test(text) || text.includes("items")) return;
  const become = manifests.length + rejections.length - (count - 1);
  const { least, most } = documentsIn(text);
  if (become < least || become > most) throw broken(`${least} to ${most} documents became ${become}`, file);
}

/** How many objects and rejections a text must become: one for each piece between lines that begin with `---`, but for those with nothing in them. */
function documentsIn(text: string): { least: number; most: number } {
  let [least, most] = [0, 0];
  let afterSeparator = "";
  let piece: string[] = [];
  const end = (): void => {
    const body = piece.join("\n");
    const isRefused = afterSeparator !== "" && !afterSeparator.startsWith("#");
    if (isRefused || body.trim() !== "") most += 1;
    if (isRefused || !isNothing(body)) least += 1;
    piece = [];
  };
  for (const line of text.split("\n")) {
    if (line.startsWith("---")) {
      end();
      afterSeparator = line.slice(3).trim();
    } else piece.push(line);
  }
  end();
  return { least, most };
}

function isNothing(text: string): boolean {
  const documents = parseAllDocuments(text.replace(/^\ufeff/, ""), {
    version: "1.1",
    schema: "failsafe",
    logLevel: "error",
  });
  return [...documents].every(({ contents }) => contents === null || contents.toString().trim() === "");
}

function broken(what: string, file: Buffer): Error {
  return new Error(`${what}: ${JSON.stringify(file.toString("latin1"))}`);
}
