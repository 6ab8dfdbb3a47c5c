import type { FabricSpec } from "../api/fabric.ts";
import type { DriftIgnoreRule, ReducePolicy } from "../core/policy.ts";
import type { SchemaSet } from "../core/schema.ts";
import type { GitStatus, StreamStatus } from "../core/streams.ts";
import type { ClusterPart } from "./parts.ts";

/** What has been read so far, for verdicts that would otherwise rest on what is merely not known yet (invariant 10). */
export interface ReadSoFar {
  /** A revision is or was completely in the table. */
  readonly git: boolean;
  /** Discovery answered: `streams` are all there are. */
  readonly discovered: boolean;
  readonly streams: readonly StreamStatus[];
  /** What the cluster says of its kinds; null or absent: not known. */
  readonly schemas?: SchemaSet | null;
}

const MODES = { Disabled: "disabled", Local: "local", ServerSide: "server_side" } as const;

/** How the rows of a Fabric are judged, of its spec and of what was read. */
export function reducePolicy(spec: FabricSpec, read: ReadSoFar): ReducePolicy {
  const hasGit = spec.git !== undefined;
  const kinds = read.streams
    .filter(({ completeAt }) => completeAt === null)
    .map(({ kind, apiGroup }) => `${kind}.${apiGroup}`);
  return {
    driftMode: MODES[spec.drift.mode],
    ...(read.schemas == null ? {} : { schemas: read.schemas }),
    reportExtra: spec.drift.extra === "Report",
    direction: "observe",
    ignore: (spec.drift.ignore ?? []).map(ignoreRule),
    hasGit,
    // Only where something is declared does it matter what was not read yet: without Git no kind that is complete changes a verdict.
    unread: {
      ...(hasGit
        ? { git: !read.git, cluster: !read.discovered, kinds: [...new Set(kinds)].sort() }
        : { git: false, cluster: false, kinds: [] }),
      ...unwatchedOf(read.streams),
    },
  };
}

const UNWATCHED: Partial<Record<StreamStatus["state"], string>> = {
  forbidden: "its kind may not be listed and watched",
  gone: "the cluster does not serve its kind any more",
};

/** A stream that reconnects is not among them: that passes, and its figures tell their age. */
function unwatchedOf(streams: readonly StreamStatus[]): { readonly unwatched?: Readonly<Record<string, string>> } {
  const kinds = streams.flatMap(({ kind, apiGroup, state }): [string, string][] => {
    const why = UNWATCHED[state];
    return why === undefined ? [] : [[`${kind}.${apiGroup}`, why]];
  });
  return kinds.length === 0 ? {} : { unwatched: Object.fromEntries(kinds.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

type SpecRule = NonNullable<FabricSpec["drift"]["ignore"]>[number];

function ignoreRule({ target, paths, managers }: SpecRule): DriftIgnoreRule {
  return {
    paths,
    ...(managers === undefined ? {} : { managers }),
    ...(target?.group === undefined ? {} : { group: target.group }),
    ...(target?.kind === undefined ? {} : { kind: target.kind }),
    ...(target?.namespace === undefined ? {} : { namespace: target.namespace }),
    ...(target?.name === undefined ? {} : { name: target.name }),
    ...(target?.matchLabels === undefined ? {} : { labels: target.matchLabels }),
  };
}

const UNREAD: ReadonlySet<StreamStatus["state"]> = new Set(["starting", "listing"]);

/** Whether something is being read for the first time: what it shows will change the verdicts, so they wait. */
export function isReading(parts: {
  /** null while it does not run. */
  readonly cluster: Pick<ClusterPart, "discovered" | "statuses"> | null;
  /** It does not run because something is wrong. */
  readonly clusterFailed: boolean;
  /** null where no repository is named. */
  readonly git: GitStatus | null;
  /** What the cluster says of its kinds was asked for, or nobody wants to know. */
  readonly schemasAsked: boolean;
}): boolean {
  const { cluster, git } = parts;
  if (git !== null && git.revision === "" && git.error === null) return true;
  if (cluster === null) return !parts.clusterFailed;
  const streams = cluster.statuses();
  if (!cluster.discovered && streams.length === 0) return true;
  // A list that is complete and not yet committed counts: its kind is still unread, and a second pass over the table would follow the first.
  if (streams.some(({ state, completeAt }) => UNREAD.has(state) || (state === "watching" && completeAt === null)))
    return true;
  return cluster.discovered && !parts.schemasAsked;
}
