import type { Cursor, ObservationStore } from "../../core/ports.ts";
import type { Lane } from "../../core/streams.ts";
import type { FabricLabels, Heartbeats, Logger, Telemetry } from "../../core/telemetry.ts";
import type { VolatileMatcher } from "../../core/volatile.ts";
import type { KubeClient } from "./client.ts";
import type { StreamSpec } from "./selection.ts";
import type { StreamTiming } from "./timing.ts";

/** What a reflector works on and with. */
export interface ReflectorOptions {
  readonly fabricId: string;
  readonly labels: FabricLabels;
  readonly spec: StreamSpec;
  /** How far the table was when we came; null = begin with a list. */
  readonly cursor: Cursor | null;
  readonly client: Pick<KubeClient, "fetch" | "stream">;
  readonly lane: Lane;
  readonly store: Pick<ObservationStore, "actualKeys">;
  readonly telemetry: Pick<Telemetry, "streamEvents" | "streamStarted">;
  readonly heartbeats: Heartbeats;
  readonly logger: Logger;
  readonly timing: StreamTiming;
  readonly volatile: VolatileMatcher;
  readonly signal: AbortSignal;
  /** State or reason changed, or a list was completed. */
  readonly onChange: () => void;
  /** [0, 1) */
  readonly random: () => number;
  readonly now: () => number;
}
