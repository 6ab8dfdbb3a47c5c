import type { Observation } from "../core/observation.ts";
import type { ApplyResult, DeadLetterSummary } from "../core/ports.ts";

export type Outcome = "changed" | "unchanged" | "refreshed" | "stale";

/** Counts what became of each observation of one transaction: N in, the sum is N (invariant 11). */
export interface Tally {
  count(outcome: Outcome): void;
  refuse(observation: Observation, refusal: Omit<DeadLetterSummary, "key">): void;
  result(): Omit<ApplyResult, "durationMs">;
}

export function createTally(): Tally {
  const counts: Record<Outcome, number> = { changed: 0, unchanged: 0, refreshed: 0, stale: 0 };
  const deadLettered: DeadLetterSummary[] = [];
  return {
    count(outcome) {
      counts[outcome] += 1;
    },
    refuse({ key }, refusal) {
      deadLettered.push({ key, ...refusal });
    },
    result() {
      const { changed, unchanged, refreshed, stale } = counts;
      const observations = changed + unchanged + refreshed + stale + deadLettered.length;
      return { observations, ...counts, deadLettered };
    },
  };
}
