import type { ResourceKey } from "../../core/identity.ts";
import { isJsonObject, parseJson } from "../../core/json.ts";
import type { JsonObject } from "../../core/json.ts";
import { normaliseDesired } from "../../core/normalise.ts";
import type { Content, DesiredOrigin, DesiredUpsert } from "../../core/observation.ts";
import type { DeclaredKey } from "../../core/ports.ts";
import type { WritePath } from "../../core/vocabulary.ts";
import type { Change } from "./blame.ts";
import type { ManifestTexts } from "./manifest-texts.ts";

/** Where a manifest is declared, and who changed its file last. */
export interface Declaration {
  readonly key: DeclaredKey;
  readonly filePath: string;
  readonly fileHash: string;
  readonly change: Change;
  /** Of the manifest among {@link DeclareOptions.texts}. */
  readonly text: number;
}

export interface DeclareOptions {
  readonly fabricId: string;
  readonly writePath: WritePath;
  /** ms since the epoch. */
  readonly observedAt: number;
  readonly texts: ManifestTexts;
}

/** Makes observations of manifests. */
export class Declarer {
  readonly options: DeclareOptions;
  /** The one that was made last: whoever asks for one part of it asks for the next one at once. */
  #recent: { readonly of: Declaration; readonly made: DesiredUpsert } | null = null;

  constructor(options: DeclareOptions) {
    this.options = options;
  }

  /** What a manifest declares; where there are many, all that can be made of its text is made when it is asked for, each time. */
  declare(declaration: Declaration): DesiredUpsert {
    return this.options.texts.many ? new LateDeclaration(this, declaration) : this.make(declaration);
  }

  make(declaration: Declaration): DesiredUpsert {
    if (this.#recent?.of === declaration) return this.#recent.made;
    const { texts, fabricId, writePath, observedAt } = this.options;
    const { key, filePath, fileHash, change, text } = declaration;
    const { json, places } = texts.get(text);
    const manifest = parseJson(json);
    if (!isJsonObject(manifest)) throw new Error("the parser gave something else than an object");
    const { commit, author, authoredAt } = change;
    const origin = {
      ...{ commit, author, filePath, line: key.line, fileHash },
      ...(authoredAt === "" ? {} : { authoredAt }),
      ...(places === "" ? {} : { places }),
    };
    const made = normaliseDesired(manifest, origin, { fabricId, writePath, observedAt, namespace: key.namespace });
    this.#recent = { of: declaration, made };
    return made;
  }
}

/** The parser has checked that nothing which is made here can be refused. */
class LateDeclaration implements DesiredUpsert {
  readonly side = "desired";
  readonly type = "upsert";
  readonly key: ResourceKey;
  readonly #declarer: Declarer;
  readonly #declaration: Declaration;

  constructor(declarer: Declarer, declaration: Declaration) {
    const { apiGroup, kind, namespace, name } = declaration.key;
    this.key = { fabricId: declarer.options.fabricId, apiGroup, kind, namespace, name };
    this.#declarer = declarer;
    this.#declaration = declaration;
  }

  get writePath(): WritePath {
    return this.#declarer.options.writePath;
  }

  get observedAt(): number {
    return this.#declarer.options.observedAt;
  }

  get apiVersion(): string {
    return this.toJSON().apiVersion;
  }

  get content(): Content {
    return this.toJSON().content;
  }

  get origin(): DesiredOrigin {
    return this.toJSON().origin;
  }

  get owners(): readonly JsonObject[] | undefined {
    return this.toJSON().owners;
  }

  get contentBytes(): number {
    return this.#declarer.options.texts.charactersOf(this.#declaration.text);
  }

  /** As it is written down: like any other. */
  toJSON(): DesiredUpsert {
    return this.#declarer.make(this.#declaration);
  }
}
