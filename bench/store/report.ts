import type { Contention } from "./contention.ts";
import type { Rates } from "./rates.ts";
import type { SecondPass } from "./second-pass.ts";

export interface Measurement {
  readonly objects: number;
  readonly processor: string;
  readonly server: string;
  readonly ours: Rates;
  readonly oursTwo: Rates;
  readonly drizzle: Rates;
  readonly copy: Rates;
  readonly history: { readonly event: number; readonly image: number };
  readonly second: SecondPass;
  readonly contention: Contention;
  readonly rows: number;
  readonly queries: Readonly<Record<string, number>>;
}

/** The report in Markdown: every figure beside its goal. */
export function renderReport(all: Measurement, command: string): string {
  const { ours, oursTwo, drizzle, copy, second, contention } = all;
  const best = Math.max(ours.both, oursTwo.both);
  const rate = (name: string, { inserts, updates, both }: Rates): string =>
    `| ${name} | ${whole(inserts)} | ${whole(updates)} | ${whole(both)} |`;
  const verdict = (good: boolean): string => (good ? "yes" : "**no**");
  const repeated = Object.entries(contention.repeated).map(([sqlstate, times]) => `${sqlstate} × ${times}`);
  const slowest = Math.max(...Object.values(all.queries));
  return [
    "# The writer beside its baselines",
    "",
    `Made by \`${command}\` on ${all.processor}, ${all.server.split(" on ")[0]}, client and server on the same machine.`,
    `Objects of 2.3 KB; ${whole(all.objects)} new ones, then a change of each. Ours: fence, comparison with the row, judgement,`,
    "row, event with image, cursor. The baselines: rows only, made beforehand.",
    "",
    "| changes/s | new | changed | both |",
    "| --- | --- | --- | --- |",
    rate("ours, one writer", ours),
    rate("ours, two writers (one a source)", oursTwo),
    rate("drizzle's batch upsert, no history", drizzle),
    rate("COPY and merge, no history", copy),
    "",
    "| what | measured | at least | held |",
    "| --- | --- | --- | --- |",
    `| against drizzle's batch upsert | ${(best / drizzle.both).toFixed(2)}× | 3× | ${verdict(best >= 3 * drizzle.both)} |`,
    `| against COPY and merge | ${(best / copy.both).toFixed(2)}× | 0.33× | ${verdict(3 * best >= copy.both)} |`,
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
    "",
    `Slowest question: ${slowest.toFixed(1)} ms. An event takes ${whole(all.history.event)} bytes, ${whole(all.history.image)} of them its image, compressed.`,
    "",
  ].join("\n");
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
