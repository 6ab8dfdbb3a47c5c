import { mkdir, readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../../core/telemetry.ts";
import type { GitHost } from "./environment.ts";
import { repositoryDirectory } from "./bare-repository.ts";
import { GitRepository } from "./repository.ts";
import type { Subscriber } from "./repository.ts";

export interface PoolOptions {
  /** Belongs to this process alone; may be lost at any time. */
  readonly cacheDirectory: string;
  /** PATH on which git, ssh and sh are found. */
  readonly path: string;
  readonly httpsProxy: string;
  readonly noProxy: string;
  readonly logger: Logger;
  /** ms after which a cache that no Fabric names any more is removed; default {@link UNUSED_MS}. */
  readonly unusedMs?: number;
  /** Default {@link FETCHES_PER_GC}. */
  readonly fetchesPerGc?: number;
}

/** Longer than a Fabric's being replaced takes. */
const UNUSED_MS = 10 * 60_000;
/** Fetches after which a repository is packed anew; each leaves a handful of loose objects. */
const FETCHES_PER_GC = 50;
/** ms after which what an earlier process left, and nobody has opened since, is removed. */
const LEFT_OVER_MS = 7 * 24 * 3_600_000;

/** One bare repository for each (URL, credentials), however many Fabrics name it. */
export class RepositoryPool {
  readonly #options: PoolOptions;
  readonly #open = new Map<string, GitRepository>();
  readonly #unused = new Map<string, NodeJS.Timeout>();
  readonly #closing = new Set<Promise<void>>();
  #prepared: Promise<void> | null = null;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * Makes the subscriber one of the repository's users.
   * @param credentialsId names whose eyes the repository is seen with, for instance the Secret's namespace and name; '' for nobody's.
   *   Fabrics that differ in it share nothing, so that none reads through another's credentials.
   */
  async subscribe(url: string, credentialsId: string, subscriber: Subscriber): Promise<GitRepository> {
    await (this.#prepared ??= this.#prepare());
    const directory = repositoryDirectory(this.#options.cacheDirectory, url, credentialsId);
    const timer = this.#unused.get(directory);
    if (timer) clearTimeout(timer);
    this.#unused.delete(directory);
    let repository = this.#open.get(directory);
    if (!repository) {
      const { logger, fetchesPerGc = FETCHES_PER_GC } = this.#options;
      repository = new GitRepository({ url, directory, host: this.#host(), logger, fetchesPerGc });
      this.#open.set(directory, repository);
    }
    repository.subscribe(subscriber);
    const now = new Date();
    await utimes(directory, now, now).catch(() => undefined);
    return repository;
  }

  /** The cache of a repository that nobody names any more is removed after a while. */
  unsubscribe(repository: GitRepository, subscriber: Subscriber): void {
    repository.unsubscribe(subscriber);
    const { directory } = repository.bare;
    if (!repository.unused || this.#open.get(directory) !== repository || this.#unused.has(directory)) return;
    const timer = setTimeout(() => {
      this.#unused.delete(directory);
      if (!repository.unused) return;
      this.#open.delete(directory);
      const closing = repository.close().then(() => rm(directory, { recursive: true, force: true }));
      this.#closing.add(closing);
      closing.catch(() => undefined).finally(() => this.#closing.delete(closing));
    }, this.#options.unusedMs ?? UNUSED_MS);
    timer.unref();
    this.#unused.set(directory, timer);
  }

  /** Ends all git processes. Caches stay on disk for the next start. */
  async close(): Promise<void> {
    for (const timer of this.#unused.values()) clearTimeout(timer);
    this.#unused.clear();
    const open = [...this.#open.values()];
    this.#open.clear();
    await Promise.allSettled([...open.map((repository) => repository.close()), ...this.#closing]);
  }

  #host(): GitHost {
    const { cacheDirectory, path, httpsProxy, noProxy } = this.#options;
    return { path, directory: cacheDirectory, httpsProxy, noProxy };
  }

  /** Credentials that a killed process left, and caches that nobody has used for long, go. */
  async #prepare(): Promise<void> {
    const { cacheDirectory } = this.#options;
    await mkdir(cacheDirectory, { recursive: true, mode: 0o700 });
    for (const name of await readdir(cacheDirectory)) {
      const place = join(cacheDirectory, name);
      if (name.startsWith("credentials-")) await rm(place, { recursive: true, force: true });
      else if (name.endsWith(".git") && (await stat(place)).mtimeMs < Date.now() - LEFT_OVER_MS) {
        await rm(place, { recursive: true, force: true });
      }
    }
  }
}
