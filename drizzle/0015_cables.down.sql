-- Takes no data with it.
CREATE FUNCTION fabric_sync.sees_back(of_fabric uuid, from_device text, at_port text, of_device text, of_port text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp COST 200000 AS $$
DECLARE
  seen record;
BEGIN
  IF EXISTS (SELECT FROM fabric_sync.link l WHERE l.fabric_id = of_fabric AND l.device_a = from_device AND fabric_sync.port_key(l.interface_a) = at_port)
    OR EXISTS (SELECT FROM fabric_sync.link l WHERE l.fabric_id = of_fabric AND l.device_b = from_device AND fabric_sync.port_key(l.interface_b) = at_port)
  THEN RETURN false; END IF;
  SELECT * INTO seen FROM fabric_sync.seen_at(of_fabric, from_device, at_port);
  RETURN seen.finding = 'one' AND seen.device = of_device AND seen.interface = of_port;
END $$;
COMMENT ON FUNCTION fabric_sync.sees_back IS 'Whether a port that nobody declares sees another one by addresses, as that one sees it.';

CREATE OR REPLACE VIEW fabric_sync.links AS
SELECT l.fabric_namespace, l.fabric, l.device_a, l.interface_a, l.device_b, l.interface_b, l.kind,
       true AS declared, (l.heard_a | l.heard_b) & 24 <> 0 OR (l.verdict = 'match') AS observed, l.verdict,
       CASE
         WHEN l.heard_a & l.heard_b & 16 <> 0 THEN 'both_ends'
         WHEN (l.heard_a | l.heard_b) & 24 <> 0 AND (l.heard_a | l.heard_b) & 32 <> 0 THEN 'address_only'
         WHEN (l.heard_a | l.heard_b) & 16 <> 0 THEN 'one_end'
         WHEN (l.heard_a | l.heard_b) & 8 <> 0 THEN 'name_only'
         WHEN l.heard_a <> 0 AND l.heard_b <> 0 THEN 'both_ends'
         WHEN l.heard_a <> 0 OR l.heard_b <> 0 THEN 'one_end'
         WHEN l.verdict IN ('match', 'wrong_device', 'wrong_port', 'ambiguous') THEN 'address_only'
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
         'seen_a', CASE WHEN l.sees_a THEN (SELECT s.told FROM fabric_sync.seen_at(l.fabric_id, l.device_a, l.interface_a) s) END,
         'seen_b', CASE WHEN l.sees_b THEN (SELECT s.told FROM fabric_sync.seen_at(l.fabric_id, l.device_b, l.interface_b) s) END,
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
         WHEN l.sees_a OR l.sees_b THEN coalesce(
              fabric_sync.verdict_by_addresses(l.fabric_id, l.device_a, l.interface_a, l.device_b, l.interface_b, l.kind),
              CASE WHEN (l.listens_a OR l.listens_b) AND l.kind NOT IN ('external', 'staticExternal') THEN 'missing' ELSE 'unknown' END)
         WHEN (l.listens_a OR l.listens_b) AND l.kind NOT IN ('external', 'staticExternal') THEN 'missing'
         ELSE 'unknown'
       END COLLATE "default" AS verdict
  FROM (SELECT f.namespace AS fabric_namespace, f.name AS fabric, l.device_a, l.interface_a, l.device_b, l.interface_b, l.kind, l.side,
       l.address_a, l.address_b, l.first_seen, l.updated_at AS changed_at,
       coalesce(least(max(ra.actual_updated), max(rb.actual_updated)), max(coalesce(r.actual_updated, r.desired_updated))) AS observed_at,
       l.fabric_id, l.resource_id,
       coalesce(bit_or(CASE WHEN na.device IS NULL THEN 0
         WHEN l.kind IN ('external', 'staticExternal') THEN fabric_sync.heard_outside(l.fabric_id, na.remote_name, na.remote_chassis_id, na.remote_management_address)
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
  LEFT JOIN fabric_sync.resource ra ON ra.fabric_id = l.fabric_id AND ra.id = da.resource_id
  LEFT JOIN fabric_sync.device_neighbor na ON na.fabric_id = l.fabric_id AND na.device = l.device_a AND na.resource_id = da.resource_id
   AND fabric_sync.port_key(na.interface) = fabric_sync.port_key(l.interface_a) AND da.sets_observed ->> 'neighbors' = 'current'
  LEFT JOIN fabric_sync.device_interface ia ON ia.fabric_id = l.fabric_id AND ia.device = l.device_a AND ia.resource_id = da.resource_id
   AND fabric_sync.port_key(ia.name) = fabric_sync.port_key(l.interface_a)
  LEFT JOIN fabric_sync.device sb ON sb.fabric_id = l.fabric_id AND sb.name = l.device_b AND sb.profile <> ''
  LEFT JOIN fabric_sync.profile_port pb ON pb.fabric_id = l.fabric_id AND pb.profile = sb.profile AND pb.nos_name = na.remote_port
   AND fabric_sync.port_key(pb.port) = fabric_sync.port_key(l.interface_b)
  LEFT JOIN fabric_sync.device db ON db.fabric_id = l.fabric_id AND db.name = l.device_b
   AND db.sets_observed ?| ARRAY['neighbors', 'interfaces', 'arpEntries', 'macEntries', 'routes']
  LEFT JOIN fabric_sync.resource rb ON rb.fabric_id = l.fabric_id AND rb.id = db.resource_id
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
SELECT f.namespace, f.name, s.device, s.port, coalesce(seen.device, ''), coalesce(seen.interface, ''), '', false, true,
       CASE seen.finding WHEN 'one' THEN 'unexpected' ELSE 'ambiguous' END, 'address_only', jsonb_build_object('seen_a', seen.told),
       NULL, NULL, NULL, NULL, NULL, NULL, '', '', 'actual', seen.since, seen.since, r.actual_updated, now() - r.actual_updated, s.fabric_id, s.resource_id
  FROM (SELECT e.fabric_id, e.device, e.port, min(e.resource_id::text)::uuid AS resource_id
          FROM (SELECT m.fabric_id, m.device, fabric_sync.port_of(m.interface) AS port, m.resource_id FROM fabric_sync.device_mac_entry m
                 WHERE EXISTS (SELECT FROM (SELECT fabric_id, mac, device FROM fabric_sync.device_interface WHERE mac <> ''
                                            UNION ALL SELECT fabric_id, chassis_id, name FROM fabric_sync.device WHERE chassis_id <> '') k
                                WHERE k.fabric_id = m.fabric_id AND k.mac = m.mac::text AND k.device <> m.device)
                UNION ALL
                SELECT a.fabric_id, a.device, fabric_sync.port_of(a.interface), a.resource_id FROM fabric_sync.device_arp_entry a
                UNION ALL
                SELECT t.fabric_id, t.device, fabric_sync.port_of(t.interface), t.resource_id FROM fabric_sync.device_route t WHERE t.next_hop <> '') e
         GROUP BY e.fabric_id, e.device, e.port
        -- Of the least of equal names, so that it is asked once a port and not once an entry.
        HAVING NOT fabric_sync.is_virtual(min(e.port)) AND min(e.port) !~ '^eth[0-9]+$') s
  JOIN fabric_sync.fabric f ON f.id = s.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = s.fabric_id AND r.id = s.resource_id
 CROSS JOIN LATERAL (
       SELECT * FROM fabric_sync.seen_at(s.fabric_id, s.device, s.port)
        WHERE NOT EXISTS (SELECT FROM fabric_sync.device_neighbor n
                            JOIN fabric_sync.device d ON d.fabric_id = n.fabric_id AND d.name = n.device AND d.resource_id = n.resource_id
                           WHERE n.fabric_id = s.fabric_id AND n.device = s.device AND fabric_sync.port_key(n.interface) = s.port
                             AND d.sets_observed ->> 'neighbors' = 'current')
       OFFSET 0) AS seen
 WHERE (seen.finding = 'one' OR seen.finding IN ('several', 'shared') AND cardinality(seen.candidates) > 1)
   AND NOT EXISTS (SELECT FROM (SELECT fabric_id, device_a AS device, interface_a AS interface FROM fabric_sync.link
                                UNION ALL SELECT fabric_id, device_b, interface_b FROM fabric_sync.link) e
                    WHERE e.fabric_id = s.fabric_id AND e.device = s.device AND fabric_sync.port_key(e.interface) = s.port)
   -- An aggregate whose members have links is told by these.
   AND NOT EXISTS (SELECT FROM fabric_sync.device_interface i
                    WHERE i.fabric_id = s.fabric_id AND i.device = s.device AND i.lag = s.port AND (
                          EXISTS (SELECT FROM fabric_sync.device_neighbor n WHERE n.fabric_id = i.fabric_id AND n.device = i.device AND fabric_sync.port_key(n.interface) = fabric_sync.port_key(i.name))
                       OR EXISTS (SELECT FROM fabric_sync.link l WHERE l.fabric_id = i.fabric_id AND l.device_a = i.device AND fabric_sync.port_key(l.interface_a) = fabric_sync.port_key(i.name))
                       OR EXISTS (SELECT FROM fabric_sync.link l WHERE l.fabric_id = i.fabric_id AND l.device_b = i.device AND fabric_sync.port_key(l.interface_b) = fabric_sync.port_key(i.name))))
   -- Each cable once: the far end that sees this one at the port where it is seen tells the same.
   AND NOT (seen.finding = 'one' AND seen.far_end_listens)
   AND NOT (seen.finding = 'one' AND seen.interface IS NOT NULL AND s.device > seen.device
            AND fabric_sync.sees_back(s.fabric_id, seen.device, seen.interface, s.device, s.port));
COMMENT ON VIEW fabric_sync.links IS 'Links, declared and observed, each with its verdict; parallel ones apart by their interfaces. Neighbours count before ARP entries and next hops, these before MAC addresses, and each only where it names one device without guessing.';
COMMENT ON COLUMN fabric_sync.links.device_b IS 'Device at the other end; empty when it is not known. outside:NAME is the box at the end of the Connection NAME that leads out of the fabric, ext.NAME an External.';
COMMENT ON COLUMN fabric_sync.links.details IS 'What each end hears (at_a, at_b) or sees by addresses (seen_a, seen_b), in which rows, since when and by what it was recognised, with all candidates, and the state of both ends.';

CREATE OR REPLACE VIEW fabric_sync.session_findings AS
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
                         JOIN fabric_sync.device d ON d.fabric_id = s.fabric_id AND d.name = s.device AND d.resource_id = s.resource_id AND d.sets_observed ->> 'bgpSessions' = 'current'
                        WHERE s.fabric_id = e.fabric_id AND s.device = e.device AND s.vrf = e.vrf AND s.neighbor = e.neighbor LIMIT 1) s ON true
   WHERE EXISTS (SELECT FROM fabric_sync.device d WHERE d.fabric_id = e.fabric_id AND d.name = e.device AND d.sets_observed ->> 'bgpSessions' = 'current')
)
SELECT f.namespace AS fabric_namespace, f.name AS fabric, j.device, j.vrf, j.neighbor, j.remote AS remote_device,
       CASE WHEN j.state IS NULL THEN 'missing' WHEN j.state <> 'established' THEN 'not_established' ELSE 'bfd_not_up' END AS finding,
       coalesce(j.state, '') AS state, coalesce(j.bfd_state, '') AS bfd_state, j.fabric_id, j.resource_id, told.at AS observed_at, now() - told.at AS age
  FROM judged j JOIN fabric_sync.fabric f ON f.id = j.fabric_id
 CROSS JOIN LATERAL (SELECT max(r.actual_updated) AS at FROM fabric_sync.device d JOIN fabric_sync.resource r ON r.fabric_id = d.fabric_id AND r.id = d.resource_id
                      WHERE d.fabric_id = j.fabric_id AND d.name = j.device AND d.sets_observed ->> 'bgpSessions' = 'current') told
 WHERE j.state IS NULL OR j.state <> 'established' OR j.bfd_state NOT IN ('up', 'unknown')
UNION ALL
SELECT f.namespace, f.name, s.device, s.vrf, s.neighbor, '', 'unexpected', s.state, s.bfd_state, s.fabric_id, s.resource_id, r.actual_updated, now() - r.actual_updated
  FROM fabric_sync.device_bgp_session s JOIN fabric_sync.fabric f ON f.id = s.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = s.fabric_id AND r.id = s.resource_id
  JOIN fabric_sync.device d ON d.fabric_id = s.fabric_id AND d.name = s.device AND d.resource_id = s.resource_id AND d.sets_observed ->> 'bgpSessions' = 'current'
 WHERE NOT EXISTS (SELECT FROM expected e WHERE e.fabric_id = s.fabric_id AND e.device = s.device AND e.vrf = s.vrf AND e.neighbor = s.neighbor)
   AND NOT EXISTS (SELECT FROM fabric_sync.device_ip_address a WHERE a.fabric_id = s.fabric_id AND host(a.address) = s.neighbor AND a.device <> s.device);
COMMENT ON VIEW fabric_sync.session_findings IS 'BGP sessions that addresses of links and external attachments call for, against those that devices tell; only of devices that tell any now.';
COMMENT ON COLUMN fabric_sync.session_findings.observed_at IS 'When the device told its sessions last.';
COMMENT ON COLUMN fabric_sync.session_findings.age IS 'Time since then.';
COMMENT ON COLUMN fabric_sync.session_findings.finding IS 'missing, not_established, bfd_not_up, unexpected (an address that no device has).';
COMMENT ON COLUMN fabric_sync.session_findings.bfd_state IS 'State of its BFD session.';

DROP FUNCTION fabric_sync.declared_link;
DROP VIEW fabric_sync.declared_links;
DROP FUNCTION fabric_sync.heard_at;
DROP FUNCTION fabric_sync.neighbor_end;
DROP FUNCTION fabric_sync.is_box_behind;
DROP FUNCTION fabric_sync.cable_seen;
DROP FUNCTION fabric_sync.sightings;
DROP FUNCTION fabric_sync.is_free;
DROP FUNCTION fabric_sync.box_behind;
DROP INDEX fabric_sync.link_outward_idx;
DROP INDEX fabric_sync.device_neighbor_remote_name_idx;
DROP INDEX fabric_sync.device_neighbor_remote_chassis_idx;
COMMENT ON COLUMN fabric_sync.resource.relationship_metadata IS 'owners: metadata.ownerReferences; and what projections say of references. Default: none. Writer: reducer, projections.';
