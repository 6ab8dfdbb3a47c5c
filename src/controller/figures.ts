import type { FabricStatus } from "../api/status.ts";
import { kubernetesTime } from "./conditions.ts";
import type { ClusterFacts, FabricFacts } from "./facts.ts";

/** Figures that could not be asked this time stay as they were: the conditions tell their age. */
export function figuresOf(
  facts: FabricFacts,
  before: FabricStatus,
): Pick<FabricStatus, "git" | "cluster" | "drift" | "store"> {
  const { counts, cluster, git } = facts;
  const drift = (word: string) => counts?.byDrift[word] ?? 0;
  const severe = (word: string) => counts?.bySeverity[word] ?? 0;
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
          drift: {
            inSync: drift("in_sync"),
            drifted: drift("drifted"),
            missing: drift("missing"),
            extra: drift("extra"),
            untracked: drift("untracked"),
            invalid: drift("invalid"),
            unknown: drift("unknown"),
            bySeverity: {
              low: severe("low"),
              medium: severe("medium"),
              high: severe("high"),
              critical: severe("critical"),
            },
            ...(facts.judgedBy === "" ? {} : { judgedBy: facts.judgedBy }),
            ...(git === null || git.revision === "" ? {} : { evaluatedRevision: git.revision }),
          },
          store: { deadLetters: counts.deadLetters },
        }),
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
    ...(events.length === 0 ? {} : { lastEventAt: kubernetesTime(Math.max(...events)) }),
  };
}
