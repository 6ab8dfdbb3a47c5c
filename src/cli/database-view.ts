import type { MigrateReport } from "../store/migrate.ts";
import type { Check, Report } from "../store/upkeep/report.ts";
import { table } from "./table.ts";
import { plural } from "./words.ts";

/** Each step, and where the database is now. */
export function migrationText({ steps, partitions, to }: MigrateReport): string {
  const done = steps.map(
    ({ version, name, action, durationMs }) => `${action} ${version} (${name}) in ${durationMs} ms\n`,
  );
  const made = partitions.length === 0 ? "" : `made ${plural(partitions.length, "partition")} of the history\n`;
  const where = steps.length === 0 ? "nothing to do: the database is" : "the database is now";
  return `${done.join("")}${made}${where} at migration ${to}\n`;
}

/** One line a check, what it found below it, and the sum. */
export function checksText({ checks }: Report): string {
  const [title = "", ...lines] = table<Check>(
    [
      { title: "CHECK", value: ({ name }) => name },
      { title: "STATUS", value: ({ status }) => status.replaceAll("_", " ") },
      { title: "FOUND", value: ({ message }) => message },
    ],
    checks,
  ).split("\n");
  const told = checks.map(({ findings }, index) =>
    [lines[index], ...findings.map((finding) => `    ${finding}`)].map((line) => `${line}\n`).join(""),
  );
  return `${title}\n${told.join("")}\n${sum(checks)}\n`;
}

function sum(checks: readonly Check[]): string {
  const count = (status: Check["status"]): number => checks.filter((check) => check.status === status).length;
  const parts = [
    `${count("ok")} ok`,
    ...(count("warning") > 0 ? [plural(count("warning"), "warning")] : []),
    ...(count("failed") > 0 ? [`${count("failed")} failed`] : []),
    ...(count("could_not_run") > 0 ? [`${count("could_not_run")} could not run`] : []),
  ];
  return parts.join(", ");
}
