import type { ActualUpsert } from "../../src/core/observation.ts";
import type { ApplyResult, Batch } from "../../src/core/ports.ts";
import type { ReducePolicy } from "../../src/core/policy.ts";
import type { Logger } from "../../src/core/telemetry.ts";
import type { PumpOptions } from "../../src/pump/pump.ts";

/**
 * A test double that stands for Postgres: it remembers the batches in the order of their commit, can hold a write back and
 * can refuse attempts. Only time and faults are made up here; what the pump sends is what a real store would get.
 */
export class RecordingStore {
  readonly committed: Batch[] = [];
  attempts = 0;
  inFlight = 0;
  maxInFlight = 0;
  /** Errors for the next attempts, first come first served. */
  readonly faults: Error[] = [];
  #gate: PromiseWithResolvers<void> | null = null;

  /** Holds every write until `open`. */
  hold(): void {
    this.#gate ??= Promise.withResolvers<void>();
  }
  open(): void {
    this.#gate?.resolve();
    this.#gate = null;
  }

  async apply(batch: Batch): Promise<ApplyResult> {
    this.attempts += 1;
    this.inFlight += 1;
    this.maxInFlight = Math.max(this.maxInFlight, this.inFlight);
    try {
      await (this.#gate?.promise ?? new Promise((resolve) => setImmediate(resolve)));
      const fault = this.faults.shift();
      if (fault) throw fault;
      this.committed.push(batch);
      const observations = batch.observations.length;
      return {
        observations,
        changed: observations,
        unchanged: 0,
        refreshed: 0,
        stale: 0,
        deadLettered: [],
        durationMs: 1,
      };
    } finally {
      this.inFlight -= 1;
    }
  }

  /** `name@resourceVersion` of every committed observation, in order. */
  get written(): string[] {
    return this.committed.flatMap((batch) => batch.observations.map((seen) => describe(seen as ActualUpsert)));
  }
}

export function describe(seen: { key: { name: string }; resourceVersion: string }): string {
  return `${seen.key.name}@${seen.resourceVersion}`;
}

export const POLICY: ReducePolicy = {
  driftMode: "local",
  reportExtra: false,
  direction: "observe",
  ignore: [],
  hasGit: true,
};

export const SILENT_LOGGER: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT_LOGGER,
};

export function pumpOptions(store: PumpOptions["store"], more: Partial<PumpOptions> = {}): PumpOptions {
  return {
    labels: { namespace: "net", fabric: "lab" },
    store,
    fence: () => ({ fabricId: "f", epoch: 1 }),
    policy: () => POLICY,
    telemetry: { batchApplied: () => undefined, writeRetried: () => undefined },
    logger: SILENT_LOGGER,
    signal: new AbortController().signal,
    random: () => 0,
    ...more,
  };
}

export function seen(name: string, resourceVersion: string | number, text = ""): ActualUpsert {
  return {
    side: "actual",
    type: "upsert",
    key: { fabricId: "f", apiGroup: "vpc.example", kind: "VPC", namespace: "default", name },
    writePath: "watch",
    observedAt: 0,
    apiVersion: "vpc.example/v1",
    content: { spec: { text }, labels: {}, annotations: {}, hash: "" },
    status: null,
    uid: `uid-${name}`,
    generation: 1,
    resourceVersion: String(resourceVersion),
    deletionRequestedAt: null,
    manager: "",
  };
}
