import type { Sql } from "./transaction.ts";

/** Records a webhook delivery; false when it was recorded before, by any replica. */
export async function recordDelivery(
  sql: Sql,
  delivery: { fabricId: string; provider: string; deliveryId: string },
): Promise<boolean> {
  const recorded = await sql.rows(
    `INSERT INTO fabric_sync.webhook_delivery (fabric_id, provider, delivery_id) VALUES ($1, $2, $3)
         ON CONFLICT DO NOTHING RETURNING 1 AS recorded`,
    [delivery.fabricId, delivery.provider, delivery.deliveryId],
  );
  return recorded.length > 0;
}
