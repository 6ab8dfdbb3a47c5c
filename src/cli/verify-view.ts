import type { CheckReport, Finding } from "../sources/cluster/checker.ts";
import { table } from "./table.ts";
import type { Verdict } from "./verify-fabrics.ts";
import { plural } from "./words.ts";

/** Findings that are shown of each Fabric; `--json` has all. */
const SHOWN = 20;

/** Every row is right, and everything that is selected could be compared. */
export function isTrue({ report }: Verdict): boolean {
  return report !== null && report.findings.length === 0 && report.unchecked.length === 0;
}

/** One line a Fabric, and below it what is wrong. */
export function verifyText(verdicts: readonly Verdict[]): string {
  return verdicts.length === 0 ? "There is no Fabric.\n" : verdicts.map(verdictText).join("");
}

function verdictText({ namespace, name, report, error }: Verdict): string {
  if (report === null) return `${namespace}/${name}: not compared: ${error}\n`;
  const { objects, streams, findings, unchecked, lagging } = report;
  const wrong = findings.length === 0 ? rightText(report) : `${plural(findings.length, "row")} wrong`;
  const late = lagging === 0 ? "" : `, ${lagging} a moment behind in volatile fields`;
  const sum = `${namespace}/${name}: ${plural(objects, "object")} in ${plural(streams, "stream")}: ${wrong}${late}\n`;
  const unread = unchecked.map(({ scope, reason, message }) => `  not compared: ${scope}: ${reason}: ${message}\n`);
  const rest = findings.length > SHOWN ? `  and ${findings.length - SHOWN} more\n` : "";
  return `${sum}${unread.join("")}${findings.length === 0 ? "" : findingsTable(findings.slice(0, SHOWN))}${rest}`;
}

/** Of what was not compared nothing is said to be right. */
function rightText({ streams, unchecked }: CheckReport): string {
  if (unchecked.length === 0) return "every row is right";
  return unchecked.length >= streams ? "nothing could be compared" : "every row that was compared is right";
}

function findingsTable(findings: readonly Finding[]): string {
  return table<Finding>(
    [
      { title: "  PROBLEM", value: ({ problem }) => `  ${problem}` },
      { title: "KIND", value: ({ apiGroup, kind }) => (apiGroup === "" ? kind : `${kind}.${apiGroup}`), max: 30 },
      { title: "NAME", value: ({ namespace, name }) => (namespace === "" ? name : `${namespace}/${name}`), max: 30 },
      { title: "FIELDS", value: ({ fields }) => fields.join(","), max: 20 },
    ],
    findings,
  );
}
