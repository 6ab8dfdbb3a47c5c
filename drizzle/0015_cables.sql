-- One line for one cable: where both ends see each other by addresses alone, and where somebody tells of the box at the end of a cable that leads out of
-- the fabric. Sessions that BFD should watch, and of which nobody tells whether it does. Owner references of both sides.

COMMENT ON COLUMN fabric_sync.resource.relationship_metadata IS 'metadata.ownerReferences: owners are those of the cluster, declaredOwners those of Git. Default: none. Writer: reducer.';

CREATE INDEX link_outward_idx ON fabric_sync.link (fabric_id, device_b) WHERE kind IN ('external', 'staticExternal', 'attachment');
COMMENT ON INDEX fabric_sync.link_outward_idx IS 'Cables that lead out of the fabric, and what is behind them.';
CREATE INDEX device_neighbor_remote_name_idx ON fabric_sync.device_neighbor (fabric_id, remote_name);
COMMENT ON INDEX fabric_sync.device_neighbor_remote_name_idx IS 'Who hears a device, by its name.';
CREATE INDEX device_neighbor_remote_chassis_idx ON fabric_sync.device_neighbor (fabric_id, remote_chassis_id) WHERE remote_chassis_id <> '';
COMMENT ON INDEX fabric_sync.device_neighbor_remote_chassis_idx IS 'Who hears a device, by its chassis id.';

CREATE FUNCTION fabric_sync.is_free(of_fabric uuid, of_device text, of_port text) RETURNS boolean
LANGUAGE plpgsql STABLE COST 1000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_nestloop = on SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
  RETURN NOT fabric_sync.is_virtual(of_port) AND of_port !~ '^eth[0-9]+$'
     AND NOT EXISTS (SELECT FROM fabric_sync.link l WHERE l.fabric_id = of_fabric AND l.device_a = of_device AND fabric_sync.port_key(l.interface_a) = of_port)
     AND NOT EXISTS (SELECT FROM fabric_sync.link l WHERE l.fabric_id = of_fabric AND l.device_b = of_device AND fabric_sync.port_key(l.interface_b) = of_port)
     AND NOT EXISTS (SELECT FROM fabric_sync.device_neighbor n
                       JOIN fabric_sync.device d ON d.fabric_id = n.fabric_id AND d.name = n.device AND d.resource_id = n.resource_id
                      WHERE n.fabric_id = of_fabric AND n.device = of_device AND fabric_sync.port_key(n.interface) = of_port
                        AND d.sets_observed ->> 'neighbors' = 'current')
     AND NOT EXISTS (SELECT FROM fabric_sync.device_interface i
                      WHERE i.fabric_id = of_fabric AND i.device = of_device AND i.lag = of_port AND (
                            EXISTS (SELECT FROM fabric_sync.device_neighbor n WHERE n.fabric_id = i.fabric_id AND n.device = i.device AND fabric_sync.port_key(n.interface) = fabric_sync.port_key(i.name))
                         OR EXISTS (SELECT FROM fabric_sync.link l WHERE l.fabric_id = i.fabric_id AND l.device_a = i.device AND fabric_sync.port_key(l.interface_a) = fabric_sync.port_key(i.name))
                         OR EXISTS (SELECT FROM fabric_sync.link l WHERE l.fabric_id = i.fabric_id AND l.device_b = i.device AND fabric_sync.port_key(l.interface_b) = fabric_sync.port_key(i.name))));
END $$;
COMMENT ON FUNCTION fabric_sync.is_free IS 'Whether a cable of a port may be known by addresses alone: nobody declares it, nobody is heard there, and it is no port without a cable of the fabric.';

CREATE FUNCTION fabric_sync.sightings(of_fabric uuid, at_device text, of_device text)
RETURNS TABLE (port text, interface text, told jsonb)
LANGUAGE plpgsql STABLE COST 200000 ROWS 2 SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_nestloop = on SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
  RETURN QUERY
  WITH address AS MATERIALIZED (
    SELECT DISTINCT host(x.address) AS address FROM fabric_sync.device_ip_address x WHERE x.fabric_id = of_fabric AND x.device = of_device
  ), station AS MATERIALIZED (
    SELECT i.mac FROM fabric_sync.device_interface i WHERE i.fabric_id = of_fabric AND i.device = of_device AND i.mac <> ''
    UNION SELECT d.chassis_id FROM fabric_sync.device d WHERE d.fabric_id = of_fabric AND d.name = of_device AND d.chassis_id <> ''
  ), met AS (
    SELECT fabric_sync.port_of(a.interface) AS port FROM fabric_sync.device_arp_entry a
     WHERE a.fabric_id = of_fabric AND a.device = at_device AND (host(a.address) IN (SELECT x.address FROM address x) OR a.mac IN (SELECT s.mac FROM station s))
    UNION
    SELECT fabric_sync.port_of(m.interface) FROM fabric_sync.device_mac_entry m
     WHERE m.fabric_id = of_fabric AND m.device = at_device AND m.mac::text IN (SELECT s.mac FROM station s)
    UNION
    SELECT fabric_sync.port_of(t.interface) FROM fabric_sync.device_route t
     WHERE t.fabric_id = of_fabric AND t.device = at_device AND t.next_hop IN (SELECT x.address FROM address x)
  )
  SELECT m.port, fabric_sync.port_of(s.interface), s.told
    FROM met m CROSS JOIN LATERAL fabric_sync.seen_at(of_fabric, at_device, m.port) s
   WHERE fabric_sync.is_free(of_fabric, at_device, m.port) AND s.finding = 'one' AND s.device = of_device AND NOT s.far_end_listens;
END $$;
COMMENT ON FUNCTION fabric_sync.sightings IS 'Ports of a device that see another by addresses alone, and at which of its ports where they tell.';

CREATE FUNCTION fabric_sync.cable_seen(of_fabric uuid, at_device text, at_port text, far_device text, far_port text,
  OUT interface text, OUT is_ambiguous boolean, OUT is_told_there boolean, OUT candidates text[], OUT told jsonb)
LANGUAGE plpgsql STABLE COST 400000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_nestloop = on SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
  near jsonb;
  far jsonb;
  partners text[];
BEGIN
  interface := far_port;
  is_ambiguous := false;
  is_told_there := false;
  far := (SELECT jsonb_agg(jsonb_build_object('port', s.port, 'interface', s.interface, 'told', s.told)) FROM fabric_sync.sightings(of_fabric, far_device, at_device) s);
  IF far IS NULL THEN RETURN; END IF;
  near := (SELECT jsonb_agg(jsonb_build_object('port', s.port, 'interface', s.interface)) FROM fabric_sync.sightings(of_fabric, at_device, far_device) s);
  -- Two ports that may be the ends of one cable: neither names another port. Who names the other counts before who names none.
  WITH pair AS (
    SELECT n.value ->> 'port' AS near, f.value ->> 'port' AS far,
           CASE WHEN n.value ->> 'interface' = f.value ->> 'port' AND f.value ->> 'interface' = n.value ->> 'port' THEN 2
                WHEN n.value ->> 'interface' = f.value ->> 'port' OR f.value ->> 'interface' = n.value ->> 'port' THEN 1 ELSE 0 END AS named
      FROM jsonb_array_elements(near) n, jsonb_array_elements(far) f
     WHERE coalesce(n.value ->> 'interface', f.value ->> 'port') = f.value ->> 'port' AND coalesce(f.value ->> 'interface', n.value ->> 'port') = n.value ->> 'port'
  ), best AS (
    SELECT p.near, p.far FROM pair p
     WHERE NOT EXISTS (SELECT FROM pair o WHERE (o.near = p.near OR o.far = p.far) AND o.named > p.named)
  )
  SELECT array_agg(b.far ORDER BY b.far),
         count(*) > 1 OR EXISTS (SELECT FROM best o JOIN best mine ON mine.far = o.far WHERE mine.near = at_port AND o.near <> at_port)
    INTO partners, is_ambiguous
    FROM best b WHERE b.near = at_port;
  is_ambiguous := partners IS NOT NULL AND is_ambiguous;
  IF is_ambiguous THEN candidates := partners; END IF;
  IF partners IS NULL OR is_ambiguous THEN RETURN; END IF;
  interface := coalesce(far_port, partners[1]);
  is_told_there := at_device COLLATE "C" > far_device;
  told := (SELECT f.value -> 'told' FROM jsonb_array_elements(far) f WHERE f.value ->> 'port' = partners[1]);
END $$;
COMMENT ON FUNCTION fabric_sync.cable_seen IS 'A cable that one end sees by addresses, with what the other end sees: at which port it ends; the ports that it may be, where more than one pair fits; whether the line of the other end tells of it.';

CREATE FUNCTION fabric_sync.box_behind(of_fabric uuid, stub text,
  OUT device text, OUT interface text, OUT resolved_by text, OUT candidates text[], OUT hears_it boolean, OUT is_heard boolean)
LANGUAGE plpgsql STABLE COST 100000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_nestloop = on SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
  at_device text;
  at_port text;
  chassis text[];
  found jsonb;
BEGIN
  candidates := '{}';
  hears_it := false;
  is_heard := false;
  SELECT l.device_a, fabric_sync.port_key(l.interface_a) INTO at_device, at_port
    FROM fabric_sync.link l
   WHERE l.fabric_id = of_fabric AND l.device_b = stub AND l.kind IN ('external', 'staticExternal') ORDER BY l.device_a, l.interface_a LIMIT 1;
  IF at_device IS NULL THEN RETURN; END IF;
  chassis := ARRAY(SELECT d.chassis_id FROM fabric_sync.device d WHERE d.fabric_id = of_fabric AND d.name = at_device AND d.chassis_id <> '');
  -- 1: who is declared at the other end. 2: who is heard at the port. 3: who hears the port.
  found := (
    WITH told AS (
      SELECT 1 AS kind, 'declaration' AS by, l.device_b AS device, l.interface_b AS interface FROM fabric_sync.link l
       WHERE l.fabric_id = of_fabric AND l.device_a = at_device AND fabric_sync.port_key(l.interface_a) = at_port AND l.kind NOT IN ('external', 'staticExternal', 'attachment')
      UNION ALL
      SELECT 1, 'declaration', l.device_a, l.interface_a FROM fabric_sync.link l
       WHERE l.fabric_id = of_fabric AND l.device_b = at_device AND fabric_sync.port_key(l.interface_b) = at_port AND l.kind NOT IN ('external', 'staticExternal', 'attachment')
      UNION ALL
      SELECT 2, who.resolved_by, c.device, coalesce((fabric_sync.neighbor_ports(of_fabric, c.device, n.remote_port, n.remote_port_description))[1], n.remote_port)
        FROM fabric_sync.device_neighbor n
        JOIN fabric_sync.device d ON d.fabric_id = n.fabric_id AND d.name = n.device AND d.resource_id = n.resource_id AND d.sets_observed ->> 'neighbors' = 'current'
       CROSS JOIN LATERAL fabric_sync.neighbor_devices(of_fabric, n.remote_name, n.remote_chassis_id, n.remote_management_address) who
       CROSS JOIN LATERAL unnest(who.candidates) AS c (device)
       WHERE n.fabric_id = of_fabric AND n.device = at_device AND fabric_sync.port_key(n.interface) = at_port
      UNION ALL
      SELECT 3, 'name', d.name, n.interface
        FROM (SELECT n.* FROM fabric_sync.device_neighbor n WHERE n.fabric_id = of_fabric AND n.remote_name = at_device
              UNION ALL
              SELECT n.* FROM fabric_sync.device_neighbor n
               WHERE n.fabric_id = of_fabric AND n.remote_chassis_id = ANY (chassis) AND n.remote_chassis_id <> '' AND n.remote_name <> at_device) n
        JOIN fabric_sync.device d ON d.fabric_id = of_fabric AND d.name = n.device AND d.resource_id = n.resource_id
       WHERE d.source_kind = 'DeviceState' AND d.sets_observed ->> 'neighbors' = 'current'
         AND EXISTS (SELECT FROM unnest(coalesce(fabric_sync.neighbor_ports(of_fabric, at_device, n.remote_port, n.remote_port_description),
                                                ARRAY[n.remote_port, n.remote_port_description])) AS p (name) WHERE fabric_sync.port_key(p.name) = at_port)
    )
    SELECT jsonb_agg(t) FROM told t
     WHERE t.device <> '' AND t.device NOT LIKE 'outside:%' AND t.device NOT LIKE 'ext.%' AND NOT fabric_sync.is_ours(of_fabric, t.device));
  IF found IS NULL THEN
    -- 4: who is seen at the port by addresses, who has the address that an External has there, who is the other one of a subnet of two.
    found := (
      WITH told AS (
        SELECT s.device, s.interface FROM fabric_sync.seen_at(of_fabric, at_device, at_port) s WHERE s.finding = 'one'
        UNION ALL
        SELECT x.device, x.interface
          FROM fabric_sync.link l
          JOIN fabric_sync.device_ip_address e ON e.fabric_id = l.fabric_id AND e.device = l.device_b AND e.resource_id = l.resource_id
          JOIN fabric_sync.device_ip_address x ON x.fabric_id = l.fabric_id AND host(x.address) = host(e.address)
         WHERE l.fabric_id = of_fabric AND l.device_a = stub AND l.kind = 'attachment'
        UNION ALL
        SELECT x.device, x.interface
          FROM fabric_sync.device_ip_address a
         CROSS JOIN generate_series(0, 3) AS step (of)
          JOIN fabric_sync.device_ip_address x ON x.fabric_id = a.fabric_id AND host(x.address) = host(network(a.address)::inet + step.of)
         WHERE a.fabric_id = of_fabric AND a.device = at_device AND fabric_sync.port_of(a.interface) = at_port AND x.address <<= network(a.address)
           AND masklen(a.address) >= CASE family(a.address) WHEN 4 THEN 30 ELSE 126 END AND masklen(a.address) < CASE family(a.address) WHEN 4 THEN 32 ELSE 128 END
      )
      SELECT jsonb_agg(jsonb_build_object('kind', 4, 'by', 'address', 'device', t.device,
                                          'interface', CASE WHEN fabric_sync.is_virtual(coalesce(t.interface, '')) THEN '' ELSE fabric_sync.port_of(t.interface) END))
        FROM told t
       WHERE t.device NOT LIKE 'outside:%' AND t.device NOT LIKE 'ext.%' AND NOT fabric_sync.is_ours(of_fabric, t.device));
  END IF;
  IF found IS NULL THEN RETURN; END IF;
  candidates := ARRAY(SELECT DISTINCT f.value ->> 'device' FROM jsonb_array_elements(found) f ORDER BY 1);
  -- Two that are declared at different ports are two cables, too.
  IF cardinality(candidates) > 1 OR (SELECT count(DISTINCT fabric_sync.port_key(f.value ->> 'interface')) FROM jsonb_array_elements(found) f WHERE f.value ->> 'kind' = '1') > 1 THEN RETURN; END IF;
  SELECT f.value ->> 'device', f.value ->> 'interface', f.value ->> 'by' INTO device, interface, resolved_by
    FROM jsonb_array_elements(found) f
   -- Its own word on its port before that of the other end.
   ORDER BY f.value ->> 'interface' = '', f.value ->> 'kind' = '2', f.value ->> 'kind', f.value ->> 'interface' LIMIT 1;
  SELECT bool_or(f.value ->> 'kind' = '2'), bool_or(f.value ->> 'kind' = '3') INTO is_heard, hears_it FROM jsonb_array_elements(found) f;
END $$;
COMMENT ON FUNCTION fabric_sync.box_behind IS 'Who the box is at the end of a cable that leads out of the fabric: who is declared there, who is heard there or hears it, else whose addresses are met there. More candidates than one: nobody.';

CREATE FUNCTION fabric_sync.heard_at(of_fabric uuid, at_device text, at_port text) RETURNS jsonb
LANGUAGE plpgsql STABLE COST 10000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_nestloop = on SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
  RETURN (SELECT jsonb_agg(jsonb_build_object('at', n.device || '/' || n.interface, 'heard', n.remote_name, 'device', n.remote_device,
                'interface', n.remote_interface, 'by', n.resolved_by, 'candidates', n.candidates, 'since', n.since) ORDER BY n.remote_name, n.remote_port)
            FROM fabric_sync.adjacencies n
           WHERE n.fabric_id = of_fabric AND n.device = at_device AND fabric_sync.port_key(n.interface) = fabric_sync.port_key(at_port) AND NOT n.stale);
END $$;
COMMENT ON FUNCTION fabric_sync.heard_at IS 'Who is heard at a port, in which rows, since when and by what it was recognised.';

CREATE VIEW fabric_sync.declared_links AS
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
         'at_a', fabric_sync.heard_at(l.fabric_id, l.device_a, l.interface_a),
         'at_b', fabric_sync.heard_at(l.fabric_id, l.device_b, l.interface_b),
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
 GROUP BY f.id, l.fabric_id, l.device_a, l.interface_a, l.device_b, l.interface_b, l.resource_id) l) l;
COMMENT ON VIEW fabric_sync.declared_links IS 'Links as they are declared, each with its verdict; cables that lead out of the fabric end at a stub. The view links has them with those that nobody declares.';
DO $$
DECLARE
  told record;
BEGIN
  FOR told IN SELECT a.attname AS name, col_description(a.attrelid, a.attnum) AS text FROM pg_attribute a WHERE a.attrelid = 'fabric_sync.links'::regclass AND a.attnum > 0 LOOP
    EXECUTE format('COMMENT ON COLUMN fabric_sync.declared_links.%I IS %L', told.name, told.text);
  END LOOP;
END $$;

CREATE FUNCTION fabric_sync.declared_link(of_fabric uuid, of_device_a text, of_interface_a text, of_device_b text, of_interface_b text, of_resource uuid)
RETURNS SETOF fabric_sync.declared_links
LANGUAGE plpgsql STABLE COST 10000 ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_nestloop = on SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
  RETURN QUERY SELECT * FROM fabric_sync.declared_links l
   WHERE l.fabric_id = of_fabric AND l.device_a = of_device_a AND l.interface_a = of_interface_a AND l.device_b = of_device_b AND l.interface_b = of_interface_b
     AND l.resource_id = of_resource;
END $$;
COMMENT ON FUNCTION fabric_sync.declared_link IS 'One link of declared_links, planned once a session and not with every question: that takes longer than the answer.';

CREATE FUNCTION fabric_sync.is_box_behind(of_fabric uuid, stub text, of_device text) RETURNS boolean
LANGUAGE plpgsql STABLE COST 100000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_nestloop = on SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
  RETURN (SELECT b.device FROM fabric_sync.box_behind(of_fabric, stub) b) IS NOT DISTINCT FROM of_device;
END $$;
COMMENT ON FUNCTION fabric_sync.is_box_behind IS 'Whether a device is the box at the end of a cable that leads out of the fabric.';

CREATE FUNCTION fabric_sync.neighbor_end(of_fabric uuid, at_device text, told_name text, chassis text, address text, told_port text, described text,
  OUT device text, OUT interface text, OUT candidates text[], OUT resolved_by text, OUT is_known_port boolean, OUT hears_back boolean, OUT is_told_there boolean)
LANGUAGE plpgsql STABLE COST 10000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_nestloop = on SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
  ports text[];
BEGIN
  SELECT * INTO candidates, resolved_by FROM fabric_sync.neighbor_devices(of_fabric, told_name, chassis, address);
  device := CASE WHEN cardinality(candidates) = 1 THEN candidates[1] ELSE '' END;
  ports := fabric_sync.neighbor_ports(of_fabric, device, told_port, described);
  is_known_port := ports IS NOT NULL;
  interface := coalesce(ports[1], nullif(described, ''), told_port);
  ports := coalesce(ports, ARRAY[told_port, described]);
  hears_back := fabric_sync.hears_back(of_fabric, device, ports, at_device);
  is_told_there := hears_back AND at_device COLLATE "C" > device
    OR EXISTS (SELECT FROM fabric_sync.link x
                WHERE x.fabric_id = of_fabric AND x.kind IN ('external', 'staticExternal') AND x.device_a = device
                  AND fabric_sync.port_key(x.interface_a) IN (SELECT fabric_sync.port_key(p) FROM unnest(ports) AS p)
                  AND fabric_sync.is_box_behind(x.fabric_id, x.device_b, at_device));
END $$;
COMMENT ON FUNCTION fabric_sync.neighbor_end IS 'The other end of what is heard at a port that nobody declares: the device and its port, how they were recognised, and whether another line tells of the same cable.';

CREATE OR REPLACE VIEW fabric_sync.links AS
SELECT l.fabric_namespace, l.fabric, l.device_a, l.interface_a, l.device_b, l.interface_b, l.kind, l.declared, l.observed, l.verdict, l.evidence, l.details, l.speed_a, l.speed_b, l.mtu_a, l.mtu_b, l.fec_a, l.fec_b, l.address_a, l.address_b, l.side, l.first_seen, l.changed_at, l.observed_at, l.age, l.fabric_id, l.resource_id
  FROM fabric_sync.declared_links l
 WHERE l.kind NOT IN ('external', 'staticExternal', 'attachment')
   -- Of a cable that leads out of the fabric its Connection tells; who declares its other end says who is there.
   AND NOT EXISTS (SELECT FROM fabric_sync.link x
                    WHERE x.fabric_id = l.fabric_id AND x.kind IN ('external', 'staticExternal') AND x.device_a = l.device_a
                      AND fabric_sync.port_key(x.interface_a) = fabric_sync.port_key(l.interface_a) AND fabric_sync.is_box_behind(x.fabric_id, x.device_b, l.device_b))
   AND NOT EXISTS (SELECT FROM fabric_sync.link x
                    WHERE x.fabric_id = l.fabric_id AND x.kind IN ('external', 'staticExternal') AND x.device_a = l.device_b
                      AND fabric_sync.port_key(x.interface_a) = fabric_sync.port_key(l.interface_b) AND fabric_sync.is_box_behind(x.fabric_id, x.device_b, l.device_a))
UNION ALL
SELECT l.fabric_namespace, l.fabric, o.device_a, l.interface_a, coalesce(box.device, l.device_b), coalesce(box.interface, l.interface_b), l.kind, l.declared,
       l.observed OR box.is_heard OR box.hears_it,
       CASE WHEN far.oper_status = 'down' THEN 'down' WHEN l.verdict = 'unknown' AND box.hears_it THEN 'match' ELSE l.verdict END,
       CASE WHEN l.verdict IN ('wrong_device', 'ambiguous') THEN l.evidence
            WHEN box.is_heard AND box.hears_it THEN 'both_ends' WHEN box.is_heard OR box.hears_it THEN 'one_end' ELSE l.evidence END,
       l.details || CASE WHEN box.candidates = '{}' THEN '{}' ELSE jsonb_build_object('box', jsonb_strip_nulls(jsonb_build_object(
         'device', box.device, 'interface', box.interface, 'by', box.resolved_by, 'candidates', box.candidates,
         'why', CASE WHEN box.device IS NULL THEN 'more than one device or port is told of at the end of this cable' END))) END
         || CASE WHEN far.oper_status IS NULL THEN '{}' ELSE jsonb_build_object('oper_b', far.oper_status) END,
       l.speed_a, coalesce(far.speed_mbps, l.speed_b), l.mtu_a, coalesce(far.mtu, l.mtu_b), l.fec_a, coalesce(far.fec, l.fec_b), l.address_a, l.address_b, l.side,
       l.first_seen, l.changed_at, l.observed_at, l.age, o.fabric_id, l.resource_id
  FROM fabric_sync.link o
 CROSS JOIN LATERAL fabric_sync.declared_link(o.fabric_id, o.device_a, o.interface_a, o.device_b, o.interface_b, o.resource_id) l
 CROSS JOIN LATERAL (SELECT * FROM fabric_sync.box_behind(o.fabric_id, o.device_b) OFFSET 0) box
  LEFT JOIN LATERAL (
       SELECT i.oper_status, i.speed_mbps::bigint AS speed_mbps, i.mtu, i.fec FROM fabric_sync.device_interface i
         JOIN fabric_sync.device d ON d.fabric_id = i.fabric_id AND d.name = i.device AND d.resource_id = i.resource_id
        WHERE i.fabric_id = o.fabric_id AND i.device = box.device AND fabric_sync.port_key(i.name) = fabric_sync.port_key(box.interface) AND box.interface <> ''
        ORDER BY d.precedence LIMIT 1) far ON true
 WHERE o.kind IN ('external', 'staticExternal')
UNION ALL
SELECT f.namespace, f.name, coalesce(box.device, o.device_a), o.interface_a, o.device_b, o.interface_b, o.kind, true, false, 'unknown', 'none',
       CASE WHEN box.device IS NULL THEN '{}' ELSE jsonb_build_object('box', jsonb_build_object('device', box.device, 'by', box.resolved_by)) END,
       NULL, NULL, NULL, NULL, NULL, NULL, o.address_a, o.address_b, o.side, o.first_seen, o.updated_at,
       coalesce(r.actual_updated, r.desired_updated), now() - coalesce(r.actual_updated, r.desired_updated), o.fabric_id, o.resource_id
  FROM fabric_sync.link o
  JOIN fabric_sync.fabric f ON f.id = o.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = o.fabric_id AND r.id = o.resource_id
 CROSS JOIN LATERAL (SELECT * FROM fabric_sync.box_behind(o.fabric_id, o.device_a) OFFSET 0) box
 WHERE o.kind = 'attachment'
UNION ALL
SELECT f.namespace, f.name, n.device, n.interface, heard.device, heard.interface, '', false, true,
       CASE WHEN cardinality(heard.candidates) > 1 THEN 'ambiguous' ELSE 'unexpected' END,
       CASE WHEN heard.hears_back THEN 'both_ends' WHEN heard.resolved_by = 'address' THEN 'address_only'
            WHEN NOT heard.is_known_port THEN 'name_only' ELSE 'one_end' END,
       jsonb_build_object('at_a', jsonb_build_array(jsonb_build_object('at', n.device || '/' || n.interface, 'heard', n.remote_name, 'device', heard.device,
         'interface', heard.interface, 'by', heard.resolved_by, 'candidates', heard.candidates, 'since', n.first_seen))),
       NULL, NULL, NULL, NULL, NULL, NULL, '', '', 'actual', n.first_seen, n.first_seen, r.actual_updated, now() - r.actual_updated, n.fabric_id, n.resource_id
  FROM (SELECT n.* FROM fabric_sync.device_neighbor n
          JOIN fabric_sync.device d ON d.fabric_id = n.fabric_id AND d.name = n.device AND d.resource_id = n.resource_id
         WHERE NOT coalesce(d.sets_observed ->> 'neighbors' <> 'current', false) AND n.interface !~ '^(M|Management|mgmt|eth)[0-9]+$'
           AND NOT EXISTS (SELECT FROM (SELECT fabric_id, device_a AS device, interface_a AS interface FROM fabric_sync.link
                                        UNION ALL SELECT fabric_id, device_b, interface_b FROM fabric_sync.link) e
                            WHERE e.fabric_id = n.fabric_id AND e.device = n.device AND fabric_sync.port_key(e.interface) = fabric_sync.port_key(n.interface))) n
  JOIN fabric_sync.fabric f ON f.id = n.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = n.fabric_id AND r.id = n.resource_id
 CROSS JOIN LATERAL (SELECT * FROM fabric_sync.neighbor_end(n.fabric_id, n.device, n.remote_name, n.remote_chassis_id, n.remote_management_address,
                             n.remote_port, n.remote_port_description) OFFSET 0) AS heard
 WHERE NOT heard.is_told_there
UNION ALL
SELECT f.namespace, f.name, s.device, s.port, coalesce(seen.device, ''), coalesce(cable.interface, ''), '', false, true,
       CASE WHEN seen.finding = 'one' AND NOT coalesce(cable.is_ambiguous, false) THEN 'unexpected' ELSE 'ambiguous' END, 'address_only',
       jsonb_strip_nulls(jsonb_build_object('seen_a', seen.told, 'seen_b', cable.told, 'candidate_interfaces', cable.candidates)),
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
  LEFT JOIN LATERAL (SELECT * FROM fabric_sync.cable_seen(s.fabric_id, s.device, s.port, seen.device, seen.interface) WHERE seen.finding = 'one' OFFSET 0) AS cable ON true
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
   AND NOT (seen.finding = 'one' AND seen.far_end_listens)
   -- Each cable once: the far end that sees this one tells the same.
   AND NOT coalesce(cable.is_told_there, false)
   AND NOT EXISTS (SELECT FROM fabric_sync.link x
                    WHERE x.fabric_id = s.fabric_id AND x.kind IN ('external', 'staticExternal') AND seen.finding = 'one' AND x.device_a = seen.device
                      AND (cable.interface IS NULL OR fabric_sync.port_key(x.interface_a) = fabric_sync.port_of(cable.interface))
                      AND fabric_sync.is_box_behind(x.fabric_id, x.device_b, s.device));
COMMENT ON VIEW fabric_sync.links IS 'Links, declared and observed, each with its verdict; each cable once, parallel ones apart by their interfaces. Neighbours count before ARP entries and next hops, these before MAC addresses, and each only where it names one device without guessing.';
COMMENT ON COLUMN fabric_sync.links.device_b IS 'Device at the other end; empty when it is not known. outside:NAME is the box at the end of the Connection NAME that leads out of the fabric, as long as nobody tells who it is; ext.NAME an External.';
COMMENT ON COLUMN fabric_sync.links.details IS 'What each end hears (at_a, at_b) or sees by addresses (seen_a, seen_b), in which rows, since when and by what it was recognised, with all candidates (candidate_interfaces: ports of the other device that it may be), and the state of both ends; of a cable that leads out, by what the box at its end is known, or why it is not.';

DROP FUNCTION fabric_sync.sees_back;

CREATE OR REPLACE VIEW fabric_sync.session_findings AS
WITH expected AS (
  SELECT l.fabric_id, l.resource_id, e.device, '' AS vrf, split_part(e.neighbor, '/', 1) AS neighbor, e.remote,
         split_part(e.own, '/', 1) AS own, CASE WHEN l.kind IN ('fabric', 'mesh') THEN 'fabric' WHEN l.kind = 'gateway' THEN 'gateway' END AS watched_as
    FROM fabric_sync.link l
   CROSS JOIN LATERAL (VALUES (l.device_a, l.address_b, l.device_b, l.address_a), (l.device_b, l.address_a, l.device_a, l.address_b)) AS e (device, neighbor, remote, own)
   WHERE l.address_a <> '' AND l.address_b <> ''
  UNION ALL
  SELECT r.fabric_id, r.id, l.device_a, 'VrfE' || (r.actual_spec ->> 'external'), r.actual_spec #>> '{neighbor,ip}', r.actual_spec ->> 'external', NULL, NULL
    FROM fabric_sync.resource r
    JOIN fabric_sync.resource c ON c.fabric_id = r.fabric_id AND c.api_group = 'wiring.githedgehog.com' AND c.kind = 'Connection'
     AND c.namespace = r.namespace AND c.name = r.actual_spec ->> 'connection'
    JOIN fabric_sync.link l ON l.fabric_id = c.fabric_id AND l.resource_id = c.id
   WHERE r.api_group = 'vpc.githedgehog.com' AND r.kind = 'ExternalAttachment' AND r.actual_spec #>> '{neighbor,ip}' IS NOT NULL
), judged AS (
  SELECT e.fabric_id, e.resource_id, e.device, e.vrf, e.neighbor, e.remote, s.state, s.bfd_state, told.at,
         -- Who tells of BFD at all and not of this session has none; who does not, may. One end's word is enough.
         CASE WHEN NOT told.is_watched OR s.bfd_state <> 'unknown' THEN '' WHEN told.has_bfd THEN 'bfd_missing'
              WHEN far.bfd_state IS NULL THEN 'bfd_unobserved' ELSE '' END AS bfd
    FROM expected e
   CROSS JOIN LATERAL (SELECT coalesce(bool_or(d.sets_observed ->> 'bgpSessions' = 'current'), false) AS has_bgp,
                              coalesce(bool_or(d.sets_observed ->> 'bfdSessions' = 'current'), false) AS has_bfd,
                              coalesce(bool_or(d.inventory #>> ARRAY['bfd', e.watched_as] = 'true'), false) AS is_watched,
                              max(r.actual_updated) FILTER (WHERE d.sets_observed ->> 'bgpSessions' = 'current') AS at
                         FROM fabric_sync.device d
                         JOIN fabric_sync.resource r ON r.fabric_id = d.fabric_id AND r.id = d.resource_id
                        WHERE d.fabric_id = e.fabric_id AND d.name = e.device) told
    LEFT JOIN LATERAL (SELECT (array_agg(s.state ORDER BY s.state = 'unknown', d.precedence, d.resource_id))[1] AS state,
                              (array_agg(s.bfd_state ORDER BY s.bfd_state = 'unknown', d.precedence, d.resource_id))[1] AS bfd_state
                         FROM fabric_sync.device_bgp_session s
                         JOIN fabric_sync.device d ON d.fabric_id = s.fabric_id AND d.name = s.device AND d.resource_id = s.resource_id AND d.sets_observed ->> 'bgpSessions' = 'current'
                        WHERE s.fabric_id = e.fabric_id AND s.device = e.device AND s.vrf = e.vrf AND s.neighbor = e.neighbor) s ON true
    LEFT JOIN LATERAL (SELECT s.bfd_state FROM fabric_sync.device_bgp_session s
                         JOIN fabric_sync.device d ON d.fabric_id = s.fabric_id AND d.name = s.device AND d.resource_id = s.resource_id AND d.sets_observed ->> 'bgpSessions' = 'current'
                        WHERE s.fabric_id = e.fabric_id AND s.device = e.remote AND s.vrf = e.vrf AND s.neighbor = e.own AND s.bfd_state <> 'unknown' LIMIT 1) far ON true
   WHERE told.has_bgp
)
SELECT f.namespace AS fabric_namespace, f.name AS fabric, j.device, j.vrf, j.neighbor, j.remote AS remote_device,
       CASE WHEN j.state IS NULL THEN 'missing' WHEN j.state = 'unknown' THEN 'unobserved' WHEN j.state <> 'established' THEN 'not_established' WHEN j.bfd_state NOT IN ('up', 'unknown') THEN 'bfd_not_up' ELSE j.bfd END AS finding,
       coalesce(j.state, '') AS state, coalesce(j.bfd_state, '') AS bfd_state, j.fabric_id, j.resource_id, j.at AS observed_at, now() - j.at AS age
  FROM judged j JOIN fabric_sync.fabric f ON f.id = j.fabric_id
 WHERE j.state IS NULL OR j.state <> 'established' OR j.bfd_state NOT IN ('up', 'unknown') OR j.bfd <> ''
UNION ALL
SELECT f.namespace, f.name, s.device, s.vrf, s.neighbor, '', 'unexpected', s.state, s.bfd_state, s.fabric_id, s.resource_id, r.actual_updated, now() - r.actual_updated
  FROM fabric_sync.device_bgp_session s JOIN fabric_sync.fabric f ON f.id = s.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = s.fabric_id AND r.id = s.resource_id
  JOIN fabric_sync.device d ON d.fabric_id = s.fabric_id AND d.name = s.device AND d.resource_id = s.resource_id AND d.sets_observed ->> 'bgpSessions' = 'current'
 WHERE NOT EXISTS (SELECT FROM expected e WHERE e.fabric_id = s.fabric_id AND e.device = s.device AND e.vrf = s.vrf AND e.neighbor = s.neighbor)
   AND NOT EXISTS (SELECT FROM fabric_sync.device_ip_address a WHERE a.fabric_id = s.fabric_id AND host(a.address) = s.neighbor AND a.device <> s.device);
COMMENT ON VIEW fabric_sync.session_findings IS 'BGP and BFD sessions that addresses of links and external attachments call for, against those that devices tell; only of devices that tell any BGP session now. BFD is called for where the device itself is told to use it.';
COMMENT ON COLUMN fabric_sync.session_findings.finding IS 'missing, not_established, unobserved (the device tells the session and not its state), bfd_not_up, bfd_missing (the device tells of BFD, and not for this session), bfd_unobserved (no end tells of BFD at all: it may be up), unexpected (an address that no device has).';
COMMENT ON COLUMN fabric_sync.session_findings.bfd_state IS 'State of its BFD session; unknown: nobody tells of one.';
