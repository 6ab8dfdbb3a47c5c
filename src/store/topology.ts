import type { Topology, TopologyDevice, TopologyLink } from "../core/ports.ts";
import type { Sql } from "./transaction.ts";

/** Devices and links of a fabric, in two statements, in the order of their names. */
export async function readTopology(sql: Sql, fabricId: string): Promise<Topology> {
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
  return { devices, links };
}
