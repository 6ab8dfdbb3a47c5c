import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import type { Calibration } from "./calibration.ts";

/** What was measured against a goal. */
export interface Figure {
  readonly what: string;
  readonly measured: string;
  /** The same as a multiple of what the machine takes for something simple; empty where no time was measured. */
  readonly ratio: string;
  readonly goal: string;
  readonly held: boolean;
}

export type Tell = (figure: Omit<Figure, "ratio"> & { readonly ratio?: string }) => void;

/** Collects figures, and says each at once. */
export function collecting(): { readonly figures: readonly Figure[]; readonly tell: Tell } {
  const figures: Figure[] = [];
  return {
    figures,
    tell: ({ ratio = "", ...figure }) => {
      figures.push({ ...figure, ratio });
      const { what, measured, goal, held } = figure;
      console.log(`${what}: ${measured}${ratio === "" ? "" : `, ${ratio}`} (${goal}: ${held ? "held" : "NOT held"})`);
    },
  };
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export function quantile(figures: readonly number[], part: number): number {
  return figures.toSorted((a, b) => a - b)[Math.ceil(figures.length * part) - 1] ?? 0;
}

/** Median and 95 of 100: on a machine that others use the latter tells of them. */
export function told(figures: readonly number[]): string {
  return `${quantile(figures, 0.95).toFixed(0)} ms (median ${quantile(figures, 0.5).toFixed(0)})`;
}

export async function writeReport(
  command: string,
  calibration: Calibration,
  figures: readonly Figure[],
): Promise<void> {
  const { commitMs, hashMs, seriesMs } = calibration;
  const report = [
    "# Topology",
    "",
    `Made by \`${command}\` on ${cpus()[0]?.model ?? "?"} × ${cpus().length}, client and server on the same machine, durability on.`,
    "",
    "Calibration, medians before and after: a transaction that updates one row " +
      `${commitMs.join(" and ")} ms; SHA-256 of 32 MB in Node ${hashMs.join(" and ")} ms; 1,000,000 rows counted by PostgreSQL ${seriesMs.join(" and ")} ms. ` +
      `Load of the last minute at the end: ${loadavg()[0]?.toFixed(1)}. Ratios are multiples of such a transaction, or of what is named.`,
    "",
    "| what | measured | ratio | goal | held |",
    "| --- | --- | --- | --- | --- |",
    ...figures.map(
      ({ what, measured, ratio, goal, held }) =>
        `| ${what} | ${measured} | ${ratio} | ${goal} | ${held ? "yes" : "**no**"} |`,
    ),
    "",
  ].join("\n");
  const reports = join(import.meta.dirname, "../reports");
  await mkdir(reports, { recursive: true });
  await writeFile(join(reports, "topology.md"), report);
}
