import type { StreamStatus } from "../core/streams.ts";

/** The database does not hold what it had confirmed, as after the promotion of a replica that was behind. */
export interface StoreLoss {
  /** Streams that went back to where the database stands. */
  readonly streams: number;
  /** Those of which the database does not hold as much again as it had confirmed. */
  readonly open: number;
}

/**
 * What is to be told of lost commits: what is not repaired yet, and what nobody has been told of. A repair takes less time than two
 * writes of a status are apart, as a rule.
 * @param toldAt as of when a status that was written has told (ms)
 */
export function storeLossOf(streams: readonly StreamStatus[], toldAt: number): StoreLoss | null {
  const found = streams.flatMap(({ loss }) => (loss === undefined ? [] : [loss]));
  const open = found.filter(({ repaired }) => !repaired);
  const news = found.filter(({ repaired, foundAt }) => !repaired || foundAt > toldAt);
  if (news.length === 0) return null;
  // With those that are repaired since: it is one story.
  const begun = Math.min(...news.map(({ foundAt }) => foundAt));
  return { streams: found.filter(({ foundAt }) => foundAt >= begun).length, open: open.length };
}
