import { describeKey } from "../../core/identity.ts";
import type { DeclaredKey, FileRejection, GitFile } from "../../core/ports.ts";

/** A file of the revision that was read, because it is new, changed, or must be looked at again. */
export interface ReadFile<T> {
  readonly declared: readonly Declared<T>[];
  readonly rejections: readonly FileRejection[];
  /** Whether its text may speak of an object called `name`: asked of files that cannot be read in full. */
  mentions(name: string): boolean;
}

/** One document that can be a row. `manifest` is handed through. */
export interface Declared<T> {
  readonly key: DeclaredKey;
  readonly column: number;
  readonly manifest: T;
}

export interface PlanInput<T> {
  /** What was known of each file at the revision taken in before. */
  readonly stored: ReadonlyMap<string, GitFile>;
  /** The files of the new revision. */
  readonly tree: readonly { readonly path: string; readonly blob: string }[];
  readonly read: ReadonlyMap<string, ReadFile<T>>;
  /** Declare again whatever was read, also where neither place nor content moved: the revision comes from elsewhere. */
  readonly redeclare: boolean;
}

export interface Plan<T> {
  readonly declare: readonly { readonly path: string; readonly blob: string; readonly declared: Declared<T> }[];
  readonly retire: readonly { readonly key: DeclaredKey; readonly path: string }[];
  readonly upserts: readonly GitFile[];
  readonly removed: readonly string[];
  /** All files as they will be known. */
  readonly files: ReadonlyMap<string, GitFile>;
  /** Keys that Git declared before, the kept ones included. */
  readonly declaredBefore: number;
}

/** A document whose key another place declares as well. Such a file is read in full, and read again at each revision. */
export const DUPLICATE = "DuplicateKey";
/** A document of a kind that nobody serves or defines yet: its namespace cannot be known. Pending, not wrong. */
export const PENDING = "KindNotServed";

/** Files between two pauses: some milliseconds. */
const SLICE = 256;

/** Whether everything in a file was understood: only then does what it does not declare mean something (invariant 10). */
export function isComplete(rejections: readonly FileRejection[]): boolean {
  return rejections.every(({ code }) => code === DUPLICATE);
}

/** A key that a file declared before one of its parts became unreadable has line 0: it is kept, and is no document. */
export function isKept(key: DeclaredKey): boolean {
  return key.line === 0;
}

/**
 * What must be written to go from the stored revision to the new one. Pure.
 * Makes a pause after each {@link SLICE} files: tens of thousands of them take a second.
 *
 * - An object belongs to the first place that declares it, by path and then line; every other place is a `DuplicateKey` rejection that
 *   names both, and takes over when the first goes.
 * - A key is retired when no place declares it any more, unless a file that cannot be read in full declared it before, or such a file is
 *   new or changed and its text holds the object's name (a move and a mistake in one push).
 * - documents of a file = its keys with a line + its rejections (invariant 11).
 */
export function* planInFull<T>(input: PlanInput<T>): Generator<void, Plan<T>> {
  const owners = yield* claim(input);
  const before = ownersOf(input.stored);
  yield;
  const files = new Map<string, GitFile>();
  for (const { path, blob } of input.tree) {
    files.set(path, fileRecord(path, blob, input, owners));
    if (files.size % SLICE === 0) yield;
  }
  const retire = retirements(before, owners, files, input);
  yield;

  const declare: { path: string; blob: string; declared: Declared<T> }[] = [];
  for (const [id, { path, blob, declared }] of owners) {
    if (!declared) continue;
    const old = before.get(id);
    const moved = !old || old.path !== path || old.blob !== blob || old.key.line !== declared.key.line;
    if (moved || input.redeclare) declare.push({ path, blob, declared });
  }
  return {
    declare,
    retire,
    upserts: [...files.values()].filter((file) => !sameFile(file, input.stored.get(file.path))),
    removed: [...input.stored.keys()].filter((path) => !files.has(path)),
    files,
    declaredBefore: before.size,
  };
}

interface Owner<T> {
  readonly path: string;
  readonly blob: string;
  readonly key: DeclaredKey;
  /** Absent when the file was not read: nothing about the object changed. */
  readonly declared: Declared<T> | null;
}

/** First come, first served, in the order of paths and lines. */
function* claim<T>({ tree, read, stored }: PlanInput<T>): Generator<void, Map<string, Owner<T>>> {
  const owners = new Map<string, Owner<T>>();
  const ordered = [...tree].sort((a, b) => compareText(a.path, b.path));
  yield;
  for (const [index, { path, blob }] of ordered.entries()) {
    if (index % SLICE === SLICE - 1) yield;
    const file = read.get(path);
    if (file) {
      for (const declared of file.declared) {
        const id = keyId(declared.key);
        if (!owners.has(id)) owners.set(id, { path, blob, key: declared.key, declared });
      }
      continue;
    }
    for (const key of stored.get(path)?.keys ?? []) {
      const id = keyId(key);
      if (!isKept(key) && !owners.has(id)) owners.set(id, { path, blob, key, declared: null });
    }
  }
  return owners;
}

interface Before {
  readonly path: string;
  readonly blob: string;
  readonly key: DeclaredKey;
}

function ownersOf(stored: ReadonlyMap<string, GitFile>): Map<string, Before> {
  const before = new Map<string, Before>();
  for (const { path, blob, keys } of stored.values()) {
    for (const key of keys) {
      const id = keyId(key);
      if (!isKept(key) || !before.has(id)) before.set(id, { path, blob, key });
    }
  }
  return before;
}

function fileRecord<T>(
  path: string,
  blob: string,
  { stored, read }: PlanInput<T>,
  owners: ReadonlyMap<string, Owner<T>>,
): GitFile {
  const old = stored.get(path);
  const file = read.get(path);
  const candidates = file
    ? file.declared.map(({ key, column }) => ({ key, column }))
    : (old?.keys ?? []).filter((key) => !isKept(key)).map((key) => ({ key, column: 1 }));
  const refused = file ? file.rejections : (old?.rejections ?? NONE);
  const duplicates: FileRejection[] = [];
  const own = candidates.filter(({ key, column }) => {
    const owner = owners.get(keyId(key));
    if (owner && owner.path === path && owner.key === key) return true;
    if (owner) duplicates.push(duplicate(key, column, path, owner));
    return false;
  });
  // A list that was pushed to has room for sixteen more: of tens of thousands of files that is felt.
  let keys = own.map(({ key }) => key);
  const rejections =
    refused.length + duplicates.length === 0
      ? NONE
      : [...refused, ...duplicates].sort((a, b) => a.line - b.line || a.column - b.column);
  const parsed = isComplete(rejections);
  if (!parsed) {
    const declared = new Set(candidates.map(({ key }) => keyId(key)));
    const kept = (old?.keys ?? []).filter((key) => !declared.has(keyId(key)));
    keys = [...keys, ...kept.map((key) => ({ ...key, line: 0 }))];
  }
  return {
    path,
    blob,
    documents: candidates.length + refused.length,
    keys,
    rejections,
    parsed,
  };
}

const NONE: readonly FileRejection[] = [];

function duplicate(
  key: DeclaredKey,
  column: number,
  path: string,
  owner: { path: string; key: DeclaredKey },
): FileRejection {
  const message = `${describeKey(key)} is declared at ${owner.path}:${owner.key.line} and again at ${path}:${key.line}; the first one counts`;
  return { line: key.line, column, code: DUPLICATE, message };
}

/** Also keeps, in the records of `files`, what must not be retired yet. */
function retirements<T>(
  before: ReadonlyMap<string, Before>,
  owners: ReadonlyMap<string, Owner<T>>,
  files: Map<string, GitFile>,
  { read }: PlanInput<T>,
): { key: DeclaredKey; path: string }[] {
  const kept = new Set<string>();
  for (const { keys } of files.values()) for (const key of keys) if (isKept(key)) kept.add(keyId(key));
  const unreadable = [...read].filter(([path]) => files.get(path)?.parsed === false);
  const retire: { key: DeclaredKey; path: string }[] = [];
  for (const [id, { key, path }] of before) {
    if (owners.has(id) || kept.has(id)) continue;
    const keeper = unreadable.find(([, file]) => file.mentions(key.name));
    const record = keeper && files.get(keeper[0]);
    if (record) files.set(record.path, { ...record, keys: [...record.keys, { ...key, line: 0 }] });
    else retire.push({ key, path });
  }
  return retire;
}

export function keyId(key: DeclaredKey): string {
  return `${key.apiGroup}\0${key.kind}\0${key.namespace}\0${key.name}`;
}

function sameFile(a: GitFile, b: GitFile | undefined): boolean {
  return b !== undefined && (a === b || canonical(a) === canonical(b));
}

/** Field by field: what comes back from the database may have its fields in another order. */
function canonical({ path, blob, documents, keys, rejections, parsed }: GitFile): string {
  return JSON.stringify([
    path,
    blob,
    documents,
    parsed,
    keys.map(({ apiGroup, kind, namespace, name, line }) => [apiGroup, kind, namespace, name, line]),
    rejections.map(({ line, column, code, message }) => [line, column, code, message]),
  ]);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
