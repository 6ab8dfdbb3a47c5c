import { MAX_FOLDER_BYTES, MAX_PATH_BYTES } from "../limits.ts";
import type { ObjectReader } from "./object-reader.ts";
import { decodeName, printable } from "./tree-names.ts";
import { gitError } from "./transport-errors.ts";

/** One name of one folder. */
export interface FolderEntry {
  /** Of a name that cannot be a text, its printable form with \xNN for the other bytes. */
  readonly name: string;
  readonly id: string;
  readonly type: "file" | "folder" | "symlink" | "submodule";
  readonly readable: boolean;
}

export interface ReaderOf {
  headers(): Promise<ObjectReader>;
  contents(): Promise<ObjectReader>;
}

/** Entries of folders that are remembered: some 100 bytes each. A push changes a few folders; the others are known by their ids. */
const REMEMBERED_ENTRIES = 200_000;
/** Folders that are asked for at once. */
const AT_ONCE = 64;
/** Levels that a path may have: a name and a slash are two bytes, and the root is one more. */
const MAX_LEVELS = MAX_PATH_BYTES / 2 + 1;

/** Reads the folders of a repository through its long-lived `git cat-file`. */
export class TreeReader {
  readonly #repository: ReaderOf;
  readonly #known = new Map<string, readonly FolderEntry[]>();
  #entries = 0;

  constructor(repository: ReaderOf) {
    this.#repository = repository;
  }

  /**
   * Every folder below `root`, itself included, by its id; those too deep for any path are left out.
   * @throws FabricSyncError `LimitExceeded` as soon as there are more than `maxEntries`, or one folder has more than
   *   {@link MAX_FOLDER_BYTES}, before it is read; `RepositoryCorrupt`.
   */
  async below(root: string, maxEntries: number): Promise<ReadonlyMap<string, readonly FolderEntry[]>> {
    const folders = new Map<string, readonly FolderEntry[]>();
    let entries = 0;
    let level = new Set([root]);
    for (let depth = 0; level.size > 0 && depth < MAX_LEVELS; depth += 1) {
      const next = new Set<string>();
      const ids = [...level].filter((id) => !folders.has(id));
      for (let from = 0; from < ids.length; from += AT_ONCE) {
        const some = ids.slice(from, from + AT_ONCE);
        const read = await Promise.all(some.map((id) => this.#folder(id)));
        some.forEach((id, index) => folders.set(id, read[index] ?? []));
        for (const folder of read) {
          entries += folder.length;
          for (const { id, type } of folder) if (type === "folder") next.add(id);
        }
        if (entries > maxEntries) throw tooMany(maxEntries);
      }
      level = next;
    }
    checkSize(root, folders, maxEntries);
    return folders;
  }

  async #folder(id: string): Promise<readonly FolderEntry[]> {
    const known = this.#known.get(id);
    if (known) return known;
    const header = await (await this.#repository.headers()).read(id);
    if (header?.type !== "tree") throw corrupt();
    if (header.size > MAX_FOLDER_BYTES) {
      throw gitError("LimitExceeded", `a folder whose list of names takes more than ${MAX_FOLDER_BYTES} bytes`);
    }
    const object = await (await this.#repository.contents()).read(id);
    if (object === null) throw corrupt();
    const folder = parseFolder(object.content, id.length / 2);
    if (this.#entries > REMEMBERED_ENTRIES) {
      this.#known.clear();
      this.#entries = 0;
    }
    this.#known.set(id, folder);
    this.#entries += folder.length + 1;
    return folder;
  }
}

/** A folder may stand in many places, and hold itself many times over: counted by its places, before anything is made of them. */
function checkSize(root: string, folders: ReadonlyMap<string, readonly FolderEntry[]>, maxEntries: number): void {
  const open = [root];
  let entries = 0;
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const folder = folders.get(id) ?? [];
    entries += folder.length;
    if (entries > maxEntries) throw tooMany(maxEntries);
    for (const entry of folder) if (entry.type === "folder") open.push(entry.id);
  }
}

/** `<mode> SP <name> NUL <id>`, again and again. */
function parseFolder(bytes: Buffer, idBytes: number): FolderEntry[] {
  const entries: FolderEntry[] = [];
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const end = bytes.indexOf(0, space);
    const next = end + 1 + idBytes;
    if (space < 0 || end < 0 || next > bytes.length) throw corrupt();
    const mode = bytes.toString("latin1", at, space);
    const id = bytes.toString("hex", end + 1, next);
    const name = bytes.subarray(space + 1, end);
    const text = decodeName(name);
    entries.push({ name: text ?? printable(name), id, type: typeOf(mode), readable: text !== null });
    at = next;
  }
  return entries;
}

function typeOf(mode: string): FolderEntry["type"] {
  switch (mode) {
    case "40000":
      return "folder";
    case "120000":
      return "symlink";
    case "160000":
      return "submodule";
    default:
      return "file";
  }
}

function tooMany(maxEntries: number): Error {
  return gitError(
    "LimitExceeded",
    `more than ${maxEntries} entries in the repository's folders (from limits.maxFiles)`,
  );
}

function corrupt(): Error {
  return gitError("RepositoryCorrupt", "the cached repository lacks a tree that it should hold");
}
