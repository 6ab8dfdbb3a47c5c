import type { FabricCounts } from "../core/ports.ts";
import type { GitStatus, StreamStatus } from "../core/streams.ts";

/** What probes and metrics ask of each Fabric that this process works on: facts as they stand, no I/O. */
export interface FabricReport {
  readonly namespace: string;
  readonly name: string;
  readonly conditions: readonly ConditionReport[];
  readonly streams: readonly StreamStatus[];
  readonly git: GitStatus | null;
  /** As of the last status that was written; null before the first. */
  readonly counts: FabricCounts | null;
}

export interface ConditionReport {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}
