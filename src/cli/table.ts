export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number;
  /** Figures stand to the right. */
  readonly align?: "left" | "right";
  /** Longer values are cut in the middle, where names and paths differ least (characters). */
  readonly max?: number;
}

/** Aligned columns under their titles, two blanks apart, as kubectl prints them. '' stands as '-'. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map((column) => cell(column.value(row), column.max)));
  const lines = [columns.map((column) => column.title), ...cells];
  const widths = columns.map((_column, index) => Math.max(...lines.map((line) => width(line[index] ?? ""))));
  return lines
    .map((line) =>
      line
        .map((text, index) => padded(text, widths[index] ?? 0, columns[index]?.align ?? "left"))
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}

/** `name   value` lines, for one thing with many properties. */
export function properties(entries: readonly (readonly [name: string, value: string])[], indent = "  "): string {
  const longest = Math.max(...entries.map(([name]) => width(name)));
  return entries
    .map(([name, value]) => `${indent}${padded(name, longest, "left")}  ${value === "" ? "-" : value}`.trimEnd())
    .map((line) => `${line}\n`)
    .join("");
}

/** The text, with its middle left out where it is longer than `max` characters. */
export function shortened(text: string, max: number): string {
  const characters = [...text];
  if (characters.length <= max) return text;
  const head = Math.ceil((max - 1) / 2);
  return `${characters.slice(0, head).join("")}…${characters.slice(characters.length - (max - 1 - head)).join("")}`;
}

function cell(value: string | number, max: number | undefined): string {
  // One line a row, whatever a value holds; control characters would also move a terminal's cursor.
  const text = String(value).replace(/[\p{Cc}\p{Cf}]+/gu, " ");
  return text === "" ? "-" : max === undefined ? text : shortened(text, max);
}

function padded(text: string, to: number, align: "left" | "right"): string {
  const gap = " ".repeat(Math.max(0, to - width(text)));
  return align === "left" ? `${text}${gap}` : `${gap}${text}`;
}

function width(text: string): number {
  return [...text].length;
}
