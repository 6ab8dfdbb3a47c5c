import type { Check } from "../../../core/check.ts";
import { questionOf } from "../../../core/drift.ts";
import { FabricSyncError, messageOf } from "../../../core/errors.ts";
import { pause } from "../../../core/pause.ts";
import type { Answered, Fence, SuspectStore } from "../../../core/ports.ts";
import type { ReducePolicy } from "../../../core/policy.ts";
import { fullJitterDelay } from "../../../core/retry.ts";
import { rowKey } from "../../../core/row.ts";
import type { ResourceRow } from "../../../core/row.ts";
import type { SchemaSet } from "../../../core/schema.ts";
import type { Heartbeats, Logger } from "../../../core/telemetry.ts";
import { KubeApiError } from "../api-error.ts";
import type { KubeClient } from "../client.ts";
import type { Discovery } from "../discovery.ts";
import { AnswerQueue } from "./answer-queue.ts";
import { ask } from "./dry-run.ts";
import { GUARD_EVERY_MS, IdentityGuard } from "./identity.ts";
import type { Guard } from "./identity.ts";
import { Pacer } from "./pacer.ts";
import { pacedClient } from "./paced-client.ts";
import { Postponed } from "./postponed.ts";
import { SchemaKeeper } from "./schema-keeper.ts";

/** Suspects that are taken out of the table at a time: some seconds of work, some MB. */
const PAGE = 200;
/** Without news: answers that are due to be asked for again (ms). */
const TICK_MS = 15_000;
const SETTLED_POLL_MS = 20;
const SERVER_BACKOFF = { baseMs: 500, capMs: 30_000 };
/** A page of suspects, each with several requests that may hang for 30 s (ms). */
const BEAT_MS = 20 * 60_000;

export interface DriftSourceOptions {
  readonly fabric: { readonly id: string; readonly namespace: string; readonly name: string };
  /** Reads schemas. */
  readonly reader: Pick<KubeClient, "fetch">;
  /** Speaks in the name of the identity of dry runs. */
  readonly dryRuns: Pick<KubeClient, "request">;
  /** Namespace of that identity. */
  readonly identityNamespace: string;
  readonly store: SuspectStore;
  readonly fence: () => Fence;
  /** In force now. */
  readonly policy: () => ReducePolicy;
  readonly discovery: () => Discovery | null;
  /** Kinds that are mirrored, as `Kind.group`. */
  readonly kinds: () => ReadonlySet<string>;
  readonly heartbeats: Heartbeats;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Schemas changed: the policy is another. */
  readonly onSchemas: () => void;
  /** Verdicts changed. */
  readonly onSettled: () => void;
  readonly now?: () => number;
  readonly random?: () => number;
  /** Of the server; all that ask it share one. */
  readonly pacer?: Pacer;
}

/** The second phase of drift for one Fabric: keeps its schemas, asks about its suspects, writes what was answered. */
export class DriftSource {
  readonly #options: DriftSourceOptions;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #schemas: SchemaKeeper;
  readonly #pacer: Pacer;
  readonly #paced: Pick<KubeClient, "request">;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #later: Postponed;
  readonly #guard: IdentityGuard;
  #wake: (() => void) | null = null;
  #news = true;
  #busy = false;
  #task: Promise<void> | null = null;

  constructor(options: DriftSourceOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
    this.#pacer = options.pacer ?? new Pacer();
    this.#paced = pacedClient(options.dryRuns, this.#pacer);
    this.#now = options.now ?? Date.now;
    this.#schemas = new SchemaKeeper({ ...options, now: this.#now });
    this.#random = options.random ?? Math.random;
    this.#later = new Postponed(this.#now, this.#random);
    this.#guard = new IdentityGuard({ ...options, now: this.#now });
  }

  /** What the server says of its kinds; null before it said so. */
  get schemas(): SchemaSet | null {
    return this.#schemas.schemas;
  }

  /** Whether the server was asked for its schemas, with or without success: before, no verdict is worth writing. */
  get ready(): boolean {
    return this.#schemas.asked;
  }

  /** Resolves when every suspect of now was asked about, or could not be. Never rejects. */
  async settled(): Promise<void> {
    this.kick();
    while ((this.#busy || this.#news) && !this.#signal.aborted) await pause(SETTLED_POLL_MS, this.#signal);
  }

  start(): void {
    this.#task ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#task;
  }

  /** Rows were written: some of them may be suspects. */
  kick(): void {
    this.#news = true;
    this.#wake?.();
  }

  /** The server's kinds changed. */
  kindsChanged(): void {
    this.#schemas.kindsChanged();
    this.kick();
  }

  async #run(): Promise<void> {
    const { fabric, heartbeats, logger } = this.#options;
    const heartbeat = heartbeats.register(`drift ${fabric.namespace}/${fabric.name}`, BEAT_MS);
    let failures = 0;
    while (!this.#signal.aborted) {
      heartbeat.beat();
      this.#news = false;
      this.#busy = true;
      try {
        await this.#schemas.read(this.#signal);
        await this.#askAll();
        failures = 0;
      } catch (error) {
        if (this.#signal.aborted) break;
        if (error instanceof FabricSyncError && error.policy === "fatal") {
          logger.warn({ code: error.code, error: error.message }, "drift is not written any more");
          break;
        }
        failures += 1;
        logger[failures === 1 ? "warn" : "debug"](
          { error: messageOf(error), failures },
          "the API server was not asked",
        );
        const wait = error instanceof KubeApiError ? (error.retryAfterMs ?? 0) : 0;
        await pause(Math.max(wait, fullJitterDelay(failures, SERVER_BACKOFF, this.#random)), this.#signal);
        this.#news = true;
      } finally {
        this.#busy = false;
      }
      if (!this.#news) await this.#rest();
    }
    heartbeat.end();
  }

  async #rest(): Promise<void> {
    const due = [this.#now() + TICK_MS, this.#schemas.dueAt, this.#later.dueAt];
    const slept = new AbortController();
    this.#wake = () => slept.abort();
    await pause(Math.max(1, Math.min(...due) - this.#now()), AbortSignal.any([this.#signal, slept.signal]));
    this.#wake = null;
  }

  async #askAll(): Promise<void> {
    const { store, fabric } = this.#options;
    if (!this.ready || this.#options.policy().driftMode !== "server_side") return;
    for (;;) {
      const now = this.#now();
      const page = await store.suspects({ fabricId: fabric.id, now: new Date(now).toISOString(), limit: PAGE });
      const rows = page.filter((row) => this.#later.isDue(row.id));
      if (rows.length === 0 || this.#signal.aborted) return this.#later.sweep();
      await this.#askAbout(rows);
      if (page.length < PAGE) return;
    }
  }

  async #askAbout(rows: readonly ResourceRow[]): Promise<void> {
    const discovery = this.#options.discovery();
    if (discovery === null) return;
    const guard = await this.#guard.look(this.#signal);
    const options = { client: this.#paced, discovery, now: this.#now, signal: this.#signal };
    const queue = new AnswerQueue((answers) => this.#settle(answers));
    try {
      await this.#pacer.forEach(rows, this.#signal, async (row) => {
        const policy = this.#options.policy();
        const check = guard.safe ? await this.#ask(row, policy, options) : this.#refusedToAsk(row, policy, guard);
        if (check !== null) await queue.add({ key: rowKey(row), check });
      });
    } finally {
      await queue.drain();
    }
  }

  /** null: nothing to write now; the row is asked about again later. */
  async #ask(row: ResourceRow, policy: ReducePolicy, options: Parameters<typeof ask>[2]): Promise<Check | null> {
    try {
      const check = await ask(row, policy, options);
      if (check === null) this.#postpone(row, "it changes in the cluster");
      else this.#later.answered(row.id);
      return check;
    } catch (error) {
      if (this.#signal.aborted) throw error;
      // Throttled or away: everything waits. Anything else is this row's alone.
      if (!(error instanceof KubeApiError) || error.status === 429 || error.status >= 500) throw error;
      this.#postpone(row, messageOf(error));
      return null;
    }
  }

  #postpone(row: ResourceRow, reason: string): void {
    const attempts = this.#later.postpone(row.id);
    this.#options.logger.debug({ kind: row.kind, name: row.name, reason, attempts }, "asked about again later");
  }

  async #settle(answers: readonly Answered[]): Promise<void> {
    const { store, fence, policy } = this.#options;
    const { changed, stale } = await store.settle(fence(), policy(), answers);
    if (changed > 0) this.#options.onSettled();
    // The row is another by now, and a suspect still: it is in the next page.
    if (stale > 0) this.#news = true;
  }

  #refusedToAsk(row: ResourceRow, policy: ReducePolicy, { code, message }: Guard & { safe: false }): Check {
    const now = this.#now();
    return {
      ...{ key: questionOf(row, policy), outcome: "unanswered", code, message, paths: [] },
      at: new Date(now).toISOString(),
      again: new Date(now + GUARD_EVERY_MS).toISOString(),
    };
  }
}
