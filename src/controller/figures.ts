import type { FabricStatus } from "../api/status.ts";
import { freshnessOf } from "../core/freshness.ts";
import { kubernetesTime } from "./conditions.ts";
import type { ClusterFacts, FabricFacts } from "./facts.ts";

/** Characters of one row's reason. */
const MAX_MESSAGE = 256;

/** A kind takes about 100 bytes of the status, and etcd takes 1.5 MiB at most of an object. Metrics and the view `kinds` tell all. */
const TOLD_KINDS = 200;

/** Figures that could not be asked this time stay as they were: the conditions tell their age. */
export function figuresOf(
  facts: FabricFacts,
  before: FabricStatus,
): Pick<FabricStatus, "git" | "cluster" | "drift" | "store"> {
  const { counts, cluster, git } = facts;
  return {
    ...(!facts.hasGit ? {} : git === null ? kept("git", before) : { git: gitFigures(git, before) }),
    cluster: {
      ...before.cluster,
      ...(cluster === null ? {} : clusterFigures(cluster)),
      ...(counts === null ? {} : { objects: counts.objects }),
    },
    ...(counts === null
      ? { ...kept("drift", before), ...kept("store", before) }
      : {
          ...(isNeverRead(facts, before) ? {} : { drift: driftFigures(facts, counts) }),
          store: { deadLetters: counts.deadLetters },
        }),
  };
}

/** Nothing was ever taken in: figures would look like those of a fabric in which all is well and nothing is there. */
function isNeverRead({ counts, git, cluster, hasGit }: FabricFacts, before: FabricStatus): boolean {
  if (counts === null || counts.objects > 0 || counts.desired > 0 || before.drift !== undefined) return false;
  if (hasGit) return (git?.revision ?? "") === "" && before.git?.revision === undefined;
  return cluster === null || clusterFigures(cluster).completeAt === undefined;
}

function driftFigures(
  { git, judgedBy }: FabricFacts,
  { byDrift, bySeverity, driftScore, unknown }: NonNullable<FabricFacts["counts"]>,
): NonNullable<FabricStatus["drift"]> {
  const drift = (word: string) => byDrift[word] ?? 0;
  const severe = (word: string) => bySeverity[word] ?? 0;
  return {
    inSync: drift("in_sync"),
    drifted: drift("drifted"),
    missing: drift("missing"),
    extra: drift("extra"),
    untracked: drift("untracked"),
    invalid: drift("invalid"),
    unknown: drift("unknown"),
    notCompared: drift("not_compared"),
    ...unknownReasons(unknown),
    bySeverity: { low: severe("low"), medium: severe("medium"), high: severe("high"), critical: severe("critical") },
    score: driftScore,
    ...(judgedBy === "" ? {} : { judgedBy }),
    ...(git === null || git.revision === "" ? {} : { evaluatedRevision: git.revision }),
  };
}

/** Enough for all codes that there are; the list is part of an object that is read often. */
const MAX_REASONS = 10;

function unknownReasons(
  unknown: NonNullable<FabricFacts["counts"]>["unknown"],
): Pick<NonNullable<FabricStatus["drift"]>, "unknownReasons"> {
  if (unknown.length === 0) return {};
  return {
    unknownReasons: unknown.slice(0, MAX_REASONS).map(({ code, objects, reason }) => ({
      reason: code === "" ? "Unknown" : code,
      objects,
      message: reason.slice(0, MAX_MESSAGE),
    })),
  };
}

function kept<Key extends "git" | "drift" | "store">(key: Key, before: FabricStatus): Partial<Pick<FabricStatus, Key>> {
  const value = before[key];
  return value === undefined ? {} : ({ [key]: value } as Pick<FabricStatus, Key>);
}

function gitFigures(git: NonNullable<FabricFacts["git"]>, before: FabricStatus): NonNullable<FabricStatus["git"]> {
  // A source that has just been started knows no revision yet, while the table still holds the one before.
  const taken =
    git.revision === ""
      ? (before.git ?? {})
      : { revision: git.revision, files: git.files, documents: git.documents, invalidDocuments: git.invalidDocuments };
  return {
    ...taken,
    ...(git.lastAttemptedRevision === "" ? {} : { lastAttemptedRevision: git.lastAttemptedRevision }),
    ...(git.lastFetchedAt === null ? {} : { lastFetchedAt: kubernetesTime(git.lastFetchedAt) }),
  };
}

function clusterFigures({ streams, discovered }: ClusterFacts): NonNullable<FabricStatus["cluster"]> {
  const live = streams.filter((stream) => stream.state !== "gone");
  const complete = live.map((stream) => stream.completeAt);
  const oldest =
    complete.includes(null) || complete.length === 0 ? null : Math.min(...complete.filter((at) => at !== null));
  const events = live.map((stream) => stream.lastEventAt).filter((at) => at !== null);
  return {
    kinds: live.length,
    synced: discovered && live.every((stream) => stream.state === "watching" && stream.completeAt !== null),
    ...(oldest === null ? {} : { completeAt: kubernetesTime(oldest) }),
    // Before discovery answered nothing is known of any kind: what was said of them has its age.
    ...(discovered || streams.length > 0 ? { freshness: toldFreshness(streams) } : {}),
    ...(events.length === 0 ? {} : { lastEventAt: kubernetesTime(Math.max(...events)) }),
  };
}

function toldFreshness(streams: ClusterFacts["streams"]): NonNullable<FabricStatus["cluster"]>["freshness"] {
  return freshnessOf(streams)
    .slice(0, TOLD_KINDS)
    .map(({ apiGroup: group, kind, completeAt }) => ({
      ...{ group, kind },
      ...(completeAt === null ? {} : { completeAt: kubernetesTime(completeAt) }),
    }));
}
