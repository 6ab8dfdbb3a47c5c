import { table } from "../src/cli/table.ts";
import type { DemoDatabase } from "./database.ts";
import { QUESTION, SUMMARY } from "./question.ts";

export interface AnswerRow {
  readonly object: string;
  readonly state: string;
  readonly drift: string;
  readonly "declared at": string;
  readonly desired: string;
  readonly actual: string;
}

/** What Postgres answers now. */
export interface Answer {
  readonly rows: readonly AnswerRow[];
  /** Rows of the whole fabric by state. */
  readonly states: Readonly<Record<string, number>>;
}

const COLUMNS = ["object", "state", "drift", "declared at", "desired", "actual"] as const;

export async function ask(database: DemoDatabase, fabric: string): Promise<Answer> {
  const rows = await database.query<AnswerRow>(QUESTION, [fabric]);
  const states = await database.query<{ state: string; rows: number }>(SUMMARY, [fabric]);
  return { rows, states: Object.fromEntries(states.map((one) => [one.state, one.rows])) };
}

/** The answer as psql would print it, nearly. */
export function printed(answer: Answer): string {
  const columns = COLUMNS.map((name) => ({ title: name, value: (row: AnswerRow) => row[name] }));
  const total = Object.values(answer.states).reduce((sum, rows) => sum + rows, 0);
  const states = Object.entries(answer.states).map(([state, rows]) => `${rows} ${state}`);
  return `${table(columns, answer.rows)}(the whole fabric: ${total} rows${states.length > 0 ? `, ${states.join(", ")}` : ""})`;
}

/** One row of the answer, by `Kind/name`. */
export function rowOf(answer: Answer, object: string): AnswerRow | undefined {
  return answer.rows.find((row) => row.object === object);
}
