import { messageOf } from "../../core/errors.ts";
import type { GitStatus } from "../../core/streams.ts";
import type { FabricLabels, Heartbeat, Heartbeats, Telemetry } from "../../core/telemetry.ts";
import type { WritePath } from "../../core/vocabulary.ts";
import { Asks, retryDelay } from "./asks.ts";
import type { Ask } from "./asks.ts";
import { credentialsFromSecret } from "./repository/credentials.ts";
import { figuresOf, sourceError, StatusBoard } from "./figures.ts";
import { Ledger } from "./ledger.ts";
import type { LedgerOptions, Stored } from "./ledger.ts";
import type { ManifestParser } from "./reading/parser.ts";
import { PENDING } from "./plan.ts";
import { labelOf, revisionText } from "./repository/refs.ts";
import type { ResolvedRef } from "./repository/refs.ts";
import type { GitRepository } from "./repository/repository.ts";
import type { Subscriber } from "./repository/subscriber.ts";
import type { RepositoryPool } from "./repository/repository-pool.ts";
import type { ScopeLookup } from "./scopes.ts";
import { isCorruption, takeRevision } from "./take.ts";
import { gitError } from "./repository/transport-errors.ts";
import type { Verifier } from "./signatures/verification.ts";

export interface GitSourceOptions extends LedgerOptions {
  readonly labels: FabricLabels;
  readonly intervalMs: number;
  /** Of one exchange with the server. */
  readonly timeoutMs: number;
  readonly maxTransferBytes: number;
  /** Names the Secret, for instance `namespace/name`; '' for none. Fabrics with another one share no repository. */
  readonly credentialsId: string;
  /**
   * The Secret's decoded data as it is now; {} without a Secret. https needs none for a public repository; ssh always needs `identity`
   * and `known_hosts`, else every exchange ends with `InvalidCredentials`. See `credentials.ts` for the names.
   */
  credentials(signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
  /** Absent: what the reference points to is taken in whoever signed it. */
  readonly verifier?: Pick<Verifier, "check"> | undefined;
  readonly pool: RepositoryPool;
  readonly parser: ManifestParser;
  readonly scopes: ScopeLookup;
  readonly telemetry: Pick<Telemetry, "gitOperation">;
  readonly heartbeats: Heartbeats;
  readonly onChange: () => void;
  /** ms since the epoch; default the clock. */
  readonly now?: () => number;
  /** In [0, 1); default Math.random. */
  readonly random?: () => number;
}

/**
 * The Git side of one Fabric: a loop that asks the repository for news on the interval and when it is told to, and hands each new revision
 * to the pump, whole. Takes follow one another, so the order of pushes never reverses; asks that come while one runs share the next one.
 */
export class GitSource {
  readonly #options: GitSourceOptions;
  readonly #ledger: Ledger;
  readonly #asks = new Asks();
  readonly #subscriber: Subscriber;
  readonly #now: () => number;
  readonly #sizes = new Map<string, number>();
  readonly #board: StatusBoard;
  #signal: AbortSignal = new AbortController().signal;
  /** The commit whose tree was compared with the stored files by this process. */
  #compared = "";
  #warnings: readonly string[] = [];
  #heartbeat: Heartbeat | null = null;

  constructor(options: GitSourceOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#ledger = new Ledger(options);
    this.#board = new StatusBoard(options.onChange);
    this.#subscriber = {
      ref: options.ref,
      timeoutMs: options.timeoutMs,
      maxTransferBytes: options.maxTransferBytes,
      credentials: async () => credentialsFromSecret(await options.credentials(this.#signal)),
      onMoved: () => void this.#ask("git_poll", 0).catch(() => undefined),
      onExchange: (operation, result, durationMs) => {
        if (result === "ok") this.#board.update({ lastFetchedAt: this.#now() });
        options.telemetry.gitOperation(options.labels, operation, result, durationMs);
      },
    };
  }

  status(): GitStatus {
    return this.#board.status;
  }

  /** Somebody pushed, so a webhook says. Returns at once. */
  hint(): void {
    void this.trigger("git_webhook").catch(() => undefined);
  }

  /**
   * Asks for the newest state. Resolves when what was on the server at the time of the call is committed, or is a revision that changes
   * nothing; rejects when that failed, and the status says how.
   */
  trigger(writePath: WritePath): Promise<void> {
    return this.#ask(writePath, this.#now());
  }

  /** As {@link trigger}; rejects with `Aborted` when `signal` aborts first. */
  async sync(signal: AbortSignal, writePath: WritePath = "git_poll"): Promise<void> {
    const aborted = gitError("Aborted", "stopping");
    if (signal.aborted) throw aborted;
    const { promise, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(aborted);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([this.trigger(writePath), promise]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Postgres was away and is back: a promoted replica may lack what was confirmed, so it is asked what it holds. */
  storeInterrupted(): void {
    this.#ledger.forget();
    void this.trigger("git_poll").catch(() => undefined);
  }

  /** The cluster serves other kinds than before: documents that wait for their kind are looked at again. */
  scopesChanged(): void {
    const waits = [...(this.#ledger.known?.files.values() ?? [])].some(({ rejections }) =>
      rejections.some(({ code }) => code === PENDING),
    );
    if (!waits) return;
    this.#compared = "";
    void this.#ask("git_poll", 0).catch(() => undefined);
  }

  /** Until `signal` aborts. Lasts through every failure. */
  async run(signal: AbortSignal): Promise<void> {
    const { pool, url, credentialsId, labels, heartbeats, intervalMs, timeoutMs, random } = this.#options;
    this.#signal = signal;
    // A take asks twice at most (ls-remote and fetch), and may find the repository busy with another Fabric's exchange.
    const withinMs = intervalMs + 6 * timeoutMs + 10 * 60_000;
    const heartbeat = heartbeats.register(`git ${labels.namespace}/${labels.fabric}`, withinMs);
    this.#heartbeat = heartbeat;
    let repository: GitRepository | null = null;
    let failures = 0;
    try {
      while (!signal.aborted) {
        heartbeat.beat();
        const ask = this.#asks.next(this.#now());
        try {
          repository ??= await pool.subscribe(url, credentialsId, this.#subscriber);
          await this.#take(repository, ask);
          failures = 0;
          for (const { resolve } of ask.waiting) resolve();
        } catch (error) {
          failures += 1;
          this.#failed(error);
          for (const { reject } of ask.waiting) reject(error);
        }
        await this.#asks.sleep(failures === 0 ? intervalMs : retryDelay(failures, intervalMs, random), signal);
      }
    } finally {
      if (repository) pool.unsubscribe(repository, this.#subscriber);
      heartbeat.end();
      this.#heartbeat = null;
      this.#asks.end();
    }
  }

  #ask(writePath: WritePath, notBefore: number): Promise<void> {
    if (this.#signal.aborted) return Promise.reject(gitError("Aborted", "stopping"));
    return this.#asks.add(writePath, notBefore);
  }

  async #take(repository: GitRepository, ask: Ask): Promise<void> {
    const pushed = ask.writePath === "git_webhook";
    if (pushed) this.#options.parser.warm();
    const resolved = await repository.resolve(this.#subscriber, ask.notBefore, pushed);
    this.#heartbeat?.beat();
    const stored = await this.#readStored();
    const { position } = stored;
    const attempted = revisionText(resolved);
    const { verifier } = this.#options;
    if (verifier) {
      this.#board.update({ lastAttemptedRevision: attempted });
      await verifier.check(repository, resolved, this.#signal);
    }
    if (this.#compared === resolved.commit && position === resolved.commit) {
      this.#board.update({ lastAttemptedRevision: attempted, error: null });
      return;
    }
    this.#board.update({ lastAttemptedRevision: attempted });
    const begun = performance.now();
    let result: "ok" | "error" = "error";
    try {
      await this.#takeNew(repository, resolved, ask.writePath, stored);
      result = "ok";
    } catch (error) {
      if (isCorruption(error)) await repository.discard(messageOf(error));
      throw error;
    } finally {
      this.#options.telemetry.gitOperation(this.#options.labels, "take", result, performance.now() - begun);
    }
  }

  async #takeNew(
    repository: GitRepository,
    resolved: ResolvedRef,
    writePath: WritePath,
    { files, position }: Stored,
  ): Promise<void> {
    const { fabricId, parser, scopes, rules } = this.#options;
    const taken = await takeRevision({
      fabricId,
      repository: repository.bare,
      parser,
      scopes,
      rules,
      commit: resolved.commit,
      since: position,
      stored: files,
      writePath,
      now: this.#now(),
      sizes: this.#sizes,
    });
    this.#heartbeat?.beat();
    const nothing = taken.observations.length + taken.upserts.length + taken.removed.length === 0;
    if (!nothing || position !== resolved.commit) {
      const heartbeat = this.#heartbeat;
      await this.#ledger.commit(taken, resolved, { writePath, now: this.#now(), heartbeat });
    }
    this.#compared = resolved.commit;
    this.#warnings = taken.warnings;
    this.#board.update({ ...figuresOf(taken.files, taken.warnings), revision: revisionText(resolved), error: null });
  }

  async #readStored(): Promise<Stored> {
    const stored = await this.#ledger.read();
    if (stored.position !== "" && this.#board.status.revision === "") {
      const revision = revisionText({ label: labelOf(this.#options.ref), commit: stored.position });
      this.#board.update({ ...figuresOf(stored.files, this.#warnings), revision });
    }
    return stored;
  }

  #failed(error: unknown): void {
    if (this.#signal.aborted) return;
    const failure = sourceError(error);
    this.#options.log.warn({ code: failure.code, error: failure.message }, "no new revision was taken in");
    this.#board.update({ error: failure });
  }
}
