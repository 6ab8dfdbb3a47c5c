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
/** Folders that are asked for at once, and bytes of theirs: what is over the limit should not have been read. */
const AT_ONCE = 64;
const BYTES_AT_ONCE = 1024 * 1024;
/** Bytes that an entry takes in its folder's list, of a whole tree on average: a mode, an id, and a name of 70. */
const ENTRY_BYTES = 100;
/** A tree whose folders take no more than this is never too large by its bytes. */
const SMALL_BYTES = 1024 * 1024;
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
   * @throws FabricSyncError `LimitExceeded` by the folders' sizes before they are read, by the number of their entries before anything is made of
   *   them: more than `maxEntries`, or one folder with more than {@link MAX_FOLDER_BYTES}; `RepositoryCorrupt`.
   */
  async below(root: string, maxEntries: number): Promise<ReadonlyMap<string, readonly FolderEntry[]>> {
    const folders = new Map<string, readonly FolderEntry[]>();
    const budget = { entries: maxEntries, bytes: Math.max(SMALL_BYTES, maxEntries * ENTRY_BYTES), maxEntries };
    let level = new Set([root]);
    for (let depth = 0; level.size > 0 && depth < MAX_LEVELS; depth += 1) {
      const ids = [...level].filter((id) => !folders.has(id));
      level = new Set();
      for (const [id, folder] of await this.#level(ids, budget)) {
        folders.set(id, folder);
        for (const { id: below, type } of folder) if (type === "folder") level.add(below);
      }
    }
    checkSize(root, folders, maxEntries);
    return folders;
  }

  /** All folders of one level: weighed, then read and counted, then made something of. */
  async #level(ids: readonly string[], budget: Budget): Promise<Map<string, readonly FolderEntry[]>> {
    const folders = new Map<string, readonly FolderEntry[]>();
    const spend = (entries: number): void => {
      if ((budget.entries -= entries) < 0) throw tooMany(budget.maxEntries);
    };
    const unknown: string[] = [];
    for (const id of ids) {
      const known = this.#known.get(id);
      if (known === undefined) unknown.push(id);
      else {
        spend(known.length);
        folders.set(id, known);
      }
    }
    const read: (readonly [id: string, bytes: Buffer])[] = [];
    for (const some of await this.#weighed(unknown, budget)) {
      for (const [id, bytes] of await Promise.all(some.map((id) => this.#bytesOf(id)))) {
        spend(countEntries(bytes, id.length / 2));
        read.push([id, bytes]);
      }
    }
    for (const [id, bytes] of read) folders.set(id, this.#remember(id, parseFolder(bytes, id.length / 2)));
    return folders;
  }

  /** The ids in groups that may be read at once. */
  async #weighed(ids: readonly string[], budget: Budget): Promise<string[][]> {
    const headers = await this.#repository.headers();
    const groups: string[][] = [];
    let group: string[] = [];
    let bytes = 0;
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      const some = ids.slice(from, from + AT_ONCE);
      const found = await Promise.all(some.map((id) => headers.read(id)));
      some.forEach((id, index) => {
        const header = found[index];
        if (header?.type !== "tree") throw corrupt();
        if (header.size > MAX_FOLDER_BYTES) {
          throw gitError("LimitExceeded", `a folder whose list of names takes more than ${MAX_FOLDER_BYTES} bytes`);
        }
        if ((budget.bytes -= header.size) < 0) throw tooMany(budget.maxEntries);
        if (group.length > 0 && (group.length >= AT_ONCE || bytes + header.size > BYTES_AT_ONCE)) {
          groups.push(group);
          group = [];
          bytes = 0;
        }
        group.push(id);
        bytes += header.size;
      });
    }
    return group.length === 0 ? groups : [...groups, group];
  }

  async #bytesOf(id: string): Promise<readonly [id: string, bytes: Buffer]> {
    const object = await (await this.#repository.contents()).read(id);
    if (object === null) throw corrupt();
    return [id, object.content];
  }

  #remember(id: string, folder: readonly FolderEntry[]): readonly FolderEntry[] {
    if (this.#entries > REMEMBERED_ENTRIES) {
      this.#known.clear();
      this.#entries = 0;
    }
    this.#known.set(id, folder);
    this.#entries += folder.length + 1;
    return folder;
  }
}

/** What is left of what a tree may have. */
interface Budget {
  entries: number;
  bytes: number;
  readonly maxEntries: number;
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

function countEntries(bytes: Buffer, idBytes: number): number {
  let entries = 0;
  for (let at = 0; at < bytes.length; entries += 1) {
    const end = bytes.indexOf(0, at);
    if (end < 0) throw corrupt();
    at = end + 1 + idBytes;
  }
  return entries;
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
    `more than ${maxEntries} entries in the repository's folders (from limits.maxFiles), or names of more than ${ENTRY_BYTES} bytes each`,
  );
}

function corrupt(): Error {
  return gitError("RepositoryCorrupt", "the cached repository lacks a tree that it should hold");
}
