import type { DeadLetter } from "../core/ports.ts";
import { table } from "./table.ts";
import { ago } from "./words.ts";

export type ListedDeadLetter = DeadLetter & { readonly fabric: string };

/** Two lines each: what was refused, and below it the reason in full, which does not fit into a column. */
export function deadLettersTable(letters: readonly ListedDeadLetter[], now: number): string {
  const lines = table<ListedDeadLetter>(
    [
      { title: "FABRIC", value: (row) => row.fabric, max: 30 },
      { title: "ID", value: (row) => row.id, max: 72 },
      { title: "CODE", value: (row) => row.sqlstate },
      { title: "TRIES", value: (row) => row.attempts, align: "right" },
      { title: "LAST", value: (row) => ago(row.lastFailedAt, now) },
    ],
    letters,
  ).split("\n");
  const [title = "", ...rows] = lines;
  const told = letters.map((letter, index) => `${rows[index]}\n    ${reason(letter)}\n`);
  return `${title}\n${told.join("")}`;
}

function reason({ message, constraint, column }: DeadLetter): string {
  const named = [constraint && `constraint ${constraint}`, column && `column ${column}`].filter(Boolean);
  return `${message.replace(/\s+/g, " ")}${named.length === 0 ? "" : ` (${named.join(", ")})`}`;
}
