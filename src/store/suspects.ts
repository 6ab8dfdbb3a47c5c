import type { Pool } from "pg";
import { compareKeys, keyString } from "../core/identity.ts";
import type { Answered, Fence } from "../core/ports.ts";
import type { ReducePolicy } from "../core/policy.ts";
import type { ResourceRow } from "../core/row.ts";
import { settling } from "./fold.ts";
import { RESOURCE_COLUMNS } from "./resource-columns.ts";
import { retrying, type RetryOptions } from "./retry.ts";
import { inSlices } from "./slices.ts";
import { columnList, rowDecoder } from "./table-shape.ts";
import { createTally } from "./tally.ts";
import { inTransaction, type Sql } from "./transaction.ts";
import { writeSubjects } from "./write-subjects.ts";

const decode = rowDecoder<ResourceRow>(RESOURCE_COLUMNS);

/**
 * The states and verdicts are those that a suspect can have; with them the index on both finds it. Rows that were never asked about come
 * before those that are asked about again.
 */
const SUSPECTS = `
  SELECT ${columnList(RESOURCE_COLUMNS)} FROM fabric_sync.resource
   WHERE fabric_id = $1
     AND resource_state IN ('pending', 'committed', 'drifted', 'terminating')
     AND drift_status IN ('unknown', 'missing', 'invalid')
     AND (drift_details ? 'awaiting' OR drift_details ->> 'again' <= $2)
   ORDER BY drift_details ? 'awaiting' DESC, updated_at LIMIT $3`;

export async function readSuspects(
  sql: Sql,
  query: { fabricId: string; now: string; limit: number },
): Promise<ResourceRow[]> {
  return inSlices(await sql.tuples(SUSPECTS, [query.fabricId, query.now, query.limit]), decode);
}

/** Writes answers in one transaction; rows that changed meanwhile are folded again as they are then. */
export async function settleRows(
  pool: Pool,
  fence: Fence,
  policy: ReducePolicy,
  answers: readonly Answered[],
  retry: RetryOptions,
): Promise<{ changed: number; refreshed: number; stale: number }> {
  const checks = new Map(answers.map(({ key, check }) => [keyString(key), check]));
  const work = { fence, fold: settling(policy, checks) };
  const keys = [...new Map(answers.map(({ key }) => [keyString(key), key])).values()].sort(compareKeys);
  const subjects = keys.map((key) => ({ key, observations: [] }));
  return retrying(retry, () =>
    inTransaction(pool, async (sql) => {
      const tally = createTally();
      await writeSubjects(sql, work, subjects, [], tally);
      const { changed, refreshed, stale } = tally.result();
      return { changed, refreshed, stale };
    }),
  );
}
