/** What the parts tell about themselves. `http/metrics.ts` turns it into Prometheus series, `http/health.ts` into probes. */

/** The part of pino's logger that is used: keys first, then a constant message. Secrets and credentials never get this far. */
export interface Logger {
  debug(keys: object, message: string): void;
  info(keys: object, message: string): void;
  warn(keys: object, message: string): void;
  error(keys: object, message: string): void;
  child(keys: Record<string, unknown>): Logger;
}

/** Labels every series of one Fabric carries. */
export interface FabricLabels {
  readonly namespace: string;
  readonly fabric: string;
}

export interface Telemetry {
  /** One committed (or finally refused) batch. */
  batchApplied(
    labels: FabricLabels & { source: "cluster" | "git" },
    batch: {
      changed: number;
      unchanged: number;
      refreshed: number;
      stale: number;
      deadLettered: number;
      durationMs: number;
    },
  ): void;
  /** A write transaction was repeated. `sqlstate` is the SQLSTATE or the Node error code. */
  writeRetried(labels: FabricLabels, sqlstate: string): void;
  /** Events taken from a list or watch stream. `type` is ADDED, MODIFIED, DELETED, BOOKMARK, ERROR or LISTED. */
  streamEvents(labels: FabricLabels & { kind: string; type: string }, count: number): void;
  /** A list, a watch or a resume was started. */
  streamStarted(labels: FabricLabels & { kind: string; mode: "watchlist" | "list" | "watch" }): void;
  /** An `ls-remote`, fetch or parse was done. */
  gitOperation(
    labels: FabricLabels,
    operation: "ls-remote" | "fetch" | "take",
    result: "ok" | "error",
    durationMs: number,
  ): void;
  /**
   * A webhook was answered. Beside its `refused`, one whose Secret was slow to come is `late` when it was found good after all and acted on, and
   * `dropped` when there was no room to wait for it or the database could not record it.
   */
  webhook(result: "accepted" | "refused" | "duplicate" | "ignored" | "late" | "dropped"): void;
}

/** Proof that loops make progress: `/livez` fails when a registered loop has not beaten within its time. */
export interface Heartbeats {
  /** `withinMs` is the longest the loop may take between two beats when it is well, waiting included. */
  register(loop: string, withinMs: number): Heartbeat;
}
export interface Heartbeat {
  beat(): void;
  /** The loop ended on purpose. */
  end(): void;
}
