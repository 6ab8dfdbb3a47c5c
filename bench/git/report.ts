import type { ManyFabrics } from "./many-fabrics.ts";

/** Where the time of a first take goes, ms. `read`: list, parse, normalise, plan. */
export interface FirstTake {
  readonly total: number;
  readonly lsRemote: number;
  readonly fetch: number;
  readonly read: number;
  readonly commit: number;
}

export interface Measurement {
  readonly files: number;
  readonly processor: string;
  /** Load average of the last minute: others may have been at work. */
  readonly load: number;
  /** ms from the accepted webhook to the committed rows, one a push. */
  readonly ours: readonly number[];
  readonly floor: readonly number[];
  readonly clones: readonly number[];
  /** Medians, ms. */
  readonly fetch: number;
  readonly take: number;
  /** Processes that we started, one figure a push. */
  readonly processes: readonly number[];
  readonly firstTakes: readonly FirstTake[];
  readonly many: ManyFabrics;
  readonly poll: { readonly lists: number; readonly fetches: number; readonly commits: number };
}

/** The report in Markdown: every figure beside its goal. */
export function renderReport(all: Measurement, command: string): string {
  const p95 = percentile(all.ours, 0.95);
  const median = percentile(all.ours, 0.5);
  const clone = percentile(all.clones, 0.5);
  const floor = percentile(all.floor, 0.5);
  const { lists, fetches, commits } = all.poll;
  const { many } = all;
  const first = percentile(
    all.firstTakes.map(({ total }) => total),
    0.5,
  );
  const row = (what: string, measured: string, goal: string, good: boolean): string =>
    `| ${what} | ${measured} | ${goal} | ${good ? "yes" : "**no**"} |`;
  return [
    "# Git, from push to rows",
    "",
    `Made by \`${command}\` on ${all.processor}, load average ${all.load.toFixed(1)}; server, database and program on the same machine.`,
    `${all.files} files of one document; ${all.ours.length} pushes of 3 changed files over https.`,
    "",
    "| what | measured | goal | held |",
    "| --- | --- | --- | --- |",
    row("push: webhook accepted → rows committed, p95", ms(p95), "≤ 250 ms", p95 <= 250),
    row("the same, of clone and parse (medians)", ratio(median, clone), "≤ 0.20×", median * 5 <= clone),
    row("the same, of fetch + diff-tree + cat-file (medians)", ratio(median, floor), "≤ 2×", median <= 2 * floor),
    row("first take, of clone and parse (medians)", ratio(first, clone), "≤ 0.5×", first * 2 <= clone),
    row(
      "poll of an unchanged repository: lists, fetches, writes",
      `${lists}, ${fetches}, ${commits}`,
      "1, 0, 0",
      lists === 1 && fetches + commits === 0,
    ),
    row(
      `${many.fabrics} Fabrics on one repository, a push of ${many.changed} files: lists, fetches, files parsed`,
      `${many.lists}, ${many.fetches}, ${many.parsed}`,
      `≤ 1, 1, ${many.changed}`,
      many.lists <= 1 &&
        many.fetches === 1 &&
        many.parsed === many.changed &&
        many.rows === many.fabrics * many.changed,
    ),
    "",
    `Push: median ${ms(median)}, of it fetch ${ms(all.fetch)} and take with commit ${ms(all.take)}; processes started: ${percentile(all.processes, 0.5)}. Floor: median ${ms(floor)}.`,
    `The ${many.fabrics} Fabrics had their rows after ${ms(many.ms)}. Clone and parse: median ${ms(clone)}.`,
    "",
    "First takes, from nothing:",
    "",
    "| total | ls-remote | fetch | list, parse, normalise, plan | commit |",
    "| --- | --- | --- | --- | --- |",
    ...all.firstTakes.map(
      ({ total, lsRemote, fetch, read, commit }) => `| ${[total, lsRemote, fetch, read, commit].map(ms).join(" | ")} |`,
    ),
    "",
  ].join("\n");
}

/** Nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}

function ratio(value: number, of: number): string {
  return `${(value / of).toFixed(2)}×`;
}
