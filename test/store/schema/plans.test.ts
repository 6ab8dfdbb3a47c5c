import { Client } from "pg";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

/**
 * Every index has a question that it answers, and the planner chooses it by itself: no settings are changed, the tables hold enough
 * rows that reading all of them costs more.
 */

const FABRIC = "6a0f4a3e-0000-4000-8000-000000000001";
const resourceId = (n: number): string => `6a0f4a3e-0000-4000-9000-${String(n).padStart(12, "0")}`;

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(`
    INSERT INTO fabric_sync.fabric (id, namespace, name, uid)
    SELECT ('6a0f4a3e-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'lab', 'fabric-' || n, 'uid-' || n FROM generate_series(1, 3000) AS n;
    INSERT INTO fabric_sync.resource (fabric_id, id, api_group, kind, namespace, name, labels, relationship_metadata, resource_state, drift_status)
    SELECT '${FABRIC}', ('6a0f4a3e-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid, 'g', 'Kind' || n % 20, 'ns-' || n % 7, 'object-' || n / 10,
           jsonb_build_object('role', 'r' || n % 500, 'all', 'same'),
           CASE WHEN n % 2 = 0 THEN jsonb_build_object('owners', jsonb_build_array(jsonb_build_object('uid', 'u' || n % 1000))) ELSE '{}' END,
           CASE WHEN n % 100 = 0 THEN 'drifted' WHEN n % 50 = 1 THEN 'orphaned' ELSE 'synced' END,
           CASE WHEN n % 100 = 0 THEN 'drifted' ELSE 'in_sync' END
      FROM generate_series(1, 30000) AS n;
    INSERT INTO fabric_sync.resource_event (fabric_id, resource_id, kind, name, at)
    SELECT '${FABRIC}', ('6a0f4a3e-0000-4000-9000-' || lpad((n % 3000)::text, 12, '0'))::uuid, 'K', 'n', now() - n * interval '1 second'
      FROM generate_series(1, 20000) AS n;
    INSERT INTO fabric_sync.resource_dead_letter (fabric_id, kind, name) SELECT '${FABRIC}', 'K', 'n' || n FROM generate_series(1, 5000) AS n;
    INSERT INTO fabric_sync.resource_edge (fabric_id, resource_id, path, relation, target_kind, target_name)
    SELECT '${FABRIC}', ('6a0f4a3e-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid, '/spec/x', 'x', 'K', 'target-' || n % 2000
      FROM generate_series(1, 10000) AS n;
    INSERT INTO fabric_sync.cursor (fabric_id, scope) SELECT '${FABRIC}', 'g/v1/kind-' || n FROM generate_series(1, 5000) AS n;
    INSERT INTO fabric_sync.git_file (fabric_id, path) SELECT '${FABRIC}', 'dir/file-' || n FROM generate_series(1, 5000) AS n;
    INSERT INTO fabric_sync.sync_run (fabric_id, id, started_at)
    SELECT '${FABRIC}', ('6a0f4a3e-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid, now() - n * interval '1 minute' FROM generate_series(1, 5000) AS n;
    INSERT INTO fabric_sync.webhook_delivery (fabric_id, provider, delivery_id) SELECT '${FABRIC}', 'github', 'd' || n FROM generate_series(1, 5000) AS n;
    INSERT INTO fabric_sync.device (fabric_id, name, resource_id, chassis_id)
    SELECT '${FABRIC}', 'leaf-' || n, ('6a0f4a3e-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid, 'c' || n FROM generate_series(1, 5000) AS n;
    INSERT INTO fabric_sync.device_interface (fabric_id, device, name, resource_id) SELECT '${FABRIC}', 'leaf-' || n, 'E1/' || p, ('6a0f4a3e-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid FROM generate_series(1, 1000) AS n, generate_series(1, 8) AS p;
    INSERT INTO fabric_sync.device_ip_address (fabric_id, device, address, resource_id) SELECT '${FABRIC}', 'leaf-' || n, ('10.0.0.' || p)::inet, ('6a0f4a3e-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid FROM generate_series(1, 1000) AS n, generate_series(1, 8) AS p;
    INSERT INTO fabric_sync.device_neighbor (fabric_id, device, interface, protocol, remote_name, remote_chassis_id, resource_id) SELECT '${FABRIC}', 'leaf-' || n, 'E1/' || p, 'lldp', 'spine-' || n, 'chassis-' || n, ('6a0f4a3e-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid FROM generate_series(1, 1000) AS n, generate_series(1, 8) AS p;
    INSERT INTO fabric_sync.device_arp_entry (fabric_id, device, address, resource_id) SELECT '${FABRIC}', 'leaf-' || n, ('10.0.0.' || p)::inet, ('6a0f4a3e-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid FROM generate_series(1, 1000) AS n, generate_series(1, 8) AS p;
    INSERT INTO fabric_sync.device_mac_entry (fabric_id, device, vlan, mac, resource_id) SELECT '${FABRIC}', 'leaf-' || n, p, '0c:20:12:ff:02:01', ('6a0f4a3e-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid FROM generate_series(1, 1000) AS n, generate_series(1, 8) AS p;
    INSERT INTO fabric_sync.device_route (fabric_id, device, prefix, resource_id) SELECT '${FABRIC}', 'leaf-' || n, ('10.0.' || p || '.0/24')::cidr, ('6a0f4a3e-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid FROM generate_series(1, 1000) AS n, generate_series(1, 8) AS p;
    INSERT INTO fabric_sync.device_bgp_session (fabric_id, device, neighbor, resource_id) SELECT '${FABRIC}', 'leaf-' || n, '10.0.0.' || p, ('6a0f4a3e-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid FROM generate_series(1, 1000) AS n, generate_series(1, 8) AS p;
    INSERT INTO fabric_sync.device_snapshot (fabric_id, device, source, resource_id) SELECT '${FABRIC}', 'leaf-' || n, 'Agent', ('6a0f4a3e-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid FROM generate_series(1, 5000) AS n;
    INSERT INTO fabric_sync.link (fabric_id, device_a, interface_a, device_b, interface_b, resource_id)
    SELECT '${FABRIC}', 'leaf-' || n, 'E1/1', 'spine-' || n / 50, 'E1/' || n, ('6a0f4a3e-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid FROM generate_series(1, 5000) AS n;
    INSERT INTO fabric_sync.profile_port (fabric_id, resource_id, profile, port, nos_name)
    SELECT '${FABRIC}', ('6a0f4a3e-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid, 'model-' || n, 'E1/' || p, 'Ethernet' || p FROM generate_series(1, 500) AS n, generate_series(1, 8) AS p;
    INSERT INTO fabric_sync.vpc_subnet (fabric_id, resource_id, vpc, name, prefix)
    SELECT '${FABRIC}', ('6a0f4a3e-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid, 'vpc-' || n, 'front', '10.0.0.0/24' FROM generate_series(1, 5000) AS n;
    INSERT INTO fabric_sync.dhcp_lease (fabric_id, resource_id, mac, address)
    SELECT '${FABRIC}', ('6a0f4a3e-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid, ('0c:20:12:00:00:0' || p)::macaddr, ('10.0.0.' || p)::inet FROM generate_series(1, 1000) AS n, generate_series(1, 8) AS p`);
  await client.query("VACUUM ANALYZE");
}, 60_000);
afterAll(async () => {
  await client.end();
  await database.drop();
});

const ofDevice = (table: string): string =>
  `SELECT * FROM fabric_sync.${table} WHERE fabric_id = '${FABRIC}' AND device = 'leaf-7'`;
const ofResource = (table: string): string => `${ofDevice(table)} AND resource_id = '${resourceId(7)}'`;
const atPort = (table: string, port: string, key = "port_key"): string =>
  `${ofDevice(table)} AND fabric_sync.${key}(${port}) = fabric_sync.${key}('E1/3')`;
const resources = (where: string): string =>
  `SELECT * FROM fabric_sync.resource WHERE fabric_id = '${FABRIC}' AND ${where}`;

/** Index → the question that needs it. */
const QUESTIONS: Readonly<Record<string, string>> = {
  fabric_pkey: `SELECT * FROM fabric_sync.fabric WHERE id = '${FABRIC}' AND writer_epoch = 0 FOR KEY SHARE`,
  fabric_live_name_key: `SELECT * FROM fabric_sync.fabric WHERE namespace = 'lab' AND name = 'fabric-7' AND detached_at IS NULL AND retiring_at IS NULL`,
  fabric_uid_key: "SELECT * FROM fabric_sync.fabric WHERE uid = 'uid-7'",
  resource_pkey: `
    SELECT r.* FROM unnest(ARRAY['g', 'g'], ARRAY['Kind1', 'Kind2'], ARRAY['ns-1', 'ns-2'], ARRAY['object-1', 'object-2'])
             AS k (api_group, kind, namespace, name)
      JOIN fabric_sync.resource r USING (api_group, kind, namespace, name) WHERE r.fabric_id = '${FABRIC}'`,
  resource_id_key: resources(`id = '${resourceId(7)}'`),
  resource_labels_idx: resources(`labels @> '{"role": "r7"}'`),
  resource_owner_idx: resources(
    `relationship_metadata ? 'owners' AND relationship_metadata @> '{"owners": [{"uid": "u8"}]}'`,
  ),
  resource_name_idx: resources("name LIKE 'object-123%'"),
  resource_state_idx: resources("resource_state = 'orphaned'"),
  resource_declared_idx: `SELECT count(*) FROM fabric_sync.resource WHERE fabric_id = '${FABRIC}' AND desired_hash <> ''`,
  resource_drift_idx: resources("kind = 'Kind0' AND drift_status = 'drifted'"),
  resource_event_pkey: `
    SELECT * FROM fabric_sync.resource_event
     WHERE fabric_id = '${FABRIC}' AND (xid, seq) > ('1'::xid8, 19000) AND xid < pg_snapshot_xmin(pg_current_snapshot())
     ORDER BY xid, seq LIMIT 100`,
  resource_event_subject_idx: `
    SELECT * FROM fabric_sync.resource_event
     WHERE fabric_id = '${FABRIC}' AND resource_id = '${resourceId(7)}' AND at <= now() ORDER BY at DESC LIMIT 1`,
  resource_event_commit_idx: `
    SELECT DISTINCT resource_id FROM fabric_sync.resource_event
     WHERE fabric_id = '${FABRIC}' AND side = 'desired' AND commit <> '' AND commit = repeat('a', 40)`,
  resource_dead_letter_pkey: `
    SELECT * FROM fabric_sync.resource_dead_letter
     WHERE fabric_id = '${FABRIC}' AND api_group = '' AND kind = 'K' AND namespace = '' AND name = 'n7'`,
  resource_edge_pkey: `SELECT * FROM fabric_sync.resource_edge WHERE fabric_id = '${FABRIC}' AND resource_id = '${resourceId(7)}'`,
  resource_edge_target_idx: `
    SELECT * FROM fabric_sync.resource_edge
     WHERE fabric_id = '${FABRIC}' AND target_api_group = '' AND target_kind = 'K' AND target_namespace = '' AND target_name = 'target-7'`,
  cursor_pkey: `SELECT * FROM fabric_sync.cursor WHERE fabric_id = '${FABRIC}' AND source = 'cluster' AND scope = 'g/v1/kind-7'`,
  git_file_pkey: `SELECT * FROM fabric_sync.git_file WHERE fabric_id = '${FABRIC}' AND path = 'dir/file-7'`,
  sync_run_pkey: `SELECT * FROM fabric_sync.sync_run WHERE fabric_id = '${FABRIC}' AND id = '${resourceId(7)}'`,
  sync_run_recent_idx: `SELECT * FROM fabric_sync.sync_run WHERE fabric_id = '${FABRIC}' ORDER BY started_at DESC LIMIT 10`,
  webhook_delivery_pkey: `
    SELECT * FROM fabric_sync.webhook_delivery WHERE fabric_id = '${FABRIC}' AND provider = 'github' AND delivery_id = 'd7'`,
  device_pkey: `SELECT * FROM fabric_sync.device WHERE fabric_id = '${FABRIC}' AND name = 'leaf-7'`,
  device_resource_idx: `SELECT * FROM fabric_sync.device WHERE fabric_id = '${FABRIC}' AND resource_id = '${resourceId(7)}'`,
  device_chassis_idx: `SELECT * FROM fabric_sync.device WHERE fabric_id = '${FABRIC}' AND chassis_id = 'c7'`,
  device_ip_address_host_idx: `SELECT * FROM fabric_sync.device_ip_address WHERE fabric_id = '${FABRIC}' AND host(address) = '10.0.9.9'`,
  device_interface_pkey: ofResource("device_interface"),
  device_ip_address_pkey: ofResource("device_ip_address"),
  device_neighbor_pkey: ofResource("device_neighbor"),
  device_arp_entry_pkey: ofResource("device_arp_entry"),
  device_mac_entry_pkey: ofResource("device_mac_entry"),
  device_route_pkey: ofResource("device_route"),
  device_bgp_session_pkey: ofResource("device_bgp_session"),
  device_snapshot_pkey: ofResource("device_snapshot"),
  device_interface_port_idx: atPort("device_interface", "name"),
  device_neighbor_remote_name_idx: `SELECT * FROM fabric_sync.device_neighbor WHERE fabric_id = '${FABRIC}' AND remote_name = 'spine-7'`,
  device_neighbor_remote_chassis_idx: `SELECT * FROM fabric_sync.device_neighbor WHERE fabric_id = '${FABRIC}' AND remote_chassis_id = 'chassis-7' AND remote_chassis_id <> ''`,
  device_neighbor_port_idx: atPort("device_neighbor", "interface"),
  device_arp_entry_port_idx: atPort("device_arp_entry", "interface", "port_of"),
  device_mac_entry_port_idx: atPort("device_mac_entry", "interface", "port_of"),
  device_arp_entry_mac_idx: `SELECT * FROM fabric_sync.device_arp_entry WHERE fabric_id = '${FABRIC}' AND mac = '0c:20:12:00:00:07' AND mac <> ''`,
  device_mac_entry_mac_idx: `SELECT * FROM fabric_sync.device_mac_entry WHERE fabric_id = '${FABRIC}' AND mac = '0c:20:12:00:00:07'`,
  device_route_port_idx: `${atPort("device_route", "interface", "port_of")} AND next_hop <> ''`,
  device_interface_mac_idx: `SELECT * FROM fabric_sync.device_interface WHERE fabric_id = '${FABRIC}' AND mac = '0c:20:12:00:00:07' AND mac <> ''`,
  link_device_b_idx: `SELECT * FROM fabric_sync.link WHERE fabric_id = '${FABRIC}' AND device_b = 'spine-7'`,
  link_outward_idx: `SELECT * FROM fabric_sync.link WHERE fabric_id = '${FABRIC}' AND device_b = 'outside:7' AND kind IN ('external', 'staticExternal', 'attachment')`,
  link_resource_idx: `SELECT * FROM fabric_sync.link WHERE fabric_id = '${FABRIC}' AND resource_id = '${resourceId(7)}'`,
  profile_port_pkey: `SELECT * FROM fabric_sync.profile_port WHERE fabric_id = '${FABRIC}' AND resource_id = '${resourceId(7)}'`,
  profile_port_nos_name_idx: `SELECT * FROM fabric_sync.profile_port WHERE fabric_id = '${FABRIC}' AND profile = 'model-7' AND nos_name = 'Ethernet4'`,
  vpc_subnet_pkey: `SELECT * FROM fabric_sync.vpc_subnet WHERE fabric_id = '${FABRIC}' AND resource_id = '${resourceId(7)}'`,
  dhcp_lease_pkey: `SELECT * FROM fabric_sync.dhcp_lease WHERE fabric_id = '${FABRIC}' AND resource_id = '${resourceId(7)}'`,
  link_pkey: `SELECT * FROM fabric_sync.link WHERE fabric_id = '${FABRIC}' AND device_a = 'leaf-7'`,
};

test("every index has a question, and a comment that tells it", async () => {
  const { rows } = await client.query<{ name: string; told: boolean }>(`
    SELECT i.relname AS name, x.indisprimary OR k.oid IS NOT NULL OR obj_description(i.oid, 'pg_class') IS NOT NULL AS told
      FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
      LEFT JOIN pg_constraint k ON k.conindid = i.oid AND k.contype IN ('p', 'u')
     WHERE c.relnamespace = 'fabric_sync'::regnamespace AND NOT c.relispartition AND c.relname <> 'schema_migration'
     ORDER BY 1`);
  expect(rows.map(({ name }) => name)).toEqual(Object.keys(QUESTIONS).sort());
  expect(rows.filter(({ told }) => !told)).toEqual([]);
});

test.each(Object.entries(QUESTIONS))("%s answers its question", async (index, question) => {
  const { rows } = await client.query<{ "QUERY PLAN": unknown }>(`EXPLAIN (FORMAT JSON) ${question}`);
  const used = [...JSON.stringify(rows).matchAll(/"Index Name":"([^"]+)"/g)].map(([, name = ""]) => name);
  const own = await client.query<{ name: string }>(
    // A partitioned index is used by its parts.
    `SELECT oid::regclass::text AS name FROM pg_class WHERE oid = $1::regclass
     UNION ALL SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = $1::regclass`,
    [`fabric_sync.${index}`],
  );
  const names = own.rows.map(({ name }) => name.replace("fabric_sync.", ""));
  expect(used.some((name) => names.includes(name)) ? index : used).toBe(index);
});

test("the same holds through the views", async () => {
  const through: readonly (readonly [string, string])[] = [
    ["resource_labels_idx", `SELECT name FROM fabric_sync.resources WHERE labels @> '{"role": "r7"}'`],
    [
      "resource_drift_idx",
      `SELECT name FROM fabric_sync.drifts WHERE fabric_id = '${FABRIC}' AND kind = 'Kind0' AND drift_status = 'drifted'`,
    ],
    ["resource_state_idx", `SELECT name FROM fabric_sync.orphans WHERE fabric_id = '${FABRIC}'`],
    [
      "resource_state_idx",
      `SELECT resource_state, drift_status, count(*) FROM fabric_sync.resource WHERE fabric_id = '${FABRIC}' AND resource_state > '' GROUP BY 1, 2`,
    ],
    [
      "resource_name_idx",
      `SELECT name FROM fabric_sync.resources WHERE fabric = 'fabric-1' AND name LIKE 'object-123%'`,
    ],
  ];
  for (const [index, question] of through) {
    const { rows } = await client.query(`EXPLAIN (FORMAT JSON) ${question}`);
    expect(JSON.stringify(rows)).toContain(`"Index Name":"${index}"`);
  }
});
