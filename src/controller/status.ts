/**
 * Facts → status, after kstatus and as Flux users expect it. Pure.
 *
 * | condition    | True                                    | Unknown                        | False                              |
 * | ------------ | --------------------------------------- | ------------------------------ | ---------------------------------- |
 * | StoreReady   | Postgres answered                       | not asked yet                  | the last exchange failed, or it    |
 * |              |                                         |                                | lost commits it had confirmed      |
 * | ClusterReady | every selected kind is being followed   | not yet listed; suspended      | a kind is forbidden, or failing    |
 * | GitReady     | a revision is completely in Postgres    | none yet; suspended            | the last attempt failed            |
 * | Ready        | all of them are True                    | one is Unknown and none False  | one is False: its reason           |
 * | Reconciling  | Ready is not True and work goes on      |                                |                                    |
 * | Stalled      | nothing goes on until a person acts     |                                |                                    |
 * | Landed       | see `landed.ts`; of no weight for Ready: that the cluster is not as Git says is what is mirrored         |
 *
 * Reconciling and Stalled are absent when they are not true, and never there together. Partial trouble:
 *
 * - A forbidden kind makes ClusterReady and Ready False: the mirror is not the cluster. The message holds the rule to add. It
 *   is not Stalled: the other kinds go on, and this one is tried again, since permissions change without the Fabric.
 * - Refused documents and dead letters leave Ready True, with reason `InvalidDocuments` or `DeadLetters`: the revision *is*
 *   taken in, and each refusal is a recorded fact that is counted and named. A broken file must not look like a broken mirror.
 * - A stream that reconnects is not news while its figures are younger than `STALE_AFTER_MS`.
 * - A kind that is not served any more is no failure; its rows stay, and the message names it.
 */
import type { Condition, FabricStatus } from "../api/status.ts";
import type { SourceError, StreamStatus } from "../core/streams.ts";
import { findCondition, kubernetesTime, mergeConditions } from "./conditions.ts";
import type { Statement } from "./conditions.ts";
import type { ClusterFacts, FabricFacts } from "./facts.ts";
import { figuresOf } from "./figures.ts";
import { landedOf } from "./landed.ts";
import type { StoreLoss } from "./store-loss.ts";
import { count, describeStream, named, shortRevision } from "./words.ts";

/** Bookmarks come about once a minute; a watch that is silent for longer than that and a half is behind, not merely quiet. */
const STALE_AFTER_MS = 90_000;

/** The reason of StoreReady where confirmed commits are missing. */
const LOST = "CursorsLost";

type Verdict = Pick<Statement, "type" | "status" | "reason" | "message">;

/** Whether whoever reads this status knows of lost commits. */
export function tellsOfLoss({ conditions = [] }: FabricStatus): boolean {
  return findCondition(conditions, "StoreReady")?.reason === LOST;
}

/** The whole status. `before` gives the conditions their age. */
export function fabricStatusOf(facts: FabricFacts, before: FabricStatus): FabricStatus {
  const statements = conditionsOf(facts).map((verdict) => ({ ...verdict, observedGeneration: facts.generation }));
  return {
    ...observed(facts, before),
    ...(facts.handledReconcileAt === "" ? {} : { lastHandledReconcileAt: facts.handledReconcileAt }),
    ...(facts.webhookPath === "" ? {} : { webhookPath: facts.webhookPath }),
    conditions: mergeConditions(before.conditions ?? [], statements, kubernetesTime(facts.now)),
    ...figuresOf(facts, before),
  };
}

function observed({ actedGeneration }: FabricFacts, before: FabricStatus): Pick<FabricStatus, "observedGeneration"> {
  const generation = actedGeneration ?? before.observedGeneration;
  return generation === undefined ? {} : { observedGeneration: generation };
}

export function conditionsOf(facts: FabricFacts): Verdict[] {
  const sources = [clusterReady(facts), ...(facts.hasGit ? [gitReady(facts)] : []), storeReady(facts)];
  const ready = readyOf(facts, sources);
  const stalled = stalledOf(facts);
  const progress: Verdict[] =
    stalled !== null
      ? [{ type: "Stalled", status: "True", reason: stalled.code, message: stalled.message }]
      : ready.status === "True" || facts.suspended
        ? []
        : [{ type: "Reconciling", status: "True", reason: progressReason(ready), message: ready.message }];
  return [ready, ...progress, ...sources, ...(facts.hasGit ? [landedOf(facts)] : [])];
}

function progressReason(ready: Verdict): string {
  return ready.status === "False" ? "ProgressingWithRetry" : "Progressing";
}

function stalledOf(facts: FabricFacts): SourceError | null {
  if (facts.suspended) return null;
  const errors = [facts.invalidSpec, facts.store.error, facts.cluster?.error ?? null, facts.git?.error ?? null];
  return errors.find((error) => error?.stalled === true) ?? null;
}

function readyOf(facts: FabricFacts, sources: readonly Verdict[]): Verdict {
  const of = (status: Verdict["status"], reason: string, message: string): Verdict => ({
    type: "Ready",
    status,
    reason,
    message,
  });
  if (facts.invalidSpec !== null) return of("False", facts.invalidSpec.code, facts.invalidSpec.message);
  if (facts.suspended) return of("Unknown", "Suspended", `suspended: ${summary(facts)}`);
  const failed = sources.filter((source) => source.status === "False");
  if (failed[0] !== undefined) return of("False", failed[0].reason, failed.map(({ message }) => message).join("; "));
  const open = sources.filter((source) => source.status === "Unknown");
  if (open[0] !== undefined) return of("Unknown", "Progressing", open.map(({ message }) => message).join("; "));
  if (facts.actedGeneration !== facts.generation) {
    return of("Unknown", "Progressing", `generation ${facts.generation} of the spec is not in force yet`);
  }
  if (!facts.judged) return of("Unknown", "Progressing", `rows are being compared: ${summary(facts)}`);
  const remark = sources.find((source) => source.reason === "InvalidDocuments" || source.reason === "DeadLetters");
  return of("True", remark?.reason ?? "Succeeded", summary(facts));
}

function storeReady(facts: FabricFacts): Verdict {
  const of = verdictMaker("StoreReady");
  if (facts.store.error !== null) return of("False", facts.store.error.code, facts.store.error.message);
  if (!facts.store.asked) return of("Unknown", "Connecting", "Postgres has not answered yet");
  if (facts.storeLoss !== null) return of("False", LOST, lossSentence(facts.storeLoss));
  const refused = facts.counts?.deadLetters ?? 0;
  return refused === 0
    ? of("True", "Connected", "Postgres takes every write")
    : of(
        "True",
        "DeadLetters",
        `Postgres refused ${count(refused, "observation")}; fabric-sync dead-letter list names each with its reason`,
      );
}

function lossSentence({ streams, open }: StoreLoss): string {
  const rest = open === 0 ? "all of it is there again" : `${open} of them are not where they were yet`;
  return `Postgres had lost commits, as a replica has that was behind when it was promoted: ${count(streams, "stream")} went back to where it stands; ${rest}`;
}

function gitReady(facts: FabricFacts): Verdict {
  const of = verdictMaker("GitReady");
  if (facts.suspended) return of("Unknown", "Suspended", "the repository is not asked while the Fabric is suspended");
  const git = facts.git;
  if (git === null) return of("Unknown", "NotStarted", "the repository was not asked yet");
  if (git.error !== null) return of("False", git.error.code, git.error.message);
  if (git.revision === "") return of("Unknown", "Fetching", "no revision is in Postgres yet");
  const warnings = git.warnings.length === 0 ? "" : `; ${named(git.warnings)}`;
  return git.invalidDocuments === 0
    ? of("True", "RevisionTaken", `${git.revision} is in Postgres: ${count(git.documents, "document")}${warnings}`)
    : of(
        "True",
        "InvalidDocuments",
        `${git.revision} is in Postgres, without ${count(git.invalidDocuments, "document")} that cannot be read: ${named(git.rejections, git.invalidDocuments)}${warnings}`,
      );
}

function clusterReady(facts: FabricFacts): Verdict {
  const of = verdictMaker("ClusterReady");
  if (facts.suspended) return of("Unknown", "Suspended", "the cluster is not watched while the Fabric is suspended");
  const cluster = facts.cluster;
  if (cluster === null) return of("Unknown", "NotStarted", "the cluster was not asked yet");
  if (cluster.error !== null) return of("False", cluster.error.code, cluster.error.message);
  const { streams } = cluster;
  const forbidden = streams.filter((stream) => stream.state === "forbidden");
  if (forbidden.length > 0) return of("False", "KindForbidden", grantSentence(forbidden, cluster));
  const failing = streams.filter((stream) => isFailing(stream, facts.now));
  if (failing[0] !== undefined) {
    const told = failing.map((stream) => `${describeStream(stream)}: ${stream.message}`);
    return of("False", failing[0].reason, `${count(failing.length, "kind")} cannot be followed: ${named(told)}`);
  }
  if (!cluster.discovered) return of("Unknown", "Discovering", "the cluster's kinds are being discovered");
  const open = streams.filter((stream) => stream.state !== "gone" && stream.completeAt === null);
  if (open.length > 0) {
    const done = streams.length - open.length;
    return of(
      "Unknown",
      "Listing",
      `${done} of ${count(streams.length, "kind")} taken in; waiting for ${named(open.map(describeStream))}`,
    );
  }
  const gone = streams.filter((stream) => stream.state === "gone");
  const watched = streams.length - gone.length;
  if (watched === 0 && gone.length === 0) {
    return of(
      "True",
      "NothingServed",
      "the cluster serves no kind that spec.resources selects; one that comes is followed at once",
    );
  }
  const { idleTakeBacks: idle = [] } = cluster;
  const remark = [
    gone.length === 0 ? "" : `; not served any more: ${named(gone.map(describeStream))}`,
    idle.length === 0 ? "" : `; spec.cluster.volatilePaths takes back what makes history anyhow: ${named(idle)}`,
  ].join("");
  return of("True", "Watching", `${count(watched, "kind")} watched${remark}`);
}

/** A stream that was never complete fails at once; one that was, when its figures have become old. */
function isFailing(stream: StreamStatus, now: number): boolean {
  return stream.state === "retrying" && (stream.completeAt === null || now - stream.completeAt > STALE_AFTER_MS);
}

function grantSentence(forbidden: readonly StreamStatus[], cluster: ClusterFacts): string {
  const byGroup = new Map<string, string[]>();
  for (const { apiGroup, plural } of forbidden) byGroup.set(apiGroup, [...(byGroup.get(apiGroup) ?? []), plural]);
  const rules = [...byGroup].map(
    ([group, plurals]) =>
      `{apiGroups: ["${group}"], resources: [${[...new Set(plurals)]
        .sort()
        .map((plural) => `"${plural}"`)
        .join(", ")}], verbs: ["list", "watch"]}`,
  );
  const whose =
    cluster.impersonated === ""
      ? 'in a ClusterRole with the label fabricsync.dev/aggregate-to-mirror: "true"'
      : `for ServiceAccount ${cluster.impersonated}`;
  return `${count(new Set(forbidden.map(describeStream)).size, "kind")} may not be listed and watched; the others go on. Add ${whose} the rule ${rules.join(" and ")}`;
}

/** "12 kinds watched, 340 objects, 3 drifted, revision main@sha1:abc…", of what is known. */
function summary(facts: FabricFacts): string {
  const parts: string[] = [];
  const watched = facts.cluster?.streams.filter((stream) => stream.state !== "gone").length ?? 0;
  if (facts.cluster !== null) parts.push(`${count(watched, "kind")} watched`);
  if (facts.counts !== null) {
    parts.push(count(facts.counts.objects, "object"));
    for (const word of ["drifted", "missing", "extra", "invalid", "unknown", "not_compared"]) {
      const number = facts.counts.byDrift[word] ?? 0;
      if (number > 0) parts.push(`${number} ${word === "not_compared" ? "not compared yet" : word}`);
    }
    if (facts.counts.deadLetters > 0) parts.push(`${facts.counts.deadLetters} refused by Postgres`);
  }
  if (facts.git !== null && facts.git.invalidDocuments > 0)
    parts.push(`${count(facts.git.invalidDocuments, "document")} invalid`);
  if (facts.git !== null && facts.git.revision !== "") parts.push(`revision ${shortRevision(facts.git.revision)}`);
  return parts.length === 0 ? "nothing is known yet" : parts.join(", ");
}

function verdictMaker(type: Condition["type"]) {
  return (status: Verdict["status"], reason: string, message: string): Verdict => ({ type, status, reason, message });
}
