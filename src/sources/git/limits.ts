/** `spec.git.limits`: checked before memory is spent. */
export interface GitLimits {
  readonly maxFiles: number;
  readonly maxFileBytes: number;
  readonly maxTotalBytes: number;
  readonly maxDocuments: number;
}

/** Levels of nesting in one document. The API server refuses 10,000; no kind that we know of passes 30. */
export const MAX_DEPTH = 200;
/**
 * Values, marks, comments and line breaks that one document may have that only the library can read; of long ones each 32 characters count as one more,
 * and of texts over several lines each 16 of those. It takes 2 to 3 µs for each, twice that in a thread that has just begun: what it refuses in the end has
 * cost less than a quarter of a second.
 * A line `name: value` has four, a CustomResourceDefinition of 140 KB 9,000 and some 2,000 for its texts.
 */
export const MAX_LEXEMES = 40_000;
/** Characters of such a document, whatever they are: with more of them it has too many of the above. */
export const MAX_LIBRARY_CHARACTERS = 2_000_000;
/**
 * Values of one object of plain YAML or JSON, which take 1 to 2 µs each: all that 1.5 MB, the most that etcd takes of an object, has room for at 15 bytes
 * each. The items of a list are objects of their own.
 */
export const MAX_OBJECT_VALUES = 100_000;
/** Values that aliases (`*name`) may add to one document: a bomb doubles at each level, a manifest repeats a few labels. */
export const MAX_ALIASED_VALUES = 50_000;
/** Bytes of text that aliases may add to one document; an object in etcd has 1.5 MB at most. */
export const MAX_ALIASED_BYTES = 4 * 1024 * 1024;
/** ms that one file may take to parse, before its worker is ended. 1 MiB takes about 0.3 s. */
export const PARSE_DEADLINE_MS = 5_000;
/** Bytes of a path: what Linux allows, and more than a column should index. */
export const MAX_PATH_BYTES = 1_024;
/** Bytes of one folder's list of names, 40 to 100 a name; a folder with more is refused without being read. */
export const MAX_FOLDER_BYTES = 16 * 1024 * 1024;
/** Entries of the tree that are looked at for each file that may be read: pictures and programs beside the manifests are cheap, not free. */
export const ENTRIES_PER_FILE = 20;
/** Bytes of one `.fabricsyncignore`. */
export const MAX_IGNORE_BYTES = 64 * 1024;
/** `.fabricsyncignore` files of one tree. */
export const MAX_IGNORE_FILES = 256;
