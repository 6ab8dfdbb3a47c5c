import type { Sql } from "./transaction.ts";

/** Stands in the place of a provider: a delivery that a replica accepted which does not work on the Fabric. One a fabric is enough. */
const WAITING = "waiting";

/**
 * Records a webhook delivery; false when it was recorded before, by any replica. `waits` leaves a note for the replica that works on the
 * fabric, in the same statement: both are there or neither is.
 */
export async function recordDelivery(
  sql: Sql,
  delivery: { fabricId: string; provider: string; deliveryId: string; waits: boolean },
): Promise<boolean> {
  const recorded = await sql.rows(
    `WITH recorded AS (
       INSERT INTO fabric_sync.webhook_delivery (fabric_id, provider, delivery_id) VALUES ($1, $2, $3)
         ON CONFLICT DO NOTHING RETURNING fabric_id
     ), waiting AS (
       INSERT INTO fabric_sync.webhook_delivery (fabric_id, provider, delivery_id)
         SELECT fabric_id, '${WAITING}', '${WAITING}' FROM recorded WHERE $4::boolean
         ON CONFLICT DO NOTHING
     )
     SELECT 1 AS recorded FROM recorded`,
    [delivery.fabricId, delivery.provider, delivery.deliveryId, delivery.waits],
  );
  return recorded.length > 0;
}

/** Takes the notes of other replicas for these fabrics (by the uid of their object). @returns whose there was one. */
export async function takeWaitingDeliveries(sql: Sql, uids: readonly string[]): Promise<string[]> {
  const rows = await sql.rows<{ uid: string }>(
    `DELETE FROM fabric_sync.webhook_delivery d USING fabric_sync.fabric f
       WHERE f.uid = ANY($1) AND d.fabric_id = f.id AND d.provider = '${WAITING}'
     RETURNING f.uid`,
    [uids],
  );
  return rows.map(({ uid }) => uid);
}
