import type { DeviceStateFacts, DeviceStateVersion } from "../core/device-state.ts";
import { DEVICE_STATE } from "../core/device-state.ts";
import type { Sql } from "./transaction.ts";

/** Refusals that are read of one DeviceState. */
const LISTED = 32;

/** Set of the spec → its table. */
const TABLES = {
  interfaces: "device_interface",
  addresses: "device_ip_address",
  neighbors: "device_neighbor",
  arpEntries: "device_arp_entry",
  macEntries: "device_mac_entry",
  routes: "device_route",
  bgpSessions: "device_bgp_session",
} as const;

const counts = Object.entries(TABLES).map(
  ([set, table]) => `'${set}', (SELECT count(*) FROM fabric_sync.device d
          JOIN fabric_sync.${table} t ON t.fabric_id = d.fabric_id AND t.device = d.name AND t.resource_id = d.resource_id
         WHERE d.fabric_id = r.fabric_id AND d.resource_id = r.id)`,
);

export async function deviceStates(sql: Sql, fabricId: string): Promise<DeviceStateVersion[]> {
  return sql.rows<DeviceStateVersion>(
    `SELECT namespace, name, actual_uid AS uid, actual_generation || ' ' || actual_hash AS content FROM fabric_sync.resource
      WHERE fabric_id = $1 AND api_group = $2 AND kind = $3 AND actual_spec IS NOT NULL AND deletion_requested_at IS NULL
      ORDER BY namespace, name`,
    [fabricId, DEVICE_STATE.apiGroup, DEVICE_STATE.kind],
  );
}

/** What the tables hold of some DeviceStates. One that changed meanwhile is told with the content that it has now. */
export async function deviceStateFacts(
  sql: Sql,
  fabricId: string,
  some: readonly DeviceStateVersion[],
): Promise<DeviceStateFacts[]> {
  return sql.rows<DeviceStateFacts>(
    `SELECT r.namespace, r.name, r.actual_uid AS uid, r.actual_generation || ' ' || r.actual_hash AS content,
            r.actual_generation::float8 AS generation, r.actual_updated AS "observedAt", r.actual_status AS status,
            jsonb_build_object(${counts.join(", ")},
              'links', (SELECT count(*) FROM fabric_sync.link l WHERE l.fabric_id = r.fabric_id AND l.resource_id = r.id)) AS taken,
            coalesce(parts.refused, '[]') AS refused, coalesce(parts.total, 0)::integer AS "refusedTotal", coalesce(whole.message, '') AS "refusedWhole"
       FROM unnest($4::text[], $5::text[]) AS k (namespace, name)
       JOIN fabric_sync.resource r ON r.fabric_id = $1 AND r.api_group = $2 AND r.kind = $3 AND r.namespace = k.namespace AND r.name = k.name
       LEFT JOIN LATERAL (
            SELECT count(*) AS total, jsonb_path_query_array(
                     jsonb_agg(jsonb_build_object('path', d.part, 'message', d.message) ORDER BY d.part), '$[0 to ${LISTED - 1}]') AS refused
              FROM fabric_sync.resource_dead_letter d
             WHERE d.fabric_id = r.fabric_id AND d.api_group = r.api_group AND d.kind = r.kind AND d.namespace = r.namespace AND d.name = r.name
               AND d.part <> '') parts ON true
       LEFT JOIN fabric_sync.resource_dead_letter whole ON whole.fabric_id = r.fabric_id AND whole.api_group = r.api_group AND whole.kind = r.kind
        AND whole.namespace = r.namespace AND whole.name = r.name AND whole.side = 'actual' AND whole.part = ''
      WHERE r.actual_spec IS NOT NULL`,
    [
      fabricId,
      DEVICE_STATE.apiGroup,
      DEVICE_STATE.kind,
      some.map(({ namespace }) => namespace),
      some.map(({ name }) => name),
    ],
  );
}
