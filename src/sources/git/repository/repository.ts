import { FabricSyncError } from "../../../core/errors.ts";
import type { Logger } from "../../../core/telemetry.ts";
import { BareRepository } from "./bare-repository.ts";
import type { GitHost } from "./environment.ts";
import { Fetcher, measured } from "./fetcher.ts";
import type { Answer, MeasuredExchange } from "./fetcher.ts";
import { describeRef, remotePatterns, resolveRef } from "./refs.ts";
import type { RemoteRefs, ResolvedRef } from "./refs.ts";
import type { InstallationTokens } from "./github-app.ts";
import type { CacheRoom, Subscriber } from "./subscriber.ts";
import { cacheFull, listRemote } from "./transport.ts";
import { gitError } from "./transport-errors.ts";

/** A round of questions: one `ls-remote` and at most one fetch for everybody who subscribes. */
interface Round {
  readonly startedAt: number;
  readonly answers: ReadonlyMap<Subscriber, Answer>;
}

/** ms in which questions that come together are gathered: a push reaches many Fabrics as many webhooks. */
const GATHER_MS = 5;

/**
 * A cache of one URL as seen with one set of credentials, shared by all Fabrics that name both. Exchanges are made one after another;
 * whoever asks while one is waiting to start shares it.
 */
export class GitRepository {
  readonly url: string;
  /** What is on disk. */
  readonly bare: BareRepository;
  readonly host: GitHost;
  readonly #logger: Logger;
  readonly #fetcher: Fetcher;
  readonly #fetchesPerGc: number;
  readonly #tokens: InstallationTokens;
  readonly #room: CacheRoom;
  readonly #stop = new AbortController();
  readonly #subscribers = new Set<Subscriber>();
  readonly #asking = new Set<Subscriber>();
  readonly #lastSeen = new WeakMap<Subscriber, string>();
  #last: Round | null = null;
  #next: Promise<Round> | null = null;
  #queued = 0;
  #tail: Promise<unknown> = Promise.resolve();
  /** Somebody who waits for the next round was told of a push. */
  #pushed = false;
  /** The server told us to come back later: until then (ms since the epoch) this is the answer. */
  #held: { readonly until: number; readonly error: FabricSyncError } | null = null;

  constructor(options: {
    url: string;
    directory: string;
    host: GitHost;
    logger: Logger;
    /** Fetches after which the objects are packed anew. */
    fetchesPerGc: number;
    tokens: InstallationTokens;
    room: CacheRoom;
  }) {
    this.url = options.url;
    this.host = options.host;
    this.#logger = options.logger;
    this.#fetchesPerGc = options.fetchesPerGc;
    this.#tokens = options.tokens;
    this.#room = options.room;
    const { directory, host } = options;
    this.bare = new BareRepository({ directory, host, signal: this.#stop.signal });
    this.#fetcher = new Fetcher(this.bare, host, (reason) => this.discard(reason));
  }

  /** An exchange, or packing anew, is under way or waits for its turn. */
  get busy(): boolean {
    return this.#queued > 0;
  }

  get unused(): boolean {
    return this.#subscribers.size === 0;
  }

  subscribe(subscriber: Subscriber): void {
    this.#subscribers.add(subscriber);
  }

  unsubscribe(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
  }

  /**
   * The commit that the subscriber's reference points to, its objects fetched. An answer whose question to the server began at or after
   * `notBefore` (ms since the epoch) is shared. `pushed`: somebody says that there is something new, so it is fetched at once.
   * @throws FabricSyncError see `transport-errors.ts`.
   */
  async resolve(subscriber: Subscriber, notBefore: number, pushed = false): Promise<ResolvedRef> {
    this.#asking.add(subscriber);
    try {
      return await this.#resolve(subscriber, notBefore, pushed);
    } finally {
      this.#asking.delete(subscriber);
    }
  }

  async #resolve(subscriber: Subscriber, notBefore: number, pushed: boolean): Promise<ResolvedRef> {
    for (;;) {
      const known = this.#last;
      const shared = known && known.startedAt >= notBefore ? known.answers.get(subscriber) : undefined;
      if (shared === undefined && pushed) this.#pushed = true;
      const answer = shared ?? (await this.#round()).answers.get(subscriber);
      // Not there: it subscribed after the round had begun.
      if (answer === undefined) {
        if (!this.#subscribers.has(subscriber)) throw gitError("Aborted", "no longer subscribed");
        continue;
      }
      if (answer instanceof FabricSyncError) throw answer;
      return answer;
    }
  }

  /** Throws the cache away; the next question fetches it again. Rows are not touched by that. */
  async discard(reason: string): Promise<void> {
    this.#logger.warn({ reason }, "the cached repository is thrown away and will be fetched again");
    this.#last = null;
    await this.bare.reset();
    await this.#room.measure(this.bare.directory);
  }

  /** Ends running commands and waits for them. The cache stays on disk. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.bare.close();
    await this.#tail.catch(() => undefined);
    this.bare.close();
  }

  /** The round that has not begun yet; makes one when there is none. */
  #round(): Promise<Round> {
    this.#next ??= this.#serial(async () => {
      await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
      this.#next = null;
      const pushed = this.#pushed;
      this.#pushed = false;
      return this.#exchange(pushed);
    });
    return this.#next;
  }

  #serial<T>(work: () => Promise<T>): Promise<T> {
    this.#queued += 1;
    const result = this.#tail.then(work, work).finally(() => (this.#queued -= 1));
    this.#tail = result.catch(() => undefined);
    return result;
  }

  async #exchange(pushed: boolean): Promise<Round> {
    const startedAt = Date.now();
    const subscribers = [...this.#subscribers];
    const asker = subscribers.find((subscriber) => this.#asking.has(subscriber)) ?? subscribers[0];
    if (asker === undefined) return { startedAt, answers: new Map() };
    const failed = (failure: FabricSyncError): Round => ({
      startedAt,
      answers: new Map(subscribers.map((subscriber) => [subscriber, failure])),
    });
    if (this.#held && startedAt < this.#held.until) return failed(this.#held.error);
    this.#held = null;
    const fetchedBefore = this.#fetcher.count;
    try {
      const timeoutMs = Math.max(...subscribers.map((subscriber) => subscriber.timeoutMs));
      const allowed = Math.max(...subscribers.map((subscriber) => subscriber.maxTransferBytes));
      const given = await asker.credentials();
      const room = await this.#room.make(allowed);
      if (room <= 0) throw cacheFull();
      const exchange: MeasuredExchange = {
        url: this.url,
        credentials: await this.#tokens.lend(this.url, given, timeoutMs, this.#stop.signal),
        timeoutMs,
        maxBytes: Math.min(allowed, room),
        roomOnly: room < allowed,
        signal: this.#stop.signal,
        onDone: asker.onExchange.bind(asker),
      };
      await this.bare.warm();
      const answers =
        (pushed ? await this.#fetchMoved(exchange, subscribers) : null) ?? (await this.#ask(exchange, subscribers));
      this.#last = { startedAt, answers };
      this.#tellMoved(answers);
      if (this.#fetcher.count >= this.#fetchesPerGc) this.#collectLater();
      return this.#last;
    } catch (error) {
      const unknown = gitError("TransportFailed", "git failed", { cause: error });
      const failure = error instanceof FabricSyncError ? error : unknown;
      // A failure is told to those who asked; the next question asks again.
      this.#last = null;
      const later = failure.context["retryAfterMs"];
      if (typeof later === "number") this.#held = { until: Date.now() + later, error: failure };
      if (failure.code === "AuthFailed") this.#tokens.forget(await asker.credentials().catch(() => ({})));
      if (failure.code === "CacheFull" && this.#fetcher.count > 0) this.#collectLater();
      return failed(failure);
    } finally {
      if (this.#fetcher.count !== fetchedBefore) void this.#serial(() => this.#room.measure(this.bare.directory));
    }
  }

  async #fetchMoved(
    exchange: MeasuredExchange,
    subscribers: readonly Subscriber[],
  ): Promise<Map<Subscriber, Answer> | null> {
    const refs = subscribers.map(({ ref }) => ref);
    const resolved = await this.#fetcher.fetchMoved(exchange, refs);
    if (resolved === null) return null;
    const answers = new Map<Subscriber, Answer>();
    subscribers.forEach((subscriber, index) => {
      const answer = resolved[index];
      if (answer) answers.set(subscriber, answer);
    });
    return answers;
  }

  async #ask(exchange: MeasuredExchange, subscribers: readonly Subscriber[]): Promise<Map<Subscriber, Answer>> {
    const refs = await this.#listRemote(exchange, subscribers);
    const answers = new Map<Subscriber, Answer>();
    for (const subscriber of subscribers) {
      const missing = `the repository has no ${describeRef(subscriber.ref)}`;
      answers.set(subscriber, resolveRef(subscriber.ref, refs) ?? gitError("RefNotFound", missing));
    }
    await this.#fetcher.fetchMissing(exchange, answers);
    return answers;
  }

  async #listRemote(exchange: MeasuredExchange, subscribers: readonly Subscriber[]): Promise<RemoteRefs> {
    const patterns = new Set(subscribers.flatMap((subscriber) => remotePatterns(subscriber.ref)));
    if (patterns.size === 0) return new Map();
    return measured(exchange, "ls-remote", () =>
      listRemote(this.host, this.host.directory, exchange, [...patterns].sort()),
    );
  }

  #tellMoved(answers: ReadonlyMap<Subscriber, Answer>): void {
    for (const [subscriber, answer] of answers) {
      if (answer instanceof FabricSyncError || this.#lastSeen.get(subscriber) === answer.commit) continue;
      this.#lastSeen.set(subscriber, answer.commit);
      if (!this.#asking.has(subscriber)) subscriber.onMoved();
    }
  }

  /** After the round, so that nobody waits for it. */
  #collectLater(): void {
    this.#fetcher.restart();
    void this.#serial(async () => {
      if (this.#stop.signal.aborted) return;
      if (!(await this.bare.collect())) await this.discard("git gc found it damaged");
      await this.#room.measure(this.bare.directory);
    }).catch(() => undefined);
  }
}
