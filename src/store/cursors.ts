import type { Cursor, Fence } from "../core/ports.ts";
import { fenceLost } from "./store-error.ts";
import type { TableWrite } from "./statement.ts";
import type { Sql } from "./transaction.ts";

/** Saves cursors with the rows that they cover (invariant 7). One that did not move is not written (invariant 8). */
export function cursorWrite(cursors: readonly Cursor[]): TableWrite {
  return {
    name: "moved_cursor",
    statement: (parameter) => `
      INSERT INTO fabric_sync.cursor (fabric_id, source, scope, kind, position, complete_at, updated_at)
      SELECT $1::uuid, i.source, i.scope, i.kind, i.position, i.complete_at, now()
        FROM json_to_recordset(${parameter}::json)
             AS i (source text, scope text, kind text, position text, complete_at timestamptz)
       WHERE NOT EXISTS (
               SELECT FROM fabric_sync.cursor c
                WHERE c.fabric_id = $1 AND c.source = i.source AND c.scope = i.scope
                  AND c.kind = i.kind AND c.position = i.position AND c.complete_at IS NOT DISTINCT FROM i.complete_at)
       ORDER BY i.source, i.scope
          ON CONFLICT (fabric_id, source, scope) DO UPDATE
         SET kind = excluded.kind, position = excluded.position, complete_at = excluded.complete_at, updated_at = excluded.updated_at`,
    input: JSON.stringify(
      newestOfEach(cursors).map(({ source, scope, kind = "", position, completeAt }) => ({
        source,
        scope,
        kind,
        position,
        complete_at: completeAt === null ? null : new Date(completeAt).toISOString(),
      })),
    ),
  };
}

export async function readCursors(sql: Sql, fabricId: string): Promise<Cursor[]> {
  const rows = await sql.rows<Omit<Cursor, "completeAt" | "kind"> & { kind: string; complete_at: string | null }>(
    `SELECT source, scope, kind, position, complete_at FROM fabric_sync.cursor WHERE fabric_id = $1 ORDER BY source, scope`,
    [fabricId],
  );
  return rows.map(({ complete_at, kind, ...cursor }) => ({
    ...cursor,
    ...(kind === "" ? {} : { kind }),
    completeAt: complete_at === null ? null : Date.parse(complete_at),
  }));
}

/** @throws FabricSyncError `FenceLost` */
export async function dropCursor(sql: Sql, fence: Fence, source: Cursor["source"], scope: string): Promise<void> {
  const [held] = await sql.rows(
    `WITH held AS (
       SELECT id FROM fabric_sync.fabric WHERE id = $1 AND writer_epoch = $2 FOR KEY SHARE
     ), dropped AS (
       DELETE FROM fabric_sync.cursor c USING held WHERE c.fabric_id = held.id AND c.source = $3 AND c.scope = $4
     )
     SELECT id FROM held`,
    [fence.fabricId, fence.epoch, source, scope],
  );
  if (held === undefined) throw fenceLost(fence);
}

/** A statement may touch a row once; a later cursor of the same stream replaces an earlier one. */
function newestOfEach(cursors: readonly Cursor[]): Cursor[] {
  return [...new Map(cursors.map((cursor) => [`${cursor.source} ${cursor.scope}`, cursor])).values()];
}
