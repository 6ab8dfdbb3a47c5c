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
  /** Batches of the cluster that are written at the same time, each of other lanes. The last is kept for lanes that hold at most `laneReserve`. */
  readonly writers: number;
  /** What a list brings waits for so many of its lane, or for `gatherMs`: nobody has seen it before, and a statement costs much however few rows it has. */
  readonly gatherItems: number;
  readonly gatherMs: number;
  readonly minBatch: number;
  /** The size that it begins with. */
  readonly firstBatch: number;
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
  // With the batches in flight and their statements this keeps a Fabric's share of the heap under some 20 MiB, whatever its objects weigh.
  totalBytes: 4 * 1024 * 1024,
  laneReserve: 16,
  // Two for floods (one prepares its statement while the other's is carried out), and one that only takes lanes that hold little: while many
  // kinds are listed an update of another one waits for no batch but its own.
  writers: 3,
  // Five lanes of so many are the largest batch. Without it a first load on two busy cores was 137 transactions of 73 rows; PostgreSQL and the operator took a sixth more CPU.
  gatherItems: 100,
  gatherMs: 250,
  minBatch: 50,
  firstBatch: 200,
  maxBatch: 500,
  maxBatchBytes: 3 * 1024 * 1024,
  // A statement costs some 5 ms however few rows it has, so on a machine that is slow or busy small batches are the worst that can be done: at
  // 100 ms they were seen to stay at 50 rows there, for twice the time. Only rows of the same flood wait for a batch.
  targetWriteMs: 1_000,
  // Bookmarks of all kinds come about once a minute; a second lets those of many kinds share one transaction.
  markDelayMs: 1_000,
};
