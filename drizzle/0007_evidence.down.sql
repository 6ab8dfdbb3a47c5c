-- Takes nothing with it but of which version projections are: the next start makes them anew.
CREATE OR REPLACE VIEW fabric_sync.resources AS
SELECT f.namespace AS fabric_namespace,
       f.name AS fabric,
       r.api_group,
       r.api_version,
       r.kind,
       r.namespace,
       r.name,
       r.resource_state,
       r.state_change_reason,
       r.last_state_change,
       r.drift_status,
       r.drift_severity,
       r.drift_score,
       r.drift_details,
       r.drift_since,
       r.last_drift_check,
       r.labels,
       r.annotations,
       r.desired_spec,
       r.desired_commit,
       r.desired_file_path,
       r.desired_line,
       r.desired_updated,
       desired.complete_at AS desired_complete_at,
       r.actual_spec,
       r.actual_status,
       r.actual_generation,
       r.actual_resource_version,
       r.actual_updated,
       actual.complete_at AS actual_complete_at,
       now() - actual.complete_at AS actual_age,
       r.deletion_requested_at,
       r.conflict_status,
       r.dependency_score,
       r.first_seen,
       r.updated_at,
       r.fabric_id,
       r.id AS resource_id
  FROM fabric_sync.resource r
  JOIN fabric_sync.fabric f ON f.id = r.fabric_id
  LEFT JOIN fabric_sync.freshness actual
    ON actual.fabric_id = r.fabric_id AND actual.source = 'cluster' AND actual.api_group = r.api_group
  LEFT JOIN fabric_sync.freshness desired ON desired.fabric_id = r.fabric_id AND desired.source = 'git';

CREATE OR REPLACE VIEW fabric_sync.links AS
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

CREATE OR REPLACE VIEW fabric_sync.adjacencies AS
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

COMMENT ON COLUMN fabric_sync.resources.dependency_score IS 'How much hangs on this object, from 0 to 100.';
COMMENT ON VIEW fabric_sync.links IS 'Links, declared and observed, each with its verdict; parallel ones apart by their interfaces.';
COMMENT ON COLUMN fabric_sync.links.observed IS 'Whether neighbours confirm it.';
COMMENT ON COLUMN fabric_sync.resource.dependency_score IS 'How much hangs on this object, from 0 to 100. Default: 0: nothing is known to. Writer: projections.';

DROP INDEX fabric_sync.device_interface_port_idx;
DROP INDEX fabric_sync.device_interface_mac_idx;
DROP INDEX fabric_sync.device_neighbor_port_idx;
DROP INDEX fabric_sync.device_arp_entry_port_idx;
DROP INDEX fabric_sync.device_mac_entry_port_idx;
DROP INDEX fabric_sync.device_route_port_idx;
DROP FUNCTION fabric_sync.hears_back;
DROP FUNCTION fabric_sync.heard;
DROP FUNCTION fabric_sync.neighbor_ports;
DROP FUNCTION fabric_sync.neighbor_devices;
DROP FUNCTION fabric_sync.seen_behind;
DROP FUNCTION fabric_sync.port_key;
ALTER TABLE fabric_sync.fabric DROP COLUMN reference_rules;
ALTER TABLE fabric_sync.fabric DROP COLUMN projections_version;
