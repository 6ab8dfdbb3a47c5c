-- Takes no data with it.
DROP VIEW fabric_sync.externals;
DROP VIEW fabric_sync.address_findings;
DROP VIEW fabric_sync.session_findings;

CREATE VIEW fabric_sync.session_findings AS
WITH expected AS (
  SELECT l.fabric_id, l.resource_id, e.device, '' AS vrf, split_part(e.neighbor, '/', 1) AS neighbor, e.remote
    FROM fabric_sync.link l
   CROSS JOIN LATERAL (VALUES (l.device_a, l.address_b, l.device_b), (l.device_b, l.address_a, l.device_a)) AS e (device, neighbor, remote)
   WHERE l.address_a <> '' AND l.address_b <> ''
  UNION ALL
  SELECT r.fabric_id, r.id, l.device_a, 'VrfE' || (r.actual_spec ->> 'external'), r.actual_spec #>> '{neighbor,ip}', r.actual_spec ->> 'external'
    FROM fabric_sync.resource r
    JOIN fabric_sync.resource c ON c.fabric_id = r.fabric_id AND c.api_group = 'wiring.githedgehog.com' AND c.kind = 'Connection'
     AND c.namespace = r.namespace AND c.name = r.actual_spec ->> 'connection'
    JOIN fabric_sync.link l ON l.fabric_id = c.fabric_id AND l.resource_id = c.id
   WHERE r.api_group = 'vpc.githedgehog.com' AND r.kind = 'ExternalAttachment' AND r.actual_spec #>> '{neighbor,ip}' IS NOT NULL
), judged AS (
  SELECT e.fabric_id, e.resource_id, e.device, e.vrf, e.neighbor, e.remote, s.state, s.bfd_state
    FROM expected e
    LEFT JOIN LATERAL (SELECT s.state, s.bfd_state FROM fabric_sync.device_bgp_session s
                        WHERE s.fabric_id = e.fabric_id AND s.device = e.device AND s.vrf = e.vrf AND s.neighbor = e.neighbor LIMIT 1) s ON true
   WHERE EXISTS (SELECT FROM fabric_sync.device d WHERE d.fabric_id = e.fabric_id AND d.name = e.device AND d.sets_observed ->> 'bgpSessions' = 'current')
)
SELECT f.namespace AS fabric_namespace, f.name AS fabric, j.device, j.vrf, j.neighbor, j.remote AS remote_device,
       CASE WHEN j.state IS NULL THEN 'missing' WHEN j.state <> 'established' THEN 'not_established' ELSE 'bfd_not_up' END AS finding,
       coalesce(j.state, '') AS state, coalesce(j.bfd_state, '') AS bfd_state, j.fabric_id, j.resource_id
  FROM judged j JOIN fabric_sync.fabric f ON f.id = j.fabric_id
 WHERE j.state IS NULL OR j.state <> 'established' OR j.bfd_state NOT IN ('up', 'unknown')
UNION ALL
SELECT f.namespace, f.name, s.device, s.vrf, s.neighbor, '', 'unexpected', s.state, s.bfd_state, s.fabric_id, s.resource_id
  FROM fabric_sync.device_bgp_session s JOIN fabric_sync.fabric f ON f.id = s.fabric_id
 WHERE NOT EXISTS (SELECT FROM expected e WHERE e.fabric_id = s.fabric_id AND e.device = s.device AND e.vrf = s.vrf AND e.neighbor = s.neighbor)
   AND NOT EXISTS (SELECT FROM fabric_sync.device_ip_address a WHERE a.fabric_id = s.fabric_id AND host(a.address) = s.neighbor AND a.device <> s.device);
COMMENT ON VIEW fabric_sync.session_findings IS 'BGP sessions that addresses of links and external attachments call for, against those that devices tell; only of devices that tell any.';
COMMENT ON COLUMN fabric_sync.session_findings.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.session_findings.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.session_findings.device IS 'The device.';
COMMENT ON COLUMN fabric_sync.session_findings.vrf IS 'Routing table; empty for the default one.';
COMMENT ON COLUMN fabric_sync.session_findings.neighbor IS 'Address of the neighbour.';
COMMENT ON COLUMN fabric_sync.session_findings.remote_device IS 'Who that is to be: a device, or an External.';
COMMENT ON COLUMN fabric_sync.session_findings.finding IS 'missing, not_established, bfd_not_up, unexpected (an address that no device has).';
COMMENT ON COLUMN fabric_sync.session_findings.state IS 'State of the session; empty when there is none.';
COMMENT ON COLUMN fabric_sync.session_findings.bfd_state IS 'State of its BFD session.';
COMMENT ON COLUMN fabric_sync.session_findings.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.session_findings.resource_id IS 'The row of the table resource, for joins.';

CREATE VIEW fabric_sync.address_findings AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, 'used_twice' AS finding, t.address, t.vrf, t.holders, t.fabric_id
  FROM (SELECT a.fabric_id, a.vrf, host(a.address) AS address, array_agg(DISTINCT a.device || '/' || a.interface) AS holders
          FROM fabric_sync.device_ip_address a GROUP BY a.fabric_id, a.vrf, host(a.address) HAVING count(DISTINCT a.device) > 1) t
  JOIN fabric_sync.fabric f ON f.id = t.fabric_id
UNION ALL
SELECT f.namespace, f.name, 'leased_twice', t.address, t.subnet, t.holders, t.fabric_id
  FROM (SELECT l.fabric_id, l.subnet, host(l.address) AS address, array_agg(l.mac::text ORDER BY l.mac) AS holders
          FROM fabric_sync.dhcp_lease l GROUP BY l.fabric_id, l.subnet, host(l.address) HAVING count(DISTINCT l.mac) > 1) t
  JOIN fabric_sync.fabric f ON f.id = t.fabric_id
UNION ALL
SELECT f.namespace, f.name, 'subnets_overlap', a.prefix::text, a.address_namespace, ARRAY[a.vpc || '/' || a.name, b.vpc || '/' || b.name], a.fabric_id
  FROM fabric_sync.vpc_subnet a
  JOIN fabric_sync.vpc_subnet b ON b.fabric_id = a.fabric_id AND b.address_namespace = a.address_namespace AND a.prefix && b.prefix
   AND (a.vpc, a.name) < (b.vpc, b.name)
  JOIN fabric_sync.fabric f ON f.id = a.fabric_id;
COMMENT ON VIEW fabric_sync.address_findings IS 'Addresses that two devices have, leases given out twice, subnets that overlap in one address namespace.';
COMMENT ON COLUMN fabric_sync.address_findings.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.address_findings.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.address_findings.finding IS 'used_twice, leased_twice, subnets_overlap.';
COMMENT ON COLUMN fabric_sync.address_findings.address IS 'The address or the prefix.';
COMMENT ON COLUMN fabric_sync.address_findings.vrf IS 'Routing table, subnet of a lease, or address namespace.';
COMMENT ON COLUMN fabric_sync.address_findings.holders IS 'Who has it.';
COMMENT ON COLUMN fabric_sync.address_findings.fabric_id IS 'The fabric, for joins.';

CREATE OR REPLACE VIEW fabric_sync.link_findings AS
SELECT l.fabric_namespace, l.fabric, l.device_a, l.interface_a, l.device_b, l.interface_b, l.kind, l.verdict AS finding, l.details, l.age, l.fabric_id, l.resource_id
  FROM fabric_sync.links l WHERE l.verdict NOT IN ('match', 'unknown')
UNION ALL
SELECT l.fabric_namespace, l.fabric, l.device_a, l.interface_a, l.device_b, l.interface_b, l.kind, differs.finding,
       jsonb_build_object('a', differs.a, 'b', differs.b), l.age, l.fabric_id, l.resource_id
  FROM fabric_sync.links l
 CROSS JOIN LATERAL (VALUES ('speed_differs', nullif(l.speed_a, 0)::text, nullif(l.speed_b, 0)::text), ('mtu_differs', nullif(l.mtu_a, 0)::text, nullif(l.mtu_b, 0)::text),
                            ('fec_differs', nullif(l.fec_a, ''), nullif(l.fec_b, ''))) AS differs (finding, a, b)
 WHERE differs.a <> differs.b
UNION ALL
SELECT f.namespace, f.name, twice.device, twice.interface, '', '', '', 'declared_twice', jsonb_build_object('by', twice.resources), NULL, twice.fabric_id, twice.resource_id
  FROM (SELECT e.fabric_id, e.device, e.interface, min(e.resource_id::text)::uuid AS resource_id,
               array_agg(r.kind || ' ' || r.namespace || '/' || r.name ORDER BY r.name) AS resources
          FROM (SELECT fabric_id, device_a AS device, interface_a AS interface, resource_id FROM fabric_sync.link
                UNION ALL SELECT fabric_id, device_b, interface_b, resource_id FROM fabric_sync.link WHERE device_b <> '') e
          JOIN fabric_sync.resource r ON r.fabric_id = e.fabric_id AND r.id = e.resource_id
         WHERE e.interface <> ''
         GROUP BY e.fabric_id, e.device, e.interface HAVING count(*) > 1) twice
  JOIN fabric_sync.fabric f ON f.id = twice.fabric_id;

COMMENT ON COLUMN fabric_sync.links.observed_at IS 'When this was observed last.';

-- What `db migrate` had granted to the views that are made again.
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'fabric_sync_reader') THEN
    GRANT SELECT ON fabric_sync.session_findings, fabric_sync.address_findings TO fabric_sync_reader;
  END IF;
END $$;


CREATE OR REPLACE VIEW fabric_sync.devices AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, d.name, d.role, d.site, d.vendor, d.model, d.profile, d.serial_number,
       d.nos, d.nos_version, d.management_address, d.chassis_id, d.asn, d.inventory, d.sets_observed,
       d.source_kind, d.sources, d.mentioned_only, r.resource_state,
       coalesce(r.actual_updated, r.desired_updated) AS observed_at, now() - coalesce(r.actual_updated, r.desired_updated) AS age,
       r.actual_status #> '{state,platform}' AS readings, d.first_seen, d.updated_at, d.fabric_id, d.resource_id
  FROM (SELECT d.fabric_id, d.name,
               coalesce((array_agg(d.role ORDER BY d.precedence, d.resource_id) FILTER (WHERE d.role <> ''))[1], '') AS role,
               coalesce((array_agg(d.site ORDER BY d.precedence, d.resource_id) FILTER (WHERE d.site <> ''))[1], '') AS site,
               coalesce((array_agg(d.vendor ORDER BY d.precedence, d.resource_id) FILTER (WHERE d.vendor <> ''))[1], '') AS vendor,
               coalesce((array_agg(d.model ORDER BY d.precedence, d.resource_id) FILTER (WHERE d.model <> ''))[1], '') AS model,
               coalesce((array_agg(d.profile ORDER BY d.precedence, d.resource_id) FILTER (WHERE d.profile <> ''))[1], '') AS profile,
               coalesce((array_agg(d.serial_number ORDER BY d.precedence, d.resource_id) FILTER (WHERE d.serial_number <> ''))[1], '') AS serial_number,
               coalesce((array_agg(d.nos ORDER BY d.precedence, d.resource_id) FILTER (WHERE d.nos <> ''))[1], '') AS nos,
               coalesce((array_agg(d.nos_version ORDER BY d.precedence, d.resource_id) FILTER (WHERE d.nos_version <> ''))[1], '') AS nos_version,
               coalesce((array_agg(d.management_address ORDER BY d.precedence, d.resource_id) FILTER (WHERE d.management_address <> ''))[1], '') AS management_address,
               coalesce((array_agg(d.chassis_id ORDER BY d.precedence, d.resource_id) FILTER (WHERE d.chassis_id <> ''))[1], '') AS chassis_id,
               (array_agg(d.asn ORDER BY d.precedence, d.resource_id) FILTER (WHERE d.asn IS NOT NULL))[1] AS asn,
               (array_agg(d.inventory ORDER BY d.inventory = '{}', d.precedence, d.resource_id))[1] AS inventory,
               (array_agg(d.sets_observed ORDER BY d.precedence, d.resource_id))[1] AS sets_observed,
               (array_agg(d.source_kind ORDER BY d.precedence, d.resource_id))[1] AS source_kind,
               array_agg(DISTINCT d.source_kind ORDER BY d.source_kind) AS sources,
               min(d.precedence) >= 90 AS mentioned_only,
               (array_agg(d.resource_id ORDER BY d.precedence, d.resource_id))[1] AS resource_id,
               min(d.first_seen) AS first_seen, max(d.updated_at) AS updated_at
          FROM fabric_sync.device d
         GROUP BY d.fabric_id, d.name) d
  JOIN fabric_sync.fabric f ON f.id = d.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = d.fabric_id AND r.id = d.resource_id;
COMMENT ON COLUMN fabric_sync.devices.readings IS 'Fans, power supplies and temperatures as read last; they are as old as age says.';

CREATE FUNCTION fabric_sync.seen_behind(of_fabric uuid, at_device text, port text) RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp COST 1000 AS $$
DECLARE
  wanted text := fabric_sync.port_key(port);
BEGIN
  RETURN ARRAY(
    WITH address AS (
      SELECT host(e.address) AS address, e.mac FROM fabric_sync.device_arp_entry e
       WHERE e.fabric_id = of_fabric AND e.device = at_device AND fabric_sync.port_key(e.interface) = wanted
      UNION
      SELECT t.next_hop, '' FROM fabric_sync.device_route t
       WHERE t.fabric_id = of_fabric AND t.device = at_device AND fabric_sync.port_key(t.interface) = wanted AND t.next_hop <> ''
    ), station AS (
      SELECT a.mac FROM address a WHERE a.mac <> ''
      UNION
      SELECT m.mac::text FROM fabric_sync.device_mac_entry m
       WHERE m.fabric_id = of_fabric AND m.device = at_device AND fabric_sync.port_key(m.interface) = wanted
    )
    SELECT x.device FROM address a JOIN fabric_sync.device_ip_address x ON x.fabric_id = of_fabric AND host(x.address) = a.address WHERE x.device <> at_device
    UNION
    SELECT i.device FROM station s JOIN fabric_sync.device_interface i ON i.fabric_id = of_fabric AND i.mac = s.mac AND i.mac <> '' WHERE i.device <> at_device
    UNION
    SELECT d.name FROM station s JOIN fabric_sync.device d ON d.fabric_id = of_fabric AND d.chassis_id = s.mac WHERE d.name <> at_device AND d.chassis_id <> ''
    ORDER BY 1);
END $$;
COMMENT ON FUNCTION fabric_sync.seen_behind IS 'Devices whose address is a next hop or an ARP entry at a port, or whose MAC address is seen there.';

CREATE OR REPLACE VIEW fabric_sync.links AS
SELECT l.fabric_namespace, l.fabric, l.device_a, l.interface_a, l.device_b, l.interface_b, l.kind,
       true AS declared, (l.heard_a | l.heard_b) & 24 <> 0 OR (l.verdict = 'match') AS observed, l.verdict,
       CASE
         WHEN l.heard_a & l.heard_b & 16 <> 0 THEN 'both_ends'
         WHEN (l.heard_a | l.heard_b) & 24 <> 0 AND (l.heard_a | l.heard_b) & 32 <> 0 THEN 'address_only'
         WHEN (l.heard_a | l.heard_b) & 16 <> 0 THEN 'one_end'
         WHEN (l.heard_a | l.heard_b) & 8 <> 0 THEN 'name_only'
         WHEN l.verdict = 'match' THEN 'address_only'
         ELSE 'none'
       END AS evidence,
       jsonb_strip_nulls(jsonb_build_object(
         'at_a', (SELECT jsonb_agg(jsonb_build_object('at', n.device || '/' || n.interface, 'heard', n.remote_name, 'device', n.remote_device,
                'interface', n.remote_interface, 'by', n.resolved_by, 'candidates', n.candidates, 'since', n.since) ORDER BY n.remote_name, n.remote_port)
            FROM fabric_sync.adjacencies n
           WHERE n.fabric_id = l.fabric_id AND n.device = l.device_a AND fabric_sync.port_key(n.interface) = fabric_sync.port_key(l.interface_a) AND NOT n.stale),
         'at_b', (SELECT jsonb_agg(jsonb_build_object('at', n.device || '/' || n.interface, 'heard', n.remote_name, 'device', n.remote_device,
                'interface', n.remote_interface, 'by', n.resolved_by, 'candidates', n.candidates, 'since', n.since) ORDER BY n.remote_name, n.remote_port)
            FROM fabric_sync.adjacencies n
           WHERE n.fabric_id = l.fabric_id AND n.device = l.device_b AND fabric_sync.port_key(n.interface) = fabric_sync.port_key(l.interface_b) AND NOT n.stale),
         'seen_a', CASE WHEN l.sees_a THEN nullif(fabric_sync.seen_behind(l.fabric_id, l.device_a, l.interface_a), '{}') END,
         'seen_b', CASE WHEN l.sees_b THEN nullif(fabric_sync.seen_behind(l.fabric_id, l.device_b, l.interface_b), '{}') END,
         'oper_a', l.port_a[2], 'oper_b', l.port_b[2])) AS details,
       l.port_a[3]::bigint AS speed_a, l.port_b[3]::bigint AS speed_b, l.port_a[4]::integer AS mtu_a, l.port_b[4]::integer AS mtu_b,
       l.port_a[5] AS fec_a, l.port_b[5] AS fec_b, l.address_a, l.address_b, l.side,
       l.first_seen, l.changed_at, l.observed_at, now() - l.observed_at AS age, l.fabric_id, l.resource_id
  FROM (SELECT l.*, CASE
         WHEN l.port_a[2] = 'down' OR l.port_b[2] = 'down' THEN 'down'
         WHEN l.device_b = '' THEN 'unknown'
         WHEN l.heard_a & 24 <> 0 AND l.heard_b & 24 <> 0 THEN 'match'
         WHEN (l.heard_a | l.heard_b) & 2 <> 0 THEN 'ambiguous'
         WHEN l.heard_a & 24 <> 0 THEN CASE WHEN l.listens_b THEN 'one_sided' ELSE 'match' END
         WHEN l.heard_b & 24 <> 0 THEN CASE WHEN l.listens_a THEN 'one_sided' ELSE 'match' END
         WHEN (l.heard_a | l.heard_b) & 4 <> 0 THEN 'wrong_port'
         WHEN l.heard_a | l.heard_b <> 0 THEN 'wrong_device'
         WHEN l.listens_a OR l.listens_b THEN 'missing'
         WHEN l.sees_a AND fabric_sync.seen_behind(l.fabric_id, l.device_a, l.interface_a) = ARRAY[l.device_b] THEN 'match'
         WHEN l.sees_b AND fabric_sync.seen_behind(l.fabric_id, l.device_b, l.interface_b) = ARRAY[l.device_a] THEN 'match'
         ELSE 'unknown'
       END AS verdict
  FROM (SELECT f.namespace AS fabric_namespace, f.name AS fabric, l.device_a, l.interface_a, l.device_b, l.interface_b, l.kind, l.side,
       l.address_a, l.address_b, l.first_seen, l.updated_at AS changed_at, max(coalesce(r.actual_updated, r.desired_updated)) AS observed_at,
       l.fabric_id, l.resource_id,
       coalesce(bit_or(CASE WHEN na.device IS NULL THEN 0
         WHEN na.remote_name = l.device_b AND (pb.port IS NOT NULL OR fabric_sync.port_key(na.remote_port) = fabric_sync.port_key(l.interface_b)) THEN 21
         ELSE fabric_sync.heard(l.fabric_id, na.remote_name, na.remote_chassis_id, na.remote_management_address, na.remote_port,
                                na.remote_port_description, l.device_b, l.interface_b) END), 0) AS heard_a,
       coalesce(bool_or(da.sets_observed ->> 'neighbors' = 'current'), false) AS listens_a,
       coalesce(bool_or(da.sets_observed ?| ARRAY['arpEntries', 'macEntries', 'routes']), false) AS sees_a,
       min(CASE WHEN ia.name IS NOT NULL THEN ARRAY[CASE WHEN ia.name = l.interface_a THEN '0' ELSE '1' END || (1000 + da.precedence)::text,
         ia.oper_status, ia.speed_mbps::text, ia.mtu::text, ia.fec] END) AS port_a,
       coalesce(bit_or(CASE WHEN nb.device IS NULL THEN 0
         WHEN nb.remote_name = l.device_a AND (pa.port IS NOT NULL OR fabric_sync.port_key(nb.remote_port) = fabric_sync.port_key(l.interface_a)) THEN 21
         ELSE fabric_sync.heard(l.fabric_id, nb.remote_name, nb.remote_chassis_id, nb.remote_management_address, nb.remote_port,
                                nb.remote_port_description, l.device_a, l.interface_a) END), 0) AS heard_b,
       coalesce(bool_or(db.sets_observed ->> 'neighbors' = 'current'), false) AS listens_b,
       coalesce(bool_or(db.sets_observed ?| ARRAY['arpEntries', 'macEntries', 'routes']), false) AS sees_b,
       min(CASE WHEN ib.name IS NOT NULL THEN ARRAY[CASE WHEN ib.name = l.interface_b THEN '0' ELSE '1' END || (1000 + db.precedence)::text,
         ib.oper_status, ib.speed_mbps::text, ib.mtu::text, ib.fec] END) AS port_b
  FROM fabric_sync.link l
  JOIN fabric_sync.fabric f ON f.id = l.fabric_id
  LEFT JOIN fabric_sync.resource r ON r.fabric_id = l.fabric_id AND r.id = l.resource_id
  LEFT JOIN fabric_sync.device da ON da.fabric_id = l.fabric_id AND da.name = l.device_a
   AND da.sets_observed ?| ARRAY['neighbors', 'interfaces', 'arpEntries', 'macEntries', 'routes']
  LEFT JOIN fabric_sync.device_neighbor na ON na.fabric_id = l.fabric_id AND na.device = l.device_a AND na.resource_id = da.resource_id
   AND fabric_sync.port_key(na.interface) = fabric_sync.port_key(l.interface_a) AND da.sets_observed ->> 'neighbors' = 'current'
  LEFT JOIN fabric_sync.device_interface ia ON ia.fabric_id = l.fabric_id AND ia.device = l.device_a AND ia.resource_id = da.resource_id
   AND fabric_sync.port_key(ia.name) = fabric_sync.port_key(l.interface_a)
  LEFT JOIN fabric_sync.device sb ON sb.fabric_id = l.fabric_id AND sb.name = l.device_b AND sb.profile <> ''
  LEFT JOIN fabric_sync.profile_port pb ON pb.fabric_id = l.fabric_id AND pb.profile = sb.profile AND pb.nos_name = na.remote_port
   AND fabric_sync.port_key(pb.port) = fabric_sync.port_key(l.interface_b)
  LEFT JOIN fabric_sync.device db ON db.fabric_id = l.fabric_id AND db.name = l.device_b
   AND db.sets_observed ?| ARRAY['neighbors', 'interfaces', 'arpEntries', 'macEntries', 'routes']
  LEFT JOIN fabric_sync.device_neighbor nb ON nb.fabric_id = l.fabric_id AND nb.device = l.device_b AND nb.resource_id = db.resource_id
   AND fabric_sync.port_key(nb.interface) = fabric_sync.port_key(l.interface_b) AND db.sets_observed ->> 'neighbors' = 'current'
  LEFT JOIN fabric_sync.device_interface ib ON ib.fabric_id = l.fabric_id AND ib.device = l.device_b AND ib.resource_id = db.resource_id
   AND fabric_sync.port_key(ib.name) = fabric_sync.port_key(l.interface_b)
  LEFT JOIN fabric_sync.device sa ON sa.fabric_id = l.fabric_id AND sa.name = l.device_a AND sa.profile <> ''
  LEFT JOIN fabric_sync.profile_port pa ON pa.fabric_id = l.fabric_id AND pa.profile = sa.profile AND pa.nos_name = nb.remote_port
   AND fabric_sync.port_key(pa.port) = fabric_sync.port_key(l.interface_a)
 GROUP BY f.id, l.fabric_id, l.device_a, l.interface_a, l.device_b, l.interface_b, l.resource_id) l) l
UNION ALL
SELECT f.namespace, f.name, n.device, n.interface, CASE WHEN cardinality(who.candidates) = 1 THEN who.candidates[1] ELSE '' END,
       coalesce(port.names[1], nullif(n.remote_port_description, ''), n.remote_port), '', false, true,
       CASE WHEN cardinality(who.candidates) > 1 THEN 'ambiguous' ELSE 'unexpected' END,
       CASE WHEN back.found THEN 'both_ends' WHEN who.resolved_by = 'address' THEN 'address_only'
            WHEN port.names IS NULL THEN 'name_only' ELSE 'one_end' END,
       jsonb_build_object('at_a', jsonb_build_array(jsonb_build_object('at', n.device || '/' || n.interface, 'heard', n.remote_name,
         'device', CASE WHEN cardinality(who.candidates) = 1 THEN who.candidates[1] ELSE '' END,
         'interface', coalesce(port.names[1], nullif(n.remote_port_description, ''), n.remote_port),
         'by', who.resolved_by, 'candidates', who.candidates, 'since', n.first_seen))),
       NULL, NULL, NULL, NULL, NULL, NULL, '', '', 'actual', n.first_seen, n.first_seen, r.actual_updated, now() - r.actual_updated, n.fabric_id, n.resource_id
  FROM (SELECT n.* FROM fabric_sync.device_neighbor n
          JOIN fabric_sync.device d ON d.fabric_id = n.fabric_id AND d.name = n.device AND d.resource_id = n.resource_id
         WHERE NOT coalesce(d.sets_observed ->> 'neighbors' <> 'current', false) AND n.interface !~ '^(M|Management|mgmt|eth)[0-9]+$'
           AND NOT EXISTS (SELECT FROM (SELECT fabric_id, device_a AS device, interface_a AS interface FROM fabric_sync.link
                                        UNION ALL SELECT fabric_id, device_b, interface_b FROM fabric_sync.link) e
                            WHERE e.fabric_id = n.fabric_id AND e.device = n.device AND fabric_sync.port_key(e.interface) = fabric_sync.port_key(n.interface))) n
  JOIN fabric_sync.fabric f ON f.id = n.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = n.fabric_id AND r.id = n.resource_id
 CROSS JOIN LATERAL (SELECT * FROM fabric_sync.neighbor_devices(n.fabric_id, n.remote_name, n.remote_chassis_id, n.remote_management_address) OFFSET 0) who
 CROSS JOIN LATERAL (SELECT fabric_sync.neighbor_ports(n.fabric_id, CASE WHEN cardinality(who.candidates) = 1 THEN who.candidates[1] END,
              n.remote_port, n.remote_port_description) OFFSET 0) AS port (names)
 CROSS JOIN LATERAL (SELECT fabric_sync.hears_back(n.fabric_id, CASE WHEN cardinality(who.candidates) = 1 THEN who.candidates[1] END,
              coalesce(port.names, ARRAY[n.remote_port, n.remote_port_description]), n.device) OFFSET 0) AS back (found)
 WHERE NOT (back.found AND n.device > who.candidates[1])
UNION ALL
SELECT f.namespace, f.name, s.device, s.interface, CASE WHEN cardinality(seen.devices) = 1 THEN seen.devices[1] ELSE '' END, '', '', false, true,
       CASE WHEN cardinality(seen.devices) > 1 THEN 'ambiguous' ELSE 'unexpected' END, 'address_only',
       jsonb_build_object('seen_a', seen.devices, 'by', s.protocols),
       NULL, NULL, NULL, NULL, NULL, NULL, '', '', 'actual', s.since, s.since, r.actual_updated, now() - r.actual_updated, s.fabric_id, s.resource_id
  FROM (SELECT s.* FROM (
               SELECT e.fabric_id, e.device, e.interface, e.resource_id, min(e.first_seen) AS since, array_agg(DISTINCT e.protocol) AS protocols
                 FROM (SELECT fabric_id, device, interface, resource_id, first_seen, 'arp' AS protocol FROM fabric_sync.device_arp_entry
                       UNION ALL SELECT fabric_id, device, interface, resource_id, first_seen, 'mac' FROM fabric_sync.device_mac_entry
                       UNION ALL SELECT fabric_id, device, interface, resource_id, first_seen, 'route' FROM fabric_sync.device_route WHERE next_hop <> '') e
                WHERE e.interface <> '' AND e.interface !~* '^(M|Management|mgmt|eth|vlan|irb|bvi|lo|loopback|docker|br|virbr|veth)-?[0-9.]*$'
                GROUP BY e.fabric_id, e.device, e.interface, e.resource_id) s
         WHERE NOT EXISTS (SELECT FROM fabric_sync.device_neighbor n WHERE n.fabric_id = s.fabric_id AND n.device = s.device
                              AND fabric_sync.port_key(n.interface) = fabric_sync.port_key(s.interface))
           AND NOT EXISTS (SELECT FROM (SELECT fabric_id, device_a AS device, interface_a AS interface FROM fabric_sync.link
                                        UNION ALL SELECT fabric_id, device_b, interface_b FROM fabric_sync.link) e
                            WHERE e.fabric_id = s.fabric_id AND e.device = s.device AND fabric_sync.port_key(e.interface) = fabric_sync.port_key(s.interface))) s
  JOIN fabric_sync.fabric f ON f.id = s.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = s.fabric_id AND r.id = s.resource_id
 CROSS JOIN LATERAL (SELECT fabric_sync.seen_behind(s.fabric_id, s.device, s.interface) OFFSET 0) AS seen (devices)
 WHERE seen.devices <> '{}';

COMMENT ON VIEW fabric_sync.links IS 'Links, declared and observed, each with its verdict; parallel ones apart by their interfaces. Ports without a neighbour are told by addresses, MAC addresses and next hops where these belong to one device.';
COMMENT ON COLUMN fabric_sync.links.device_a IS 'Device at the first end, as the declaration orders them; of a link that nobody declares, the one that hears the other.';
COMMENT ON COLUMN fabric_sync.links.device_b IS 'Device at the other end; empty when it has no name or is not known.';
COMMENT ON COLUMN fabric_sync.links.kind IS 'Variant of the declaration: fabric, mesh, eslag, bundled, unbundled, external, …; empty for an undeclared one.';
COMMENT ON COLUMN fabric_sync.links.evidence IS 'What the observation rests on: both_ends, one_end, name_only, address_only, none.';
COMMENT ON COLUMN fabric_sync.links.details IS 'What each end hears, since when and by what it was recognised, and the state of both ends.';

ALTER FUNCTION fabric_sync.hears_back RESET plan_cache_mode;
ALTER FUNCTION fabric_sync.hears_back RESET enable_nestloop;
ALTER FUNCTION fabric_sync.hears_back RESET enable_hashjoin;
ALTER FUNCTION fabric_sync.hears_back RESET enable_mergejoin;

DROP FUNCTION fabric_sync.verdict_by_addresses;
DROP FUNCTION fabric_sync.sees_back;
DROP FUNCTION fabric_sync.heard_outside;
DROP FUNCTION fabric_sync.is_ours;
DROP FUNCTION fabric_sync.seen_at;

DROP INDEX fabric_sync.device_mac_entry_mac_idx;
DROP INDEX fabric_sync.device_arp_entry_mac_idx;
DROP INDEX fabric_sync.device_arp_entry_port_idx;
DROP INDEX fabric_sync.device_mac_entry_port_idx;
DROP INDEX fabric_sync.device_route_port_idx;
CREATE INDEX device_arp_entry_port_idx ON fabric_sync.device_arp_entry (fabric_id, device, fabric_sync.port_key(interface));
COMMENT ON INDEX fabric_sync.device_arp_entry_port_idx IS 'Addresses seen at a port.';
CREATE INDEX device_mac_entry_port_idx ON fabric_sync.device_mac_entry (fabric_id, device, fabric_sync.port_key(interface));
COMMENT ON INDEX fabric_sync.device_mac_entry_port_idx IS 'MAC addresses seen at a port.';
CREATE INDEX device_route_port_idx ON fabric_sync.device_route (fabric_id, device, fabric_sync.port_key(interface)) WHERE next_hop <> '';
COMMENT ON INDEX fabric_sync.device_route_port_idx IS 'Next hops behind a port.';

DROP FUNCTION fabric_sync.is_virtual;
DROP FUNCTION fabric_sync.port_of;
