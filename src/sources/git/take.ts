import { FabricSyncError } from "../../core/errors.ts";
import type { Observation } from "../../core/observation.ts";
import type { DeclaredKey, FileRejection, GitFile } from "../../core/ports.ts";
import type { WritePath } from "../../core/vocabulary.ts";
import { lastChanges } from "./blame.ts";
import type { Change, Changes } from "./blame.ts";
import { Declarer } from "./declare.ts";
import { definedScopes, readFiles, scopeFile } from "./file-reader.ts";
import type { RawFile } from "./file-reader.ts";
import { ManifestTexts } from "./manifest-texts.ts";
import { MAX_IGNORE_BYTES, MAX_IGNORE_FILES } from "./limits.ts";
import type { ManifestParser } from "./reading/parser.ts";
import { blobsRead, OMITTED } from "./repository/omitted.ts";
import { DUPLICATE, PENDING } from "./plan.ts";
import type { Plan, ReadFile } from "./plan.ts";
import { planRevision } from "./plan-changes.ts";
import type { BareRepository } from "./repository/bare-repository.ts";
import type { Scope, ScopeLookup } from "./scopes.ts";
import { checkDocuments, checkEmptying, checkTotals } from "./take-rules.ts";
import type { TakeRules } from "./take-rules.ts";
import { ignoreFiles, selectFiles } from "./selection.ts";
import type { Selection } from "./selection.ts";
import { gitError } from "./repository/transport-errors.ts";
import { listTree } from "./tree.ts";
import { inTurns, turn } from "./turns.ts";
import type { TreeEntry } from "./tree.ts";

export interface TakeInput {
  readonly fabricId: string;
  readonly repository: BareRepository;
  readonly parser: ManifestParser;
  readonly scopes: ScopeLookup;
  readonly rules: TakeRules;
  readonly commit: string;
  /** The commit that was taken in before, '' for none under these rules: then everything is read. */
  readonly since: string;
  readonly stored: ReadonlyMap<string, GitFile>;
  readonly writePath: WritePath;
  readonly now: number;
  /** Sizes of blobs, remembered between takes: a blob's size never changes. Pruned to the tree's. */
  readonly sizes: Map<string, number>;
}

export interface Taken {
  readonly observations: readonly Observation[];
  readonly files: ReadonlyMap<string, GitFile>;
  readonly upserts: readonly GitFile[];
  readonly removed: readonly string[];
  readonly warnings: readonly string[];
  /** For the run record: documents read and objects retired = observations + unmoved + rejected. */
  readonly documents: number;
  /** Read again and found where they were. */
  readonly unmoved: number;
  readonly rejected: number;
}

/** Manifests normalised before the event loop gets its turn: some 5 ms. */
const SLICE = 64;
/** Files whose kinds are looked up before it gets its turn: a millisecond or two. */
const FILES_A_TURN = 1_000;
/** Blobs whose sizes are asked for at once. */
const SIZES_AT_ONCE = 2_000;

/**
 * Reads one revision as far as it differs from what is stored. Nothing is written; the caller commits what this gives. What is needed on the way
 * ends with each step: of a large revision there is never more in memory than one of them.
 * @throws FabricSyncError `LimitExceeded`, `EmptyingRefused`, `PathNotFound` (all stall: the rows stay), `RepositoryCorrupt`, `Timeout`.
 */
export async function takeRevision(input: TakeInput): Promise<Taken> {
  const texts = new ManifestTexts();
  const { plan, changes, warnings, counts } = await planTake(input, texts);
  const { files, upserts, removed } = plan;
  return { observations: await observe(input, plan, changes, texts), files, upserts, removed, warnings, ...counts };
}

interface Planned {
  readonly plan: Plan<number>;
  /** Null when nothing changed. */
  readonly changes: Changes | null;
  readonly warnings: readonly string[];
  readonly counts: Pick<Taken, "documents" | "unmoved" | "rejected">;
}

async function planTake(input: TakeInput, texts: ManifestTexts): Promise<Planned> {
  const { repository, rules, commit, stored } = input;
  const listing = await listTree(repository, commit, rules.path, rules.limits.maxFiles);
  const { entries, warnings } = await select(input, listing?.entries ?? []);
  const sizes = await sizesOf(input, entries);
  checkTotals(entries, sizes, rules.limits);

  const changed = entries.filter((entry) => mustRead(entry, input));
  const present = new Set(entries.map(({ path }) => path));
  const gone = [...stored.keys()].filter((path) => !present.has(path));
  const [raw, changes] = await Promise.all([
    readFiles(changed, sizes, { repository, parser: input.parser, limits: rules.limits, texts }),
    changed.length + gone.length === 0
      ? null
      : lastChanges(repository, commit, input.since, [...changed.map(({ path }) => path), ...gone]),
  ]);
  const read = await scopeFiles(input, raw, await scopesDefined(input, entries, raw, sizes, texts));
  const plan = await inTurns(planRevision({ stored, tree: entries, read, redeclare: input.since === "" }));
  checkDocuments(plan, rules.limits);
  checkEmptying(plan, listing !== null, rules);
  return { plan, changes, warnings, counts: countsOf(plan, read) };
}

async function scopeFiles(
  { stored, rules, scopes }: TakeInput,
  raw: Map<string, RawFile>,
  defined: ReadonlyMap<string, Scope>,
): Promise<Map<string, ReadFile<number>>> {
  const read = new Map<string, ReadFile<number>>();
  for (const [path, file] of raw) {
    const declaredBefore = (stored.get(path)?.keys.length ?? 0) > 0;
    const { defaultNamespace } = rules;
    read.set(path, scopeFile(file, { cluster: scopes, defined, defaultNamespace, declaredBefore }));
    raw.delete(path);
    if (read.size % FILES_A_TURN === 0) await turn();
  }
  return read;
}

/** What the database is told: what is declared, and what is no longer. */
async function observe(
  { fabricId, writePath, now, commit }: TakeInput,
  plan: Plan<number>,
  changes: Changes | null,
  texts: ManifestTexts,
): Promise<Observation[]> {
  const observations: Observation[] = [];
  const declarer = new Declarer({ fabricId, writePath, observedAt: now, texts });
  let slice = 0;
  const nobody: Change = { commit, author: "", authoredAt: "" };
  for (const { path, blob, declared } of plan.declare) {
    const change = changes?.of(path) ?? nobody;
    const { key, manifest: text } = declared;
    observations.push(declarer.declare({ key, filePath: path, fileHash: blob, change, text }));
    if ((slice += 1) % SLICE === 0) await turn();
  }
  for (const { key, path } of plan.retire) {
    const known = changes?.of(path);
    const { commit: lastCommit, author } = known?.author ? known : (changes?.head ?? nobody);
    const reason = plan.files.has(path) ? `${path} no longer declares it` : `${path} is no longer read`;
    observations.push({
      side: "desired",
      type: "delete",
      key: objectKey(fabricId, key),
      writePath,
      observedAt: now,
      commit: lastCommit,
      author,
      reason,
    });
  }
  return observations;
}

function objectKey(fabricId: string, { apiGroup, kind, namespace, name }: DeclaredKey) {
  return { fabricId, apiGroup, kind, namespace, name };
}

/** A file is read when its blob is new; and when a place elsewhere, or the cluster, may have changed what one of its documents means. */
function mustRead(entry: TreeEntry, { stored, since }: TakeInput): boolean {
  const known = stored.get(entry.path);
  if (since === "" || known === undefined || known.blob !== entry.blob) return true;
  return known.rejections.some(({ code }) => code === DUPLICATE || code === PENDING);
}

async function select(input: TakeInput, entries: readonly TreeEntry[]): Promise<Selection> {
  const ignores = ignoreFiles(entries);
  if (ignores.length > MAX_IGNORE_FILES) {
    throw gitError("LimitExceeded", `more than ${MAX_IGNORE_FILES} .fabricsyncignore files`);
  }
  const texts = new Map<string, string>();
  for (const { path, blob } of ignores) {
    const header = await (await input.repository.headers()).read(blob);
    if (header === null || header.size > MAX_IGNORE_BYTES)
      throw gitError("LimitExceeded", `${path} is larger than ${MAX_IGNORE_BYTES} bytes`);
    const object = await (await input.repository.contents()).read(blob);
    if (object === null) throw gitError("RepositoryCorrupt", "the cached repository lacks a file that its tree names");
    texts.set(path, object.content.toString("utf8"));
  }
  return selectFiles(entries, input.rules, texts);
}

async function sizesOf(input: TakeInput, entries: readonly TreeEntry[]): Promise<Map<string, number>> {
  const { sizes } = input;
  const headers = await input.repository.headers();
  const files = entries.filter(({ type }) => type === "file");
  const unknown = [...new Set(files.map(({ blob }) => blob).filter((blob) => !sizes.has(blob)))];
  for (let from = 0; from < unknown.length; from += SIZES_AT_ONCE) {
    const some = unknown.slice(from, from + SIZES_AT_ONCE);
    const found = await Promise.all(some.map((blob) => headers.read(blob)));
    const wasRead = found.includes(null) ? blobsRead(input.stored) : new Set<string>();
    some.forEach((blob, index) => {
      // What is not here was left out by the server, unless it was here before.
      const size = found[index]?.size ?? OMITTED;
      if (size === OMITTED && wasRead.has(blob))
        throw gitError("RepositoryCorrupt", "the cached repository lacks a file that its tree names");
      sizes.set(blob, size);
    });
  }
  const current = new Set(files.map(({ blob }) => blob));
  for (const blob of sizes.keys()) if (!current.has(blob)) sizes.delete(blob);
  return sizes;
}

/** CustomResourceDefinitions of files that did not change are asked as well, but only when somebody waits for an answer. */
async function scopesDefined(
  input: TakeInput,
  entries: readonly TreeEntry[],
  raw: ReadonlyMap<string, RawFile>,
  sizes: ReadonlyMap<string, number>,
  texts: ManifestTexts,
): Promise<Map<string, Scope>> {
  const defining = entries.filter(
    ({ path }) =>
      !raw.has(path) && input.stored.get(path)?.keys.some(({ kind }) => kind === "CustomResourceDefinition"),
  );
  if (raw.size === 0 || defining.length === 0) return definedScopes(raw.values(), texts);
  const options = { repository: input.repository, parser: input.parser, limits: input.rules.limits, texts };
  const others = await readFiles(defining, sizes, options);
  return definedScopes([...others.values(), ...raw.values()], texts);
}

function countsOf(
  plan: Plan<number>,
  read: ReadonlyMap<string, ReadFile<number>>,
): Pick<Taken, "documents" | "unmoved" | "rejected"> {
  let documents = plan.retire.length;
  let rejected = 0;
  let declared = 0;
  for (const [path, file] of read) {
    documents += file.declared.length + file.rejections.length;
    const record = plan.files.get(path);
    rejected += record?.rejections.length ?? 0;
    declared += record?.keys.filter(({ line }) => line > 0).length ?? 0;
  }
  return { documents, rejected, unmoved: declared - plan.declare.length };
}

/** A rejection as one line for a person. */
export function rejectionLine(path: string, { line, column, message }: FileRejection): string {
  return `${path}:${line}:${column} ${message}`;
}

/** Whether an error means that the cache cannot be trusted. */
export function isCorruption(error: unknown): boolean {
  return error instanceof FabricSyncError && error.code === "RepositoryCorrupt";
}
