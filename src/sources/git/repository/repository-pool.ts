import { mkdir, readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../../core/errors.ts";
import type { Logger } from "../../../core/telemetry.ts";
import { CacheBudget } from "./cache-budget.ts";
import type { GitHost } from "./environment.ts";
import { InstallationTokens } from "./github-app.ts";
import { repositoryDirectory } from "./bare-repository.ts";
import { GitRepository } from "./repository.ts";
import type { Subscriber } from "./subscriber.ts";

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
  /** Bytes of all repositories together; default {@link MAX_CACHE_BYTES}. */
  readonly maxCacheBytes?: number;
  /** ms since the epoch, for the end of tokens; default the clock. */
  readonly now?: () => number;
}

/** Longer than a Fabric's being replaced takes. */
const UNUSED_MS = 10 * 60_000;
/** Fetches after which a repository is packed anew; each leaves a handful of loose objects. */
const FETCHES_PER_GC = 50;
/** 1 GiB: half of the volume that the shipped manifests ask for, as packing a repository anew takes its room twice. */
const MAX_CACHE_BYTES = 1_073_741_824;
/** ms after which what an earlier process left, and nobody has opened since, is removed. */
const LEFT_OVER_MS = 7 * 24 * 3_600_000;

/** One bare repository for each (URL, credentials), however many Fabrics name it. */
export class RepositoryPool {
  readonly #options: PoolOptions;
  readonly #open = new Map<string, GitRepository>();
  readonly #unused = new Map<string, NodeJS.Timeout>();
  /** Directories that an earlier process left and nobody has opened, the oldest first. */
  readonly #leftOver = new Set<string>();
  readonly #budget: CacheBudget;
  readonly #tokens: InstallationTokens;
  readonly #closing = new Set<Promise<void>>();
  #prepared: Promise<void> | null = null;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#budget = new CacheBudget(options.maxCacheBytes ?? MAX_CACHE_BYTES);
    this.#tokens = new InstallationTokens(this.#host(), options.now);
  }

  /**
   * Makes the subscriber one of the repository's users.
   * @param credentialsId names whose eyes the repository is seen with, for instance the Secret's namespace and name; '' for nobody's.
   *   Fabrics that differ in it share nothing, so that none reads through another's credentials.
   */
  async subscribe(url: string, credentialsId: string, subscriber: Subscriber): Promise<GitRepository> {
    await (this.#prepared ??= this.#prepare());
    // What is being removed is not opened again before it is gone.
    while (this.#closing.size > 0) await Promise.allSettled([...this.#closing]);
    const directory = repositoryDirectory(this.#options.cacheDirectory, url, credentialsId);
    const timer = this.#unused.get(directory);
    if (timer) clearTimeout(timer);
    this.#unused.delete(directory);
    this.#leftOver.delete(directory);
    let repository = this.#open.get(directory);
    if (!repository) {
      const { logger, fetchesPerGc = FETCHES_PER_GC } = this.#options;
      const room = {
        make: (wanted: number) => this.#makeRoom(wanted),
        measure: (changed: string) => this.#budget.measure(changed),
      };
      const tokens = this.#tokens;
      repository = new GitRepository({ url, directory, host: this.#host(), logger, fetchesPerGc, tokens, room });
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
    const evict = (): void => void this.#evict(directory).catch((error: unknown) => this.#notRemoved(directory, error));
    const timer = setTimeout(evict, this.#options.unusedMs ?? UNUSED_MS);
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

  /** Removes what nobody uses, the longest unused first, until `wanted` bytes are free or nothing is left to remove. */
  async #makeRoom(wanted: number): Promise<number> {
    for (const directory of [...this.#leftOver, ...this.#unused.keys()]) {
      if (this.#budget.remaining >= wanted) break;
      // It may be waiting for room as well.
      if (this.#open.get(directory)?.busy) continue;
      this.#options.logger.info({ directory }, "a cached repository that nobody uses is removed to make room");
      await this.#evict(directory);
    }
    return this.#budget.remaining;
  }

  async #evict(directory: string): Promise<void> {
    const timer = this.#unused.get(directory);
    if (timer) clearTimeout(timer);
    this.#unused.delete(directory);
    const wasLeft = this.#leftOver.delete(directory);
    const repository = this.#open.get(directory);
    if (repository === undefined ? !wasLeft : !repository.unused) return;
    this.#open.delete(directory);
    const closing = (async () => {
      await repository?.close();
      await rm(directory, { recursive: true, force: true });
      this.#budget.forget(directory);
    })();
    this.#closing.add(closing);
    try {
      await closing;
    } finally {
      this.#closing.delete(closing);
    }
  }

  /** It still takes its place, so it is among the first to go when room is needed. */
  #notRemoved(directory: string, error: unknown): void {
    this.#leftOver.add(directory);
    const words = "a cached repository that nobody uses could not be removed";
    this.#options.logger.warn({ directory, error: messageOf(error) }, words);
  }

  #host(): GitHost {
    const { cacheDirectory, path, httpsProxy, noProxy } = this.#options;
    return { path, directory: cacheDirectory, httpsProxy, noProxy };
  }

  /** Credentials that a killed process left, and caches that nobody has used for long, go. */
  async #prepare(): Promise<void> {
    const { cacheDirectory } = this.#options;
    await mkdir(cacheDirectory, { recursive: true, mode: 0o700 });
    const left: { readonly place: string; readonly usedAt: number }[] = [];
    for (const name of await readdir(cacheDirectory)) {
      const place = join(cacheDirectory, name);
      if (name.startsWith("credentials-")) await rm(place, { recursive: true, force: true });
      if (!name.endsWith(".git")) continue;
      const usedAt = (await stat(place)).mtimeMs;
      if (usedAt < Date.now() - LEFT_OVER_MS) await rm(place, { recursive: true, force: true });
      else left.push({ place, usedAt });
    }
    for (const { place } of left.sort((a, b) => a.usedAt - b.usedAt)) {
      this.#leftOver.add(place);
      await this.#budget.measure(place);
    }
  }
}
