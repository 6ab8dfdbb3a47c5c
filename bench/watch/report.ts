import { readFile, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";

const REPORT = join(import.meta.dirname, "../reports/watch.md");
const TITLE = "# The shipped operator beside a bare watch\n";

/** A part of the report: its heading, and what stands under it. */
export interface Section {
  readonly title: string;
  readonly text: string;
}

export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Puts a section into the report, in place of the one of the same title, under the command that made it and the load that it was made under. */
export async function publish({ title, text }: Section, command: string): Promise<void> {
  const [load = 0] = loadavg();
  const made = `Made by \`${command}\` on ${cpus().length} cores, load average ${load.toFixed(1)} at its end.`;
  const section = `## ${title}\n\n${made}\n\n${text}\n`;
  console.log(section);
  const old = await readFile(REPORT, "utf8").catch(() => "");
  const kept = old.startsWith(TITLE) ? old.slice(TITLE.length).split(/^(?=## )/m) : [];
  const sections = kept.map((one) => one.trim()).filter((one) => one !== "");
  const place = sections.findIndex((one) => one.startsWith(`## ${title}\n`));
  if (place < 0) sections.push(section.trim());
  else sections[place] = section.trim();
  const report = `${TITLE}\n${sections.join("\n\n")}\n`;
  await writeFile(REPORT, await format(report, { ...(await resolveConfig(REPORT)), filepath: REPORT }));
}

export const seconds = (ms: number): string => (ms / 1_000).toFixed(2);
export const held = (good: boolean): string => (good ? "yes" : "**no**");

/** The value below which `share` of them are; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
export const median = (values: readonly number[]): number => percentile(values, 0.5);
