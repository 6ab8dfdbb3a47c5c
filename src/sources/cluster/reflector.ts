import { abortable, pause } from "../../core/pause.ts";
import { fullJitterDelay } from "../../core/retry.ts";
import { ROOM } from "../../core/streams.ts";
import type { StreamStatus } from "../../core/streams.ts";
import { EventCounts } from "./event-counts.ts";
import { classify, StreamFault, streamStopped } from "./fault.ts";
import { Intake } from "./intake.ts";
import { LineSplitter } from "./lines.ts";
import { ListPass } from "./list-pass.ts";
import { ListWaiters } from "./list-waiters.ts";
import { Pulse } from "./pulse.ts";
import { describeState, initialState, next, waitFor, waitsForServer } from "./reflector-state.ts";
import type { ReflectorOptions } from "./reflector-options.ts";
import type { ReflectorEvent, ReflectorState } from "./reflector-state.ts";
import { StreamLoss } from "./stream-loss.ts";
import { streamStatus } from "./stream-status.ts";
import { checkStorage, listPages, refuseSetBack, resourcePath, watchListQuery, watchQuery } from "./stream-requests.ts";
import { parseWatchEvent, resourceVersionOf } from "./watch-event.ts";
import type { UnderstoodEvent } from "./watch-event.ts";
import { Watchdog } from "./watchdog.ts";

/**
 * Keeps the table equal to one kind in one scope of one cluster: list, sweep, watch, resume, for ever. What to do next is
 * `reflector-state.ts`; here it is done. Objects are offered to the lane and not kept.
 */
export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #intake: Intake;
  readonly #counts: EventCounts;
  readonly #kind: string;
  #state: ReflectorState;
  #watchdog = new Watchdog();
  #wake = new AbortController();
  #lastEventAt: number | null = null;
  readonly #listWaiters = new ListWaiters();
  readonly #loss = new StreamLoss();
  #told = "";
  /** The open stream is no longer what the state asks for. */
  #redirected = false;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#intake = new Intake(options);
    this.#kind = options.spec.group === "" ? options.spec.kind : `${options.spec.kind}.${options.spec.group}`;
    this.#counts = new EventCounts(options.telemetry, { ...options.labels, kind: this.#kind });
    this.#state = initialState(options.cursor?.position ?? "");
  }

  status(): StreamStatus {
    const { spec, lane } = this.#options;
    const facts = { saved: lane.saved(), lastEventAt: this.#lastEventAt, loss: this.#loss };
    return streamStatus(spec, this.#state, this.#intake.malformed, facts);
  }

  /** Runs until the signal aborts or the lane's pump has ended. Never rejects for anything that the cluster or the network does. */
  async run(): Promise<void> {
    const { signal, heartbeats, labels, spec } = this.#options;
    const pulse = new Pulse(heartbeats, `cluster ${labels.namespace}/${labels.fabric} ${spec.scope}`);
    try {
      while (this.#state.phase !== "stopped") {
        pulse.beat();
        if (signal.aborted) this.#apply({ type: "stop" });
        else await this.#step(pulse);
      }
    } finally {
      pulse.end();
      this.#apply({ type: "stop" });
      this.#listWaiters.reject(streamStopped());
    }
  }

  /**
   * Asks for a complete list of what is there now; resolves when it is in the table, swept and committed. A list that was begun before
   * is brought to its end and followed by another one.
   * @throws FabricSyncError with the code of the fault when the list fails: it goes on trying, the caller need not wait.
   */
  relist(): Promise<void> {
    if (this.#state.phase === "stopped") return Promise.reject(streamStopped());
    const done = this.#listWaiters.next();
    if (this.#state.phase !== "listing") this.#redirect({ type: "relist" });
    return done;
  }

  /** Goes on from `position` ('' = with a list): the table stands there, and not at `confirmed` any more. */
  rewind(position: string, confirmed: string): void {
    this.#loss.found(confirmed, this.#options.now());
    this.#options.onChange();
    this.#redirect({ type: "rewind", position });
  }

  /** The server answers somebody: a stream that waits because it did not tries now. */
  hurry(): void {
    if (waitsForServer(this.#state)) this.#wake.abort();
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

  async #step(pulse: Pulse): Promise<void> {
    const { phase, method } = this.#state;
    if (phase === "waiting") return this.#wait();
    const before = this.#state;
    this.#watchdog = new Watchdog();
    this.#redirected = false;
    try {
      if (phase === "listing" && method === "paged") await this.#listPages(pulse);
      else await this.#follow(pulse);
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
    if (this.#state.phase === "waiting") this.#listWaiters.reject(error);
  }

  async #wait(): Promise<void> {
    const wait = waitFor(this.#state, this.#options.timing.retry);
    const jittered = fullJitterDelay(this.#state.attempt, wait, this.#options.random);
    this.#wake = new AbortController();
    await pause(wait.atLeastMs + jittered, AbortSignal.any([this.#options.signal, this.#wake.signal]));
    this.#apply({ type: "due" });
  }

  /** One stream from its request to its end: a WatchList when listing, else the watch from the position. */
  async #follow(pulse: Pulse): Promise<void> {
    const { client, spec, timing, telemetry, labels, random, now } = this.#options;
    const { phase, position } = this.#state;
    const listing = phase === "listing";
    const signal = AbortSignal.any([this.#options.signal, this.#watchdog.signal]);
    if (!listing && this.#state.fault !== null) {
      await this.#watchdog.guard(checkStorage(client, spec, position, signal), timing.headersMs);
    }
    const pass = listing ? await this.#beginList(pulse) : null;
    const query = listing ? watchListQuery(spec, timing, random) : watchQuery(spec, position, timing, random);
    telemetry.streamStarted({ ...labels, kind: this.#kind, mode: listing ? "watchlist" : "watch" });
    const begun = now();
    const stream = await this.#watchdog.guard(client.stream(resourcePath(spec), { query, signal }), timing.headersMs);
    if (!listing) this.#apply({ type: "opened" });
    const splitter = new LineSplitter();
    let delivered = false;
    for await (const chunk of this.#watchdog.chunks(stream, timing.silenceMs)) {
      pulse.beat();
      await pulse.hold(this.#takeLines(splitter.push(chunk), pass));
      if (this.#redirected) return;
      delivered = true;
    }
    if (splitter.held > 0) {
      throw new StreamFault("network", "StreamCut", "the stream ended in the middle of a line");
    }
    this.#apply({ type: "ended", healthy: delivered || now() - begun >= timing.minStreamMs });
  }

  async #takeLines(lines: Iterable<string>, pass: ListPass | null): Promise<void> {
    try {
      for (const line of lines) {
        const event = parseWatchEvent(line);
        if (event.type === "GARBAGE") throw new StreamFault("garbage", "StreamGarbled", event.why);
        this.#counts.add(event.type);
        const room = this.#take(event, pass);
        if (room !== ROOM) await room;
        // Redirected while this event was taken in: what follows on this stream is not wanted.
        if (this.#redirected) return;
      }
    } finally {
      this.#counts.tell();
    }
  }

  /** As {@link Lane.offer}. */
  #take(event: UnderstoodEvent, pass: ListPass | null): Promise<void> {
    if (event.type === "ERROR") throw event.error;
    const initial = this.#state.phase === "listing";
    if (event.type === "BOOKMARK") {
      if (!initial) return this.#progress(event.resourceVersion);
      if (pass !== null && event.initialEnd) return this.#completeList(pass, event.resourceVersion);
      throw new StreamFault("unsupported", "WatchListUnsupported", "the server sends no end of the initial events");
    }
    this.#lastEventAt = this.#options.now();
    if (pass !== null && initial && event.type !== "DELETED") return pass.take(event.object);
    const room = this.#intake.watched(event.type, event.object);
    if (initial) return room;
    const version = resourceVersionOf(event.object);
    return room === ROOM ? this.#progress(version) : room.then(() => this.#progress(version));
  }

  async #listPages(pulse: Pulse): Promise<void> {
    const { client, spec, timing, signal, telemetry, labels } = this.#options;
    const pass = await this.#beginList(pulse);
    telemetry.streamStarted({ ...labels, kind: this.#kind, mode: "list" });
    const cut = AbortSignal.any([signal, this.#watchdog.signal]);
    let position = "";
    for await (const page of listPages(client, spec, timing, cut)) {
      pulse.beat();
      this.#counts.add("LISTED", page.items.length);
      this.#counts.tell();
      for (const item of page.items) await pulse.hold(pass.take(item));
      position = page.resourceVersion;
    }
    await pulse.hold(this.#completeList(pass, position));
  }

  async #beginList(pulse: Pulse): Promise<ListPass> {
    const { lane, signal } = this.#options;
    await pulse.hold(abortable(lane.drained(), signal));
    const pass = await ListPass.begin(this.#options, this.#intake);
    this.#listWaiters.begun();
    return pass;
  }

  async #completeList(pass: ListPass, position: string): Promise<void> {
    await pass.complete(position);
    this.#loss.listed(position);
    this.#apply({ type: "complete", position });
    const answered = this.#listWaiters.take();
    if (this.#listWaiters.waiting) this.#redirect({ type: "relist" });
    if (!answered.waiting) return;
    try {
      await abortable(this.#options.lane.drained(), this.#options.signal);
      answered.resolve();
    } catch (error) {
      answered.reject(error);
      throw error;
    }
  }

  #progress(position: string): Promise<void> {
    // Redirected: what this stream tells is taken in, but it is not how far the next one has come.
    if (position === "" || this.#redirected) return ROOM;
    refuseSetBack(position, this.#state.position);
    this.#apply({ type: "progress", position });
    const { lane, spec, now } = this.#options;
    lane.advance({ source: "cluster", scope: spec.scope, kind: spec.kind, position, completeAt: now() });
    return ROOM;
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
