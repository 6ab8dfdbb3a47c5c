-- Links by joins that have an index, and without plans for what hardly happens: that is in functions, which are asked only where a name does not tell.
-- Links that only addresses, MAC addresses or next hops tell of; dependency_score by its rule; of which version projections are.

ALTER TABLE fabric_sync.fabric ADD COLUMN projections_version integer DEFAULT 0 NOT NULL;
ALTER TABLE fabric_sync.fabric ADD CONSTRAINT fabric_projections_version_range CHECK (projections_version >= 0);
COMMENT ON COLUMN fabric_sync.fabric.projections_version IS 'Version of the program''s rules by which projections were made of all rows. Default: 0: none, they are made anew at the next start. Writer: the leader, db rebuild-projections.';
COMMENT ON COLUMN fabric_sync.resource.dependency_score IS 'Not kept here, where a reference would have to write another row: the view resources computes it. Default: 0: as releases before wrote it. Writer: nobody.';

ALTER TABLE fabric_sync.fabric ADD COLUMN reference_rules jsonb DEFAULT '[]'::jsonb NOT NULL;
ALTER TABLE fabric_sync.fabric ADD CONSTRAINT fabric_reference_rules_is_array CHECK (jsonb_typeof(reference_rules) = 'array');
COMMENT ON COLUMN fabric_sync.fabric.reference_rules IS 'Paths at which kinds refer to others, beside those that this program knows: [{"group", "kind", "path", "targetGroup", "targetKind", "relation"}]. Default: none. Writer: the leader, from spec.references.';

CREATE FUNCTION fabric_sync.port_key(port text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN port LIKE '%/_%/1' THEN left(port, -2) ELSE port END;
COMMENT ON FUNCTION fabric_sync.port_key IS 'E1/5/1, the first part of a port that can be broken out, is E1/5.';

CREATE INDEX device_interface_port_idx ON fabric_sync.device_interface (fabric_id, device, fabric_sync.port_key(name));
COMMENT ON INDEX fabric_sync.device_interface_port_idx IS 'The interface at the end of a link, by its name or that of its first part.';
CREATE INDEX device_interface_mac_idx ON fabric_sync.device_interface (fabric_id, mac) WHERE mac <> '';
COMMENT ON INDEX fabric_sync.device_interface_mac_idx IS 'Whose interface has a MAC address.';
CREATE INDEX device_neighbor_port_idx ON fabric_sync.device_neighbor (fabric_id, device, fabric_sync.port_key(interface));
COMMENT ON INDEX fabric_sync.device_neighbor_port_idx IS 'What is heard at the end of a link.';
CREATE INDEX device_arp_entry_port_idx ON fabric_sync.device_arp_entry (fabric_id, device, fabric_sync.port_key(interface));
COMMENT ON INDEX fabric_sync.device_arp_entry_port_idx IS 'Addresses seen at a port.';
CREATE INDEX device_mac_entry_port_idx ON fabric_sync.device_mac_entry (fabric_id, device, fabric_sync.port_key(interface));
COMMENT ON INDEX fabric_sync.device_mac_entry_port_idx IS 'MAC addresses seen at a port.';
CREATE INDEX device_route_port_idx ON fabric_sync.device_route (fabric_id, device, fabric_sync.port_key(interface)) WHERE next_hop <> '';
COMMENT ON INDEX fabric_sync.device_route_port_idx IS 'Next hops behind a port.';

-- COST, and OFFSET 0 where they are asked in a join, keep planners from asking them before rows are ruled out.
-- Functions that read tables do it in the name of their owner, as views do. None writes, and none takes more than what it compares with.

CREATE FUNCTION fabric_sync.neighbor_devices(of_fabric uuid, told_name text, chassis text, address text, OUT candidates text[], OUT resolved_by text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp COST 1000 AS $$
BEGIN
  resolved_by := 'name';
  IF told_name <> '' AND EXISTS (SELECT FROM fabric_sync.device x WHERE x.fabric_id = of_fabric AND x.name = told_name) THEN
    candidates := ARRAY[told_name];
    RETURN;
  END IF;
  IF chassis <> '' THEN
    resolved_by := 'chassis';
    candidates := ARRAY(SELECT DISTINCT x.name FROM fabric_sync.device x WHERE x.fabric_id = of_fabric AND x.chassis_id = chassis ORDER BY 1);
    IF candidates <> '{}' THEN RETURN; END IF;
  END IF;
  IF address <> '' THEN
    resolved_by := 'address';
    candidates := ARRAY(SELECT DISTINCT x.device FROM fabric_sync.device_ip_address x WHERE x.fabric_id = of_fabric AND host(x.address) = address ORDER BY 1);
    IF candidates <> '{}' THEN RETURN; END IF;
  END IF;
  resolved_by := 'nothing';
  candidates := '{}';
END $$;
COMMENT ON FUNCTION fabric_sync.neighbor_devices IS 'Which devices a neighbour can be: by exact name, else by chassis id, else by address.';

CREATE FUNCTION fabric_sync.neighbor_ports(of_fabric uuid, of_device text, told text, described text, OUT names text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp COST 1000 AS $$
BEGIN
  names := ARRAY(SELECT DISTINCT p.port
                   FROM fabric_sync.device x
                   JOIN fabric_sync.profile_port p ON p.fabric_id = x.fabric_id AND p.profile = x.profile AND p.nos_name = told
                  WHERE x.fabric_id = of_fabric AND x.name = of_device AND x.profile <> '' ORDER BY 1);
  IF names <> '{}' THEN RETURN; END IF;
  names := ARRAY(SELECT DISTINCT i.name FROM fabric_sync.device_interface i
                  WHERE i.fabric_id = of_fabric AND i.device = of_device AND (i.name = told OR (i.nos_name = told AND i.nos_name <> '')) ORDER BY 1);
  IF names <> '{}' THEN RETURN; END IF;
  names := ARRAY(SELECT DISTINCT t.port FROM unnest(ARRAY[described, told]) AS t (port)
                  WHERE t.port <> '' AND (
                        EXISTS (SELECT FROM fabric_sync.link l WHERE l.fabric_id = of_fabric AND l.device_a = of_device AND l.interface_a = t.port)
                     OR EXISTS (SELECT FROM fabric_sync.link l WHERE l.fabric_id = of_fabric AND l.device_b = of_device AND l.interface_b = t.port))
                  ORDER BY 1);
  IF names = '{}' THEN names := NULL; END IF;
END $$;
COMMENT ON FUNCTION fabric_sync.neighbor_ports IS 'Names of a device''s port by what is told of it: by its SwitchProfile, else by its interfaces, else by what is declared. NULL: not known.';

CREATE FUNCTION fabric_sync.heard(of_fabric uuid, told_name text, chassis text, address text, told_port text, described text, device text, port text) RETURNS integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  who record;
  ports text[];
  by_address integer;
BEGIN
  SELECT * INTO who FROM fabric_sync.neighbor_devices(of_fabric, told_name, chassis, address);
  IF cardinality(who.candidates) > 1 THEN RETURN 3; END IF;
  IF who.candidates[1] IS DISTINCT FROM device THEN RETURN 1; END IF;
  by_address := CASE who.resolved_by WHEN 'address' THEN 32 ELSE 0 END;
  ports := fabric_sync.neighbor_ports(of_fabric, device, told_port, described);
  IF ports IS NULL THEN
    RETURN by_address + 13 + CASE WHEN fabric_sync.port_key(port) IN (fabric_sync.port_key(told_port), fabric_sync.port_key(described)) THEN 16 ELSE 0 END;
  END IF;
  RETURN by_address + 5 + CASE WHEN EXISTS (SELECT FROM unnest(ports) AS p (name) WHERE fabric_sync.port_key(p.name) = fabric_sync.port_key(port)) THEN 16 ELSE 0 END;
END $$;
COMMENT ON FUNCTION fabric_sync.heard IS 'What a neighbour is to the end of a link, in bits: 1 somebody, 2 ambiguous, 4 the device, 8 at a port that it is not known to have, 16 at that port, 32 known by its address.';

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

CREATE OR REPLACE VIEW fabric_sync.adjacencies AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, n.device, n.interface, n.protocol,
       CASE WHEN cardinality(who.candidates) = 1 THEN who.candidates[1] ELSE '' END COLLATE "C" AS remote_device,
       coalesce(port.names[1], nullif(n.remote_port_description, ''), n.remote_port) AS remote_interface,
       who.resolved_by, who.candidates COLLATE "C" AS candidates,
       coalesce(port.names, ARRAY[n.remote_port, n.remote_port_description]) AS remote_interfaces,
       port.names IS NOT NULL AS interface_known,
       n.remote_name, n.remote_port, n.remote_chassis_id, n.first_seen AS since,
       coalesce(d.sets_observed ->> 'neighbors' <> 'current', false) AS stale, n.fabric_id, n.resource_id
  FROM fabric_sync.device_neighbor n
  JOIN fabric_sync.fabric f ON f.id = n.fabric_id
  JOIN fabric_sync.device d ON d.fabric_id = n.fabric_id AND d.name = n.device AND d.resource_id = n.resource_id
 CROSS JOIN LATERAL (SELECT * FROM fabric_sync.neighbor_devices(n.fabric_id, n.remote_name, n.remote_chassis_id, n.remote_management_address) OFFSET 0) who
 CROSS JOIN LATERAL (SELECT fabric_sync.neighbor_ports(n.fabric_id, CASE WHEN cardinality(who.candidates) = 1 THEN who.candidates[1] END,
              n.remote_port, n.remote_port_description) OFFSET 0) AS port (names);

CREATE FUNCTION fabric_sync.hears_back(of_fabric uuid, from_device text, at_ports text[], of_device text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp COST 1000 AS $$
BEGIN
  RETURN EXISTS (SELECT FROM fabric_sync.adjacencies m
                  WHERE m.fabric_id = of_fabric AND m.device = from_device AND m.interface = ANY (at_ports) AND m.remote_device = of_device AND NOT m.stale);
END $$;
COMMENT ON FUNCTION fabric_sync.hears_back IS 'Whether a device hears another at one of some ports.';

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
COMMENT ON COLUMN fabric_sync.links.observed IS 'Whether neighbours, or addresses where nobody listens, confirm it.';

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
       (SELECT least(count(DISTINCT e.resource_id), 100)
          FROM fabric_sync.resource_edge e
          JOIN fabric_sync.resource x ON x.fabric_id = e.fabric_id AND x.id = e.resource_id AND x.resource_state <> 'deleted'
         WHERE e.fabric_id = r.fabric_id AND e.target_api_group = r.api_group AND e.target_kind = r.kind AND e.target_name = r.name
           AND (e.target_namespace = r.namespace OR r.namespace = '') AND e.resource_id <> r.id)::integer AS dependency_score,
       r.first_seen,
       r.updated_at,
       r.fabric_id,
       r.id AS resource_id
  FROM fabric_sync.resource r
  JOIN fabric_sync.fabric f ON f.id = r.fabric_id
  LEFT JOIN fabric_sync.freshness actual
    ON actual.fabric_id = r.fabric_id AND actual.source = 'cluster' AND actual.api_group = r.api_group
  LEFT JOIN fabric_sync.freshness desired ON desired.fabric_id = r.fabric_id AND desired.source = 'git';
COMMENT ON COLUMN fabric_sync.resources.dependency_score IS 'How many other resources refer to it, on either side, each counted once; from 0 to 100. Deleted ones do not count.';
