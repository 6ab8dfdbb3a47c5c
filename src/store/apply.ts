import type { Pool } from "pg";
import { FabricSyncError, policyOf } from "../core/errors.ts";
import type { ApplyResult, Batch } from "../core/ports.ts";
import { writeCarefully } from "./bisection.ts";
import { cursorWrite } from "./cursors.ts";
import { folding } from "./fold.ts";
import { gitFileWrites } from "./git-files.ts";
import type { ExpectedCursor } from "./read-rows.ts";
import { retrying, type RetryOptions } from "./retry.ts";
import { chunksOf, subjectsOf, type Subject } from "./subject.ts";
import { breaksConnection } from "./sqlstate.ts";
import type { Kind } from "./session.ts";
import { DoneAgain } from "./store-error.ts";
import { createTally, type Tally } from "./tally.ts";
import { inTransaction, type Sql } from "./transaction.ts";
import { writeSubjects, type Work } from "./write-subjects.ts";
import { BRIEF_ROWS, writeRows } from "./write-rows.ts";
import { tablePart, type TableWrite } from "./statement.ts";

/**
 * Writes a batch in one transaction: fence, rows, events, projections, cursors, file records. Two statements for up to 500 resources
 * or 4 MB, which is all that the pump takes at once; two more for each further chunk of a Git revision.
 *
 * First as if nothing could be refused. When Postgres refuses something (policy `dead-letter`), the transaction is rolled back
 * and done again with savepoints: what is refused is found by bisection and put aside, the rest commits.
 */
export async function applyBatch(pool: Pool, batch: Batch, retry: RetryOptions): Promise<ApplyResult> {
  checkFabric(batch);
  const started = performance.now();
  const subjects = subjectsOf(batch.observations);
  const tail = [
    ...(batch.gitFiles === undefined ? [] : gitFileWrites(batch.gitFiles)),
    ...(batch.cursors.length === 0 ? [] : [cursorWrite(batch.cursors)]),
  ];
  const work = { fence: batch.fence, fold: folding(batch.policy), expected: expectedCursors(batch) };
  let reconnected = false;
  const onRetry: RetryOptions["onRetry"] = (sqlstate, count) => {
    reconnected ||= breaksConnection(sqlstate);
    retry.onRetry(sqlstate, count);
  };
  const attempt = (write: () => Promise<Tally>): Promise<Tally> => retrying({ ...retry, onRetry }, write);
  const quickly = (at: Pick<Work, "atOnce">, kind: Kind): Promise<Tally> =>
    inTransaction(pool, (sql) => writeQuickly(sql, { ...work, ...at }, subjects, tail), kind);
  const kind = subjects.length <= BRIEF_ROWS ? "brief" : "long";
  const tally = await attempt(() =>
    quickly({ atOnce: true }, kind).catch((error: unknown) => {
      if (!(error instanceof DoneAgain)) throw error;
      return quickly({ atOnce: false }, "long");
    }),
  ).catch((error: unknown) => {
    if (policyOf(error) !== "dead-letter") throw error;
    return attempt(() => inTransaction(pool, (sql) => writeCarefully(sql, work, subjects, tail)));
  });
  return { ...tally.result(), durationMs: performance.now() - started, reconnected };
}

async function writeQuickly(
  sql: Sql,
  work: Work,
  subjects: readonly Subject[],
  tail: readonly TableWrite[],
): Promise<Tally> {
  const tally = createTally();
  let last: readonly Subject[] = [];
  let isFirst = true;
  // One after the other, as they are written: what a chunk weighs may have to be made of a text.
  for (const chunk of chunksOf(subjects)) {
    if (last.length > 0) await writeSubjects(sql, { ...work, atOnce: false }, last, [], tally);
    isFirst = last.length === 0;
    last = chunk;
  }
  // Only where nothing else was written before: what is done again is little, and its COMMIT can take nothing along.
  const atOnce = work.atOnce === true && isFirst && tail.length <= LAST_WRITES;
  const rest = await writeAllBut(LAST_WRITES, sql, work.fence.fabricId, tail);
  await writeSubjects(sql, { ...work, atOnce }, last, rest, tally);
  return tally;
}

/** Further tables that go into the last statement: a cursor, some file records, removed files. */
const LAST_WRITES = 3;

/** Writes what is more than `kept` in statements of its own, and returns the rest: the file records of a whole repository. */
async function writeAllBut(
  kept: number,
  sql: Sql,
  fabricId: string,
  writes: readonly TableWrite[],
): Promise<readonly TableWrite[]> {
  const early = writes.slice(0, -kept);
  for (const write of early) await writeRows(sql, fabricId, [], [tablePart(write)]);
  return writes.slice(early.length);
}

function expectedCursors({ cursors, expected = [] }: Batch): ExpectedCursor[] {
  return expected.flatMap(({ source, scope, position }) => {
    const next = cursors.findLast((cursor) => cursor.source === source && cursor.scope === scope);
    return next === undefined ? [] : [{ source, scope, saved: position, next: next.position }];
  });
}

/** A fence is for one fabric; rows of another would be written without any. */
function checkFabric({ fence, observations }: Batch): void {
  const foreign = observations.find(({ key }) => key.fabricId !== fence.fabricId);
  if (foreign === undefined) return;
  throw new FabricSyncError("ForeignFabric", "fatal", "a batch holds an observation of another fabric than its fence", {
    context: { fence: fence.fabricId, observation: foreign.key.fabricId },
  });
}
