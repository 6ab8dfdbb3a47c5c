import { FabricSyncError } from "../core/errors.ts";
import type { RunOutcome } from "../core/ports.ts";
import { runResult } from "../core/run.ts";
import type { RunResult, WritePath } from "../core/vocabulary.ts";
import { plainText } from "./store-error.ts";
import type { Sql } from "./transaction.ts";

/** Opens a run record; its id holds the fabric's, which leads the table's key. */
export async function beginRun(
  sql: Sql,
  run: { fabricId: string; source: "cluster" | "git"; trigger: WritePath; target: string },
): Promise<string> {
  const [begun] = await sql.rows<{ id: string }>(
    `INSERT INTO fabric_sync.sync_run (fabric_id, source, trigger, target, result)
     VALUES ($1, $2, $3, $4, 'running') RETURNING fabric_id || '/' || id AS id`,
    [run.fabricId, run.source, run.trigger, run.target],
  );
  if (begun === undefined) throw runNotFound("");
  return begun.id;
}

/** @throws FabricSyncError `RunNotFound` (`stall`) when the record has gone, with its fabric. */
export async function finishRun(sql: Sql, runId: string, outcome: RunOutcome): Promise<RunResult> {
  const [fabricId = "", id = ""] = runId.split("/");
  const result = runResult(outcome);
  const finished = await sql.rows(
    `UPDATE fabric_sync.sync_run
        SET result = $3, documents = $4, changed = $5, unchanged = $6, rejected = $7, error = $8, finished_at = now()
      WHERE fabric_id = $1 AND id = $2
     RETURNING id`,
    [
      fabricId,
      id,
      result,
      outcome.documents,
      outcome.changed,
      outcome.unchanged,
      outcome.rejected,
      plainText(outcome.error),
    ],
  );
  if (finished.length === 0) throw runNotFound(runId);
  return result;
}

function runNotFound(runId: string): FabricSyncError {
  return new FabricSyncError("RunNotFound", "stall", "the run record has gone", { context: { runId } });
}
