import { deserialize, serialize } from "node:v8";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { Places } from "../../core/places.ts";

/** What the parser left of one manifest: JSON text, and where its fields stand. */
export interface ManifestText {
  readonly json: string;
  readonly places: Places;
}

/** Manifests, and characters of theirs, of one revision that are kept as they are. More are packed: a tenth of the memory, for some time. */
const LOOSE_MANIFESTS = 8_000;
const LOOSE_CHARACTERS = 16 * 1024 * 1024;
/** Characters of one pack: small enough to be opened for one manifest, large enough to be squeezed well. */
const PACK_CHARACTERS = 64 * 1024;
/** Characters of packs that are kept open: the database asks in the order of keys, which is seldom far from the order of paths. */
const OPEN_CHARACTERS = 4 * 1024 * 1024;

/**
 * The texts of one revision's manifests, from the parser to the statement that writes them. Of a large revision they are most of what it weighs,
 * so they lie deflated, outside of the heap, where a collector need not carry them about.
 */
export class ManifestTexts {
  #loose: ManifestText[] = [];
  #looseCharacters = 0;
  /** Texts that are in packs; those that are loose come after them. */
  #inPacks = 0;
  readonly #packs: Buffer[] = [];
  /** The characters of each text. */
  readonly #characters: number[] = [];
  /** The number of each pack's first text. */
  readonly #firsts: number[] = [];
  readonly #open = new Map<number, { readonly texts: readonly ManifestText[]; readonly characters: number }>();
  #openCharacters = 0;
  #packed = false;

  /** Whether there are so many that what is made of them should not be kept either. */
  get many(): boolean {
    return this.#packed;
  }

  /** @returns the number under which {@link get} gives it back. */
  add(text: ManifestText): number {
    const number = this.#inPacks + this.#loose.length;
    const characters = charactersOf(text);
    this.#loose.push(text);
    this.#characters.push(characters);
    this.#looseCharacters += characters;
    this.#packed ||= this.#loose.length > LOOSE_MANIFESTS || this.#looseCharacters > LOOSE_CHARACTERS;
    if (this.#packed && this.#looseCharacters >= PACK_CHARACTERS) this.#pack();
    return number;
  }

  get(number: number): ManifestText {
    const loose = number - this.#inPacks;
    const found = loose >= 0 ? this.#loose[loose] : this.#packOf(number);
    if (found === undefined) throw new Error(`there is no text ${number}`);
    return found;
  }

  /** How many characters {@link get} would give. */
  charactersOf(number: number): number {
    return this.#characters[number] ?? 0;
  }

  /** What is loose, in packs of about {@link PACK_CHARACTERS}; at first that is all there was before it became too much. */
  #pack(): void {
    let pack: ManifestText[] = [];
    let characters = 0;
    for (const text of this.#loose) {
      pack.push(text);
      characters += charactersOf(text);
      if (characters < PACK_CHARACTERS) continue;
      this.#close(pack);
      pack = [];
      characters = 0;
    }
    this.#loose = pack;
    this.#looseCharacters = characters;
  }

  #close(texts: readonly ManifestText[]): void {
    // Not as JSON: most of it is JSON texts, whose every quote would be escaped and read again.
    const flat = serialize(texts.flatMap(({ json, places }) => [json, places]));
    const pack = deflateRawSync(flat, { level: 1 });
    // In memory of its own: a small buffer is a part of a larger one, which it would keep for itself.
    const own = Buffer.allocUnsafeSlow(pack.length);
    pack.copy(own);
    this.#packs.push(own);
    this.#firsts.push(this.#inPacks);
    this.#inPacks += texts.length;
  }

  #packOf(number: number): ManifestText | undefined {
    let pack = 0;
    for (let above = this.#firsts.length; above - pack > 1;) {
      const middle = (pack + above) >> 1;
      if ((this.#firsts[middle] ?? 0) <= number) pack = middle;
      else above = middle;
    }
    return this.#opened(pack)[number - (this.#firsts[pack] ?? 0)];
  }

  #opened(pack: number): readonly ManifestText[] {
    const open = this.#open.get(pack);
    if (open) {
      // The one that was asked for last goes last.
      this.#open.delete(pack);
      this.#open.set(pack, open);
      return open.texts;
    }
    const bytes = this.#packs[pack];
    if (bytes === undefined) return [];
    const flat = deserialize(inflateRawSync(bytes)) as string[];
    const texts: ManifestText[] = [];
    for (let at = 0; at < flat.length; at += 2) texts.push({ json: flat[at] ?? "", places: flat[at + 1] ?? "" });
    const characters = texts.reduce((sum, text) => sum + charactersOf(text), 0);
    this.#open.set(pack, { texts, characters });
    this.#openCharacters += characters;
    for (const [oldest, { characters: given }] of this.#open) {
      if (this.#openCharacters <= OPEN_CHARACTERS || oldest === pack) break;
      this.#open.delete(oldest);
      this.#openCharacters -= given;
    }
    return texts;
  }
}

function charactersOf({ json, places }: ManifestText): number {
  return json.length + places.length;
}
