import { abortable, pause } from "../../core/pause.ts";
import type { Cursor, ObservationStore } from "../../core/ports.ts";
import { compareResourceVersions } from "../../core/resource-version.ts";
import { fullJitterDelay } from "../../core/retry.ts";
import type { Lane, StreamStatus } from "../../core/streams.ts";
import type { FabricLabels, Heartbeats, Logger, Telemetry } from "../../core/telemetry.ts";
import type { KubeClient } from "./client.ts";
import { classify, StreamFault } from "./fault.ts";
import { Intake } from "./intake.ts";
import { LineSplitter } from "./lines.ts";
import { describeState, initialState, next, waitFor } from "./reflector-state.ts";
import type { ReflectorEvent, ReflectorState } from "./reflector-state.ts";
import type { StreamSpec } from "./selection.ts";
import { currentVersion, listPages, resourcePath, watchListQuery, watchQuery } from "./stream-requests.ts";
import { holdsAny, SeenKeys, sweep } from "./sweep.ts";
import type { StreamTiming } from "./timing.ts";
import { parseWatchEvent, resourceVersionOf } from "./watch-event.ts";
import { Watchdog } from "./watchdog.ts";

export interface ReflectorOptions {
  readonly fabricId: string;
  readonly labels: FabricLabels;
  readonly spec: StreamSpec;
  /** How far the table was when we came; null = begin with a list. */
  readonly cursor: Cursor | null;
  readonly client: Pick<KubeClient, "fetch" | "stream">;
  readonly lane: Lane;
  readonly store: Pick<ObservationStore, "actualKeys">;
  readonly telemetry: Pick<Telemetry, "streamEvents" | "streamStarted">;
  readonly heartbeats: Heartbeats;
  readonly logger: Logger;
  readonly timing: StreamTiming;
  readonly signal: AbortSignal;
  /** State or reason changed, or a list was completed. */
  readonly onChange: () => void;
  /** [0, 1) */
  readonly random: () => number;
  readonly now: () => number;
}

/** A loop without a beat for so long hangs (ms): longer than silence, the longest backoff, and one page together. */
const BEAT_WITHIN_MS = 600_000;
/** How often a reader who is held back by the database says that it is alive (ms). */
const BEAT_WHILE_HELD_MS = 30_000;

/**
 * Keeps the table equal to one kind in one scope of one cluster: list, sweep, watch, resume, for ever. What to do next is
 * `reflector-state.ts`; here it is done. Objects are offered to the lane and not kept.
 */
export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #intake: Intake;
  readonly #kind: string;
  #state: ReflectorState;
  #watchdog = new Watchdog();
  #wake = new AbortController();
  #lastEventAt: number | null = null;
  #listWaiters: { readonly need: number; readonly done: PromiseWithResolvers<void> }[] = [];
  /** Lists begun so far, by their requests. */
  #lists = 0;
  #told = "";
  /** The open stream is no longer what the state asks for. */
  #redirected = false;
  /** The reader waits for the database, not for the server. */
  #held = false;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#intake = new Intake(options);
    this.#kind = options.spec.group === "" ? options.spec.kind : `${options.spec.kind}.${options.spec.group}`;
    this.#state = initialState(options.cursor?.position ?? "");
  }

  status(): StreamStatus {
    const { scope, group, kind, plural } = this.#options.spec;
    const { state, reason, message } = describeState(this.#state);
    const unread = this.#intake.malformed;
    const told =
      unread.length === 0 ? message : `${unread.length} objects cannot be read: ${unread.slice(0, 3).join("; ")}`;
    const saved = this.#options.lane.saved() ?? this.#options.cursor;
    return {
      scope,
      apiGroup: group,
      kind,
      plural,
      state,
      reason,
      message: told,
      completeAt: saved?.completeAt ?? null,
      lastEventAt: this.#lastEventAt,
    };
  }

  /** Runs until the signal aborts or the lane's pump has ended. Never rejects for anything that the cluster or the network does. */
  async run(): Promise<void> {
    const { signal, heartbeats, labels, spec } = this.#options;
    const beat = heartbeats.register(`cluster ${labels.namespace}/${labels.fabric} ${spec.scope}`, BEAT_WITHIN_MS);
    const alive = setInterval(() => this.#held && beat.beat(), BEAT_WHILE_HELD_MS);
    try {
      while (this.#state.phase !== "stopped") {
        beat.beat();
        if (signal.aborted) this.#apply({ type: "stop" });
        else await this.#step(() => beat.beat());
      }
    } finally {
      clearInterval(alive);
      beat.end();
      this.#apply({ type: "stop" });
      const stopped = new StreamFault("refused", "StreamStopped", "the stream was stopped");
      for (const { done } of this.#listWaiters.splice(0)) done.reject(stopped);
    }
  }

  /**
   * Asks for a complete list of what is there now; resolves when it is in the table, swept and committed. A list that was begun before
   * is brought to its end and followed by another one.
   * @throws FabricSyncError with the code of the fault when the list fails: it goes on trying, the caller need not wait.
   */
  relist(): Promise<void> {
    const done = Promise.withResolvers<void>();
    if (this.#state.phase === "stopped") {
      done.reject(new StreamFault("refused", "StreamStopped", "the stream was stopped"));
      return done.promise;
    }
    this.#listWaiters.push({ need: this.#lists + 1, done });
    if (this.#state.phase !== "listing") this.#redirect({ type: "relist" });
    return done.promise;
  }

  /** Goes on from `position` ('' = with a list): the table stands there, behind what this stream has offered. */
  rewind(position: string): void {
    this.#redirect({ type: "rewind", position });
  }

  /** Leaves the stream that is open, or the wait, for what the event says. */
  #redirect(event: ReflectorEvent): void {
    const before = this.#state;
    this.#apply(event);
    if (this.#state === before) return;
    this.#redirected = true;
    this.#watchdog.cut(new StreamFault("refused", "Redirected", "the stream is taken up elsewhere"));
    this.#wake.abort();
  }

  async #step(beat: () => void): Promise<void> {
    const { phase, method } = this.#state;
    if (phase === "waiting") return this.#wait();
    const before = this.#state;
    this.#watchdog = new Watchdog();
    this.#redirected = false;
    try {
      if (phase === "listing" && method === "paged") await this.#listPages(beat);
      else await this.#follow(beat);
    } catch (error) {
      this.#fail(error, before);
    }
  }

  #fail(error: unknown, before: ReflectorState): void {
    const { signal, logger, spec } = this.#options;
    if (signal.aborted) return this.#apply({ type: "stop" });
    // The state says already what comes next, and cutting the stream was no failure.
    if (this.#redirected) return;
    const fault = classify(error, spec);
    if (fault === null) return this.#apply({ type: "stop" });
    this.#apply({ type: "failed", fault });
    const keys = { scope: spec.scope, code: fault.code, error: fault.message, attempt: this.#state.attempt };
    if (before.fault?.code === fault.code) logger.debug(keys, "stream failed again");
    else logger.warn(keys, "stream failed");
    if (this.#state.phase !== "waiting") return;
    for (const { done } of this.#listWaiters.splice(0)) done.reject(error);
  }

  async #wait(): Promise<void> {
    const wait = waitFor(this.#state);
    const jittered = fullJitterDelay(this.#state.attempt, wait, this.#options.random);
    this.#wake = new AbortController();
    await pause(wait.atLeastMs + jittered, AbortSignal.any([this.#options.signal, this.#wake.signal]));
    this.#apply({ type: "due" });
  }

  /** One stream from its request to its end: a WatchList when listing, else the watch from the position. */
  async #follow(beat: () => void): Promise<void> {
    const { client, spec, timing, telemetry, labels, random, now } = this.#options;
    const listing = this.#state.phase === "listing";
    if (!listing && this.#state.fault !== null) await this.#checkStorage();
    const mark = listing ? await this.#beginList() : null;
    const query = listing
      ? watchListQuery(spec, timing, random)
      : watchQuery(spec, this.#state.position, timing, random);
    telemetry.streamStarted({ ...labels, kind: this.#kind, mode: listing ? "watchlist" : "watch" });
    const signal = AbortSignal.any([this.#options.signal, this.#watchdog.signal]);
    const begun = now();
    const stream = await this.#watchdog.guard(client.stream(resourcePath(spec), { query, signal }), timing.headersMs);
    if (!listing) this.#apply({ type: "opened" });
    const splitter = new LineSplitter();
    let delivered = 0;
    for await (const chunk of this.#watchdog.chunks(stream, timing.silenceMs)) {
      beat();
      for (const line of splitter.push(chunk)) {
        delivered += 1;
        await this.#hold(this.#take(line, mark));
        // Redirected while this event was taken in: what follows on this stream is not wanted.
        if (this.#redirected) return;
      }
    }
    if (splitter.held > 0) {
      throw new StreamFault("network", "StreamCut", "the stream ended in the middle of a line");
    }
    this.#apply({ type: "ended", healthy: delivered > 0 || now() - begun >= timing.minStreamMs });
  }

  /**
   * After trouble the storage may be another one (etcd restored). A server that stands before our position says nothing about it to a watch:
   * it leaves out what comes until it is there again.
   */
  async #checkStorage(): Promise<void> {
    const { client, spec, timing } = this.#options;
    const signal = AbortSignal.any([this.#options.signal, this.#watchdog.signal]);
    this.#notBefore(await this.#watchdog.guard(currentVersion(client, spec, signal), timing.headersMs));
  }

  async #take(line: string, mark: Mark | null): Promise<void> {
    const event = parseWatchEvent(line);
    if (event.type === "GARBAGE") throw new StreamFault("garbage", "StreamGarbled", event.why);
    this.#count(event.type);
    if (event.type === "ERROR") throw event.error;
    const initial = this.#state.phase === "listing";
    if (event.type === "BOOKMARK") {
      if (!initial) return this.#progress(event.resourceVersion);
      if (mark !== null && event.initialEnd) return this.#completeList(mark, event.resourceVersion);
      throw new StreamFault("unsupported", "WatchListUnsupported", "the server sends no end of the initial events");
    }
    this.#lastEventAt = this.#options.now();
    if (initial && event.type !== "DELETED") {
      await this.#remember(event.object, mark);
      return;
    }
    if (event.type === "DELETED") await this.#intake.deleted(event.object);
    else await this.#intake.upsert(event.object, "watch", null);
    if (!initial) this.#progress(resourceVersionOf(event.object));
  }

  async #listPages(beat: () => void): Promise<void> {
    const { client, spec, timing, signal, telemetry, labels } = this.#options;
    const mark = await this.#beginList();
    telemetry.streamStarted({ ...labels, kind: this.#kind, mode: "list" });
    const cut = AbortSignal.any([signal, this.#watchdog.signal]);
    let position = "";
    for await (const page of listPages(client, spec, timing, cut)) {
      beat();
      telemetry.streamEvents({ ...labels, kind: this.#kind, type: "LISTED" }, page.items.length);
      for (const item of page.items) await this.#hold(this.#remember(item, mark));
      position = page.resourceVersion;
    }
    await this.#hold(this.#completeList(mark, position));
  }

  /** What the table holds must be settled before a list is compared with it. */
  async #beginList(): Promise<Mark> {
    const { lane, signal } = this.#options;
    await this.#hold(abortable(lane.drained(), signal));
    const keys = (await holdsAny(this.#options)) ? new SeenKeys() : null;
    this.#lists += 1;
    return { keys, nameless: 0, begunAt: this.#options.now() };
  }

  async #remember(object: Parameters<Intake["upsert"]>[0], mark: Mark | null): Promise<void> {
    const named = await this.#intake.upsert(object, "list", mark?.keys ?? null);
    if (!named && mark !== null) mark.nameless += 1;
  }

  /** Ends what the list did not hold, then saves the list's position. */
  async #completeList(mark: Mark, position: string): Promise<void> {
    const { lane, logger, spec, now, signal } = this.#options;
    const { keys } = mark;
    if (keys !== null && mark.nameless > 0) {
      // Absence cannot be concluded from a list in which something has no name.
      logger.warn({ scope: spec.scope, nameless: mark.nameless }, "objects without a name: the list was not swept");
    } else if (keys !== null) {
      await abortable(lane.drained(), signal);
      const reason =
        spec.labelSelector === ""
          ? "not in a complete list of the cluster: it was deleted while nobody watched"
          : "not in a complete list of the cluster: deleted while nobody watched, or not selected by its labels";
      const why = { resourceVersion: position, reason };
      const gone = await sweep(this.#options, lane, (namespace, name) => keys.has(namespace, name), why, now);
      if (gone > 0) logger.info({ scope: spec.scope, gone }, "objects were gone when the list was complete");
    }
    lane.advance({ source: "cluster", scope: spec.scope, position, completeAt: mark.begunAt });
    this.#apply({ type: "complete", position });
    await this.#answerListWaiters();
  }

  async #answerListWaiters(): Promise<void> {
    const answered = this.#listWaiters.filter(({ need }) => need <= this.#lists);
    this.#listWaiters = this.#listWaiters.filter(({ need }) => need > this.#lists);
    if (this.#listWaiters.length > 0) this.#redirect({ type: "relist" });
    if (answered.length === 0) return;
    try {
      await abortable(this.#options.lane.drained(), this.#options.signal);
      for (const { done } of answered) done.resolve();
    } catch (error) {
      for (const { done } of answered) done.reject(error);
      throw error;
    }
  }

  #progress(position: string): void {
    // Redirected: what this stream tells is taken in, but it is not how far the next one has come.
    if (position === "" || this.#redirected) return;
    this.#notBefore(position);
    this.#apply({ type: "progress", position });
    const { lane, spec, now } = this.#options;
    lane.advance({ source: "cluster", scope: spec.scope, position, completeAt: now() });
  }

  #notBefore(version: string): void {
    if ((compareResourceVersions(version, this.#state.position) ?? 0) >= 0) return;
    throw new StreamFault("rewound", "ResourceVersionRewound", "the cluster's storage was set back to an older state");
  }

  async #hold(step: Promise<void>): Promise<void> {
    this.#held = true;
    try {
      await step;
    } finally {
      this.#held = false;
    }
  }

  #count(type: string): void {
    const { telemetry, labels } = this.#options;
    telemetry.streamEvents({ ...labels, kind: this.#kind, type }, 1);
  }

  #apply(event: ReflectorEvent): void {
    this.#state = next(this.#state, event);
    const { state, reason } = describeState(this.#state);
    const told = `${state} ${reason}`;
    if (told === this.#told && event.type !== "complete") return;
    this.#told = told;
    this.#options.onChange();
  }
}

interface Mark {
  /** null: the table held nothing in scope, there is nothing to compare with. */
  readonly keys: SeenKeys | null;
  /** Objects of the list whose name could not be read. */
  nameless: number;
  /** As of when the list is complete: it may show the cluster as it was when it was asked for. */
  readonly begunAt: number;
}
