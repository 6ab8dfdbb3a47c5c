/** One statement that is put together from common table expressions, with its parameters. `$1` is the fabric. */
export interface Statement {
  readonly parts: string[];
  readonly values: unknown[];
}

/** Adds its expressions to a statement, and their parameters. */
export type Part = (statement: Statement) => void;

/**
 * Whether the resource `id` was written: what belongs to a resource is written with it or not at all. Every statement with such a part has an
 * expression `written` with the ids. In this form the planner looks ids up in a hash, whatever number it expects.
 */
export function wasWritten(id: string): string {
  return `(${id} IN (SELECT id FROM written)) IS TRUE`;
}

/** One more table that is written in the same statement, of few rows: cursors, Git files, cleared dead letters. */
export interface TableWrite {
  /** Name of the common table expression, unique in the statement. */
  readonly name: string;
  /** A data-modifying statement that takes its rows from `parameter` (JSON text); `$1` is the fabric's id. */
  statement(parameter: string): string;
  /** JSON text. */
  readonly input: string;
}

export function tablePart({ name, statement: text, input }: TableWrite): Part {
  return (statement) => {
    statement.values.push(input);
    statement.parts.push(`${name} AS (${text(`$${statement.values.length}`)})`);
  };
}
