import type { FabricSpec } from "../api/fabric.ts";
import type { DriftIgnoreRule, ReducePolicy } from "../core/policy.ts";
import type { SchemaSet } from "../core/schema.ts";
import type { StreamStatus } from "../core/streams.ts";

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
    unread: { git: hasGit && !read.git, cluster: !read.discovered, kinds: [...new Set(kinds)].sort() },
  };
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
