import type { RunOutcome } from "./ports.ts";
import type { RunResult } from "./vocabulary.ts";

/**
 * How a run ended, by its counters alone (invariants 11 and 15):
 *
 * | error | counters                                       | result    |
 * |-------|------------------------------------------------|-----------|
 * | any   | documents ≠ changed + unchanged + rejected     | failed    |
 * | yes   |                                                | failed    |
 * | no    | every document was rejected, and there was one | failed    |
 * | no    | some were rejected                             | partial   |
 * | no    | none was rejected                              | succeeded |
 *
 * `unchanged` holds the refreshed and the stale ones too: they were taken in, and nothing had to be told.
 */
export function runResult(outcome: RunOutcome): Exclude<RunResult, "running"> {
  const accounted = outcome.changed + outcome.unchanged + outcome.rejected;
  if (outcome.error !== "" || accounted !== outcome.documents) return "failed";
  if (outcome.rejected === 0) return "succeeded";
  return outcome.rejected === outcome.documents ? "failed" : "partial";
}
