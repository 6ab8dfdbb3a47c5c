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
  readonly firstTake: number;
  readonly poll: { readonly lists: number; readonly fetches: number; readonly commits: number };
}

/** The report in Markdown: every figure beside its goal. */
export function renderReport(all: Measurement, command: string): string {
  const p95 = percentile(all.ours, 0.95);
  const median = percentile(all.ours, 0.5);
  const clone = percentile(all.clones, 0.5);
  const floor = percentile(all.floor, 0.5);
  const { lists, fetches, commits } = all.poll;
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
    row("first take, of clone and parse", ratio(all.firstTake, clone), "≤ 0.5×", all.firstTake * 2 <= clone),
    row(
      "poll of an unchanged repository: lists, fetches, writes",
      `${lists}, ${fetches}, ${commits}`,
      "1, 0, 0",
      lists === 1 && fetches + commits === 0,
    ),
    "",
    `Push: median ${ms(median)}, of it fetch ${ms(all.fetch)} and take with commit ${ms(all.take)}. Floor: median ${ms(floor)}.`,
    `First take: ${ms(all.firstTake)}. Clone and parse: median ${ms(clone)}.`,
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
