/**
 * How much a drift matters, by one rule:
 *
 * 1. A path weighs by its place: annotation 10, label 20, left over from an earlier revision 30, a value in the spec 40, a part of
 *    the spec that is missing altogether 50.
 * 2. The score is the heaviest path's weight, plus 2 for each further path, at most 20 more.
 * 3. A whole object: missing in the cluster 70, refused by the API server 80, in the cluster alone 20.
 * 4. The severity is read off the score: 0 none, below 25 low, below 50 medium, below 75 high, above critical.
 *
 * So one edited label is low, one edited field medium, a removed block or six edited fields high; critical is an invalid object.
 */
import type { Difference } from "./difference.ts";
import type { DriftSeverity, DriftStatus } from "./vocabulary.ts";

const WEIGHT = { annotation: 10, label: 20, leftover: 30, value: 40, absent: 50 } as const;
const FURTHER_PATH = 2;
const FURTHER_PATHS_AT_MOST = 20;
const WHOLE_OBJECT: Readonly<Record<DriftStatus, number>> = {
  unknown: 0,
  in_sync: 0,
  drifted: 0,
  untracked: 0,
  extra: 20,
  missing: 70,
  invalid: 80,
};

/** The weight of one path, 10 to 50. */
export function weightOf({ path, desired, actual }: Difference): number {
  if (path[0] === "metadata") return path[1] === "labels" ? WEIGHT.label : WEIGHT.annotation;
  if (desired === undefined) return WEIGHT.leftover;
  return actual === undefined ? WEIGHT.absent : WEIGHT.value;
}

/** 0 to 100. `weights` are those of the drifted paths; none where the verdict is about the whole object. */
export function driftScore(status: DriftStatus, weights: readonly number[]): number {
  if (weights.length === 0) return WHOLE_OBJECT[status];
  return Math.max(...weights) + Math.min(FURTHER_PATHS_AT_MOST, FURTHER_PATH * (weights.length - 1));
}

export function severityOf(score: number): DriftSeverity {
  if (score <= 0) return "none";
  if (score < 25) return "low";
  if (score < 50) return "medium";
  return score < 75 ? "high" : "critical";
}
