import type { Heartbeat, Heartbeats } from "../../core/telemetry.ts";

/** A loop without a beat for so long hangs (ms): longer than silence, the longest backoff, and one page together. */
const BEAT_WITHIN_MS = 600_000;
/** How often a reader who is held back by the database says that it is alive (ms). */
const BEAT_WHILE_HELD_MS = 30_000;

/** Tells that a reflector is alive: with each step and chunk, and by the clock while it waits for the database and not for the server. */
export class Pulse {
  readonly #heartbeat: Heartbeat;
  readonly #timer: NodeJS.Timeout;
  #held = false;

  constructor(heartbeats: Heartbeats, name: string) {
    this.#heartbeat = heartbeats.register(name, BEAT_WITHIN_MS);
    this.#timer = setInterval(() => this.#held && this.#heartbeat.beat(), BEAT_WHILE_HELD_MS);
  }

  beat(): void {
    this.#heartbeat.beat();
  }

  async hold(step: Promise<void>): Promise<void> {
    this.#held = true;
    try {
      await step;
    } finally {
      this.#held = false;
    }
  }

  end(): void {
    clearInterval(this.#timer);
    this.#heartbeat.end();
  }
}
