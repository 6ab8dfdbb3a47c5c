/** What `status` prints, and whether it is well. Pure. */
import { isNotCompared } from "../core/unknown.ts";
import type { Cursor, FabricSummary, RunRecord } from "../core/ports.ts";
import { properties, table } from "./table.ts";
import { ago, plural, shortCommit, tally } from "./words.ts";

/**
 * Whether what should have been taken in was: no refused document or write, no source that is not complete, no last run that failed
 * or was partial. Drift is news about the fabric, not about the mirror, and does not count.
 */
export function isWell(summary: FabricSummary): boolean {
  const { counts, cursors, runs } = summary;
  return (
    counts.rejections === 0 &&
    counts.deadLetters === 0 &&
    cursors.length > 0 &&
    cursors.every((cursor) => cursor.completeAt !== null) &&
    runs.every((run) => run.result === "succeeded" || run.result === "running")
  );
}

/** As of when all of a source is in the table; null while a part of it never was, undefined where there is no such source. */
function completeSince(cursors: readonly Cursor[], source: Cursor["source"]): number | null | undefined {
  const times = cursors.filter((cursor) => cursor.source === source).map((cursor) => cursor.completeAt);
  if (times.length === 0) return undefined;
  return times.reduce((oldest, time) => (oldest === null || time === null ? null : Math.min(oldest, time)), Infinity);
}

/** A commit stays true for as long as nothing is pushed: its age is that of its being taken in, not of the last look. */
function revision({ cursors }: FabricSummary, now: number): string {
  const taken = cursors.find(({ source }) => source === "git");
  return taken === undefined ? "none" : `${shortCommit(taken.position)}, ${ago(taken.completeAt, now)}`;
}

function clusterAge({ cursors }: FabricSummary, now: number): string {
  const since = completeSince(cursors, "cluster");
  return since === undefined ? "never" : ago(since, now);
}

/** All fabrics, one a line. */
export function fabricsTable(summaries: readonly FabricSummary[], now: number): string {
  // Where nothing was ever taken in there is nothing to count: a zero would look as if all were well.
  const drift = (word: string) => (row: FabricSummary) =>
    row.cursors.length === 0 ? "" : (row.counts.byDrift[word] ?? 0);
  // What is still to be compared stands beside what could not be: `2 (5 not yet)`.
  const unknown = (row: FabricSummary) => {
    const later = row.counts.byDrift["not_compared"] ?? 0;
    return later === 0 ? drift("unknown")(row) : `${drift("unknown")(row)} (${later} not yet)`;
  };
  return table<FabricSummary>(
    [
      { title: "FABRIC", value: (row) => `${row.namespace}/${row.name}`, max: 40 },
      { title: "GIT", value: (row) => row.counts.desired, align: "right" },
      { title: "CLUSTER", value: (row) => row.counts.objects, align: "right" },
      { title: "IN SYNC", value: drift("in_sync"), align: "right" },
      { title: "DRIFTED", value: drift("drifted"), align: "right" },
      { title: "MISSING", value: drift("missing"), align: "right" },
      { title: "UNKNOWN", value: unknown, align: "right" },
      { title: "REFUSED", value: (row) => row.counts.rejections + row.counts.deadLetters, align: "right" },
      { title: "REVISION TAKEN", value: (row) => revision(row, now) },
      { title: "AS OF", value: (row) => clusterAge(row, now) },
    ],
    summaries,
  );
}

/** One fabric, with its sources and its last runs. */
export function fabricDetails(summary: FabricSummary, now: number): string {
  const { counts } = summary;
  return [
    `Fabric ${summary.namespace}/${summary.name}${summary.detachedAt === null ? "" : `, detached ${ago(summary.detachedAt, now)}`}\n`,
    properties([
      ["objects", `${counts.desired} in Git, ${counts.objects} in the cluster`],
      ["state", tally(counts.byState)],
      ["drift", summary.cursors.length === 0 ? "nothing was taken in yet" : tally(counts.byDrift)],
      ...counts.unknown.map(({ code, reason, objects }): [string, string] => [
        isNotCompared("unknown", { code }) ? "not compared" : "unknown",
        `${plural(objects, "object")}: ${reason}`,
      ]),
      [
        "refused",
        `${plural(counts.rejections, "document")} of Git, ${plural(counts.deadLetters, "write")} by the database`,
      ],
      ["writer", summary.writer],
    ]),
    "\n",
    cursorsTable([...summary.cursors].sort(bySource), now),
    "\n",
    runsTable(summary.runs, now),
  ].join("");
}

/** Git, which is one line, before the cluster's many. */
function bySource(a: Cursor, b: Cursor): number {
  const key = ({ source, scope }: Cursor): string => `${source === "git" ? 0 : 1} ${scope}`;
  return key(a) < key(b) ? -1 : 1;
}

function cursorsTable(cursors: readonly Cursor[], now: number): string {
  if (cursors.length === 0) return "No source was taken in yet.\n";
  return table<Cursor>(
    [
      { title: "SOURCE", value: (row) => row.source },
      { title: "SCOPE", value: (row) => row.scope, max: 60 },
      { title: "POSITION", value: (row) => shortCommit(row.position), max: 18 },
      { title: "COMPLETE", value: (row) => ago(row.completeAt, now) },
    ],
    cursors,
  );
}

function runsTable(runs: readonly RunRecord[], now: number): string {
  if (runs.length === 0) return "No run was recorded yet.\n";
  const rows = table<RunRecord>(
    [
      { title: "LAST RUN", value: (row) => row.source },
      { title: "BY", value: (row) => row.trigger },
      { title: "RESULT", value: (row) => row.result },
      { title: "DOCUMENTS", value: (row) => row.documents, align: "right" },
      { title: "CHANGED", value: (row) => row.changed, align: "right" },
      { title: "UNCHANGED", value: (row) => row.unchanged, align: "right" },
      { title: "REJECTED", value: (row) => row.rejected, align: "right" },
      { title: "STARTED", value: (row) => ago(row.startedAt, now) },
    ],
    runs,
  );
  const errors = runs.filter((run) => run.error !== "").map((run) => `${run.source}: ${run.error}\n`);
  return `${rows}${errors.join("")}`;
}
