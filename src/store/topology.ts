import { OUTSIDE_ROLE } from "../projections/external.ts";
import type { Topology, TopologyDevice, TopologyLink } from "../core/ports.ts";
import type { Sql } from "./transaction.ts";

/**
 * A whole map is joined by hashes, all of it being read: twice as fast as the lookups that planners choose from what they know of columns one by
 * one. It is over before a compiler or a second process would have begun.
 */
const WHOLE = `SELECT set_config(name, value, true)
   FROM (VALUES ('enable_nestloop', 'off'), ('enable_mergejoin', 'off'), ('jit', 'off'), ('max_parallel_workers_per_gather', '0')) AS s (name, value)`;

/** Devices and links of a fabric, in the order of their names. In a transaction of its own, for the settings that it makes. */
export async function readTopology(sql: Sql, fabricId: string): Promise<Topology> {
  await sql.rows(WHOLE);
  const devices = await sql.rows<TopologyDevice>(
    `SELECT name, role, site, mentioned_only AS "mentionedOnly", observed_at AS "observedAt"
       FROM fabric_sync.devices WHERE fabric_id = $1 ORDER BY name`,
    [fabricId],
  );
  const links = await sql.rows<TopologyLink>(
    `SELECT device_a AS "deviceA", interface_a AS "interfaceA", device_b AS "deviceB", interface_b AS "interfaceB", kind,
            declared, verdict, evidence
       FROM fabric_sync.links WHERE fabric_id = $1 ORDER BY device_a, device_b, interface_a, interface_b`,
    [fabricId],
  );
  return { devices: withoutNamedStubs(devices, links), links };
}

/** The stub of a box that a link names by now ends no cable any more. */
function withoutNamedStubs(devices: readonly TopologyDevice[], links: readonly TopologyLink[]): TopologyDevice[] {
  const ends = new Set(links.flatMap(({ deviceA, deviceB }) => [deviceA, deviceB]));
  return devices.filter(({ name, role }) => role !== OUTSIDE_ROLE || ends.has(name));
}
