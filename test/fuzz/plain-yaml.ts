import { isDeepStrictEqual } from "node:util";
import { canonicalJson } from "../../src/core/json.ts";
import { readPlainYaml } from "../../src/sources/git/reading/plain-yaml.ts";
import { isRefused, TOO_MANY_ITEMS, TOO_MANY_VALUES } from "../../src/sources/git/reading/read-document.ts";
import { readWithLibrary } from "../../src/sources/git/reading/yaml-library.ts";
import { mutate, pick } from "./mutations.ts";
import type { Dice } from "./mutations.ts";

type Words = readonly [string, ...string[]];
const SCALARS = words(
  `a|leaf-01|E1/1|two words|a  b|12|-5|+5|010|0o17|0x1F|1_000|1.5|.5|-.5|5.|1e3|9007199254740993|18446744073709551616|yes|no|On|null|~|
true|y|1:20|10.0.0.1/24|fe80::1|v1.2|a=b|a@b|(x)|/etc/x|x#y|$x|^x|;x|"x"|'x'|'it''s'|"a\\tb"|"\\""|"a #b"|"x: y"|'- x'|""|''|äö|光纤|😀`,
);
/** What the fast reader leaves to the library, or what is wrong. */
const WILD_SCALARS = words(
  `.inf|-x|--|---|<<<|=|!x|&x|*x|%x|@x|\`x|x: y|x:|:x|?x|- x|x #c|x # c|[a|a]|a, b|{a|"\\u0041"|"x"y||>|x\\n|1E400|\u00a0x|x\u00a0|!!int 1|\u2003`,
);
const KEYS = words(
  `a|b|c|d|name|kind|items|E1/1|app.kubernetes.io/name|1|01|0x10|1.5|"q"|'s'|"x y"|constructor|x-|spec|on`,
);
const WILD_KEYS = words(`null|yes|__proto__|~|<<|a b|"a\\tb"|a~b|a:b|-k|?|😀|"on"|b|? x|[x]|{x}|"q`);
const COMMENTS = words("|||||||| # c|  #| # c: d");
const WILD_COMMENTS = words("#no| |  | #");
const BETWEEN = words("|||||||||\n|# comment\n|   # comment\n|#\n\n");

function words(text: string): Words {
  const [first = "", ...others] = text.split("|");
  return [first, ...others];
}

/** Manifests as people write them; some with something in them that is not plain, or wrong. */
class Writer {
  readonly #roll: Dice;
  /** One choice in so many is a wild one; 0 for none. */
  readonly #wild: number;
  #text = "";

  constructor(roll: Dice) {
    this.#roll = roll;
    this.#wild = roll(2) === 0 ? 0 : 40;
  }

  document(): string {
    this.#mapping(0, 0);
    return this.#roll(20) === 0 ? this.#text.trimEnd() : this.#text;
  }

  #pick(tame: Words, wild: Words): string {
    return pick(this.#roll, this.#wild > 0 && this.#roll(this.#wild) === 0 ? wild : tame);
  }

  #put(text: string): void {
    this.#text += `${pick(this.#roll, BETWEEN)}${text}${this.#pick(COMMENTS, WILD_COMMENTS)}\n`;
  }

  #keys(): string[] {
    return [...new Set(Array.from({ length: 1 + this.#roll(4) }, () => this.#pick(KEYS, WILD_KEYS)))];
  }

  #flow(depth: number): string {
    const roll = this.#roll;
    const choice = roll(depth > 2 ? 4 : 6);
    if (choice < 4) return this.#pick(FLOW_SCALARS, SCALARS);
    const space = pick(roll, ["", "", " ", "  "]);
    const parts =
      choice === 4
        ? Array.from({ length: roll(4) }, () => this.#flow(depth + 1))
        : this.#keys().map((key) => `${key}:${this.#pick([" ", "  "], [""])}${this.#flow(depth + 1)}`);
    const inside = parts.join(pick(roll, [", ", ",", " , "]));
    return choice === 4 ? `[${space}${inside}${space}]` : `{${space}${inside}${space}}`;
  }

  #literal(indent: number): string {
    const roll = this.#roll;
    const inner = " ".repeat(indent + 1 + roll(3));
    const line = (): string =>
      this.#pick([`${inner}x`, `${inner}  # y: z`, "", `${inner}- a`], [inner, `${inner} `, ` ${inner}`, " ", "#"]);
    const body = Array.from({ length: 1 + roll(4) }, line);
    return `${this.#pick(["|", "|-"], [">", "|+", "|2", ">-", "| # c"])}\n${body.join("\n")}\n`;
  }

  #value(indent: number, lead: string, depth: number): void {
    const roll = this.#roll;
    switch (roll(depth > 4 ? 4 : 8)) {
      case 0:
      case 1:
        return this.#put(`${lead} ${this.#pick(SCALARS, WILD_SCALARS)}`);
      case 2:
        return this.#put(`${lead} ${this.#flow(0)}`);
      case 3:
        this.#text += `${lead} ${this.#literal(indent)}`;
        return;
      case 4:
      case 5:
        this.#put(lead);
        return this.#mapping(indent + 1 + roll(3), depth + 1);
      default:
        this.#put(lead);
        return this.#list(indent + roll(3), depth + 1);
    }
  }

  #mapping(indent: number, depth: number): void {
    for (const key of this.#keys()) this.#value(indent, `${" ".repeat(indent)}${key}:`, depth);
  }

  #list(indent: number, depth: number): void {
    const gap = pick(this.#roll, [" ", " ", "  "]);
    const dash = `${" ".repeat(indent)}-${gap}`;
    const inner = indent + 1 + gap.length;
    for (let left = this.#roll(4); left > 0; left -= 1) {
      if (this.#roll(2) === 0) this.#put(`${dash}${this.#flow(0)}`);
      else {
        this.#keys().forEach((key, index) => {
          this.#value(inner, `${index === 0 ? dash : " ".repeat(inner)}${key}:`, depth);
        });
      }
    }
  }
}

const FLOW_SCALARS = words(
  `a|leaf-01|E1/1|two words|12|-5|010|0x1F|1.5|-.5|yes|null|~|10.0.0.1/24|fe80:1|"x"|'it''s'|"a, b"|"a\\tb"|""|a=b|a@b|x-`,
);

const WORDS = [
  " ",
  "  ",
  "\n",
  ":",
  ": ",
  "- ",
  "#",
  " #",
  '"',
  "'",
  "[",
  "]",
  "{",
  "}",
  ",",
  "|",
  "&a",
  "*a",
  "!",
  "\\",
  "?",
  "\t",
  "...\n",
  "%",
] as const;

/**
 * Makes a text and, every other time, mutates it. What the fast reader takes must be what the library makes of it: value, places, all.
 * @throws Error that tells the text.
 */
export function fuzzPlainYaml(roll: Dice): void {
  const whole = new Writer(roll).document();
  const text = roll(2) === 0 ? whole : mutate(Buffer.from(whole), roll, WORDS).toString("utf8");
  compareReaders(text);
}

/** @returns whether the fast reader took it. */
export function compareReaders(text: string): boolean {
  // What `manifests.ts` keeps from both.
  if (!text.isWellFormed() || /(?![\t\n\r])[\p{Cc}\u2028\u2029\ufffe\uffff]/u.test(text) || /^---/m.test(text))
    return false;
  const plain = readPlainYaml(text, 7, 1_000);
  if (plain === null || plain === TOO_MANY_ITEMS || plain === TOO_MANY_VALUES) return false;
  const [library, ...others] = readWithLibrary(text, 7).documents;
  const same =
    library !== undefined &&
    others.length === 0 &&
    !isRefused(library) &&
    canonicalJson(library.value) === canonicalJson(plain.value) &&
    JSON.stringify(library.value) === JSON.stringify(plain.value) &&
    isDeepStrictEqual([library.place, library.items, library.fields], [plain.place, plain.items, plain.fields]);
  if (!same) throw new Error(`read in two ways: ${JSON.stringify(text)}`);
  return true;
}
