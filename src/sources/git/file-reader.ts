import type { DeclaredKey, FileRejection } from "../../core/ports.ts";
import { parseJson, isJsonObject } from "../../core/json.ts";
import type { JsonObject } from "../../core/json.ts";
import { messageOf } from "../../core/errors.ts";
import { identify } from "../../core/normalise.ts";
import type { GitLimits } from "./limits.ts";
import type { ManifestParser, ParsedBlob } from "./parser.ts";
import { PENDING } from "./plan.ts";
import type { Declared, ReadFile } from "./plan.ts";
import type { BareRepository } from "./bare-repository.ts";
import { definedScope, resolveScope } from "./scopes.ts";
import type { Scope, ScopeLookup } from "./scopes.ts";
import type { TreeEntry } from "./tree.ts";
import { gitError } from "./transport-errors.ts";

/** A manifest on its way to a row: JSON text, so that a large revision is small until it is written. */
export interface PendingManifest {
  readonly json: string;
  /** JSON of its `Places`; '' where they are not known. */
  readonly places: string;
  /** '' for cluster scope. */
  readonly namespace: string;
}

/** A file as the parser left it, before anybody has asked in which namespace its objects live. */
export interface RawFile {
  readonly entry: TreeEntry;
  readonly parsed: ParsedBlob;
  /** Kept only where part of the file cannot be read. */
  readonly text: Buffer | null;
  /** Its text is not at hand, and could have declared anything. */
  readonly opaque: boolean;
}

export interface FileReaderOptions {
  readonly repository: BareRepository;
  readonly parser: ManifestParser;
  readonly limits: GitLimits;
}

/** Blobs asked for ahead of the parser; with it this bounds how much of a revision is in memory as bytes. */
const AHEAD = 16;

/** Reads and parses the files, each blob once, in the order given. @throws FabricSyncError `RepositoryCorrupt`. */
export async function readFiles(
  entries: readonly TreeEntry[],
  sizes: ReadonlyMap<string, number>,
  options: FileReaderOptions,
): Promise<Map<string, RawFile>> {
  const files = new Map<string, RawFile>();
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let entry = entries[next++]; entry; entry = entries[next++]) {
      files.set(entry.path, await readFile(entry, sizes.get(entry.blob) ?? 0, options));
    }
  };
  await Promise.all(Array.from({ length: Math.min(AHEAD, entries.length) }, worker));
  return files;
}

async function readFile(entry: TreeEntry, size: number, options: FileReaderOptions): Promise<RawFile> {
  const { limits, parser, repository } = options;
  const refusal = refusalOf(entry, size, limits);
  if (refusal) {
    const parsed = { manifests: [], rejections: [{ line: 1, column: 1, ...refusal }] };
    return { entry, parsed, text: null, opaque: entry.type === "file" };
  }
  const load = async (): Promise<Buffer> => {
    const object = await (await repository.contents()).read(entry.blob);
    if (object === null) throw gitError("RepositoryCorrupt", "the cached repository lacks a file that its tree names");
    return object.content;
  };
  const parsed = await parser.parseBlob(entry.blob, load, limits.maxDocuments);
  const text = parsed.rejections.length === 0 ? null : await load();
  return { entry, parsed, text, opaque: false };
}

/** What is never read, whatever is in it. */
function refusalOf(entry: TreeEntry, size: number, limits: GitLimits): { code: string; message: string } | null {
  switch (entry.type) {
    case "symlink":
      return { code: "Symlink", message: "a symbolic link; links are never followed" };
    case "submodule":
      return { code: "Submodule", message: "a submodule; submodules are never fetched" };
    case "unreadable-name":
      return { code: "BadPath", message: "the file's name is too long, not UTF-8, or holds control characters" };
    default:
      return size <= limits.maxFileBytes
        ? null
        : { code: "FileTooLarge", message: `${size} bytes, more than limits.maxFileBytes (${limits.maxFileBytes})` };
  }
}

/** What CustomResourceDefinitions among the files say about their kinds. */
export function definedScopes(files: Iterable<RawFile>): Map<string, Scope> {
  const scopes = new Map<string, Scope>();
  for (const { parsed } of files) {
    for (const { json } of parsed.manifests) {
      if (!json.includes('"CustomResourceDefinition"')) continue;
      const object = objectOf(json);
      const defined = object && definedScope(object);
      if (defined) scopes.set(defined.key, defined.scope);
    }
  }
  return scopes;
}

/** Gives each object its key. Kinds of unknown scope without a namespace of their own wait as {@link PENDING}. */
export function scopeFile(
  file: RawFile,
  options: { cluster: ScopeLookup; defined: ReadonlyMap<string, Scope>; defaultNamespace: string },
): ReadFile<PendingManifest> {
  const declared: Declared<PendingManifest>[] = [];
  const rejections: FileRejection[] = [...file.parsed.rejections];
  for (const { json, places, line, column } of file.parsed.manifests) {
    const object = objectOf(json);
    if (object === null) continue;
    try {
      const { key } = identify(object, { fabricId: "" });
      const { apiGroup, kind, name } = key;
      const scope = resolveScope(apiGroup, kind, options.cluster, options.defined);
      if (scope === "unknown" && key.namespace === "") {
        const what = apiGroup === "" ? kind : `${kind}.${apiGroup}`;
        rejections.push({
          line,
          column,
          code: PENDING,
          message: `${what} is not served by the cluster yet; ${name} waits for it`,
        });
        continue;
      }
      const namespace = scope === "cluster" ? "" : key.namespace === "" ? options.defaultNamespace : key.namespace;
      const declaredKey: DeclaredKey = { apiGroup, kind, namespace, name, line };
      declared.push({ key: declaredKey, column, manifest: { json, places, namespace } });
    } catch (error) {
      rejections.push({ line, column, code: "MalformedObject", message: messageOf(error) });
    }
  }
  const { text, opaque } = file;
  return { declared, rejections, mentions: (name) => opaque || (text !== null && text.includes(name)) };
}

function objectOf(json: string): JsonObject | null {
  const value = parseJson(json);
  return isJsonObject(value) ? value : null;
}
