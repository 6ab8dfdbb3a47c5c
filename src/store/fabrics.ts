import type { FabricRecord, Retention } from "../core/ports.ts";
import type { ReferenceRule } from "../core/references.ts";
import { PROJECTIONS_VERSION } from "./rebuild.ts";
import type { Sql } from "./transaction.ts";

/**
 * The `fabric` row of one Fabric object. A new uid under an old name is a new fabric: the rows of its predecessor are kept,
 * detached, and its writers lose their fence.
 */
export async function registerFabric(
  sql: Sql,
  {
    namespace,
    name,
    uid,
    retention,
    references,
  }: {
    namespace: string;
    name: string;
    uid: string;
    retention?: Retention;
    references?: readonly ReferenceRule[];
  },
): Promise<FabricRecord> {
  await sql.rows(
    `UPDATE fabric_sync.fabric SET detached_at = now(), writer_epoch = writer_epoch + 1
      WHERE namespace = $1 AND name = $2 AND uid <> $3 AND detached_at IS NULL AND retiring_at IS NULL`,
    [namespace, name, uid],
  );
  await sql.rows(
    `INSERT INTO fabric_sync.fabric (namespace, name, uid, projections_version) VALUES ($1, $2, $3, $4) ON CONFLICT (uid) DO NOTHING`,
    [namespace, name, uid, PROJECTIONS_VERSION],
  );
  if (retention !== undefined) {
    await sql.rows(
      `UPDATE fabric_sync.fabric SET history_retention = $2::interval, tombstone_retention = $3::interval
        WHERE uid = $1 AND (history_retention, tombstone_retention) IS DISTINCT FROM ($2::interval, $3::interval)`,
      [uid, retention.history, retention.tombstones],
    );
  }
  if (references !== undefined) {
    // What was made by other rules is made anew at the next look (`rebuild.ts`).
    await sql.rows(
      `UPDATE fabric_sync.fabric SET reference_rules = $2::jsonb, projections_version = 0
        WHERE uid = $1 AND reference_rules IS DISTINCT FROM $2::jsonb`,
      [uid, JSON.stringify(references)],
    );
  }
  // A statement of its own: the row may be another replica's, committed after the INSERT had looked.
  const [record] = await sql.rows<FabricRecord>(
    "SELECT id, namespace, name, uid FROM fabric_sync.fabric WHERE uid = $1",
    [uid],
  );
  if (record === undefined) throw new Error("the fabric row was removed while it was registered");
  return record;
}

/** The fabrics that a Fabric object stands behind. */
export async function listFabrics(sql: Sql): Promise<FabricRecord[]> {
  return sql.rows<FabricRecord>(
    `SELECT id, namespace, name, uid FROM fabric_sync.fabric
      WHERE detached_at IS NULL AND retiring_at IS NULL ORDER BY namespace, name`,
  );
}
