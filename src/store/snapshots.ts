import type { Sql } from "./transaction.ts";

/** How long a raw observation is kept after it was seen last. `maintain` purges what is older. */
const TIME_TO_LIVE = "30 minutes";
/**
 * How old the record of an unchanged observation may be before it is written again: a sixth of its time to live, so that a device that goes on
 * reporting never loses it, and a heartbeat every 15 s costs one write in twenty.
 */
const REFRESH_AFTER = "5 minutes";

/**
 * Keeps the raw observations of resources, as the table holds them, beside what was made of them. `always` for those that changed, `due` for
 * those that were seen again unchanged.
 */
export async function writeSnapshots(
  sql: Sql,
  fabricId: string,
  resourceIds: readonly string[],
  when: "always" | "due",
): Promise<void> {
  await sql.rows(
    `INSERT INTO fabric_sync.device_snapshot (fabric_id, device, resource_id, source, observation, observed_at, expires_at)
     SELECT d.fabric_id, d.name, d.resource_id, d.source_kind,
            jsonb_strip_nulls(jsonb_build_object('spec', CASE WHEN r.actual_status IS NULL OR r.kind = 'DeviceState' THEN r.actual_spec END,
              'status', CASE WHEN r.kind <> 'DeviceState' THEN r.actual_status END)),
            now(), now() + interval '${TIME_TO_LIVE}'
       FROM fabric_sync.device d
       JOIN fabric_sync.resource r ON r.fabric_id = d.fabric_id AND r.id = d.resource_id
      WHERE d.fabric_id = $1 AND d.resource_id = ANY ($2::uuid[]) AND d.precedence < 90 AND r.actual_spec IS NOT NULL
        AND ($3 = 'always' OR NOT EXISTS (
              SELECT FROM fabric_sync.device_snapshot s
               WHERE s.fabric_id = d.fabric_id AND s.device = d.name AND s.resource_id = d.resource_id
                 AND s.observed_at > now() - interval '${REFRESH_AFTER}'))
      ORDER BY d.name
         ON CONFLICT (fabric_id, device, resource_id) DO UPDATE
        SET source = excluded.source, observation = excluded.observation,
            observed_at = excluded.observed_at, expires_at = excluded.expires_at`,
    [fabricId, resourceIds, when],
  );
}
