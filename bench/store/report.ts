import type { Contention } from "./contention.ts";
import type { Rates } from "./rates.ts";
import type { SecondPass } from "./second-pass.ts";

export interface Measured {
  readonly objects: number;
  readonly rounds: number;
  readonly processor: string;
  readonly server: string;
  /** What large values are compressed with. */
  readonly compression: string;
  /** By the contender's name, in the order of the table. */
  readonly rates: readonly (readonly [name: string, rates: Rates])[];
  readonly history: { readonly event: number; readonly image: number };
  readonly second: SecondPass;
  readonly contention: Contention;
  readonly rows: number;
  readonly queries: Readonly<Record<string, number>>;
  /** Milliseconds of counting a fabric of so many rows. */
  readonly counting: number;
}

/** The report in Markdown: every figure beside its goal. */
export function renderReport(all: Measured, command: string): string {
  const { second, contention } = all;
  const both = (part: string): number =>
    Math.max(...all.rates.filter(([name]) => name.startsWith(part)).map(([, rates]) => rates.both));
  const best = Math.max(
    ...all.rates.flatMap(([name, rates]) => (/^ours, \w+ writers? ?(\(|$)/.test(name) ? [rates.both] : [])),
  );
  const verdict = (good: boolean): string => (good ? "yes" : "**no**");
  const repeated = Object.entries(contention.repeated).map(([sqlstate, times]) => `${sqlstate} × ${times}`);
  const slowest = Math.max(...Object.values(all.queries));
  return [
    "# The writer beside its baselines",
    "",
    `Made by \`${command}\` on ${all.processor}, ${all.server.split(" on ")[0]} with ${all.compression}, client and server on the same machine.`,
    `Objects of 2.3 KB; ${whole(all.objects)} new ones, then a change of each; the median of ${all.rounds} rounds in which each has its turn. Ours: fence,`,
    "comparison with the row, judgement, row, event with image, cursor. The baselines: rows only, made beforehand, one after the other.",
    "",
    "| changes/s | new | changed | both | µs of server | µs of client |",
    "| --- | --- | --- | --- | --- | --- |",
    ...all.rates.map(
      ([name, { inserts, updates, both, serverCpu, clientCpu }]) =>
        `| ${[name, ...[inserts, updates, both, serverCpu, clientCpu].map(whole)].join(" | ")} |`,
    ),
    "",
    "| what | measured | at least | held |",
    "| --- | --- | --- | --- |",
    `| against drizzle's batch upsert | ${(best / both("drizzle")).toFixed(2)}× | 3× | ${verdict(best >= 3 * both("drizzle"))} |`,
    `| against COPY and merge | ${(best / both("COPY")).toFixed(2)}× | 0.33× | ${verdict(3 * best >= both("COPY"))} |`,
    `| changes/s | ${whole(best)} | 8,000 | ${verdict(best >= 8_000)} |`,
    `| second pass over ${whole(second.objects)}: row writes | ${second.rowWrites} | 0 | ${verdict(second.rowWrites === 0)} |`,
    `| second pass: WAL | ${whole(second.walBytes / 1_024)} KiB | < 1,024 KiB | ${verdict(second.walBytes < 2 ** 20)} |`,
    `| second pass: objects/s | ${whole(second.objectsPerSecond)} | | |`,
    `| 8 writers, ${contention.seconds} s: errors at a caller | ${contention.errors} | 0 | ${verdict(contention.errors === 0)} |`,
    `| 8 writers: lost updates | ${contention.lostUpdates} | 0 | ${verdict(contention.lostUpdates === 0)} |`,
    `| 8 writers: changes/s; repeated inside | ${whole(contention.changed / contention.seconds)}; ${repeated.join(", ") || "none"} | | |`,
    ...Object.entries(all.queries).map(
      ([name, ms]) =>
        `| ${whole(all.rows)} rows, ${name}: p95 | ${ms.toFixed(1)} ms | ≤ 20 ms | ${verdict(ms <= 20)} |`,
    ),
    `| ${whole(all.rows)} rows counted: median | ${all.counting.toFixed(0)} ms | | |`,
    "",
    `Slowest question: ${slowest.toFixed(1)} ms. An event takes ${whole(all.history.event)} bytes, ${whole(all.history.image)} of them its image, compressed.`,
    "",
  ].join("\n");
}

function whole(value: number): string {
  return Number.isNaN(value) ? "?" : Math.round(value).toLocaleString("en-US");
}
