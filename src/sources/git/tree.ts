import type { BareRepository } from "./repository/bare-repository.ts";
import { ENTRIES_PER_FILE, MAX_PATH_BYTES } from "./limits.ts";
import { gitError } from "./repository/transport-errors.ts";
import { printable } from "./repository/tree-names.ts";

/** What an entry of a tree is; only regular files are ever read. */
export type EntryType = "file" | "symlink" | "submodule" | "unreadable-name" | "too-deep";

export interface TreeEntry {
  /** In the repository, '/' separated. Of a name that cannot be a text, its printable form with \xNN for the other bytes. */
  readonly path: string;
  readonly blob: string;
  readonly type: EntryType;
}

/** The tree below a path at one commit, or null when the commit has no such path. */
export interface Listing {
  readonly entries: readonly TreeEntry[];
}

/**
 * Lists everything below `path` ('.' for all) at `commit`. Nothing is checked out, so nothing is followed: a symlink is an entry, and
 * `..` in a name is a name.
 * @throws FabricSyncError `LimitExceeded` as soon as there are more entries than `maxFiles` allows; `RepositoryCorrupt`.
 */
export async function listTree(
  repository: BareRepository,
  commit: string,
  path: string,
  maxFiles: number,
): Promise<Listing | null> {
  const base = normalPath(path);
  const headers = await repository.headers();
  const root = await headers.read(`${commit}^{tree}`);
  if (root === null)
    throw gitError("RepositoryCorrupt", "the cached repository lacks the tree of a commit that it holds");
  const tree = base === "" ? root : await headers.read(`${commit}:${base}`);
  if (tree === null || tree.type !== "tree") return null;
  const folders = await repository.trees.below(tree.id, maxFiles * ENTRIES_PER_FILE);
  const entries: TreeEntry[] = [];
  const list = (id: string, prefix: string, readable: boolean): void => {
    for (const entry of folders.get(id) ?? []) {
      const path = prefix + entry.name;
      const known = readable && entry.readable;
      // A unit of UTF-16 is three bytes at most.
      const long = path.length * 3 > MAX_PATH_BYTES && Buffer.byteLength(path) > MAX_PATH_BYTES;
      const folder = entry.type === "folder";
      if (long) entries.push({ path: shortened(path), blob: entry.id, type: folder ? "too-deep" : "unreadable-name" });
      else if (folder) list(entry.id, `${path}/`, known);
      else entries.push({ path, blob: entry.id, type: known ? entry.type : "unreadable-name" });
    }
  };
  list(tree.id, base === "" ? "" : `${base}/`, true);
  return { entries };
}

/** Of a path that is too long its end is told: its beginning is that of many others. */
function shortened(path: string): string {
  return `...${printable(Buffer.from(path).subarray(-MAX_PATH_BYTES / 4))}`;
}

/** `./a//b/` → `a/b`; '' for the whole repository. */
export function normalPath(path: string): string {
  return path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}
