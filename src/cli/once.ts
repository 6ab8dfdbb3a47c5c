import type { Heartbeats, Logger, Telemetry } from "../core/telemetry.ts";
import type { Config } from "../config.ts";
import { syncOnce } from "../controller/once.ts";
import type { OnceResult } from "../controller/once.ts";
import { assertSchemaCompatible } from "../store/upkeep/compatible.ts";
import { assemble } from "./assembly.ts";

export interface OnceOptions {
  readonly config: Config;
  readonly version: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** `NAMESPACE/NAME`; all when absent. */
  readonly fabric?: string;
  /** For each Fabric. */
  readonly deadlineMs: number;
}

/**
 * One pass while holding the operator's lease, so that it never writes beside an operator.
 * @throws FabricSyncError `LeaseHeld` when an operator runs; what the database and the API server answer when they are away.
 */
export async function runOnce({
  config,
  version,
  log,
  signal,
  fabric,
  deadlineMs,
}: OnceOptions): Promise<OnceResult[]> {
  const parts = assemble({ config, version, log, telemetry: NO_METRICS, heartbeats: NO_PROBES, cut: signal });
  try {
    await assertSchemaCompatible(parts.pool);
    const narrowed = fabric === undefined ? {} : { fabric };
    return await parts.election.runOnce(signal, (lead) =>
      syncOnce({ ...parts.controller, ...narrowed, deadlineMs }, lead),
    );
  } finally {
    await parts.close();
  }
}

/** Nobody scrapes a process that ends by itself. */
const NO_METRICS: Telemetry = {
  batchApplied: () => undefined,
  writeRetried: () => undefined,
  streamEvents: () => undefined,
  streamStarted: () => undefined,
  gitOperation: () => undefined,
  webhook: () => undefined,
};

/** Nobody probes it either: the time of a pass is bounded. */
const NO_PROBES: Heartbeats = {
  register: () => ({ beat: () => undefined, end: () => undefined }),
};
