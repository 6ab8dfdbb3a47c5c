-- Addresses, MAC addresses and next hops as evidence of their own, by one rule, in one function (fabric_sync.seen_at; docs/queries.md tells it): they
-- name the device at the other end only where nobody else can be there, and they can contradict what is declared. Who reaches an External, and how.

CREATE FUNCTION fabric_sync.port_of(interface text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN interface LIKE '%.%' THEN fabric_sync.port_key(regexp_replace(interface, '\.[0-9]+$', '')) ELSE fabric_sync.port_key(interface) END;
COMMENT ON FUNCTION fabric_sync.port_of IS 'The port that an interface is a part of: E1/5.100, a subinterface, is of E1/5.';

CREATE FUNCTION fabric_sync.is_virtual(interface text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN interface = '' OR interface ~* '^(m|ma|mgmt|management|vlan|irb|bvi|bdi|lo|loopback|docker|br|bridge|virbr|veth|tap|tun|tunnel|vxlan|nve|vti|dummy|null)[-_]?[0-9.]*$';
COMMENT ON FUNCTION fabric_sync.is_virtual IS 'Whether no cable of the fabric can end at an interface, by its name: VLAN interfaces, loopbacks, bridges, tunnels, management.';

DROP INDEX fabric_sync.device_arp_entry_port_idx;
DROP INDEX fabric_sync.device_mac_entry_port_idx;
DROP INDEX fabric_sync.device_route_port_idx;
CREATE INDEX device_arp_entry_port_idx ON fabric_sync.device_arp_entry (fabric_id, device, fabric_sync.port_of(interface));
COMMENT ON INDEX fabric_sync.device_arp_entry_port_idx IS 'Addresses seen at a port, its subinterfaces included.';
CREATE INDEX device_mac_entry_port_idx ON fabric_sync.device_mac_entry (fabric_id, device, fabric_sync.port_of(interface));
COMMENT ON INDEX fabric_sync.device_mac_entry_port_idx IS 'MAC addresses seen at a port, its subinterfaces included.';
CREATE INDEX device_route_port_idx ON fabric_sync.device_route (fabric_id, device, fabric_sync.port_of(interface)) WHERE next_hop <> '';
COMMENT ON INDEX fabric_sync.device_route_port_idx IS 'Next hops behind a port, its subinterfaces included.';
CREATE INDEX device_mac_entry_mac_idx ON fabric_sync.device_mac_entry (fabric_id, mac);
COMMENT ON INDEX fabric_sync.device_mac_entry_mac_idx IS 'Where a MAC address is seen.';
CREATE INDEX device_arp_entry_mac_idx ON fabric_sync.device_arp_entry (fabric_id, mac) WHERE mac <> '';
COMMENT ON INDEX fabric_sync.device_arp_entry_mac_idx IS 'Where a MAC address is resolved.';

-- COST keeps planners from asking it before rows are ruled out. It reads in the name of its owner, as views do. One plan for all calls, by indexes,
-- whatever suits the question around it: made for each call it took 10 ms, and by hashes, as a whole map is read, as long as the tables are.
CREATE FUNCTION fabric_sync.seen_at(of_fabric uuid, at_device text, port text, OUT finding text, OUT device text, OUT interface text,
  OUT candidates text[], OUT since timestamptz, OUT far_end_listens boolean, OUT told jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER COST 200000 SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_nestloop = on SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
  ports text[];
  has_local boolean;
  hears_us boolean;
  of_arp uuid[];
  of_routes uuid[];
  of_frames uuid[];
  far text[];
  macs text[];
  by_pair boolean;
BEGIN
  -- What is met on an aggregate is met behind each of its members.
  ports := ARRAY(SELECT fabric_sync.port_of(port) UNION
                 SELECT fabric_sync.port_of(i.lag) FROM fabric_sync.device_interface i
                  WHERE i.fabric_id = of_fabric AND i.device = at_device AND fabric_sync.port_key(i.name) = fabric_sync.port_of(port) AND i.lag <> '');
  -- Who tells of each set as of now.
  SELECT array_agg(d.resource_id) FILTER (WHERE d.sets_observed ->> 'arpEntries' = 'current'), array_agg(d.resource_id) FILTER (WHERE d.sets_observed ->> 'routes' = 'current'),
         array_agg(d.resource_id) FILTER (WHERE d.sets_observed ->> 'macEntries' = 'current')
    INTO of_arp, of_routes, of_frames
    FROM fabric_sync.device d WHERE d.fabric_id = of_fabric AND d.name = at_device;
  has_local := EXISTS (SELECT FROM fabric_sync.device_ip_address a
                        WHERE a.fabric_id = of_fabric AND a.device = at_device AND fabric_sync.port_of(a.interface) = ANY (ports));

  -- IS TRUE: found by its port, and not by its resource, which has all entries of the device.
  WITH told AS (
    SELECT 'arp' AS source, host(e.address) AS address, e.mac, e.interface, e.first_seen
      FROM fabric_sync.device_arp_entry e
     WHERE e.fabric_id = of_fabric AND e.device = at_device AND fabric_sync.port_of(e.interface) = ANY (ports) AND (e.resource_id = ANY (of_arp)) IS TRUE
    UNION ALL
    SELECT 'next_hop', t.next_hop, '', t.interface, min(t.first_seen)
      FROM fabric_sync.device_route t
     WHERE t.fabric_id = of_fabric AND t.device = at_device AND fabric_sync.port_of(t.interface) = ANY (ports) AND t.next_hop <> '' AND (t.resource_id = ANY (of_routes)) IS TRUE
     GROUP BY t.next_hop, t.interface
  ), frame AS (
    SELECT m.mac::text AS mac, m.interface, m.first_seen
      FROM fabric_sync.device_mac_entry m
     WHERE m.fabric_id = of_fabric AND m.device = at_device AND fabric_sync.port_of(m.interface) = ANY (ports) AND (m.resource_id = ANY (of_frames)) IS TRUE
       -- The group bit: nobody's own address.
       AND m.mac & '01:00:00:00:00:00' = '00:00:00:00:00:00'
  ), local AS (
    SELECT network(a.address) AS net, masklen(a.address) >= CASE family(a.address) WHEN 4 THEN 30 ELSE 126 END
                                      AND masklen(a.address) < CASE family(a.address) WHEN 4 THEN 32 ELSE 128 END AS is_pair
      FROM fabric_sync.device_ip_address a
     WHERE a.fabric_id = of_fabric AND a.device = at_device AND fabric_sync.port_of(a.interface) = ANY (ports)
  ), addressed AS (
    SELECT t.address, max(t.mac) AS mac, min(t.first_seen) AS since, array_agg(DISTINCT t.source) AS sources, min(t.interface) AS interface,
           t.address::inet <<= ANY (ARRAY['fe80::/10', '169.254.0.0/16']::inet[]) AS is_link_local,
           EXISTS (SELECT FROM local l WHERE t.address::inet <<= l.net AND masklen(l.net) < CASE family(l.net) WHEN 4 THEN 32 ELSE 128 END) AS is_connected,
           EXISTS (SELECT FROM local l WHERE t.address::inet <<= l.net AND l.is_pair) AS is_pair
      FROM told t GROUP BY t.address
  ), station AS (
    SELECT a.address, a.mac, a.since, a.sources, a.interface, a.is_pair, a.is_link_local,
           a.sources = ARRAY['next_hop'] AND NOT a.is_connected AS is_remote_hop
      FROM addressed a WHERE NOT (a.is_link_local AND a.mac = '')
    UNION ALL
    SELECT '', f.mac, min(f.first_seen), ARRAY['mac'], min(f.interface), false, false, false
      FROM frame f WHERE NOT EXISTS (SELECT FROM addressed a WHERE a.mac = f.mac) GROUP BY f.mac
  ), met AS (
    -- A next hop beyond the port's own subnets may be many hops away. Where these are not told, one of a subnet of two can be at no other port.
    SELECT s.*, k.devices, k.ports
      FROM station s
     CROSS JOIN LATERAL (
           SELECT coalesce(array_agg(DISTINCT k.device), '{}') AS devices, coalesce(bool_or(k.is_pair), false) AS is_pair,
                  coalesce(array_agg(DISTINCT k.interface) FILTER (WHERE k.by_address AND NOT fabric_sync.is_virtual(k.interface)),
                           array_agg(DISTINCT k.interface) FILTER (WHERE NOT k.by_address AND NOT fabric_sync.is_virtual(k.interface))) AS ports
             FROM (SELECT x.device, fabric_sync.port_of(x.interface) AS interface, true AS by_address, masklen(x.address) >= CASE family(x.address) WHEN 4 THEN 30 ELSE 126 END
                            AND masklen(x.address) < CASE family(x.address) WHEN 4 THEN 32 ELSE 128 END AS is_pair
                     FROM fabric_sync.device_ip_address x
                    WHERE x.fabric_id = of_fabric AND host(x.address) = s.address AND s.address <> '' AND NOT s.is_link_local
                   UNION ALL
                   SELECT i.device, i.name, false, false FROM fabric_sync.device_interface i
                    WHERE i.fabric_id = of_fabric AND i.mac = s.mac AND i.mac <> ''
                   UNION ALL
                   SELECT d.name, '', false, false FROM fabric_sync.device d
                    WHERE d.fabric_id = of_fabric AND d.chassis_id = s.mac AND s.mac <> '') k) k
     WHERE NOT at_device = ANY (k.devices) AND NOT (s.is_remote_hop AND (has_local OR NOT k.is_pair))
  ), sums AS (
    SELECT count(*)::integer AS stations, count(*) FILTER (WHERE m.devices = '{}') AS strangers,
           ARRAY(SELECT DISTINCT d FROM met x, unnest(x.devices) AS d ORDER BY 1) AS everybody,
           ARRAY(SELECT DISTINCT d FROM met x, unnest(x.devices) AS d WHERE x.is_pair ORDER BY 1) AS pair
      FROM met m
  ), judged AS (
    SELECT s.*, cardinality(s.pair) > 0 AS by_pair,
           CASE WHEN cardinality(s.pair) = 1 THEN 'one'
                WHEN cardinality(s.pair) > 1 THEN 'several'
                WHEN s.everybody = '{}' THEN 'nothing'
                WHEN cardinality(s.everybody) = 1 AND s.strangers = 0 THEN 'one'
                WHEN s.stations = 1 THEN 'several'
                ELSE 'shared' END AS finding
      FROM sums s
  )
  SELECT j.finding, CASE WHEN j.finding = 'one' THEN coalesce(j.pair[1], j.everybody[1]) END, CASE WHEN j.by_pair THEN j.pair ELSE j.everybody END,
         t.since, t.ports, t.macs, j.by_pair, jsonb_build_object('by', t.sources, 'point_to_point', j.by_pair, 'stations', j.stations, 'since', t.since, 'entries', t.entries)
    INTO finding, device, candidates, since, far, macs, by_pair, told
    FROM judged j
   CROSS JOIN LATERAL (
         SELECT min(m.since) AS since, ARRAY(SELECT DISTINCT s FROM met y, unnest(y.sources) AS s WHERE y.devices <> '{}' AND (y.is_pair OR NOT j.by_pair) ORDER BY 1) AS sources,
                ARRAY(SELECT DISTINCT p FROM met y, unnest(y.ports) AS p WHERE y.is_pair OR NOT j.by_pair) AS ports,
                ARRAY(SELECT DISTINCT y.mac FROM met y) AS macs,
                jsonb_agg(jsonb_strip_nulls(jsonb_build_object('in', m.sources, 'at', m.interface, 'address', nullif(m.address, ''), 'mac', nullif(m.mac, ''),
                  'devices', m.devices, 'since', m.since)) ORDER BY m.address, m.mac) AS entries
           FROM met m WHERE m.devices <> '{}' AND (m.is_pair OR NOT j.by_pair)) t;

  -- Frames are met at every port on their way. One that is met alone at more ports than it has interfaces says of none of them where its cable is.
  IF finding = 'one' AND NOT by_pair THEN
    macs := ARRAY(SELECT m FROM unnest(macs) AS m WHERE m ~ '^([0-9a-f]{2}:){5}[0-9a-f]{2}$' UNION
                  SELECT i.mac FROM fabric_sync.device_interface i
                   WHERE i.fabric_id = of_fabric AND i.device = seen_at.device AND fabric_sync.port_key(i.name) = ANY (far) AND i.mac ~ '^([0-9a-f]{2}:){5}[0-9a-f]{2}$');
    IF (SELECT count(*) FROM (
          SELECT m.device, fabric_sync.port_of(m.interface) AS port, m.resource_id, 'macEntries' AS of_set FROM fabric_sync.device_mac_entry m
           WHERE m.fabric_id = of_fabric AND m.mac = ANY (macs::macaddr[])
          UNION
          SELECT a.device, fabric_sync.port_of(a.interface), a.resource_id, 'arpEntries' FROM fabric_sync.device_arp_entry a
           WHERE a.fabric_id = of_fabric AND a.mac = ANY (macs) AND a.mac <> '') e
         WHERE e.device <> seen_at.device AND NOT (e.device = at_device AND e.port = ANY (ports))
           AND NOT fabric_sync.is_virtual(e.port)
           AND EXISTS (SELECT FROM fabric_sync.device d WHERE d.fabric_id = of_fabric AND d.name = e.device AND d.resource_id = e.resource_id AND d.sets_observed ->> e.of_set = 'current')
           AND NOT EXISTS (SELECT FROM fabric_sync.device_neighbor n WHERE n.fabric_id = of_fabric AND n.device = e.device AND fabric_sync.port_key(n.interface) = e.port)
           AND NOT EXISTS (SELECT FROM fabric_sync.device_mac_entry m
                            WHERE m.fabric_id = of_fabric AND m.device = e.device AND fabric_sync.port_of(m.interface) = e.port AND m.mac <> ALL (macs::macaddr[]))
           AND NOT EXISTS (SELECT FROM fabric_sync.device_arp_entry a
                            WHERE a.fabric_id = of_fabric AND a.device = e.device AND fabric_sync.port_of(a.interface) = e.port AND a.mac <> ALL (macs) AND a.mac <> ''))
       >= greatest(1, (SELECT count(DISTINCT fabric_sync.port_key(i.name)) FROM fabric_sync.device_interface i
                        WHERE i.fabric_id = of_fabric AND i.device = seen_at.device AND i.mac = ANY (macs) AND i.mac <> ''
                          AND NOT fabric_sync.is_virtual(i.name) AND i.name !~* '^(port-?channel|po|bond|ae|lag|team)[-_]?[0-9]+$'))
    THEN
      finding := 'shared';
      device := NULL;
    END IF;
  END IF;

  -- An aggregate is not a port either; which of several it is, is not known.
  IF finding = 'one' AND cardinality(far) = 1 AND far[1] !~* '^(port-?channel|po|bond|ae|lag|team)[-_]?[0-9]+$'
     AND NOT EXISTS (SELECT FROM fabric_sync.device_interface i WHERE i.fabric_id = of_fabric AND i.device = seen_at.device AND i.lag = far[1]) THEN
    interface := far[1];
    -- A port that hears somebody has its cable there.
    SELECT bool_or(true), bool_or(who.candidates = ARRAY[at_device]) INTO far_end_listens, hears_us
      FROM fabric_sync.device_neighbor n
      JOIN fabric_sync.device d ON d.fabric_id = n.fabric_id AND d.name = n.device AND d.resource_id = n.resource_id
     CROSS JOIN LATERAL fabric_sync.neighbor_devices(n.fabric_id, n.remote_name, n.remote_chassis_id, n.remote_management_address) who
     WHERE n.fabric_id = of_fabric AND n.device = seen_at.device AND fabric_sync.port_key(n.interface) = fabric_sync.port_key(far[1])
       AND d.sets_observed ->> 'neighbors' = 'current';
    IF far_end_listens AND NOT hears_us THEN finding := 'elsewhere'; device := NULL; END IF;
  END IF;
  far_end_listens := coalesce(far_end_listens, false);
  told := CASE WHEN finding <> 'nothing' THEN jsonb_strip_nulls(
    jsonb_build_object('finding', finding, 'device', device, 'interface', interface, 'candidates', candidates) || told) END;
END $$;
COMMENT ON FUNCTION fabric_sync.seen_at IS 'Who is at the other end of a port by its ARP entries, next hops and MAC addresses: one device; several that share an address; a shared segment, behind which anybody may be; a device whose port is cabled elsewhere; nothing.';

ALTER FUNCTION fabric_sync.hears_back SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION fabric_sync.hears_back SET enable_nestloop = on;
ALTER FUNCTION fabric_sync.hears_back SET enable_hashjoin = off;
ALTER FUNCTION fabric_sync.hears_back SET enable_mergejoin = off;

CREATE FUNCTION fabric_sync.is_ours(of_fabric uuid, of_device text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp COST 1000 AS $$
BEGIN
  RETURN EXISTS (SELECT FROM fabric_sync.device d WHERE d.fabric_id = of_fabric AND d.name = of_device
                    AND d.source_kind IN ('Switch', 'Agent', 'Server', 'Gateway', 'GatewayAgent'));
END $$;
COMMENT ON FUNCTION fabric_sync.is_ours IS 'Whether a device is one of the fabric''s own, and so cannot be at the end of a cable that leads out of it.';

CREATE FUNCTION fabric_sync.heard_outside(of_fabric uuid, told_name text, chassis text, address text) RETURNS integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp COST 1000 AS $$
DECLARE
  who record;
BEGIN
  SELECT * INTO who FROM fabric_sync.neighbor_devices(of_fabric, told_name, chassis, address);
  IF cardinality(who.candidates) > 1 THEN RETURN 3; END IF;
  RETURN CASE WHEN fabric_sync.is_ours(of_fabric, who.candidates[1]) THEN 1 ELSE 13 END;
END $$;
COMMENT ON FUNCTION fabric_sync.heard_outside IS 'What a neighbour is to the end of a cable that leads out of the fabric, in the bits of fabric_sync.heard: whoever is not one of ours is who is meant.';

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

CREATE FUNCTION fabric_sync.verdict_by_addresses(of_fabric uuid, device_a text, interface_a text, device_b text, interface_b text, kind text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp COST 200000 AS $$
DECLARE
  a record;
  b record;
  fits_a boolean;
  fits_b boolean;
BEGIN
  SELECT * INTO a FROM fabric_sync.seen_at(of_fabric, device_a, interface_a);
  IF kind IN ('external', 'staticExternal') THEN
    RETURN CASE WHEN a.finding = 'one' THEN CASE WHEN fabric_sync.is_ours(of_fabric, a.device) THEN 'wrong_device' ELSE 'match' END END;
  END IF;
  SELECT * INTO b FROM fabric_sync.seen_at(of_fabric, device_b, interface_b);
  fits_a := a.finding = 'one' AND a.device = device_b
    AND (a.interface IS NULL OR interface_b = '' OR fabric_sync.port_key(a.interface) = fabric_sync.port_key(interface_b));
  fits_b := b.finding = 'one' AND b.device = device_a
    AND (b.interface IS NULL OR interface_a = '' OR fabric_sync.port_key(b.interface) = fabric_sync.port_key(interface_a));
  RETURN CASE
    WHEN fits_a OR fits_b THEN 'match'
    WHEN a.device = device_b OR b.device = device_a THEN 'wrong_port'
    WHEN a.finding = 'one' OR b.finding = 'one' THEN 'wrong_device'
    WHEN a.finding = 'several' OR b.finding = 'several' THEN 'ambiguous'
    -- That it is met on a shared segment, and nobody else who is known, speaks for what is declared, and against nothing.
    WHEN a.finding = 'shared' AND a.candidates = ARRAY[device_b] OR b.finding = 'shared' AND b.candidates = ARRAY[device_a] THEN 'match'
  END;
END $$;
COMMENT ON FUNCTION fabric_sync.verdict_by_addresses IS 'What addresses, MAC addresses and next hops say of a link that is declared, where no neighbour is heard; NULL: nothing.';

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
COMMENT ON COLUMN fabric_sync.links.device_a IS 'Device at the first end, as the declaration orders them; of a link that nobody declares, the one that hears or sees the other.';
COMMENT ON COLUMN fabric_sync.links.device_b IS 'Device at the other end; empty when it is not known. outside:NAME is the box at the end of the Connection NAME that leads out of the fabric, ext.NAME an External.';
COMMENT ON COLUMN fabric_sync.links.kind IS 'Variant of the declaration: fabric, mesh, eslag, bundled, unbundled, external, …; attachment: an External behind such a box; empty for an undeclared one.';
COMMENT ON COLUMN fabric_sync.links.evidence IS 'What the observation rests on, also where it contradicts the declaration: both_ends, one_end, name_only (a port that the device is not known to have), address_only (addresses, MAC addresses, next hops), none.';
COMMENT ON COLUMN fabric_sync.links.observed_at IS 'When the ends told last, the older of both; where neither tells anything, when the declaration was observed.';
COMMENT ON COLUMN fabric_sync.links.details IS 'What each end hears (at_a, at_b) or sees by addresses (seen_a, seen_b), in which rows, since when and by what it was recognised, with all candidates, and the state of both ends.';

DROP FUNCTION fabric_sync.seen_behind;

CREATE VIEW fabric_sync.externals AS
WITH there AS (
  SELECT r.fabric_id, r.id, r.kind, r.namespace, r.name, coalesce(r.actual_spec, r.desired_spec) AS spec, coalesce(r.actual_updated, r.desired_updated) AS observed_at
    FROM fabric_sync.resource r
   WHERE r.resource_state <> 'deleted' AND coalesce(r.actual_spec, r.desired_spec) IS NOT NULL
     AND (r.api_group = 'vpc.githedgehog.com' AND r.kind IN ('External', 'ExternalAttachment', 'ExternalPeering')
       OR r.api_group = 'gateway.githedgehog.com' AND r.kind = 'GatewayPeering')
), attached AS (
  SELECT a.fabric_id, a.namespace, a.spec ->> 'external' AS external, a.name, a.spec ->> 'connection' AS connection, l.device_a, l.interface_a,
         nullif(substring(coalesce(a.spec #>> '{switch,vlan}', a.spec #>> '{static,vlan}') FROM '^[0-9]{1,4}$')::integer, 0) AS vlan,
         coalesce(a.spec #>> '{switch,ip}', a.spec #>> '{static,ip}', '') AS switch_address,
         coalesce(a.spec #>> '{neighbor,ip}', a.spec #>> '{static,remoteIP}', '') AS neighbor_address, substring(a.spec #>> '{neighbor,asn}' FROM '^[0-9]{1,10}$')::bigint AS neighbor_asn,
         (SELECT s.state FROM fabric_sync.device_bgp_session s
           WHERE s.fabric_id = a.fabric_id AND s.device = l.device_a AND s.neighbor = a.spec #>> '{neighbor,ip}'
           ORDER BY s.vrf = 'VrfE' || (a.spec ->> 'external') DESC, s.state = 'established' DESC LIMIT 1) AS session_state
    FROM there a
    LEFT JOIN fabric_sync.resource c ON c.fabric_id = a.fabric_id AND c.api_group = 'wiring.githedgehog.com' AND c.kind = 'Connection'
     AND c.namespace = a.namespace AND c.name = a.spec ->> 'connection'
    LEFT JOIN fabric_sync.link l ON l.fabric_id = c.fabric_id AND l.resource_id = c.id
   WHERE a.kind = 'ExternalAttachment'
), peered AS (
  SELECT p.fabric_id, p.namespace, p.spec #>> '{permit,external,name}' AS external, p.kind, p.name, p.spec #>> '{permit,vpc,name}' AS vpc,
         coalesce(p.spec #> '{permit,vpc,subnets}', '[]') AS subnets,
         coalesce(jsonb_path_query_array(p.spec, '$.permit.external.prefixes[*].prefix'), '[]') AS prefixes
    FROM there p WHERE p.kind = 'ExternalPeering'
  UNION ALL
  SELECT p.fabric_id, p.namespace, substr(e.key, 5), p.kind, p.name, v.key,
         jsonb_path_query_array(v.value, '$.expose[*].ips[*]'), jsonb_path_query_array(e.value, '$.expose[*].ips[*]')
    FROM there p
   CROSS JOIN LATERAL (SELECT CASE jsonb_typeof(p.spec -> 'peering') WHEN 'object' THEN p.spec -> 'peering' END AS between) c
   CROSS JOIN LATERAL jsonb_each(c.between) e
   CROSS JOIN LATERAL jsonb_each(c.between) v
   WHERE p.kind = 'GatewayPeering' AND e.key LIKE 'ext.%' AND v.key NOT LIKE 'ext.%'
)
SELECT f.namespace AS fabric_namespace, f.name AS fabric, x.name AS external, coalesce(p.vpc, '') AS vpc, p.subnets, p.prefixes,
       coalesce(p.kind, '') AS peering_kind, coalesce(p.name, '') AS peering, coalesce(a.name, '') AS attachment, coalesce(a.connection, '') AS connection,
       coalesce(a.device_a, '') AS device, coalesce(a.interface_a, '') AS interface, a.vlan, coalesce(a.switch_address, '') AS device_address,
       coalesce(a.neighbor_address, '') AS neighbor_address, a.neighbor_asn, coalesce(a.session_state, '') AS session_state,
       x.observed_at, now() - x.observed_at AS age, x.fabric_id, x.id AS resource_id
  FROM there x
  JOIN fabric_sync.fabric f ON f.id = x.fabric_id
  LEFT JOIN attached a ON a.fabric_id = x.fabric_id AND a.namespace = x.namespace AND a.external = x.name
  LEFT JOIN peered p ON p.fabric_id = x.fabric_id AND p.namespace = x.namespace AND p.external = x.name
 WHERE x.kind = 'External';
COMMENT ON VIEW fabric_sync.externals IS 'Who reaches which External, and how: a row for each VPC that a peering lets through and each attachment over which it goes; one without a VPC, or without an attachment, where there is none.';
COMMENT ON COLUMN fabric_sync.externals.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.externals.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.externals.external IS 'The External; as a device it is ext.NAME.';
COMMENT ON COLUMN fabric_sync.externals.vpc IS 'A VPC that may reach it; empty when none may.';
COMMENT ON COLUMN fabric_sync.externals.subnets IS 'Names of the subnets of the VPC that may; over a gateway, what the VPC exposes, as it is written.';
COMMENT ON COLUMN fabric_sync.externals.prefixes IS 'Prefixes of the External that it may reach; over a gateway, what the External exposes, as it is written.';
COMMENT ON COLUMN fabric_sync.externals.peering_kind IS 'What lets it: ExternalPeering, or GatewayPeering (over a gateway).';
COMMENT ON COLUMN fabric_sync.externals.peering IS 'Name of that object.';
COMMENT ON COLUMN fabric_sync.externals.attachment IS 'The ExternalAttachment; empty when there is none.';
COMMENT ON COLUMN fabric_sync.externals.connection IS 'The Connection that it names.';
COMMENT ON COLUMN fabric_sync.externals.device IS 'The switch at its inner end; empty while the Connection is not there.';
COMMENT ON COLUMN fabric_sync.externals.interface IS 'Its port.';
COMMENT ON COLUMN fabric_sync.externals.vlan IS 'VLAN on that port; NULL: none is told.';
COMMENT ON COLUMN fabric_sync.externals.device_address IS 'Address of the switch towards the External.';
COMMENT ON COLUMN fabric_sync.externals.neighbor_address IS 'Address of the External there.';
COMMENT ON COLUMN fabric_sync.externals.neighbor_asn IS 'AS number of the External there; NULL: none is told.';
COMMENT ON COLUMN fabric_sync.externals.session_state IS 'State of the BGP session with that address, as the switch tells it; empty when it tells none.';
COMMENT ON COLUMN fabric_sync.externals.observed_at IS 'When the External was observed last.';
COMMENT ON COLUMN fabric_sync.externals.age IS 'Time since it was observed last.';
COMMENT ON COLUMN fabric_sync.externals.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.externals.resource_id IS 'The row of the table resource, for joins.';

CREATE OR REPLACE VIEW fabric_sync.devices AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, d.name, d.role, d.site, d.vendor, d.model, d.profile, d.serial_number,
       d.nos, d.nos_version, d.management_address, d.chassis_id, d.asn, d.inventory, d.sets_observed,
       d.source_kind, d.sources, d.mentioned_only, r.resource_state,
       coalesce(r.actual_updated, r.desired_updated) AS observed_at, now() - coalesce(r.actual_updated, r.desired_updated) AS age,
       nullif(jsonb_strip_nulls(CASE d.source_kind
         WHEN 'GatewayAgent' THEN jsonb_build_object('vpcs', r.actual_status #> '{state,vpcs}', 'peerings', r.actual_status #> '{state,peerings}')
         WHEN 'Agent' THEN coalesce(r.actual_status #> '{state,platform}', '{}') || jsonb_build_object('transceivers', r.actual_status #> '{state,transceivers}')
       END), '{}') AS readings, d.first_seen, d.updated_at, d.fabric_id, d.resource_id
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
COMMENT ON COLUMN fabric_sync.devices.readings IS 'Fans, power supplies, temperatures and transceivers as read last, of a gateway what it counts for VPCs and peerings; they are as old as age says. NULL: none are told.';

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
SELECT f.namespace, f.name, twice.device, twice.interface, '', '', '', 'declared_twice', jsonb_build_object('by', twice.resources), now() - twice.observed_at, twice.fabric_id, twice.resource_id
  FROM (SELECT e.fabric_id, e.device, e.interface, min(e.resource_id::text)::uuid AS resource_id,
               array_agg(r.kind || ' ' || r.namespace || '/' || r.name ORDER BY r.name) AS resources, min(coalesce(r.actual_updated, r.desired_updated)) AS observed_at
          FROM (SELECT fabric_id, device_a AS device, fabric_sync.port_key(interface_a) AS interface, device_b AS far, fabric_sync.port_key(interface_b) AS far_interface, resource_id FROM fabric_sync.link
                UNION ALL SELECT fabric_id, device_b, fabric_sync.port_key(interface_b), device_a, fabric_sync.port_key(interface_a), resource_id FROM fabric_sync.link WHERE device_b <> '') e
          JOIN fabric_sync.resource r ON r.fabric_id = e.fabric_id AND r.id = e.resource_id
         WHERE e.interface <> ''
         GROUP BY e.fabric_id, e.device, e.interface
        -- A collector that tells the same cable as the wiring, or who the box outside is, confirms it.
        HAVING count(*) FILTER (WHERE r.kind = 'Connection') > 1 OR count(DISTINCT e.far || ' ' || e.far_interface) FILTER (WHERE e.far NOT LIKE 'outside:%') > 1) twice
  JOIN fabric_sync.fabric f ON f.id = twice.fabric_id;

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

CREATE OR REPLACE VIEW fabric_sync.address_findings AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, 'used_twice' AS finding, t.address, t.vrf, t.holders, t.fabric_id, t.observed_at, now() - t.observed_at AS age
  FROM (SELECT a.fabric_id, a.vrf, host(a.address) AS address, array_agg(DISTINCT a.device || '/' || a.interface) AS holders,
               array_agg(DISTINCT a.device) AS devices, bool_and(a.interface = 'Loopback1') AS is_vtep, min(coalesce(r.actual_updated, r.desired_updated)) AS observed_at
          FROM fabric_sync.device_ip_address a
          JOIN fabric_sync.resource r ON r.fabric_id = a.fabric_id AND r.id = a.resource_id
         GROUP BY a.fabric_id, a.vrf, host(a.address) HAVING count(DISTINCT a.device) > 1) t
  JOIN fabric_sync.fabric f ON f.id = t.fabric_id
 -- The two of an MCLAG pair have one VTEP address on purpose.
 WHERE NOT (t.is_vtep AND EXISTS (
       SELECT FROM fabric_sync.resource s
        WHERE s.fabric_id = t.fabric_id AND s.api_group = 'wiring.githedgehog.com' AND s.kind = 'Switch' AND s.name = ANY (t.devices)
       HAVING count(DISTINCT s.name) = cardinality(t.devices) AND bool_and(coalesce(s.actual_spec, s.desired_spec) #>> '{redundancy,type}' = 'mclag')
          AND count(DISTINCT coalesce(s.actual_spec, s.desired_spec) #>> '{redundancy,group}') = 1))
UNION ALL
SELECT f.namespace, f.name, 'leased_twice', t.address, t.subnet, t.holders, t.fabric_id, t.observed_at, now() - t.observed_at
  FROM (SELECT l.fabric_id, l.subnet, host(l.address) AS address, array_agg(l.mac::text ORDER BY l.mac) AS holders, min(r.actual_updated) AS observed_at
          FROM fabric_sync.dhcp_lease l
          JOIN fabric_sync.resource r ON r.fabric_id = l.fabric_id AND r.id = l.resource_id
         GROUP BY l.fabric_id, l.subnet, host(l.address) HAVING count(DISTINCT l.mac) > 1) t
  JOIN fabric_sync.fabric f ON f.id = t.fabric_id
UNION ALL
SELECT f.namespace, f.name, 'subnets_overlap', a.prefix::text, a.address_namespace, ARRAY[a.vpc || '/' || a.name, b.vpc || '/' || b.name], a.fabric_id,
       coalesce(r.actual_updated, r.desired_updated), now() - coalesce(r.actual_updated, r.desired_updated)
  FROM fabric_sync.vpc_subnet a
  JOIN fabric_sync.vpc_subnet b ON b.fabric_id = a.fabric_id AND b.address_namespace = a.address_namespace AND a.prefix && b.prefix
   AND (a.vpc, a.name) < (b.vpc, b.name)
  JOIN fabric_sync.fabric f ON f.id = a.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = a.fabric_id AND r.id = a.resource_id
UNION ALL
SELECT f.namespace, f.name, 'subnets_overlap', network(a.address)::text, a.vrf,
       ARRAY[a.device || '/' || a.interface, b.device || '/' || b.interface || ' ' || network(b.address)], a.fabric_id,
       coalesce(r.actual_updated, r.desired_updated), now() - coalesce(r.actual_updated, r.desired_updated)
  FROM fabric_sync.device_ip_address a
  JOIN fabric_sync.device_ip_address b ON b.fabric_id = a.fabric_id AND b.device = a.device AND b.resource_id = a.resource_id AND b.vrf = a.vrf
   AND network(a.address) && network(b.address) AND a.interface < b.interface
  JOIN fabric_sync.fabric f ON f.id = a.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = a.fabric_id AND r.id = a.resource_id
 WHERE masklen(a.address) < CASE family(a.address) WHEN 4 THEN 32 ELSE 128 END AND masklen(b.address) < CASE family(b.address) WHEN 4 THEN 32 ELSE 128 END
   -- Every interface has the link-local subnet.
   AND NOT a.address <<= ANY (ARRAY['fe80::/10', '169.254.0.0/16']::inet[]);
COMMENT ON VIEW fabric_sync.address_findings IS 'Addresses that two devices have (the VTEP address of an MCLAG pair is one), leases given out twice, subnets that overlap: of VPCs in one address namespace, of a device in one VRF.';
COMMENT ON COLUMN fabric_sync.address_findings.holders IS 'Who has it; of a device''s subnets the interfaces.';
COMMENT ON COLUMN fabric_sync.address_findings.observed_at IS 'When this was observed last, the oldest of what it rests on.';
COMMENT ON COLUMN fabric_sync.address_findings.age IS 'Time since then.';
