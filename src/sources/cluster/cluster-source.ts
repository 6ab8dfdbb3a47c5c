import { FabricSyncError, messageOf } from "../../core/errors.ts";
import { abortable, pause } from "../../core/pause.ts";
import type { Cursor, Fence, ObservationStore } from "../../core/ports.ts";
import { compareResourceVersions } from "../../core/resource-version.ts";
import type { Lane, StreamStatus } from "../../core/streams.ts";
import type { FabricLabels, Heartbeats, Logger, Telemetry } from "../../core/telemetry.ts";
import type { KubeClient } from "./client.ts";
import type { Discovery } from "./discovery.ts";
import { KindWatch } from "./kind-watch.ts";
import { Reflector } from "./reflector.ts";
import { retire } from "./retire.ts";
import { parseScope } from "./scope.ts";
import { asksFor, selectStreams } from "./selection.ts";
import type { ResourceSelection, StreamSpec, Unmet } from "./selection.ts";
import { discoveryStatus, goneStatus, unmetStatus } from "./stream-status.ts";
import { currentVersion } from "./stream-requests.ts";
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

interface Running {
  readonly spec: StreamSpec;
  readonly reflector: Reflector;
  readonly lane: Lane;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/** How often `syncOnce` tries a stream before it says that it failed, and the pause between two tries (ms). */
const ONCE_TRIES = 3;
const ONCE_PAUSE_MS = 500;
/** One small request before the streams resume (ms): a server that takes longer has other trouble. */
const STORAGE_PROBE_MS = 3_000;

/**
 * The actual side of one Fabric: a reflector for each kind that it selects, started and stopped as kinds come and go and as the
 * selection changes.
 */
export class ClusterSource {
  readonly #options: ClusterSourceOptions;
  readonly #timing: StreamTiming;
  readonly #random: () => number;
  readonly #now: () => number;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #labels: FabricLabels;
  readonly #kinds: KindWatch;
  readonly #running = new Map<string, Running>();
  /** Kinds that were watched and are not served now, by scope. Their rows stay. */
  readonly #gone = new Map<string, StreamSpec>();
  /** Retirements under way, by `group/plural`. */
  readonly #retiring = new Map<string, Promise<void>>();
  #unmet: readonly Unmet[] = [];
  #selections: readonly ResourceSelection[];
  #discovery: Discovery | null = null;
  #discoveryError: unknown = null;
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
    this.#now = options.now ?? Date.now;
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
    this.#labels = { namespace: options.fabric.namespace, fabric: options.fabric.name };
    this.#kinds = new KindWatch({
      client: options.client,
      timing: this.#timing,
      logger: options.logger,
      signal: this.#signal,
      random: this.#random,
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

  /** What the server serves, as of its last answer; null before the first. */
  get discovery(): Discovery | null {
    return this.#discovery;
  }

  /** One entry for each stream, for each selected kind that cannot be watched, and for discovery while it fails. */
  statuses(): StreamStatus[] {
    const gone = [...this.#gone.values()];
    const unmet = this.#unmet.filter((one) => !gone.some((spec) => spec.group === one.group && spec.kind === one.kind));
    return [
      ...(this.#discoveryError === null ? [] : [discoveryStatus(this.#discoveryError)]),
      ...[...this.#running.values()].map(({ reflector }) => reflector.status()),
      ...gone.map(goneStatus),
      ...unmet.map(unmetStatus),
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
    const streams = [...this.#running.values()];
    const listed = await Promise.all(streams.map((stream) => this.#listed(stream)));
    await Promise.all(this.#retiring.values());
    const failed = streams.filter((_, index) => listed[index] === false).map(({ reflector }) => reflector.status());
    const unknown = this.#unmet.filter(({ state }) => state !== "gone").map(unmetStatus);
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
   * Takes up again what the database lost: its cursor is the truth. A list that is under way is followed by another one, because
   * no cursor tells how much of it is there.
   * @throws FabricSyncError when the cursors cannot be read.
   */
  async checkCursors(): Promise<void> {
    const before = [...this.#running.values()].map((stream) => ({ stream, saved: stream.lane.saved() }));
    const stored = await this.#cursors();
    for (const { stream, saved } of before) {
      const { reflector, lane, spec } = stream;
      if (reflector.status().state === "listing") void reflector.relist().catch(() => undefined); // its status tells
      if (saved === null) continue;
      const cursor = stored.get(spec.scope) ?? null;
      const position = cursor?.position ?? "";
      // Or it was saved anew while we asked.
      if (position === saved.position || position === lane.saved()?.position) continue;
      if ((compareResourceVersions(position, saved.position) ?? -1) > 0) continue;
      this.#options.logger.warn({ scope: spec.scope, position }, "the database lost commits; going back to its cursor");
      lane.rewind(cursor);
      reflector.rewind(position);
    }
  }

  /** Ends every stream. What they offered is in the pump; drain that afterwards. */
  async stop(): Promise<void> {
    this.#stop.abort();
    const streams = [...this.#running.values()];
    for (const { lane } of streams) lane.close();
    await Promise.all([this.#task, this.#turn, ...streams.map(({ ended }) => ended)]);
    this.#running.clear();
  }

  async #listed({ reflector }: Running): Promise<boolean> {
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

  async #discovered(discovery: Discovery): Promise<void> {
    await this.#inTurn(() => this.#arrange(discovery));
    this.#discovery = discovery;
    this.#discoveryError = null;
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

  /** Makes the set of streams what the selection means on what is served. */
  async #arrange(discovery: Discovery): Promise<void> {
    if (this.#signal.aborted) return;
    const { streams, unmet } = selectStreams(this.#selections, discovery);
    const wanted = new Map(streams.map((spec) => [spec.scope, spec]));
    const first = this.#discovery === null;
    const arriving = streams.filter(({ scope }) => !this.#running.has(scope));
    const stored = first || arriving.length > 0 ? await this.#cursors() : new Map<string, Cursor>();
    this.#unmet = unmet;
    for (const { spec } of [...this.#running.values()])
      if (!wanted.has(spec.scope)) this.#leave(spec, discovery, streams);
    for (const spec of this.#gone.values()) if (!this.#asked(spec)) this.#retire(spec, streams);
    if (first) for (const spec of leftovers(stored.keys(), wanted, discovery)) this.#retire(spec, streams);
    const setBack = first && (await this.#wasSetBack(arriving, stored));
    for (const spec of arriving) {
      const continues = !setBack && !this.#gone.has(spec.scope);
      this.#begin(spec, continues ? (stored.get(spec.scope) ?? null) : null);
    }
    this.#changed();
  }

  /**
   * Whether the storage of the cluster was set back while nobody watched: a watch from a position that it has not reached would miss, in
   * silence, all until then. The stream that came farthest is asked for all.
   */
  async #wasSetBack(arriving: readonly StreamSpec[], stored: ReadonlyMap<string, Cursor>): Promise<boolean> {
    let farthest: { readonly spec: StreamSpec; readonly position: string } | null = null;
    for (const spec of arriving) {
      const position = stored.get(spec.scope)?.position ?? "";
      if (position === "" || position === "0") continue;
      if (farthest === null || (compareResourceVersions(position, farthest.position) ?? 0) > 0) {
        farthest = { spec, position };
      }
    }
    if (farthest === null) return false;
    const { client, logger } = this.#options;
    try {
      const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(STORAGE_PROBE_MS)]);
      const version = await currentVersion(client, farthest.spec, signal);
      const setBack = (compareResourceVersions(version, farthest.position) ?? 0) < 0;
      if (setBack)
        logger.warn(
          { version, position: farthest.position },
          "the cluster's storage was set back; every kind is listed",
        );
      return setBack;
    } catch (error) {
      // The streams will meet the same trouble, and ask again after it.
      logger.debug({ error: messageOf(error) }, "it is not known whether the cluster's storage was set back");
      return false;
    }
  }

  async #cursors(): Promise<Map<string, Cursor>> {
    const cursors = await this.#options.store.readCursors(this.#options.fabric.id);
    return new Map(cursors.filter(({ source }) => source === "cluster").map((cursor) => [cursor.scope, cursor]));
  }

  #begin(spec: StreamSpec, cursor: Cursor | null): void {
    const { client, pump, store, telemetry, heartbeats, logger, fabric } = this.#options;
    const abort = new AbortController();
    const lane = pump.lane(spec.scope, cursor);
    this.#gone.delete(spec.scope);
    const reflector = new Reflector({
      fabricId: fabric.id,
      labels: this.#labels,
      spec,
      cursor,
      client,
      lane,
      store,
      telemetry,
      heartbeats,
      logger: logger.child({ scope: spec.scope }),
      timing: this.#timing,
      signal: AbortSignal.any([this.#signal, abort.signal]),
      onChange: () => {
        if (reflector.status().state === "gone") this.#kinds.kick();
        this.#changed();
      },
      random: this.#random,
      now: this.#now,
    });
    const retired = this.#retiring.get(resourceOf(spec)) ?? Promise.resolve();
    const ended = retired
      .then(() => reflector.run())
      .catch((error: unknown) =>
        logger.error({ scope: spec.scope, error: messageOf(error) }, "stream ended by an error"),
      )
      .finally(() => lane.close());
    this.#running.set(spec.scope, { spec, reflector, lane, abort, ended });
    logger.info({ scope: spec.scope, resumes: cursor !== null }, "stream starts");
  }

  /** A stream that the selection and the server no longer give: its kind is gone, or not selected (so) any more. */
  #leave(spec: StreamSpec, discovery: Discovery, streams: readonly StreamSpec[]): void {
    const asked = this.#asked(spec);
    const served = discovery.kinds.some((kind) => kind.group === spec.group && kind.plural === spec.plural);
    // A group that cannot be read says nothing about its kinds: the stream goes on, or fails by itself.
    if (asked && !served && discovery.broken.some(({ group }) => group === spec.group)) return;
    const running = this.#running.get(spec.scope);
    this.#running.delete(spec.scope);
    running?.abort.abort();
    running?.lane.close();
    if (asked && !served) {
      this.#gone.set(spec.scope, spec);
      this.#options.logger.warn({ scope: spec.scope }, "kind is no longer served; its rows are kept");
    } else {
      this.#retire(spec, streams, running?.ended);
    }
  }

  #retire(spec: StreamSpec, streams: readonly StreamSpec[], after: Promise<void> = Promise.resolve()): void {
    const { pump, logger, fabric, store, fence } = this.#options;
    this.#gone.delete(spec.scope);
    const resource = resourceOf(spec);
    const siblings = streams.filter((other) => resourceOf(other) === resource);
    const keep = (namespace: string): boolean =>
      siblings.some((other) => other.namespace === "" || other.namespace === namespace);
    const lane = pump.lane(`retire ${spec.scope}`);
    const options = { fabricId: fabric.id, store, fence, signal: this.#signal, random: this.#random, now: this.#now };
    logger.info({ scope: spec.scope }, "stream is no longer selected");
    const before = this.#retiring.get(resource) ?? Promise.resolve();
    const task = Promise.all([before, after])
      .then(() => retire(spec, keep, lane, options))
      .catch((error: unknown) => {
        if (!this.#signal.aborted)
          logger.error({ scope: spec.scope, error: messageOf(error) }, "stream could not be retired");
      })
      .finally(() => {
        lane.close();
        if (this.#retiring.get(resource) === task) this.#retiring.delete(resource);
      });
    this.#retiring.set(resource, task);
  }

  #asked(spec: Pick<StreamSpec, "group" | "kind">): boolean {
    return this.#selections.some((selection) => asksFor(selection, spec.group, spec.kind));
  }

  #changed(): void {
    this.#options.onChange?.();
  }
}

/** Streams of an earlier process that this selection does not have, as far as their kind is known. */
function leftovers(scopes: Iterable<string>, wanted: ReadonlyMap<string, unknown>, discovery: Discovery): StreamSpec[] {
  return [...scopes].flatMap((scope): StreamSpec[] => {
    const parsed = wanted.has(scope) ? null : parseScope(scope);
    const served = discovery.kinds.find((one) => one.group === parsed?.group && one.plural === parsed.plural);
    if (parsed === null || served === undefined) return [];
    return [{ ...parsed, scope, kind: served.kind, namespaced: served.namespaced }];
  });
}

function resourceOf(spec: Pick<StreamSpec, "group" | "plural">): string {
  return `${spec.group}/${spec.plural}`;
}
