import { FabricSyncError, messageOf } from "../../core/errors.ts";
import { abortable, pause } from "../../core/pause.ts";
import type { Cursor, Fence, ObservationStore } from "../../core/ports.ts";
import type { Lane, StreamStatus } from "../../core/streams.ts";
import type { Heartbeats, Logger, Telemetry } from "../../core/telemetry.ts";
import { BUILT_IN_VOLATILE } from "../../core/volatile.ts";
import type { VolatileMatcher } from "../../core/volatile.ts";
import type { KubeClient } from "./client.ts";
import type { Discovery } from "./discovery.ts";
import { KindWatch } from "./kind-watch.ts";
import { takeUpLost } from "./lost-commits.ts";
import type { ResourceSelection } from "./selection.ts";
import { StreamSet } from "./stream-set.ts";
import type { RunningStream } from "./stream-set.ts";
import { discoveryStatus, unmetStatus } from "./stream-status.ts";
import { STREAM_TIMING } from "./timing.ts";
import type { StreamTiming } from "./timing.ts";

export interface ClusterSourceOptions {
  readonly fabric: { readonly id: string; readonly namespace: string; readonly name: string };
  readonly client: Pick<KubeClient, "fetch" | "stream">;
  readonly pump: { lane(name: string, saved?: Cursor | null): Lane };
  readonly store: Pick<ObservationStore, "readCursors" | "actualKeys" | "dropCursor">;
  readonly fence: () => Fence;
  readonly selections: readonly ResourceSelection[];
  readonly telemetry: Pick<Telemetry, "streamEvents" | "streamStarted">;
  readonly heartbeats: Heartbeats;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** `statuses()` would say something new. Called often: the receiver gathers. */
  readonly onChange?: () => void;
  readonly timing?: Partial<StreamTiming>;
  /** What makes no history; the built-in list when absent. */
  readonly volatile?: VolatileMatcher;
  readonly random?: () => number;
  readonly now?: () => number;
}

/** What one pass over the cluster came to. */
export interface SyncOutcome {
  /** Streams whose complete list is in the table. */
  readonly complete: number;
  /** Streams that could not be listed, and selected kinds that could not be looked for. */
  readonly failed: readonly StreamStatus[];
}

/** How often `syncOnce` tries a stream before it says that it failed, and the pause between two tries (ms). */
const ONCE_TRIES = 3;
const ONCE_PAUSE_MS = 500;
/**
 * The actual side of one Fabric: a reflector for each kind that it selects, started and stopped as kinds come and go and as the
 * selection changes.
 */
export class ClusterSource {
  readonly #options: ClusterSourceOptions;
  readonly #timing: StreamTiming;
  readonly #random: () => number;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #kinds: KindWatch;
  readonly #streams: StreamSet;
  #selections: readonly ResourceSelection[];
  #discovery: Discovery | null = null;
  #discoveryError: unknown = null;
  /** The last reading lacked kinds of which the server does not say that they are gone: it is read again soon. */
  #late = false;
  /** No reading without such a doubt was arranged: what an earlier process watched has not found its place yet. */
  #first = true;
  #read = Promise.withResolvers<void>();
  #task: Promise<void> | null = null;
  #checking = false;
  /** Changes of the set of streams happen one after another. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: ClusterSourceOptions) {
    this.#options = options;
    this.#selections = options.selections;
    this.#timing = { ...STREAM_TIMING, ...options.timing };
    this.#random = options.random ?? Math.random;
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
    this.#streams = new StreamSet({
      ...options,
      ...{ signal: this.#signal, timing: this.#timing, random: this.#random, now: options.now ?? Date.now },
      volatile: options.volatile ?? BUILT_IN_VOLATILE,
      onChange: () => this.#changed(),
      onGone: () => this.#kinds.kick(),
    });
    this.#kinds = new KindWatch({
      client: options.client,
      timing: this.#timing,
      logger: options.logger,
      signal: this.#signal,
      random: this.#random,
      onCrd: (name, deleted) => void this.#inTurn(() => Promise.resolve(this.#streams.crdSeen(name, deleted))),
      onDiscovery: (discovery) => this.#discovered(discovery),
      onError: (error) => this.#undiscovered(error),
    });
  }

  /** Begins; returns at once. What comes of it is in `statuses()`. */
  start(): void {
    this.#task ??= this.#kinds.run();
  }

  /** Whether discovery answered since the start: before, no stream means nothing. */
  get discovered(): boolean {
    return this.#discovery !== null;
  }

  /** Whether changes of CRDs are seen as they happen: a deletion that nobody saw ends no row. */
  get followsCrds(): boolean {
    return this.#kinds.live;
  }

  /** What the server serves, as of its last answer; null before the first. */
  get discovery(): Discovery | null {
    return this.#discovery;
  }

  /** One entry for each stream, for each selected kind that cannot be watched, and for discovery while it fails. */
  statuses(): StreamStatus[] {
    return [
      ...(this.#discoveryError === null ? [] : [discoveryStatus(this.#discoveryError)]),
      ...this.#streams.statuses(),
    ];
  }

  /** Follows a change of Fabric.spec.resources: rows of what is no longer selected end, with that reason in their history. */
  async updateSelection(selections: readonly ResourceSelection[]): Promise<void> {
    this.#selections = selections;
    const discovery = this.#discovery;
    if (discovery !== null) await this.#inTurn(() => this.#arrange(discovery));
  }

  /** One complete pass: every stream listed, swept and committed. Starts the source if need be, and leaves it running. */
  async syncOnce(): Promise<SyncOutcome> {
    this.start();
    try {
      await abortable(this.#read.promise, this.#signal);
    } catch {
      return { complete: 0, failed: [discoveryStatus(this.#discoveryError ?? this.#signal.reason)] };
    }
    await this.#turn;
    const { running: streams, unmet } = this.#streams;
    const listed = await Promise.all(streams.map((stream) => this.#listed(stream)));
    await this.#streams.retired();
    const failed = streams.filter((_, index) => listed[index] === false).map(({ reflector }) => reflector.status());
    const unknown = unmet.filter(({ state }) => state !== "gone").map(unmetStatus);
    return { complete: listed.filter(Boolean).length, failed: [...failed, ...unknown] };
  }

  /**
   * Postgres was away and is back: a promoted replica may be a moment behind, so what was confirmed is compared with what is there.
   * Returns at once. What cannot be compared now is when the next write finds out (`CursorsLost`), or has been away again.
   */
  storeInterrupted(): void {
    if (this.#checking) return;
    this.#checking = true;
    void this.checkCursors()
      .catch((error: unknown) => {
        if (this.#signal.aborted) return;
        this.#options.logger.warn({ error: messageOf(error) }, "cursors were not compared");
      })
      .finally(() => {
        this.#checking = false;
      });
  }

  /**
   * Goes back to where the database stands, where that is behind what it had confirmed.
   * @throws FabricSyncError when the cursors cannot be read.
   */
  async checkCursors(): Promise<void> {
    await takeUpLost(this.#streams.running, () => this.#streams.cursors(), this.#options.logger);
  }

  /** Ends every stream. What they offered is in the pump; drain that afterwards. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all([this.#task, this.#turn, this.#streams.close()]);
  }

  async #listed({ reflector }: RunningStream): Promise<boolean> {
    for (let attempt = 1; attempt <= ONCE_TRIES; attempt++) {
      try {
        await reflector.relist();
        return true;
      } catch (error) {
        const lasting = error instanceof FabricSyncError && error.policy !== "retry" && error.policy !== "wait";
        if (lasting || this.#signal.aborted) return false;
        await pause(ONCE_PAUSE_MS * attempt, this.#signal);
      }
    }
    return false;
  }

  async #discovered(read: Discovery): Promise<void> {
    await this.#inTurn(async () => {
      const discovery = await this.#streams.believe(this.#selections, read, this.#discovery, this.#first);
      await this.#arrange(discovery);
      const late = discovery !== read;
      if (late && !this.#late) this.#kinds.kick();
      this.#late = late;
      this.#first &&= late;
      this.#discovery = discovery;
    });
    this.#discoveryError = null;
    if (!this.#late) for (const { reflector } of this.#streams.running) reflector.hurry();
    this.#read.resolve();
    this.#changed();
  }

  #undiscovered(error: unknown): void {
    this.#discoveryError = error;
    this.#read.promise.catch(() => undefined); // asked for by syncOnce alone
    this.#read.reject(error);
    this.#read = Promise.withResolvers();
    this.#changed();
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(change);
    this.#turn = done.catch(() => undefined); // the caller of this turn has the error
    return done;
  }

  async #arrange(discovery: Discovery): Promise<void> {
    if (!this.#signal.aborted) await this.#streams.arrange(this.#selections, discovery, this.#first);
  }

  #changed(): void {
    this.#options.onChange?.();
  }
}
