/** The bounds of one pump. Every figure is per Fabric. */
export interface PumpLimits {
  /** Observations one lane may hold before its source has to wait. */
  readonly laneItems: number;
  /** Estimated bytes one lane may hold. */
  readonly laneBytes: number;
  /** Observations all lanes together may hold. */
  readonly totalItems: number;
  /** Estimated bytes all lanes together may hold. */
  readonly totalBytes: number;
  /** What a lane may hold even when the total is used up, so that a flood in one lane never shuts another. */
  readonly laneReserve: number;
  /** Batches of the cluster that are written at the same time, each of other lanes. */
  readonly writers: number;
  readonly minBatch: number;
  readonly maxBatch: number;
  readonly maxBatchBytes: number;
  /** The batch size grows while a write takes less than half of this (ms) and shrinks when it takes more. */
  readonly targetWriteMs: number;
  /** A cursor mark with no observation beside it waits at most so long (ms) for company. */
  readonly markDelayMs: number;
}

export const PUMP_LIMITS: PumpLimits = {
  // Of ten lanes two writers always find a full batch. Twice as much was measured no faster, and is garbage that has grown old (bench/watch).
  laneItems: 250,
  laneBytes: 2 * 1024 * 1024,
  totalItems: 1_000,
  // With two batches in flight and their statements this keeps a Fabric's share of the heap under some 20 MiB, whatever its objects weigh.
  totalBytes: 4 * 1024 * 1024,
  laneReserve: 16,
  // While the list of one kind is written an update of another takes the second writer. Lists are no faster by it where Postgres shares two
  // cores with us (bench/reports/watch.md).
  writers: 2,
  minBatch: 50,
  maxBatch: 500,
  maxBatchBytes: 3 * 1024 * 1024,
  // An update waits for the write in flight and then for its own: 2 × 100 ms stays under the 250 ms that a busy
  // neighbour may cost it.
  targetWriteMs: 100,
  // Bookmarks of all kinds come about once a minute; a second lets those of many kinds share one transaction.
  markDelayMs: 1_000,
};
