import type { Observation } from "../core/observation.ts";
import type { Cursor } from "../core/ports.ts";
import type { PumpLimits } from "./limits.ts";
import type { PumpLane } from "./pump-lane.ts";

export interface NextBatch {
  readonly observations: Observation[];
  readonly cursors: Cursor[];
  /** What the database holds of the lanes whose cursors move. */
  readonly expected: Cursor[];
  /** The lanes that take part. */
  readonly lanes: PumpLane[];
}

/**
 * Makes batches of what the lanes hold: every lane that has something gets an equal share, what one leaves goes to the next,
 * and who was first this time is last the next time. The size follows the time that writes take.
 */
export class Batcher {
  readonly #limits: PumpLimits;
  #size: number;
  #turn = 0;

  constructor(limits: PumpLimits) {
    this.#limits = limits;
    this.#size = Math.min(limits.maxBatch, Math.max(limits.minBatch, limits.firstBatch));
  }

  /** Observations the next batch may hold. */
  get size(): number {
    return this.#size;
  }

  /** Of lanes that are not busy. Empty when no lane holds anything. Marks go with it where all that was offered before them is in it or committed. */
  next(lanes: readonly PumpLane[]): NextBatch {
    const observations: Observation[] = [];
    const taken = new Set<PumpLane>();
    const keys = new Set<string>();
    let bytesLeft = this.#limits.maxBatchBytes;
    const start = lanes.length === 0 ? 0 : this.#turn++ % lanes.length;
    const waiting = [...lanes.slice(start), ...lanes.slice(0, start)].filter((lane) => lane.queue.items > 0);
    waiting.sort((a, b) => a.queue.items - b.queue.items); // stable: the small first, their rest goes to the large
    for (const [index, lane] of waiting.entries()) {
      const share = Math.ceil((this.#size - observations.length) / (waiting.length - index));
      const byteShare = Math.ceil(bytesLeft / (waiting.length - index));
      if (share <= 0) break;
      const part = lane.queue.take(share, byteShare, (key) => keys.has(key));
      if (part.taken.length > 0) taken.add(lane);
      for (const observation of part.taken) observations.push(observation);
      for (const key of part.keys) keys.add(key);
      bytesLeft = Math.max(0, bytesLeft - part.bytes);
    }
    const cursors: Cursor[] = [];
    const expected: Cursor[] = [];
    for (const lane of lanes) {
      const marks = lane.queue.takeMarks();
      if (marks.length > 0) taken.add(lane);
      const saved = lane.saved();
      if (marks.length > 0 && saved !== null) expected.push(saved);
      cursors.push(...marks);
      if (taken.has(lane)) lane.begin(marks);
    }
    return { observations, cursors, expected, lanes: [...taken] };
  }

  /** Learns from a write of `count` observations that took `durationMs`. */
  learn(count: number, durationMs: number): void {
    const { targetWriteMs, minBatch, maxBatch } = this.#limits;
    // What a single row takes says nothing about how many fit.
    if (count < minBatch) return;
    if (durationMs > targetWriteMs) this.#size = Math.max(minBatch, Math.floor(this.#size / 2));
    else if (count >= this.#size && durationMs * 2 <= targetWriteMs) this.#size = Math.min(maxBatch, this.#size * 2);
  }
}
