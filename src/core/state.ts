import type { DriftVerdict } from "./drift.ts";
import { isGeneratedKind } from "./generated.ts";
import { isDeclared, isThere } from "./resource-row.ts";
import type { ResourceRow } from "./row.ts";
import type { ResourceState } from "./vocabulary.ts";

/** A state, and why in words. */
export interface DerivedState {
  readonly state: ResourceState;
  readonly reason: string;
}

/**
 * The state of a row: a pure function of its sides and the verdict on them. The first line that fits counts:
 *
 * | sides                                   | verdict   | state       |
 * |-----------------------------------------|-----------|-------------|
 * | neither, and there never was one        |           | pending     |
 * | neither                                 |           | deleted     |
 * | cluster, deletion requested             |           | terminating |
 * | any, of a kind the platform generates   |           | external    |
 * | both                                    | in_sync   | synced      |
 * | both                                    | unknown   | pending     |
 * | both                                    | else      | drifted     |
 * | Git alone                               |           | committed   |
 * | cluster alone                           | unknown, Git unread | pending |
 * | cluster alone, nobody expects it in Git |           | external    |
 * | cluster alone                           |           | orphaned    |
 *
 * `synced` needs a comparison that found nothing: where none was made the row is `pending`, since never compared is not in sync.
 */
export function deriveState(row: ResourceRow, verdict: DriftVerdict, expectedInGit: Expectation): DerivedState {
  const declared = isDeclared(row);
  const there = isThere(row);
  if (!declared && !there) {
    const existed = row.desiredUpdated !== null || row.actualUpdated !== null;
    return existed ? state("deleted", "neither Git nor the cluster has it any more") : state("pending", verdict.reason);
  }
  if (there && row.deletionRequestedAt !== null) return state("terminating", "its deletion was requested");
  if (isGeneratedKind(row)) return state("external", verdict.reason);
  if (declared && there) return state(stateOfBoth(verdict), verdict.reason);
  if (declared) return state("committed", verdict.reason);
  if (expectedInGit === "unknown") return state("pending", "Git is not taken in yet");
  return expectedInGit === "no"
    ? state("external", "nobody expects it in Git")
    : state("orphaned", "in the cluster, Git is silent");
}

/** Whether Git is the place for an object that only the cluster has. */
export type Expectation = "yes" | "no" | "unknown";

function stateOfBoth({ status }: DriftVerdict): ResourceState {
  if (status === "in_sync") return "synced";
  return status === "unknown" ? "pending" : "drifted";
}

function state(name: ResourceState, reason: string): DerivedState {
  return { state: name, reason };
}
