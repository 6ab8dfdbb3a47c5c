import type { OnceResult } from "../controller/once.ts";
import { table } from "./table.ts";

/** One line a Fabric, and below it what is to be said of one that is not well. */
export function syncText(results: readonly OnceResult[]): string {
  if (results.length === 0) return "There is no Fabric.\n";
  const [title = "", ...lines] = table<OnceResult>(
    [
      { title: "FABRIC", value: ({ namespace, name }) => `${namespace}/${name}`, max: 50 },
      { title: "OUTCOME", value: ({ outcome }) => outcome },
      { title: "REASON", value: ({ reason }) => reason },
    ],
    results,
  ).split("\n");
  return `${title}\n${results.map(({ message }, index) => `${lines[index]}\n    ${message}\n`).join("")}`;
}
