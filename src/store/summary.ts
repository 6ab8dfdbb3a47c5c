import type { Cursor, FabricRecord, FabricSummary, RunRecord } from "../core/ports.ts";
import { countFabric } from "./counts.ts";
import { readCursors } from "./cursors.ts";
import type { Sql } from "./transaction.ts";

const LAST_RUNS = `
  SELECT DISTINCT ON (source) source, trigger, target, result, documents, changed, unchanged, rejected, error,
         started_at AS "startedAt", finished_at AS "finishedAt"
    FROM fabric_sync.sync_run WHERE fabric_id = $1 ORDER BY source, started_at DESC`;

/** Everything that `fabric-sync status` tells of the database's side. A few small statements a fabric. */
export async function summarise(sql: Sql): Promise<FabricSummary[]> {
  const fabrics = await sql.rows<FabricRecord & { detachedAt: string | null; writer: string }>(
    `SELECT id, namespace, name, uid, detached_at AS "detachedAt", writer_holder AS "writer"
       FROM fabric_sync.fabric WHERE retiring_at IS NULL ORDER BY namespace, name, created_at`,
  );
  const summaries: FabricSummary[] = [];
  for (const fabric of fabrics) {
    const runs = await sql.rows<RunRecord>(LAST_RUNS, [fabric.id]);
    const cursors: Cursor[] = await readCursors(sql, fabric.id);
    const newestFirst = runs.toSorted((a, b) => b.startedAt.localeCompare(a.startedAt));
    summaries.push({ ...fabric, counts: await countFabric(sql, fabric.id), cursors, runs: newestFirst });
  }
  return summaries;
}
