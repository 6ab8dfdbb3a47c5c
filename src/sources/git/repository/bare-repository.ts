import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { localEnvironment } from "./environment.ts";
import type { GitHost } from "./environment.ts";
import { localGit } from "./local-git.ts";
import type { LocalAnswer } from "./local-git.ts";
import { ObjectReader } from "./object-reader.ts";
import { KNOWS_OMITTED } from "./omitted.ts";
import { runGit } from "./process.ts";
import type { GitResult } from "./process.ts";
import { gitError } from "./transport-errors.ts";
import { TreeReader } from "./tree-reader.ts";

export type ObjectFormat = "sha1" | "sha256";

interface Opened {
  readonly format: ObjectFormat;
  /** Our reference → commit; git writes one only after it has checked that everything behind it is here. */
  readonly have: Map<string, string>;
}

export interface BareRepositoryOptions {
  readonly directory: string;
  readonly host: GitHost;
  readonly signal: AbortSignal;
}

/** References of ours: under this prefix, so that the server's names cannot collide with anything. */
export const OUR_REFS = "refs/fabric-sync/";
/** ms a local command may take; the largest tree is listed in under a second. */
const LOCAL_TIMEOUT_MS = 60_000;

/** A bare repository on this machine's disk: a cache that may be thrown away at any time. Talks to no server. */
export class BareRepository {
  readonly directory: string;
  /** Its folders. */
  readonly trees = new TreeReader(this);
  readonly #host: GitHost;
  readonly #signal: AbortSignal;
  #env: Record<string, string> = {};
  #contents: ObjectReader | null = null;
  #headers: ObjectReader | null = null;
  #opened: Promise<Opened> | null = null;

  constructor(options: BareRepositoryOptions) {
    this.directory = options.directory;
    this.#host = options.host;
    this.#signal = options.signal;
  }

  /**
   * Makes the repository where it is missing or of another object format.
   * @returns what is here: our references and their commits.
   */
  async open(format?: ObjectFormat): Promise<ReadonlyMap<string, string>> {
    this.#opened ??= this.#prepare(format).catch((error: unknown) => {
      this.#opened = null;
      throw error;
    });
    const state = await this.#opened;
    if (format === undefined || state.format === format) return state.have;
    await this.reset();
    return this.open(format);
  }

  /** Looks at references of ours that a fetch may have moved. @returns name → commit, without those that are not there. */
  async look(references: Iterable<string>): Promise<ReadonlyMap<string, string>> {
    await this.open();
    const state = await this.#opened;
    const headers = await this.headers();
    const names = [...references];
    const commits = await Promise.all(names.map((name) => headers.read(`${name}^{commit}`)));
    const seen = new Map<string, string>();
    names.forEach((name, index) => {
      const commit = commits[index];
      if (!commit) return;
      seen.set(name, commit.id);
      state?.have.set(name, commit.id);
    });
    return seen;
  }

  /** Points a reference of ours to a commit. @returns false when that commit is not here. */
  async point(reference: string, commit: string): Promise<boolean> {
    return (await this.short(["update-ref", reference, commit])).exitCode === 0;
  }

  /** Reads whole objects. */
  async contents(): Promise<ObjectReader> {
    await this.open();
    return (this.#contents ??= new ObjectReader({ directory: this.directory, env: this.#env, contents: true }));
  }

  /** Reads types and sizes. */
  async headers(): Promise<ObjectReader> {
    await this.open();
    return (this.#headers ??= new ObjectReader({ directory: this.directory, env: this.#env, contents: false }));
  }

  /** Starts the readers' processes, so that they are there when the objects are. */
  async warm(): Promise<void> {
    for (const reader of [await this.contents(), await this.headers()]) reader.warm();
  }

  /** A command that answers with a few lines. */
  async short(args: readonly string[]): Promise<LocalAnswer> {
    await this.open();
    return this.#local(args);
  }

  /** A command whose output is taken as bytes, piece by piece; `onData` ends it by false. */
  async stream(args: readonly string[], onData?: (piece: Buffer) => boolean): Promise<GitResult> {
    await this.open();
    return this.#run(args, onData);
  }

  /** Packs the objects anew. @returns false when the repository turned out to be damaged. */
  async collect(): Promise<boolean> {
    // Starts processes of its own, so it runs as a group.
    const result = await this.stream([...KNOWS_OMITTED, "gc", "--quiet", "--prune=now"]);
    // The old packs are on the disk for as long as somebody holds them open.
    for (const reader of [this.#contents, this.#headers]) reader?.retire();
    this.#contents = null;
    this.#headers = null;
    return result.exitCode === 0;
  }

  /** Removes it from the disk; the next use makes it anew. */
  async reset(): Promise<void> {
    this.close();
    this.#opened = null;
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Ends the readers. */
  close(): void {
    this.#contents?.close();
    this.#headers?.close();
    this.#contents = null;
    this.#headers = null;
  }

  async #prepare(format: ObjectFormat | undefined): Promise<Opened> {
    this.#env = { ...(await localEnvironment(this.#host)), GIT_DIR: this.directory };
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const existing = await this.#local(["rev-parse", "--is-bare-repository", "--show-object-format"]);
    const [bare, found] = existing.stdout.split("\n");
    if (existing.exitCode === 0 && bare === "true") {
      return { format: found === "sha256" ? "sha256" : "sha1", have: await this.#references() };
    }
    await this.reset();
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const made = format ?? "sha1";
    const { exitCode } = await this.#local([
      "init",
      "--quiet",
      "--bare",
      "--template=",
      `--object-format=${made}`,
      ".",
    ]);
    if (exitCode !== 0) throw gitError("GitUnavailable", "git cannot make a repository in the cache directory");
    return { format: made, have: new Map() };
  }

  async #references(): Promise<Map<string, string>> {
    const format = "--format=%(refname) %(objectname) %(*objectname)";
    const { exitCode, stdout } = await this.#local(["for-each-ref", format, OUR_REFS]);
    if (exitCode !== 0) throw gitError("RepositoryCorrupt", "the cached repository's references cannot be read");
    const references = new Map<string, string>();
    for (const line of stdout.split("\n")) {
      const [name = "", id = "", peeled = ""] = line.split(" ");
      if (name !== "") references.set(name, peeled === "" ? id : peeled);
    }
    return references;
  }

  #local(args: readonly string[]): Promise<LocalAnswer> {
    return localGit({ directory: this.directory, env: this.#env, signal: this.#signal }, args);
  }

  #run(args: readonly string[], onData?: (piece: Buffer) => boolean): Promise<GitResult> {
    return runGit({
      args,
      cwd: this.directory,
      env: this.#env,
      timeoutMs: LOCAL_TIMEOUT_MS,
      signal: this.#signal,
      ...(onData === undefined ? {} : { onData }),
    });
  }
}

/** Where the cache of a repository lies. */
export function repositoryDirectory(cacheDirectory: string, url: string, credentialsId: string): string {
  // The layout's version comes first: another layout is another directory.
  const id = createHash("sha256").update(`2\0${url}\0${credentialsId}`).digest("hex").slice(0, 32);
  return join(cacheDirectory, `${id}.git`);
}
