/**
 * What the parts tell, as Prometheus series. `docs/metrics.md` lists them; a test compares it with the registry. No label can take
 * more values than there are Fabrics, kinds, and words in a closed list.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import { freshnessOf } from "../core/freshness.ts";
import type { FabricLabels, Telemetry } from "../core/telemetry.ts";
import { DRIFT_SEVERITIES } from "../core/vocabulary.ts";
import type { LoopReport } from "./loops.ts";
import type { FabricReport } from "./reports.ts";

export interface MetricsSources {
  readonly version: string;
  fabrics(): readonly FabricReport[];
  loops(): readonly LoopReport[];
}

/** A batch in one transaction takes milliseconds; ten seconds is a database in trouble. */
const WRITE_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
/** From an `ls-remote` on the same network to a first clone across the world. */
const GIT_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];

/**
 * How often the event loop's delay is looked at (ms): the least that its series tell. The library's 10 ms wake a process at rest a hundred times a
 * second, which was half of the CPU that it took; what delays a stream is longer than this.
 */
const LOOP_DELAY_MS = 100;

const FABRIC = ["namespace", "fabric"] as const;

export class Metrics implements Telemetry {
  readonly registry = new Registry();
  readonly #observations = this.#counter("observations_total", "Observations taken in, by what became of them", [
    ...FABRIC,
    "source",
    "outcome",
  ]);
  readonly #batches = new Histogram({
    name: "fabric_sync_write_seconds",
    help: "From the first statement of a batch to the answer of its COMMIT",
    labelNames: [...FABRIC, "source"],
    buckets: WRITE_SECONDS,
    registers: [this.registry],
  });
  readonly #retries = this.#counter(
    "write_retries_total",
    "Write transactions repeated, by SQLSTATE or network error",
    [...FABRIC, "sqlstate"],
  );
  readonly #events = this.#counter("stream_events_total", "Events taken from lists and watches", [
    ...FABRIC,
    "kind",
    "type",
  ]);
  readonly #starts = this.#counter("stream_starts_total", "Lists and watches started", [...FABRIC, "kind", "mode"]);
  readonly #git = new Histogram({
    name: "fabric_sync_git_seconds",
    help: "Time of Git operations, by result",
    labelNames: [...FABRIC, "operation", "result"],
    buckets: GIT_SECONDS,
    registers: [this.registry],
  });
  readonly #webhooks = this.#counter("webhooks_total", "Webhooks answered", ["result"]);

  constructor(sources: MetricsSources) {
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: LOOP_DELAY_MS });
    const build = new Gauge({
      name: "fabric_sync_build_info",
      help: "1, with the version as a label",
      labelNames: ["version"],
      registers: [this.registry],
    });
    build.set({ version: sources.version }, 1);
    registerFabricGauges(this.registry, () => sources.fabrics());
    const silence = new Gauge({
      name: "fabric_sync_loop_silent_seconds",
      help: "Since a loop made progress last; livez fails when it is too long for that loop",
      labelNames: ["loop"],
      registers: [this.registry],
      collect: () => {
        silence.reset();
        for (const { loop, silentMs } of sources.loops()) silence.set({ loop }, silentMs / 1_000);
      },
    });
  }

  batchApplied(
    { namespace, fabric, source }: Parameters<Telemetry["batchApplied"]>[0],
    batch: Parameters<Telemetry["batchApplied"]>[1],
  ): void {
    const { changed, unchanged, refreshed, stale, deadLettered } = batch;
    for (const [outcome, count] of Object.entries({
      changed,
      unchanged,
      refreshed,
      stale,
      dead_lettered: deadLettered,
    })) {
      this.#observations.inc({ namespace, fabric, source, outcome }, count);
    }
    this.#batches.observe({ namespace, fabric, source }, batch.durationMs / 1_000);
  }

  writeRetried({ namespace, fabric }: FabricLabels, sqlstate: string): void {
    this.#retries.inc({ namespace, fabric, sqlstate });
  }

  streamEvents({ namespace, fabric, kind, type }: Parameters<Telemetry["streamEvents"]>[0], count: number): void {
    this.#events.inc({ namespace, fabric, kind, type }, count);
  }

  streamStarted({ namespace, fabric, kind, mode }: Parameters<Telemetry["streamStarted"]>[0]): void {
    this.#starts.inc({ namespace, fabric, kind, mode });
  }

  gitOperation(
    { namespace, fabric }: FabricLabels,
    operation: Parameters<Telemetry["gitOperation"]>[1],
    result: Parameters<Telemetry["gitOperation"]>[2],
    durationMs: number,
  ): void {
    this.#git.observe({ namespace, fabric, operation, result }, durationMs / 1_000);
  }

  webhook(result: Parameters<Telemetry["webhook"]>[0]): void {
    this.#webhooks.inc({ result });
  }

  #counter<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> {
    return new Counter({ name: `fabric_sync_${name}`, help, labelNames: [...labelNames], registers: [this.registry] });
  }
}

/** Gauges of each Fabric, made anew at every scrape: a Fabric or kind that is gone leaves no series behind. */
function registerFabricGauges(registry: Registry, fabrics: () => readonly FabricReport[]): void {
  const gauge = (
    name: string,
    help: string,
    labelNames: readonly string[],
    fill: (report: FabricReport, set: (labels: Record<string, string>, value: number) => void) => void,
  ): void => {
    const made = new Gauge<string>({
      name: `fabric_sync_${name}`,
      help,
      labelNames: [...FABRIC, ...labelNames],
      registers: [registry],
      collect: () => {
        made.reset();
        for (const report of fabrics()) {
          const { namespace, name: fabric } = report;
          fill(report, (labels, value) => made.set({ namespace, fabric, ...labels }, value));
        }
      },
    });
  };
  gauge(
    "fabric_condition",
    "1 for the status that a condition of the Fabric has",
    ["type", "status"],
    (report, set) => {
      for (const { type, status } of report.conditions) set({ type, status }, 1);
    },
  );
  gauge("fabric_resources", "Resources by state, as of the last status", ["state"], ({ counts }, set) => {
    for (const [state, count] of Object.entries(counts?.byState ?? {})) set({ state }, count);
  });
  gauge(
    "fabric_drift",
    "Resources by drift status, unknown and not_compared apart, as of the last status",
    ["drift"],
    ({ counts }, set) => {
      for (const [drift, count] of Object.entries(counts?.byDrift ?? {})) set({ drift }, count);
    },
  );
  gauge(
    "fabric_drift_severity",
    "Resources that drift, are missing, extra or invalid, by severity, as of the last status",
    ["severity"],
    ({ counts }, set) => {
      // Those at 0 too: an alert on the last one going away needs a sample.
      if (counts === null) return;
      for (const severity of DRIFT_SEVERITIES)
        if (severity !== "none") set({ severity }, counts.bySeverity[severity] ?? 0);
    },
  );
  gauge("fabric_rejections", "Documents in Git that are not taken in", [], ({ counts }, set) => {
    if (counts) set({}, counts.rejections);
  });
  gauge("fabric_dead_letters", "Observations that the database refused", [], ({ counts }, set) => {
    if (counts) set({}, counts.deadLetters);
  });
  gauge(
    "stream_complete_timestamp_seconds",
    "As of when the table holds everything of a kind that the cluster has; absent before the first complete list",
    ["kind"],
    ({ streams }, set) => {
      for (const { kind, apiGroup, completeAt } of freshnessOf(streams)) {
        if (completeAt !== null) set({ kind: apiGroup === "" ? kind : `${kind}.${apiGroup}` }, completeAt / 1_000);
      }
    },
  );
  gauge("streams", "Lists and watches by state", ["state"], ({ streams }, set) => {
    const states = new Map<string, number>();
    for (const { state } of streams) states.set(state, (states.get(state) ?? 0) + 1);
    for (const [state, count] of states) set({ state }, count);
  });
  gauge(
    "stream_loss_timestamp_seconds",
    "When the database was last found to have lost commits of a kind, which was taken up again from there; absent where it never was",
    ["kind"],
    ({ streams }, set) => {
      const last = new Map<string, number>();
      for (const { kind, apiGroup, loss } of streams) {
        const name = apiGroup === "" ? kind : `${kind}.${apiGroup}`;
        if (loss !== undefined) last.set(name, Math.max(last.get(name) ?? 0, loss.foundAt));
      }
      for (const [kind, foundAt] of last) set({ kind }, foundAt / 1_000);
    },
  );
  gauge("git_fetched_timestamp_seconds", "When the repository answered last", [], ({ git }, set) => {
    if (git?.lastFetchedAt) set({}, git.lastFetchedAt / 1_000);
  });
}
