import type { ActualUpsert } from "../../src/core/observation.ts";
import { normaliseActual } from "../../src/core/normalise.ts";
import { Pump } from "../../src/pump/pump.ts";
import { POLICY } from "../../test/store/fixture.ts";
import type { StoreFixture } from "../../test/store/fixture.ts";
import { quiet } from "../../test/sources/git/source-bench.ts";

/** ms between two events: 100 a second. */
const PACE_MS = 10;

/** Watch events as a cluster source would offer them, through a pump of their own to the same database; each is timed until it is committed. */
export class EventStream implements AsyncDisposable {
  readonly latencies: Record<"quiet" | "hostile", number[]> = { quiet: [], hostile: [] };
  readonly #stop = new AbortController();
  readonly #pump: Pump;
  readonly #fabricId: string;
  #version = 1;

  constructor(fixture: StoreFixture) {
    this.#fabricId = fixture.fabricId;
    this.#pump = new Pump({
      labels: { namespace: "netops", fabric: "lab" },
      store: fixture.store,
      fence: () => fixture.fence,
      policy: () => POLICY,
      telemetry: { batchApplied: () => undefined, writeRetried: () => undefined },
      logger: quiet,
      signal: this.#stop.signal,
    });
  }

  /** Runs for as long as the work takes. */
  async during<T>(when: "quiet" | "hostile", work: () => Promise<T>): Promise<T> {
    const end = new AbortController();
    const running = this.#run(this.latencies[when], end.signal);
    try {
      return await work();
    } finally {
      end.abort();
      await running;
    }
  }

  /** Committed so far. */
  get events(): number {
    return this.latencies.quiet.length + this.latencies.hostile.length;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#pump.stop();
    this.#stop.abort();
    return Promise.resolve();
  }

  async #run(latencies: number[], signal: AbortSignal): Promise<void> {
    const lane = this.#pump.lane("events");
    let due = performance.now();
    while (!signal.aborted) {
      // From when it was due: what keeps the loop from its turn is part of it.
      const begun = due;
      await lane.offer(this.#event());
      await lane.drained();
      latencies.push(performance.now() - begun);
      due = Math.max(due + PACE_MS, performance.now());
      const wait = Math.max(0, due - performance.now());
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    lane.close();
  }

  #event(): ActualUpsert {
    const version = String((this.#version += 1));
    const object = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: `event-${this.#version % 50}`, namespace: "default", uid: "u", resourceVersion: version },
      data: { version },
    };
    return normaliseActual(object, { fabricId: this.#fabricId, writePath: "watch", observedAt: Date.now() });
  }
}
