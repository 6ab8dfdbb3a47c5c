-- Links with their verdicts, what is wrong with them, and references, computed where they are asked: no order of arrival, nothing to keep up.
DROP VIEW fabric_sync.links;

CREATE VIEW fabric_sync.adjacencies AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, n.device, n.interface, n.protocol,
       CASE WHEN cardinality(who.candidates) = 1 THEN who.candidates[1] ELSE '' END AS remote_device,
       coalesce(port.names[1], nullif(n.remote_port_description, ''), n.remote_port) AS remote_interface,
       who.resolved_by, who.candidates,
       coalesce(port.names, ARRAY[n.remote_port, n.remote_port_description]) AS remote_interfaces,
       port.names IS NOT NULL AS interface_known,
       n.remote_name, n.remote_port, n.remote_chassis_id, n.first_seen AS since,
       coalesce(d.sets_observed ->> 'neighbors' <> 'current', false) AS stale, n.fabric_id, n.resource_id
  FROM fabric_sync.device_neighbor n
  JOIN fabric_sync.fabric f ON f.id = n.fabric_id
  JOIN fabric_sync.device d ON d.fabric_id = n.fabric_id AND d.name = n.device AND d.resource_id = n.resource_id
 CROSS JOIN LATERAL (
       SELECT CASE WHEN n.remote_name <> '' AND EXISTS (
                SELECT FROM fabric_sync.device x WHERE x.fabric_id = n.fabric_id AND x.name = n.remote_name) THEN ARRAY[n.remote_name] END AS names
       ) by_name
 CROSS JOIN LATERAL (
       SELECT CASE WHEN by_name.names IS NULL AND n.remote_chassis_id <> '' THEN ARRAY(
                SELECT DISTINCT x.name FROM fabric_sync.device x
                 WHERE x.fabric_id = n.fabric_id AND x.chassis_id = n.remote_chassis_id ORDER BY 1) END AS names
       ) by_chassis
 CROSS JOIN LATERAL (
       SELECT CASE WHEN by_name.names IS NULL AND cardinality(coalesce(by_chassis.names, '{}')) = 0 AND n.remote_management_address <> '' THEN ARRAY(
                SELECT DISTINCT x.device FROM fabric_sync.device_ip_address x
                 WHERE x.fabric_id = n.fabric_id AND host(x.address) = n.remote_management_address ORDER BY 1) END AS names
       ) by_address
 CROSS JOIN LATERAL (
       SELECT coalesce(by_name.names, nullif(by_chassis.names, '{}'), nullif(by_address.names, '{}'), '{}') AS candidates,
              CASE WHEN by_name.names IS NOT NULL THEN 'name' WHEN by_chassis.names <> '{}' THEN 'chassis'
                   WHEN by_address.names <> '{}' THEN 'address' ELSE 'nothing' END AS resolved_by
       ) who
 CROSS JOIN LATERAL (
       SELECT CASE WHEN cardinality(who.candidates) = 1 THEN coalesce(
                nullif(ARRAY(SELECT DISTINCT p.port
                               FROM fabric_sync.device x
                               JOIN fabric_sync.profile_port p ON p.fabric_id = x.fabric_id AND p.profile = x.profile AND p.nos_name = n.remote_port
                              WHERE x.fabric_id = n.fabric_id AND x.name = who.candidates[1] AND x.profile <> '' ORDER BY 1), '{}'),
                nullif(ARRAY(SELECT DISTINCT i.name FROM fabric_sync.device_interface i
                              WHERE i.fabric_id = n.fabric_id AND i.device = who.candidates[1]
                                AND (i.name = n.remote_port OR (i.nos_name = n.remote_port AND i.nos_name <> '')) ORDER BY 1), '{}'),
                nullif(ARRAY(SELECT DISTINCT told.port FROM unnest(ARRAY[n.remote_port_description, n.remote_port]) AS told (port)
                              WHERE told.port <> '' AND (
                                    EXISTS (SELECT FROM fabric_sync.link l WHERE l.fabric_id = n.fabric_id AND l.device_a = who.candidates[1] AND l.interface_a = told.port)
                                 OR EXISTS (SELECT FROM fabric_sync.link l WHERE l.fabric_id = n.fabric_id AND l.device_b = who.candidates[1] AND l.interface_b = told.port))
                              ORDER BY 1), '{}')) END AS names
       ) port;
COMMENT ON VIEW fabric_sync.adjacencies IS 'Neighbours with who they are: by exact name, else by chassis id, else by address; never by a part of a name.';
COMMENT ON COLUMN fabric_sync.adjacencies.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.adjacencies.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.adjacencies.device IS 'The device.';
COMMENT ON COLUMN fabric_sync.adjacencies.interface IS 'Interface.';
COMMENT ON COLUMN fabric_sync.adjacencies.protocol IS 'lldp or cdp.';
COMMENT ON COLUMN fabric_sync.adjacencies.remote_device IS 'The device that is meant; empty when none or more than one can be.';
COMMENT ON COLUMN fabric_sync.adjacencies.remote_interface IS 'Its interface, in the words of the fabric where the profile of the device or a declaration knows it.';
COMMENT ON COLUMN fabric_sync.adjacencies.resolved_by IS 'What told which device is meant: name, chassis, address, nothing.';
COMMENT ON COLUMN fabric_sync.adjacencies.candidates IS 'All devices that can be meant; more than one is ambiguous.';
COMMENT ON COLUMN fabric_sync.adjacencies.remote_interfaces IS 'All names of that interface.';
COMMENT ON COLUMN fabric_sync.adjacencies.interface_known IS 'Whether the interface is one that the device is known to have.';
COMMENT ON COLUMN fabric_sync.adjacencies.remote_name IS 'Name that the neighbour announces.';
COMMENT ON COLUMN fabric_sync.adjacencies.remote_port IS 'Port that it announces, in its own words.';
COMMENT ON COLUMN fabric_sync.adjacencies.remote_chassis_id IS 'Chassis id that it announces.';
COMMENT ON COLUMN fabric_sync.adjacencies.since IS 'Since when it is heard so.';
COMMENT ON COLUMN fabric_sync.adjacencies.stale IS 'Whether the resource does not tell of it any more: what is shown is what it told last.';
COMMENT ON COLUMN fabric_sync.adjacencies.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.adjacencies.resource_id IS 'The row of the table resource, for joins.';

CREATE VIEW fabric_sync.links AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, l.device_a, l.interface_a, l.device_b, l.interface_b, l.kind,
       true AS declared, ear_a.exact + ear_a.by_name + ear_b.exact + ear_b.by_name > 0 AS observed,
       CASE
         WHEN port_a.oper_status = 'down' OR port_b.oper_status = 'down' THEN 'down'
         WHEN l.device_b = '' THEN 'unknown'
         WHEN (ear_a.exact > 0 OR ear_a.by_name > 0) AND (ear_b.exact > 0 OR ear_b.by_name > 0) THEN 'match'
         WHEN ear_a.ambiguous + ear_b.ambiguous > 0 THEN 'ambiguous'
         WHEN ear_a.exact + ear_a.by_name > 0 THEN CASE WHEN ears_b.listens THEN 'one_sided' ELSE 'match' END
         WHEN ear_b.exact + ear_b.by_name > 0 THEN CASE WHEN ears_a.listens THEN 'one_sided' ELSE 'match' END
         WHEN ear_a.same_device + ear_b.same_device > 0 THEN 'wrong_port'
         WHEN ear_a.heard + ear_b.heard > 0 THEN 'wrong_device'
         WHEN ears_a.listens OR ears_b.listens THEN 'missing'
         ELSE 'unknown'
       END AS verdict,
       CASE
         WHEN ear_a.exact > 0 AND ear_b.exact > 0 THEN 'both_ends'
         WHEN ear_a.exact + ear_b.exact > 0 THEN CASE WHEN ear_a.by_address + ear_b.by_address > 0 THEN 'address_only' ELSE 'one_end' END
         WHEN ear_a.by_name + ear_b.by_name > 0 THEN CASE WHEN ear_a.by_address + ear_b.by_address > 0 THEN 'address_only' ELSE 'name_only' END
         ELSE 'none'
       END AS evidence,
       jsonb_strip_nulls(jsonb_build_object('at_a', ear_a.evidence, 'at_b', ear_b.evidence,
         'oper_a', port_a.oper_status, 'oper_b', port_b.oper_status)) AS details,
       port_a.speed_mbps AS speed_a, port_b.speed_mbps AS speed_b, port_a.mtu AS mtu_a, port_b.mtu AS mtu_b,
       port_a.fec AS fec_a, port_b.fec AS fec_b, l.address_a, l.address_b, l.side,
       l.first_seen, l.updated_at AS changed_at, coalesce(r.actual_updated, r.desired_updated) AS observed_at,
       now() - coalesce(r.actual_updated, r.desired_updated) AS age, l.fabric_id, l.resource_id
  FROM fabric_sync.link l
  JOIN fabric_sync.fabric f ON f.id = l.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = l.fabric_id AND r.id = l.resource_id
 CROSS JOIN LATERAL (
       SELECT l.interface_a || '/1' AS first_part, regexp_replace(l.interface_a, '/1$', '') AS whole) name_a
  LEFT JOIN LATERAL (
       SELECT true AS listens FROM fabric_sync.device d
        WHERE d.fabric_id = l.fabric_id AND d.name = l.device_a AND d.sets_observed ->> 'neighbors' = 'current' LIMIT 1) ears_a ON true
  LEFT JOIN LATERAL (
       SELECT i.oper_status, i.speed_mbps, i.mtu, i.fec FROM fabric_sync.device_interface i
         JOIN fabric_sync.device d ON d.fabric_id = i.fabric_id AND d.name = i.device AND d.resource_id = i.resource_id
        WHERE i.fabric_id = l.fabric_id AND i.device = l.device_a AND i.name IN (l.interface_a, name_a.first_part, name_a.whole)
        ORDER BY i.name = l.interface_a DESC, d.precedence LIMIT 1) port_a ON true
 CROSS JOIN LATERAL (
       SELECT count(*) AS heard,
              count(*) FILTER (WHERE n.remote_device = l.device_b AND (l.interface_b = ANY (n.remote_interfaces)
                 OR name_of.first_part = ANY (n.remote_interfaces) OR name_of.whole = ANY (n.remote_interfaces))) AS exact,
              count(*) FILTER (WHERE n.remote_device = l.device_b AND NOT n.interface_known) AS by_name,
              count(*) FILTER (WHERE n.remote_device = l.device_b) AS same_device,
              count(*) FILTER (WHERE n.resolved_by = 'address') AS by_address,
              count(*) FILTER (WHERE cardinality(n.candidates) > 1) AS ambiguous,
              jsonb_agg(jsonb_build_object('at', l.device_a || '/' || n.interface, 'heard', n.remote_name, 'device', n.remote_device,
                'interface', n.remote_interface, 'by', n.resolved_by, 'candidates', n.candidates, 'since', n.since) ORDER BY n.remote_name, n.remote_port) AS evidence
         FROM fabric_sync.adjacencies n
        CROSS JOIN (SELECT l.interface_b || '/1' AS first_part, regexp_replace(l.interface_b, '/1$', '') AS whole) name_of
        WHERE n.fabric_id = l.fabric_id AND n.device = l.device_a AND n.interface IN (l.interface_a, name_a.first_part, name_a.whole) AND NOT n.stale) ear_a
 CROSS JOIN LATERAL (
       SELECT l.interface_b || '/1' AS first_part, regexp_replace(l.interface_b, '/1$', '') AS whole) name_b
  LEFT JOIN LATERAL (
       SELECT true AS listens FROM fabric_sync.device d
        WHERE d.fabric_id = l.fabric_id AND d.name = l.device_b AND d.sets_observed ->> 'neighbors' = 'current' LIMIT 1) ears_b ON true
  LEFT JOIN LATERAL (
       SELECT i.oper_status, i.speed_mbps, i.mtu, i.fec FROM fabric_sync.device_interface i
         JOIN fabric_sync.device d ON d.fabric_id = i.fabric_id AND d.name = i.device AND d.resource_id = i.resource_id
        WHERE i.fabric_id = l.fabric_id AND i.device = l.device_b AND i.name IN (l.interface_b, name_b.first_part, name_b.whole)
        ORDER BY i.name = l.interface_b DESC, d.precedence LIMIT 1) port_b ON true
 CROSS JOIN LATERAL (
       SELECT count(*) AS heard,
              count(*) FILTER (WHERE n.remote_device = l.device_a AND (l.interface_a = ANY (n.remote_interfaces)
                 OR name_of.first_part = ANY (n.remote_interfaces) OR name_of.whole = ANY (n.remote_interfaces))) AS exact,
              count(*) FILTER (WHERE n.remote_device = l.device_a AND NOT n.interface_known) AS by_name,
              count(*) FILTER (WHERE n.remote_device = l.device_a) AS same_device,
              count(*) FILTER (WHERE n.resolved_by = 'address') AS by_address,
              count(*) FILTER (WHERE cardinality(n.candidates) > 1) AS ambiguous,
              jsonb_agg(jsonb_build_object('at', l.device_b || '/' || n.interface, 'heard', n.remote_name, 'device', n.remote_device,
                'interface', n.remote_interface, 'by', n.resolved_by, 'candidates', n.candidates, 'since', n.since) ORDER BY n.remote_name, n.remote_port) AS evidence
         FROM fabric_sync.adjacencies n
        CROSS JOIN (SELECT l.interface_a || '/1' AS first_part, regexp_replace(l.interface_a, '/1$', '') AS whole) name_of
        WHERE n.fabric_id = l.fabric_id AND n.device = l.device_b AND n.interface IN (l.interface_b, name_b.first_part, name_b.whole) AND NOT n.stale) ear_b
UNION ALL
SELECT n.fabric_namespace, n.fabric, n.device, n.interface, n.remote_device, n.remote_interface, '', false, true,
       CASE WHEN cardinality(n.candidates) > 1 THEN 'ambiguous' ELSE 'unexpected' END,
       CASE WHEN back.found THEN 'both_ends' WHEN n.resolved_by = 'address' THEN 'address_only'
            WHEN NOT n.interface_known THEN 'name_only' ELSE 'one_end' END,
       jsonb_build_object('at_a', jsonb_build_array(jsonb_build_object('at', n.device || '/' || n.interface, 'heard', n.remote_name,
         'device', n.remote_device, 'interface', n.remote_interface, 'by', n.resolved_by, 'candidates', n.candidates, 'since', n.since))),
       NULL, NULL, NULL, NULL, NULL, NULL, '', '', 'actual', n.since, n.since, r.actual_updated, now() - r.actual_updated, n.fabric_id, n.resource_id
  FROM fabric_sync.adjacencies n
  JOIN fabric_sync.resource r ON r.fabric_id = n.fabric_id AND r.id = n.resource_id
  LEFT JOIN LATERAL (
       SELECT true AS found FROM fabric_sync.adjacencies m
        WHERE m.fabric_id = n.fabric_id AND m.device = n.remote_device AND m.interface = ANY (n.remote_interfaces)
          AND m.remote_device = n.device AND NOT m.stale LIMIT 1) back ON true
 WHERE NOT n.stale AND n.interface !~ '^(M|Management|mgmt|eth)[0-9]+$'
   AND NOT EXISTS (SELECT FROM fabric_sync.link l WHERE l.fabric_id = n.fabric_id AND l.device_a = n.device
                      AND l.interface_a IN (n.interface, n.interface || '/1', regexp_replace(n.interface, '/1$', '')))
   AND NOT EXISTS (SELECT FROM fabric_sync.link l WHERE l.fabric_id = n.fabric_id AND l.device_b = n.device
                      AND l.interface_b IN (n.interface, n.interface || '/1', regexp_replace(n.interface, '/1$', '')))
   AND NOT (back.found IS TRUE AND n.device > n.remote_device);
COMMENT ON VIEW fabric_sync.links IS 'Links, declared and observed, each with its verdict; parallel ones apart by their interfaces.';
COMMENT ON COLUMN fabric_sync.links.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.links.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.links.device_a IS 'Device at the first end, as the declaration orders them; of a link that nobody declares, the one that hears the other.';
COMMENT ON COLUMN fabric_sync.links.interface_a IS 'Its interface.';
COMMENT ON COLUMN fabric_sync.links.device_b IS 'Device at the other end; empty when it has no name or is not known.';
COMMENT ON COLUMN fabric_sync.links.interface_b IS 'Its interface.';
COMMENT ON COLUMN fabric_sync.links.kind IS 'Variant of the declaration: fabric, mesh, eslag, bundled, unbundled, external, …; empty for an undeclared one.';
COMMENT ON COLUMN fabric_sync.links.declared IS 'Whether it is declared.';
COMMENT ON COLUMN fabric_sync.links.observed IS 'Whether neighbours confirm it.';
COMMENT ON COLUMN fabric_sync.links.verdict IS 'match, missing, wrong_device, wrong_port, one_sided, unexpected, down, ambiguous; unknown where nobody listens.';
COMMENT ON COLUMN fabric_sync.links.evidence IS 'What the observation rests on: both_ends, one_end, name_only, address_only, none.';
COMMENT ON COLUMN fabric_sync.links.details IS 'What each end hears, since when and by what it was recognised, and the state of both ends.';
COMMENT ON COLUMN fabric_sync.links.speed_a IS 'Speed of the first end in Mbit/s.';
COMMENT ON COLUMN fabric_sync.links.speed_b IS 'Speed of the other end.';
COMMENT ON COLUMN fabric_sync.links.mtu_a IS 'MTU of the first end.';
COMMENT ON COLUMN fabric_sync.links.mtu_b IS 'MTU of the other end.';
COMMENT ON COLUMN fabric_sync.links.fec_a IS 'FEC of the first end.';
COMMENT ON COLUMN fabric_sync.links.fec_b IS 'FEC of the other end.';
COMMENT ON COLUMN fabric_sync.links.address_a IS 'Address declared for the first end.';
COMMENT ON COLUMN fabric_sync.links.address_b IS 'Address declared for the other end.';
COMMENT ON COLUMN fabric_sync.links.side IS 'Which side declares it.';
COMMENT ON COLUMN fabric_sync.links.first_seen IS 'When it was there first.';
COMMENT ON COLUMN fabric_sync.links.changed_at IS 'When it changed last.';
COMMENT ON COLUMN fabric_sync.links.observed_at IS 'When this was observed last.';
COMMENT ON COLUMN fabric_sync.links.age IS 'Time since it was observed last.';
COMMENT ON COLUMN fabric_sync.links.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.links.resource_id IS 'The row of the table resource, for joins.';

CREATE VIEW fabric_sync.link_findings AS
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
COMMENT ON VIEW fabric_sync.link_findings IS 'What is wrong with links: verdicts other than match, ends that differ, ports declared twice.';
COMMENT ON COLUMN fabric_sync.link_findings.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.link_findings.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.link_findings.device_a IS 'Device at the first end.';
COMMENT ON COLUMN fabric_sync.link_findings.interface_a IS 'Its interface.';
COMMENT ON COLUMN fabric_sync.link_findings.device_b IS 'Device at the other end.';
COMMENT ON COLUMN fabric_sync.link_findings.interface_b IS 'Its interface.';
COMMENT ON COLUMN fabric_sync.link_findings.kind IS 'Variant of the declaration.';
COMMENT ON COLUMN fabric_sync.link_findings.finding IS 'The verdict of the link, or speed_differs, mtu_differs, fec_differs, declared_twice.';
COMMENT ON COLUMN fabric_sync.link_findings.details IS 'What the finding rests on.';
COMMENT ON COLUMN fabric_sync.link_findings.age IS 'Time since it was observed last.';
COMMENT ON COLUMN fabric_sync.link_findings.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.link_findings.resource_id IS 'The row of the table resource, for joins.';

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

CREATE VIEW fabric_sync.subnets AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, s.vpc, s.name, s.prefix, s.gateway, s.vlan, s.address_namespace,
       coalesce(r.actual_updated, r.desired_updated) AS observed_at, now() - coalesce(r.actual_updated, r.desired_updated) AS age, s.fabric_id, s.resource_id
  FROM fabric_sync.vpc_subnet s
  JOIN fabric_sync.fabric f ON f.id = s.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = s.fabric_id AND r.id = s.resource_id;
COMMENT ON VIEW fabric_sync.subnets IS 'Subnets of VPCs.';
COMMENT ON COLUMN fabric_sync.subnets.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.subnets.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.subnets.vpc IS 'The VPC.';
COMMENT ON COLUMN fabric_sync.subnets.name IS 'Name of the subnet.';
COMMENT ON COLUMN fabric_sync.subnets.prefix IS 'Its prefix.';
COMMENT ON COLUMN fabric_sync.subnets.gateway IS 'Its gateway.';
COMMENT ON COLUMN fabric_sync.subnets.vlan IS 'Its VLAN.';
COMMENT ON COLUMN fabric_sync.subnets.address_namespace IS 'Where prefixes must not overlap.';
COMMENT ON COLUMN fabric_sync.subnets.observed_at IS 'When this was observed last.';
COMMENT ON COLUMN fabric_sync.subnets.age IS 'Time since it was observed last.';
COMMENT ON COLUMN fabric_sync.subnets.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.subnets.resource_id IS 'The row of the table resource, for joins.';

CREATE VIEW fabric_sync."references" AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, r.api_group, r.kind, r.namespace, r.name, e.side, e.path, e.relation,
       e.target_api_group, e.target_kind, e.target_namespace, e.target_name, t.id IS NULL AS dangling,
       CASE e.side WHEN 'desired' THEN r.desired_file_path ELSE '' END AS file_path, CASE e.side WHEN 'desired' THEN r.desired_line ELSE 0 END AS line,
       CASE e.side WHEN 'desired' THEN r.desired_updated ELSE r.actual_updated END AS observed_at,
       now() - CASE e.side WHEN 'desired' THEN r.desired_updated ELSE r.actual_updated END AS age, e.fabric_id, e.resource_id, t.id AS target_id
  FROM fabric_sync.resource_edge e
  JOIN fabric_sync.fabric f ON f.id = e.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = e.fabric_id AND r.id = e.resource_id
  LEFT JOIN LATERAL (
       SELECT x.id FROM fabric_sync.resource x
        WHERE x.fabric_id = e.fabric_id AND x.api_group = e.target_api_group AND x.kind = e.target_kind
          AND x.namespace IN (e.target_namespace, '') AND x.name = e.target_name AND x.resource_state <> 'deleted'
        ORDER BY x.namespace DESC LIMIT 1) t ON true;
COMMENT ON VIEW fabric_sync."references" IS 'References between resources, on both sides, with those that lead nowhere.';
COMMENT ON COLUMN fabric_sync."references".fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync."references".fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync."references".api_group IS 'API group of the resource that refers.';
COMMENT ON COLUMN fabric_sync."references".kind IS 'Its kind.';
COMMENT ON COLUMN fabric_sync."references".namespace IS 'Its namespace.';
COMMENT ON COLUMN fabric_sync."references".name IS 'Its name.';
COMMENT ON COLUMN fabric_sync."references".side IS 'Which side refers: desired (Git) or actual (the cluster).';
COMMENT ON COLUMN fabric_sync."references".path IS 'Where in the object, as a JSON pointer.';
COMMENT ON COLUMN fabric_sync."references".relation IS 'What the target is to it: profile, subnet, owner, …';
COMMENT ON COLUMN fabric_sync."references".target_api_group IS 'API group of the target.';
COMMENT ON COLUMN fabric_sync."references".target_kind IS 'Kind of the target.';
COMMENT ON COLUMN fabric_sync."references".target_namespace IS 'Namespace of the target.';
COMMENT ON COLUMN fabric_sync."references".target_name IS 'Name of the target.';
COMMENT ON COLUMN fabric_sync."references".dangling IS 'Whether neither side of the fabric has the target.';
COMMENT ON COLUMN fabric_sync."references".file_path IS 'File that says so, for the Git side.';
COMMENT ON COLUMN fabric_sync."references".line IS 'Line of the document in that file; 0 for the cluster side.';
COMMENT ON COLUMN fabric_sync."references".observed_at IS 'When this was observed last.';
COMMENT ON COLUMN fabric_sync."references".age IS 'Time since it was observed last.';
COMMENT ON COLUMN fabric_sync."references".fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync."references".resource_id IS 'The row of the table resource, for joins.';
COMMENT ON COLUMN fabric_sync."references".target_id IS 'The row of the target in the table resource; NULL when it dangles.';
