/**
 * Whether a commit has landed, object by object, from what was observed alone: a yes is never concluded from silence. The views `applied` and
 * `landings` say it, so that whoever asks is told the same.
 *
 * | stage   | yes                                                                  | no                                   | unknown                          |
 * |---------|----------------------------------------------------------------------|--------------------------------------|----------------------------------|
 * | taken in | its row says what Git says                                          | the database refused it              |                                  |
 * | cluster | both sides agree, or Git dropped it and it is gone; heard of since   | it differs, is missing, or still there | it could not be compared, or was not heard of since |
 * | device  | every agent whose copy of it is the cluster's has applied its generation | a copy is older, or not applied yet | no agent tells of it            |
 *
 * `superseded`: a later commit changed the object again, so that nothing of this one can be seen any more.
 */
import type { ResourceKey } from "./identity.ts";

export type Landing = "yes" | "no" | "unknown" | "superseded" | "not_applicable";

/** What is known of one object that a commit changed. */
export interface Landed extends Omit<ResourceKey, "fabricId"> {
  readonly takenIn: Landing;
  readonly inCluster: Landing;
  readonly onDevice: Landing;
  /** Why, in words. */
  readonly reason: string;
}

/** What became of the objects that a commit changed, of those commits whose id begins with what was asked for. */
export interface CommitLandings {
  /** None or several: then there are no objects. */
  readonly commits: readonly string[];
  /** In key order. */
  readonly objects: readonly Landed[];
}

/** How many objects of the present revision are where Git says; those that Git dropped count until they are gone. */
export interface LandingCounts {
  readonly objects: number;
  /** Beside them: what the database refused, and is not taken in. */
  readonly refused: number;
  readonly inCluster: Readonly<Record<"yes" | "no" | "unknown", number>>;
  /** Of those that devices are configured by. */
  readonly onDevice: Readonly<Record<"yes" | "no" | "unknown", number>>;
}

/** Whether everything that was asked about is there, as far as it can be. */
export function hasLanded(all: readonly Landed[]): boolean {
  const done: ReadonlySet<Landing> = new Set(["yes", "superseded", "not_applicable"]);
  return (
    all.length > 0 &&
    all.every(({ takenIn, inCluster, onDevice }) => takenIn === "yes" && done.has(inCluster) && done.has(onDevice))
  );
}
