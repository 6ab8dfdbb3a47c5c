import type { StoreFixture } from "../store/fixture.ts";

/** Every table of projections. */
export const TABLES = [
  "device",
  "device_interface",
  "device_ip_address",
  "device_neighbor",
  "device_arp_entry",
  "device_mac_entry",
  "device_route",
  "device_bgp_session",
  "link",
  "profile_port",
  "vpc_subnet",
  "dhcp_lease",
  "resource_edge",
] as const;

/** Columns that tell when, or that are other ids in another fabric: all that may differ between two paths. */
const PROVENANCE = "'{fabric_id,resource_id,first_seen,updated_at}'::text[]";

/** The rows of every table, each with the name of its resource, as text; equal texts are equal tables. */
export async function dump(at: StoreFixture, fabricId = at.fabricId): Promise<Record<string, string[]>> {
  const tables: Record<string, string[]> = {};
  for (const table of TABLES) {
    const rows = await at.sql<{ row: string }>(
      `SELECT concat_ws(' ', r.kind, r.namespace, r.name, to_jsonb(t) - ${PROVENANCE}) AS row
         FROM fabric_sync.${table} t JOIN fabric_sync.resource r ON r.fabric_id = t.fabric_id AND r.id = t.resource_id
        WHERE t.fabric_id = $1 ORDER BY 1`,
      [fabricId],
    );
    tables[table] = rows.map(({ row }) => row);
  }
  return tables;
}

/** Row versions of every table: what is the same was not written. */
export async function versions(at: StoreFixture): Promise<string[]> {
  const found: string[] = [];
  for (const table of [...TABLES, "device_snapshot"]) {
    const rows = await at.sql<{ version: string }>(
      `SELECT '${table} ' || ctid::text || ' ' || xmin::text || ' ' || xmax::text AS version FROM fabric_sync.${table} ORDER BY 1`,
    );
    found.push(...rows.map(({ version }) => version));
  }
  return found;
}
