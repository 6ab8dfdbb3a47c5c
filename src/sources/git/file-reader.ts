import type { DeclaredKey, FileRejection } from "../../core/ports.ts";
import { parseJson, isJsonObject } from "../../core/json.ts";
import type { GitLimits } from "./limits.ts";
import type { ManifestTexts } from "./manifest-texts.ts";
import { MAX_BLOB_BYTES, OMITTED } from "./repository/omitted.ts";
import type { ManifestParser } from "./reading/parser.ts";
import { PENDING } from "./plan.ts";
import type { Declared, ReadFile } from "./plan.ts";
import type { BareRepository } from "./repository/bare-repository.ts";
import { definedScope, resolveScope } from "./scopes.ts";
import type { Scope, ScopeLookup } from "./scopes.ts";
import type { TreeEntry } from "./tree.ts";
import { gitError } from "./repository/transport-errors.ts";

/** A manifest without its text, which lies among the revision's {@link ManifestTexts}. */
interface RawManifest extends DeclaredKey {
  readonly column: number;
  readonly text: number;
}

/** A file as the parser left it, before anybody has asked in which namespace its objects live. */
export interface RawFile {
  readonly entry: TreeEntry;
  readonly manifests: readonly RawManifest[];
  readonly rejections: readonly FileRejection[];
  /** Kept only where part of the file cannot be read. */
  readonly text: Buffer | null;
  /** Its text is not at hand, and could have declared anything. */
  readonly opaque: boolean;
}

export interface FileReaderOptions {
  readonly repository: BareRepository;
  readonly parser: ManifestParser;
  readonly limits: GitLimits;
  /** Takes the texts of what is read. */
  readonly texts: ManifestTexts;
}

/** Files and bytes asked for ahead of the parser: a few messages' worth; the bytes bound what of a revision is in memory at once. */
const AHEAD_FILES = 256;
const AHEAD_BYTES = 8 * 1024 * 1024;

/** Reads and parses the files, each blob once. @throws FabricSyncError `RepositoryCorrupt`. */
export async function readFiles(
  entries: readonly TreeEntry[],
  sizes: ReadonlyMap<string, number>,
  options: FileReaderOptions,
): Promise<Map<string, RawFile>> {
  const files = new Map<string, RawFile>();
  const failures: unknown[] = [];
  const ahead = new Ahead();
  const words = new Map<string, string>();
  for (const entry of entries) {
    const size = sizes.get(entry.blob) ?? 0;
    await ahead.enter(size);
    if (failures.length > 0) break;
    void readFile(entry, size, options, words)
      .then(
        (file) => void files.set(entry.path, file),
        (error: unknown) => void failures.push(error),
      )
      .finally(() => ahead.leave(size));
  }
  await ahead.empty();
  if (failures.length > 0) throw failures[0];
  return files;
}

/** Holds back whoever would be too far ahead. One waits at a time. */
class Ahead {
  #files = 0;
  #bytes = 0;
  #wake: (() => void) | null = null;

  async enter(size: number): Promise<void> {
    while (this.#files >= AHEAD_FILES || (this.#files > 0 && this.#bytes + size > AHEAD_BYTES)) await this.#change();
    this.#files += 1;
    this.#bytes += size;
  }

  leave(size: number): void {
    this.#files -= 1;
    this.#bytes -= size;
    this.#wake?.();
  }

  async empty(): Promise<void> {
    while (this.#files > 0) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** @param words names that stand in many files, each kept once. */
async function readFile(
  entry: TreeEntry,
  size: number,
  options: FileReaderOptions,
  words: Map<string, string>,
): Promise<RawFile> {
  const { limits, parser, repository, texts } = options;
  const refusal = refusalOf(entry, size, limits);
  if (refusal) {
    const rejections = [{ line: 1, column: 1, ...refusal }];
    return { entry, manifests: [], rejections, text: null, opaque: entry.type === "file" };
  }
  let loaded: Buffer | null = null;
  const load = async (): Promise<Buffer> => {
    if (loaded) return loaded;
    const object = await (await repository.contents()).read(entry.blob);
    if (object === null) throw gitError("RepositoryCorrupt", "the cached repository lacks a file that its tree names");
    return (loaded = object.content);
  };
  const parsed = await parser.parseBlob(entry.blob, load, limits.maxDocuments);
  const rejections = parsed.rejections.length === 0 ? NONE : parsed.rejections;
  const text = rejections === NONE ? null : await load();
  const once = (word: string): string => {
    const known = words.get(word);
    if (known === undefined) words.set(word, word);
    return known ?? word;
  };
  const manifests = parsed.manifests.map(({ json, places, line, column, name, ...key }): RawManifest => {
    const [apiGroup, kind, namespace] = [once(key.apiGroup), once(key.kind), once(key.namespace)];
    return { apiGroup, kind, namespace, name, line, column, text: texts.add({ json, places }) };
  });
  return { entry, manifests, rejections, text, opaque: false };
}

const NONE: readonly FileRejection[] = [];

/** What is never read, whatever is in it. */
function refusalOf(entry: TreeEntry, size: number, limits: GitLimits): { code: string; message: string } | null {
  switch (entry.type) {
    case "symlink":
      return { code: "Symlink", message: "a symbolic link; links are never followed" };
    case "submodule":
      return { code: "Submodule", message: "a submodule; submodules are never fetched" };
    case "too-deep":
      return { code: "BadPath", message: "a folder whose path is too long; what is in it is not read" };
    case "unreadable-name":
      return { code: "BadPath", message: "the file's name is too long, not UTF-8, or holds control characters" };
    default:
      return size <= limits.maxFileBytes
        ? null
        : {
            code: "FileTooLarge",
            message: `${size === OMITTED ? `more than ${MAX_BLOB_BYTES}` : size} bytes, more than limits.maxFileBytes (${limits.maxFileBytes})`,
          };
  }
}

/** What CustomResourceDefinitions among the files say about their kinds. */
export function definedScopes(files: Iterable<RawFile>, texts: ManifestTexts): Map<string, Scope> {
  const scopes = new Map<string, Scope>();
  for (const { manifests } of files) {
    for (const { kind, text } of manifests) {
      if (kind !== "CustomResourceDefinition") continue;
      const object = parseJson(texts.get(text).json);
      const defined = isJsonObject(object) ? definedScope(object) : null;
      if (defined) scopes.set(defined.key, defined.scope);
    }
  }
  return scopes;
}

/** Gives each object its key; of its text the number. Kinds of unknown scope without a namespace of their own wait as {@link PENDING}. */
export function scopeFile(
  file: RawFile,
  options: {
    readonly cluster: ScopeLookup;
    readonly defined: ReadonlyMap<string, Scope>;
    readonly defaultNamespace: string;
    /** It declared objects when it was read last. */
    readonly declaredBefore: boolean;
  },
): ReadFile<number> {
  if (!options.declaredBefore && isForeign(file)) return { declared: [], rejections: NONE, mentions: nothing };
  const declared: Declared<number>[] = [];
  const pending: FileRejection[] = [];
  for (const { line, column, apiGroup, kind, name, text, ...own } of file.manifests) {
    const scope = resolveScope(apiGroup, kind, options.cluster, options.defined);
    if (scope === "unknown" && own.namespace === "") {
      const what = apiGroup === "" ? kind : `${kind}.${apiGroup}`;
      const message = `${what} is not served by the cluster yet; ${name} waits for it`;
      pending.push({ line, column, code: PENDING, message });
      continue;
    }
    const namespace = scope === "cluster" ? "" : own.namespace === "" ? options.defaultNamespace : own.namespace;
    declared.push({ key: { apiGroup, kind, namespace, name, line }, column, manifest: text });
  }
  const { text, opaque } = file;
  const rejections = pending.length === 0 ? file.rejections : [...file.rejections, ...pending];
  const mentions = text === null && !opaque ? nothing : (name: string) => opaque || text?.includes(name) === true;
  return { declared, rejections, mentions };
}

const nothing = (): boolean => false;

/** package.json and its like: not a manifest with a mistake, but no manifest. */
function isForeign({ entry, manifests, text }: RawFile): boolean {
  return entry.path.endsWith(".json") && manifests.length === 0 && text !== null && !text.includes("apiVersion");
}
