import type { Pool, PoolClient, QueryArrayConfig, QueryConfig, QueryResult } from "pg";

/** One statement, or several of the simple protocol; `values` is the asker's no more. */
export type Question = QueryConfig<unknown[]> & Partial<Pick<QueryArrayConfig, "rowMode">>;

export interface Answer<Row> {
  /** The tag, such as COMMIT; undefined where several statements were sent. */
  readonly command: string | undefined;
  readonly rows: Row[];
}

/**
 * pg's `query`, without its memory: for its time-out pg puts a function literal into a field, and V8 makes such functions in the old generation at once.
 * What they know, the question and its answer, would stay until that is collected: half of all that lived long, and a long collection every two seconds
 * at a hundred changes a second. So question and answer are emptied when they have served.
 */
export async function ask<Row extends object>(to: Pool | PoolClient, question: Question): Promise<Answer<Row>> {
  try {
    const result: QueryResult<Row> | QueryResult[] = await to.query<Row>(question);
    if (Array.isArray(result)) return { command: undefined, rows: (result.at(-1)?.rows ?? []) as Row[] };
    const { command, rows } = result;
    result.rows = [];
    result.fields = [];
    return { command, rows };
  } finally {
    if (question.values !== undefined) question.values.length = 0;
  }
}
