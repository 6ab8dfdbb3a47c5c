import { ENTRIES_PER_FILE, MAX_PATH_BYTES } from "./limits.ts";
import type { BareRepository } from "./bare-repository.ts";
import { gitError } from "./transport-errors.ts";

/** What an entry of a tree is; only regular files are ever read. */
export type EntryType = "file" | "symlink" | "submodule" | "unreadable-name";

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
  const folder = normalPath(path);
  const headers = await repository.headers();
  const root = await headers.read(`${commit}^{tree}`);
  if (root === null)
    throw gitError("RepositoryCorrupt", "the cached repository lacks the tree of a commit that it holds");
  const tree = folder === "" ? root : await headers.read(`${commit}:${folder}`);
  if (tree === null || tree.type !== "tree") return null;

  const maxEntries = maxFiles * ENTRIES_PER_FILE;
  const entries: TreeEntry[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let tooMany = false;
  const result = await repository.stream(["ls-tree", "-r", "-z", "--full-tree", tree.id], (piece) => {
    const data = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let start = 0;
    for (let end = data.indexOf(0, start); end >= 0; end = data.indexOf(0, start)) {
      const entry = parseEntry(data.subarray(start, end), folder);
      if (entry) entries.push(entry);
      start = end + 1;
    }
    rest = data.subarray(start);
    tooMany = entries.length > maxEntries;
    return !tooMany;
  });
  if (tooMany)
    throw gitError(
      "LimitExceeded",
      `more than ${maxEntries} entries below ${path} (limits.maxFiles × ${ENTRIES_PER_FILE})`,
    );
  if (result.exitCode !== 0)
    throw gitError("RepositoryCorrupt", "the cached repository cannot list a tree that it holds");
  return { entries };
}

/** `./a//b/` → `a/b`; '' for the whole repository. */
export function normalPath(path: string): string {
  return path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

const FATAL_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** `<mode> SP <type> SP <id> TAB <name>`, see git-ls-tree(1). */
function parseEntry(line: Buffer, folder: string): TreeEntry | null {
  const tab = line.indexOf(0x09);
  const match = /^(\d{6}) (\w+) ([0-9a-f]+)$/.exec(line.toString("latin1", 0, tab));
  if (!match) return null;
  const [, mode = "", , blob = ""] = match;
  const name = line.subarray(tab + 1);
  const text = decodeName(name);
  const prefix = folder === "" ? "" : `${folder}/`;
  if (text === null || Buffer.byteLength(prefix) + name.length > MAX_PATH_BYTES) {
    return { path: prefix + printable(name), blob, type: "unreadable-name" };
  }
  return { path: prefix + text, blob, type: typeOf(mode) };
}

function typeOf(mode: string): EntryType {
  if (mode === "120000") return "symlink";
  return mode === "160000" ? "submodule" : "file";
}

/** null for what would be misread in a log, a terminal or a column: invalid UTF-8 and control characters. */
function decodeName(name: Buffer): string | null {
  let text: string;
  try {
    text = FATAL_UTF8.decode(name);
  } catch {
    return null;
  }
  return /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(text) ? null : text;
}

function printable(name: Buffer): string {
  let text = "";
  for (const byte of name.subarray(0, MAX_PATH_BYTES / 4)) {
    text +=
      byte >= 0x20 && byte < 0x7f && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return text;
}
