import type { PumpLimits } from "./limits.ts";
import type { PumpLane } from "./pump-lane.ts";

/**
 * Who writes: `bulk` takes what lists and floods bring, a full batch at a time; `express` takes lanes that hold little, so that an update waits
 * for no batch of somebody else's list.
 */
export type Writer = "bulk" | "express";

/** Which writers are at work, and which lanes each of them may take from. */
export class Writers {
  readonly #limits: PumpLimits;
  readonly #working = { bulk: 0, express: 0 };
  /** About to take their first batch: what is offered in this turn goes with it. */
  readonly #gathering = new Set<Writer>();

  constructor(limits: PumpLimits) {
    this.#limits = limits;
  }

  isGathering(writer: Writer): boolean {
    return this.#gathering.has(writer);
  }
  /** Whether one more of them may begin. */
  isFree(writer: Writer): boolean {
    return this.#working[writer] < this.#most(writer);
  }
  begin(writer: Writer): void {
    this.#working[writer] += 1;
    this.#gathering.add(writer);
  }
  gathered(writer: Writer): void {
    this.#gathering.delete(writer);
  }
  end(writer: Writer): void {
    this.#working[writer] -= 1;
  }

  /** Of lanes that are in no batch those of which the writer may take something. Where there is a flood the small ones are left to `express`. */
  lanesFor(writer: Writer, free: readonly PumpLane[]): readonly PumpLane[] {
    const { writers, laneReserve } = this.#limits;
    if (writers === 1) return writer === "bulk" ? free : [];
    const flooded = (lane: PumpLane): boolean => lane.queue.items > laneReserve;
    if (writer === "express") return free.filter((lane) => !flooded(lane));
    const floods = free.filter(flooded);
    if (floods.length === 0) return free;
    // A lane is in one batch at a time: a writer that is about to begin, or could, gets its part of them. The fullest first.
    const others = this.#most("bulk") - this.#working.bulk + (this.#gathering.has("bulk") ? 1 : 0);
    floods.sort((a, b) => b.queue.items - a.queue.items);
    return floods.slice(0, Math.ceil(floods.length / (1 + others)));
  }

  /** One of the writers is for small lanes, unless it is the only one. */
  #most(writer: Writer): number {
    const { writers } = this.#limits;
    return writer === "express" ? Math.min(1, writers - 1) : Math.max(1, writers - 1);
  }
}
