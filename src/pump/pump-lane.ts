import type { Observation } from "../core/observation.ts";
import type { Cursor } from "../core/ports.ts";
import { ROOM } from "../core/streams.ts";
import type { Lane } from "../core/streams.ts";
import { LaneQueue } from "./lane-queue.ts";

/** What a lane needs from the pump that it belongs to. */
export interface LaneHost {
  /** The lane offered something, or has somebody who waits. */
  wake(lane: PumpLane): void;
  /** Whether this lane's source must wait now. */
  isFull(lane: PumpLane): boolean;
  /** The error that ended the pump, null while it runs. */
  ended(): Error | null;
}

interface Waiter {
  readonly position: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A source's end of the pump: a queue, and the promises of those who wait for room or for the commit. */
export class PumpLane implements Lane {
  readonly name: string;
  readonly queue = new LaneQueue();
  readonly #host: LaneHost;
  #roomWaiters: Waiter[] = [];
  #drainWaiters: Waiter[] = [];
  /** Part of it is in a write: the next part waits, so that a lane's order is kept. */
  busy = false;
  #committed = 0;
  #marksInFlight: readonly Cursor[] = [];
  #saved: Cursor | null = null;
  #closed = false;

  /** `saved`: the cursor that the database holds already. */
  constructor(name: string, host: LaneHost, saved: Cursor | null = null) {
    this.name = name;
    this.#saved = saved;
    this.#host = host;
  }

  get closed(): boolean {
    return this.#closed;
  }
  get isEmpty(): boolean {
    return this.queue.items === 0 && this.queue.marks === 0;
  }
  /** True while somebody waits for the commit of what is queued. */
  get isAwaited(): boolean {
    return this.#closed || this.#drainWaiters.length > 0;
  }

  /** True while its source is held: it has no room. */
  get isHeld(): boolean {
    return this.#roomWaiters.length > 0;
  }

  offer(observation: Observation): Promise<void> {
    const error = this.#refusal();
    if (error) return Promise.reject(error);
    this.queue.push(observation);
    const room = this.#host.isFull(this)
      ? new Promise<void>((resolve, reject) => this.#roomWaiters.push({ position: 0, resolve, reject }))
      : ROOM;
    this.#host.wake(this);
    return room;
  }

  advance(cursor: Cursor): void {
    if (this.#refusal()) return;
    this.queue.mark(cursor);
    this.#host.wake(this);
  }

  saved(): Cursor | null {
    return this.#saved;
  }

  rewind(saved: Cursor | null): void {
    this.#saved = saved;
    this.dropMarks();
  }

  /** Cursors that wait or are under way will not be saved: the database is behind them. */
  dropMarks(): void {
    this.queue.dropMarks();
    this.#marksInFlight = [];
    this.#settle();
  }

  drained(): Promise<void> {
    const error = this.#host.ended();
    if (error) return Promise.reject(error);
    const position = this.queue.appended;
    if (this.#isCommitted(position)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#drainWaiters.push({ position, resolve, reject });
      this.#host.wake(this);
    });
  }

  close(): void {
    this.#closed = true;
    // The source that waits for room is done with the lane: it must not wait for a database that is away.
    for (const waiter of this.#roomWaiters.splice(0)) waiter.resolve();
    this.#host.wake(this);
  }

  /** Part of it goes into a write, with `marks`: the lane is busy until that is committed. */
  begin(marks: readonly Cursor[]): void {
    this.busy = true;
    this.#marksInFlight = marks;
  }

  /** Lets the source go on when there is room again. */
  releaseRoom(): void {
    if (this.#roomWaiters.length === 0 || this.#host.isFull(this)) return;
    const waiters = this.#roomWaiters;
    this.#roomWaiters = [];
    for (const waiter of waiters) waiter.resolve();
  }

  /** Everything taken from the queue so far is in Postgres. */
  committed(): void {
    this.busy = false;
    this.#committed = this.queue.taken;
    this.#saved = this.#marksInFlight.at(-1) ?? this.#saved;
    this.#marksInFlight = [];
    this.#settle();
  }

  #settle(): void {
    if (this.#drainWaiters.length === 0) return;
    const waiters = this.#drainWaiters;
    this.#drainWaiters = waiters.filter((waiter) => !this.#isCommitted(waiter.position));
    for (const waiter of waiters) if (this.#isCommitted(waiter.position)) waiter.resolve();
  }

  /** The pump ended: nobody waits for ever. */
  fail(error: Error): void {
    const waiters = [...this.#roomWaiters, ...this.#drainWaiters];
    this.#roomWaiters = [];
    this.#drainWaiters = [];
    for (const waiter of waiters) waiter.reject(error);
  }

  #isCommitted(position: number): boolean {
    return this.#committed >= position && this.#marksInFlight.length === 0 && !this.queue.hasMarkUpTo(position);
  }

  #refusal(): Error | null {
    return this.#host.ended() ?? (this.#closed ? new Error(`lane ${this.name} is closed`) : null);
  }
}

/** What waits in some lanes. */
export function backlogOf(lanes: readonly PumpLane[]): { readonly items: number; readonly bytes: number } {
  let [items, bytes] = [0, 0];
  for (const { queue } of lanes) {
    items += queue.items;
    bytes += queue.bytes;
  }
  return { items, bytes };
}
