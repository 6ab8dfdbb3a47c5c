-- Device caches belong to the resource that tells them, so that no order of arrival matters and two resources may tell of one device. Made
-- anew: no release has written them yet, and they are made of `resource` (`fabric-sync db rebuild-projections` fills them).
DROP VIEW fabric_sync.links;
DROP VIEW fabric_sync.neighbors;
DROP VIEW fabric_sync.interfaces;
DROP VIEW fabric_sync.devices;
DROP TABLE fabric_sync.device_snapshot;
DROP TABLE fabric_sync.link;
DROP TABLE fabric_sync.device_bgp_session;
DROP TABLE fabric_sync.device_route;
DROP TABLE fabric_sync.device_mac_entry;
DROP TABLE fabric_sync.device_arp_entry;
DROP TABLE fabric_sync.device_neighbor;
DROP TABLE fabric_sync.device_ip_address;
DROP TABLE fabric_sync.device_interface;
DROP TABLE fabric_sync.device;

CREATE TABLE fabric_sync.device (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  name text COLLATE "C" DEFAULT '' NOT NULL,
  resource_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  source_kind text DEFAULT '' NOT NULL,
  precedence integer DEFAULT 0 NOT NULL,
  role text DEFAULT '' NOT NULL,
  site text DEFAULT '' NOT NULL,
  vendor text DEFAULT '' NOT NULL,
  model text DEFAULT '' NOT NULL,
  profile text DEFAULT '' NOT NULL,
  serial_number text DEFAULT '' NOT NULL,
  nos text DEFAULT '' NOT NULL,
  nos_version text DEFAULT '' NOT NULL,
  management_address text DEFAULT '' NOT NULL,
  chassis_id text DEFAULT '' NOT NULL,
  asn bigint,
  inventory jsonb DEFAULT '{}'::jsonb NOT NULL,
  sets_observed jsonb DEFAULT '{}'::jsonb NOT NULL,
  first_seen timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT device_pkey PRIMARY KEY (fabric_id, name, resource_id),
  CONSTRAINT device_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_resource_id_required CHECK (resource_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_name_required CHECK (name <> ''),
  CONSTRAINT device_asn_range CHECK (asn BETWEEN 0 AND 4294967295),
  CONSTRAINT device_precedence_range CHECK (precedence >= 0),
  CONSTRAINT device_inventory_is_object CHECK (jsonb_typeof(inventory) = 'object'),
  CONSTRAINT device_sets_observed_is_object CHECK (jsonb_typeof(sets_observed) = 'object'),
  CONSTRAINT device_resource_fkey FOREIGN KEY (fabric_id, resource_id) REFERENCES fabric_sync.resource (fabric_id, id) ON DELETE CASCADE
);
CREATE INDEX device_resource_idx ON fabric_sync.device (fabric_id, resource_id);
CREATE INDEX device_chassis_idx ON fabric_sync.device (fabric_id, chassis_id);
COMMENT ON TABLE fabric_sync.device IS 'What one resource tells of a switch, server, gateway or other box; the view devices joins the rows of one name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.name IS 'Name of the device. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.resource_id IS 'The resource that it was projected from, and goes with. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.source_kind IS 'Kind of that resource. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.precedence IS 'Who is believed first where two resources tell of one device: 10 the device itself, 20 a collector, 30 what is declared, 90 who merely mentions it. Default: 0. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.role IS 'Its role in the fabric: spine, server-leaf, … Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.site IS 'Where it stands. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.vendor IS 'Vendor. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.model IS 'Hardware model. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.profile IS 'The switch profile by which its ports are named. Default: empty: none. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.serial_number IS 'Serial number. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.nos IS 'Network operating system. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.nos_version IS 'Its version. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.management_address IS 'Address of its management interface. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.chassis_id IS 'Chassis id that it announces to neighbours. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.asn IS 'AS number. NULL: it has none. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.inventory IS 'Power supplies, fans, temperatures, transceivers as observed. Default: none observed. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.sets_observed IS 'How fresh each set of children is: {"interfaces": "current"} is as fresh as the resource; a time: since then it is not told of any more. A set that is missing here was never observed. Default: none observed. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.first_seen IS 'When it was projected first. Default: now. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.updated_at IS 'When the row changed last. Default: now. Writer: projections.';
COMMENT ON INDEX fabric_sync.device_chassis_idx IS 'The device that announces a chassis id.';
COMMENT ON INDEX fabric_sync.device_resource_idx IS 'The devices made of a resource; deleting that asks for it.';

CREATE TABLE fabric_sync.device_interface (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  device text COLLATE "C" DEFAULT '' NOT NULL,
  resource_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  name text COLLATE "C" DEFAULT '' NOT NULL,
  nos_name text DEFAULT '' NOT NULL,
  description text DEFAULT '' NOT NULL,
  admin_status text DEFAULT 'unknown' NOT NULL,
  oper_status text DEFAULT 'unknown' NOT NULL,
  speed_mbps bigint DEFAULT 0 NOT NULL,
  mtu integer DEFAULT 0 NOT NULL,
  fec text DEFAULT '' NOT NULL,
  mac text DEFAULT '' NOT NULL,
  lag text DEFAULT '' NOT NULL,
  transceiver jsonb DEFAULT '{}'::jsonb NOT NULL,
  first_seen timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT device_interface_pkey PRIMARY KEY (fabric_id, device, resource_id, name),
  CONSTRAINT device_interface_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_interface_resource_id_required CHECK (resource_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_interface_device_required CHECK (device <> ''),
  CONSTRAINT device_interface_name_required CHECK (name <> ''),
  CONSTRAINT device_interface_admin_status_listed CHECK (admin_status IN ('unknown', 'up', 'down')),
  CONSTRAINT device_interface_oper_status_listed CHECK (oper_status IN ('unknown', 'up', 'down')),
  CONSTRAINT device_interface_speed_mbps_range CHECK (speed_mbps >= 0),
  CONSTRAINT device_interface_mtu_range CHECK (mtu >= 0),
  CONSTRAINT device_interface_transceiver_is_object CHECK (jsonb_typeof(transceiver) = 'object'),
  CONSTRAINT device_interface_device_fkey FOREIGN KEY (fabric_id, device, resource_id) REFERENCES fabric_sync.device (fabric_id, name, resource_id) ON DELETE CASCADE
);
COMMENT ON TABLE fabric_sync.device_interface IS 'Interfaces of a device. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_interface.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_interface.device IS 'The device. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_interface.resource_id IS 'The resource that tells it, and that it goes with. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_interface.name IS 'Name as the fabric knows it (E1/5). Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_interface.nos_name IS 'Name as the network operating system knows it (Ethernet4). Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_interface.description IS 'Description. Default: empty: none. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_interface.admin_status IS 'What was configured. Default: unknown: not observed is not down. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_interface.oper_status IS 'What is the case. Default: unknown: not observed is not down. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_interface.speed_mbps IS 'Speed in Mbit/s. Default: 0: not known. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_interface.mtu IS 'MTU in bytes. Default: 0: not known. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_interface.fec IS 'Forward error correction. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_interface.mac IS 'MAC address as told. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_interface.lag IS 'The aggregate that it is a member of. Default: empty: none. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_interface.transceiver IS 'What is plugged in, as told. Default: none observed. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_interface.first_seen IS 'Since when it is there. Default: now. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_interface.updated_at IS 'When the row changed last: what is unchanged is not touched, see device.sets_observed. Default: now. Writer: projections.';

CREATE TABLE fabric_sync.device_ip_address (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  device text COLLATE "C" DEFAULT '' NOT NULL,
  resource_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  vrf text COLLATE "C" DEFAULT '' NOT NULL,
  address inet DEFAULT '0.0.0.0' NOT NULL,
  interface text COLLATE "C" DEFAULT '' NOT NULL,
  first_seen timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT device_ip_address_pkey PRIMARY KEY (fabric_id, device, resource_id, vrf, address, interface),
  CONSTRAINT device_ip_address_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_ip_address_resource_id_required CHECK (resource_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_ip_address_device_required CHECK (device <> ''),
  CONSTRAINT device_ip_address_address_required CHECK (address <> '0.0.0.0'::inet),
  CONSTRAINT device_ip_address_device_fkey FOREIGN KEY (fabric_id, device, resource_id) REFERENCES fabric_sync.device (fabric_id, name, resource_id) ON DELETE CASCADE
);
CREATE INDEX device_ip_address_host_idx ON fabric_sync.device_ip_address (fabric_id, host(address));
COMMENT ON TABLE fabric_sync.device_ip_address IS 'Addresses of a device. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_ip_address.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_ip_address.device IS 'The device. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_ip_address.resource_id IS 'The resource that tells it, and that it goes with. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_ip_address.vrf IS 'Routing table; empty for the default one. Default: empty: the default one. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_ip_address.address IS 'Address with its prefix length. Default: 0.0.0.0 is nobody''s, and is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_ip_address.interface IS 'Interface that has it. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_ip_address.first_seen IS 'Since when it is there. Default: now. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_ip_address.updated_at IS 'When the row changed last: what is unchanged is not touched, see device.sets_observed. Default: now. Writer: projections.';
COMMENT ON INDEX fabric_sync.device_ip_address_host_idx IS 'The devices that have an address, whatever its prefix length.';

CREATE TABLE fabric_sync.device_neighbor (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  device text COLLATE "C" DEFAULT '' NOT NULL,
  resource_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  interface text COLLATE "C" DEFAULT '' NOT NULL,
  protocol text COLLATE "C" DEFAULT 'unknown' NOT NULL,
  remote_chassis_id text COLLATE "C" DEFAULT '' NOT NULL,
  remote_port text COLLATE "C" DEFAULT '' NOT NULL,
  remote_name text DEFAULT '' NOT NULL,
  remote_port_description text DEFAULT '' NOT NULL,
  remote_description text DEFAULT '' NOT NULL,
  remote_management_address text DEFAULT '' NOT NULL,
  first_seen timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT device_neighbor_pkey PRIMARY KEY (fabric_id, device, resource_id, interface, protocol, remote_chassis_id, remote_port),
  CONSTRAINT device_neighbor_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_neighbor_resource_id_required CHECK (resource_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_neighbor_device_required CHECK (device <> ''),
  CONSTRAINT device_neighbor_interface_required CHECK (interface <> ''),
  CONSTRAINT device_neighbor_protocol_listed CHECK (protocol IN ('unknown', 'lldp', 'cdp')),
  CONSTRAINT device_neighbor_device_fkey FOREIGN KEY (fabric_id, device, resource_id) REFERENCES fabric_sync.device (fabric_id, name, resource_id) ON DELETE CASCADE
);
COMMENT ON TABLE fabric_sync.device_neighbor IS 'What a device hears at its ports by LLDP or CDP, as it was heard. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_neighbor.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_neighbor.device IS 'The device. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_neighbor.resource_id IS 'The resource that tells it, and that it goes with. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_neighbor.interface IS 'Local interface. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_neighbor.protocol IS 'lldp or cdp. Default: unknown: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_neighbor.remote_chassis_id IS 'Chassis id of the neighbour. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_neighbor.remote_port IS 'Port id of the neighbour. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_neighbor.remote_name IS 'System name of the neighbour. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_neighbor.remote_port_description IS 'Port description of the neighbour. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_neighbor.remote_description IS 'System description of the neighbour. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_neighbor.remote_management_address IS 'Management address of the neighbour. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_neighbor.first_seen IS 'Since when it is there. Default: now. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_neighbor.updated_at IS 'When the row changed last: what is unchanged is not touched, see device.sets_observed. Default: now. Writer: projections.';

CREATE TABLE fabric_sync.device_arp_entry (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  device text COLLATE "C" DEFAULT '' NOT NULL,
  resource_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  vrf text COLLATE "C" DEFAULT '' NOT NULL,
  address inet DEFAULT '0.0.0.0' NOT NULL,
  interface text COLLATE "C" DEFAULT '' NOT NULL,
  mac text DEFAULT '' NOT NULL,
  origin text DEFAULT 'unknown' NOT NULL,
  first_seen timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT device_arp_entry_pkey PRIMARY KEY (fabric_id, device, resource_id, vrf, address, interface),
  CONSTRAINT device_arp_entry_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_arp_entry_resource_id_required CHECK (resource_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_arp_entry_device_required CHECK (device <> ''),
  CONSTRAINT device_arp_entry_address_required CHECK (address <> '0.0.0.0'::inet),
  CONSTRAINT device_arp_entry_origin_listed CHECK (origin IN ('unknown', 'dynamic', 'static')),
  CONSTRAINT device_arp_entry_device_fkey FOREIGN KEY (fabric_id, device, resource_id) REFERENCES fabric_sync.device (fabric_id, name, resource_id) ON DELETE CASCADE
);
COMMENT ON TABLE fabric_sync.device_arp_entry IS 'ARP and IPv6 neighbour entries of a device. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_arp_entry.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_arp_entry.device IS 'The device. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_arp_entry.resource_id IS 'The resource that tells it, and that it goes with. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_arp_entry.vrf IS 'Routing table; empty for the default one. Default: empty: the default one. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_arp_entry.address IS 'The neighbour''s address. Default: 0.0.0.0 is nobody''s, and is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_arp_entry.interface IS 'Interface behind which it is. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_arp_entry.mac IS 'MAC address as told; empty while it is being resolved. Default: empty: not resolved. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_arp_entry.origin IS 'Learnt or configured. Default: unknown: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_arp_entry.first_seen IS 'Since when it is there. Default: now. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_arp_entry.updated_at IS 'When the row changed last: what is unchanged is not touched, see device.sets_observed. Default: now. Writer: projections.';

CREATE TABLE fabric_sync.device_mac_entry (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  device text COLLATE "C" DEFAULT '' NOT NULL,
  resource_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  vlan integer DEFAULT 0 NOT NULL,
  mac macaddr DEFAULT '00:00:00:00:00:00' NOT NULL,
  interface text COLLATE "C" DEFAULT '' NOT NULL,
  origin text DEFAULT 'unknown' NOT NULL,
  first_seen timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT device_mac_entry_pkey PRIMARY KEY (fabric_id, device, resource_id, vlan, mac, interface),
  CONSTRAINT device_mac_entry_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_mac_entry_resource_id_required CHECK (resource_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_mac_entry_device_required CHECK (device <> ''),
  CONSTRAINT device_mac_entry_vlan_range CHECK (vlan BETWEEN 0 AND 4094),
  CONSTRAINT device_mac_entry_mac_required CHECK (mac <> '00:00:00:00:00:00'::macaddr),
  CONSTRAINT device_mac_entry_origin_listed CHECK (origin IN ('unknown', 'dynamic', 'static')),
  CONSTRAINT device_mac_entry_device_fkey FOREIGN KEY (fabric_id, device, resource_id) REFERENCES fabric_sync.device (fabric_id, name, resource_id) ON DELETE CASCADE
);
COMMENT ON TABLE fabric_sync.device_mac_entry IS 'Entries of the MAC table of a device. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_mac_entry.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_mac_entry.device IS 'The device. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_mac_entry.resource_id IS 'The resource that tells it, and that it goes with. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_mac_entry.vlan IS 'VLAN; 0 where there is none. Default: 0: none. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_mac_entry.mac IS 'MAC address. Default: the zero address is nobody''s, and is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_mac_entry.interface IS 'Interface behind which it is. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_mac_entry.origin IS 'Learnt or configured. Default: unknown: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_mac_entry.first_seen IS 'Since when it is there. Default: now. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_mac_entry.updated_at IS 'When the row changed last: what is unchanged is not touched, see device.sets_observed. Default: now. Writer: projections.';

CREATE TABLE fabric_sync.device_route (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  device text COLLATE "C" DEFAULT '' NOT NULL,
  resource_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  vrf text COLLATE "C" DEFAULT '' NOT NULL,
  prefix cidr DEFAULT '255.255.255.255/32' NOT NULL,
  protocol text COLLATE "C" DEFAULT 'unknown' NOT NULL,
  next_hop text COLLATE "C" DEFAULT '' NOT NULL,
  interface text COLLATE "C" DEFAULT '' NOT NULL,
  metric bigint DEFAULT 0 NOT NULL,
  distance integer DEFAULT 0 NOT NULL,
  first_seen timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT device_route_pkey PRIMARY KEY (fabric_id, device, resource_id, vrf, prefix, protocol, next_hop, interface),
  CONSTRAINT device_route_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_route_resource_id_required CHECK (resource_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_route_device_required CHECK (device <> ''),
  CONSTRAINT device_route_prefix_required CHECK (prefix <> '255.255.255.255/32'::cidr),
  CONSTRAINT device_route_protocol_listed CHECK (protocol IN ('unknown', 'connected', 'static', 'ospf', 'bgp')),
  CONSTRAINT device_route_metric_range CHECK (metric >= 0),
  CONSTRAINT device_route_distance_range CHECK (distance BETWEEN 0 AND 255),
  CONSTRAINT device_route_device_fkey FOREIGN KEY (fabric_id, device, resource_id) REFERENCES fabric_sync.device (fabric_id, name, resource_id) ON DELETE CASCADE
);
COMMENT ON TABLE fabric_sync.device_route IS 'Routes of a device. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_route.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_route.device IS 'The device. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_route.resource_id IS 'The resource that tells it, and that it goes with. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_route.vrf IS 'Routing table; empty for the default one. Default: empty: the default one. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_route.prefix IS 'Destination. Default: 255.255.255.255/32 is nobody''s route, and is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_route.protocol IS 'How it was learnt. Default: unknown: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_route.next_hop IS 'Address of the next hop. Default: empty: directly connected. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_route.interface IS 'Interface to the next hop. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_route.metric IS 'Metric. Default: 0: none. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_route.distance IS 'Administrative distance. Default: 0: the best there is, as for connected routes. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_route.first_seen IS 'Since when it is there. Default: now. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_route.updated_at IS 'When the row changed last: what is unchanged is not touched, see device.sets_observed. Default: now. Writer: projections.';

CREATE TABLE fabric_sync.device_bgp_session (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  device text COLLATE "C" DEFAULT '' NOT NULL,
  resource_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  vrf text COLLATE "C" DEFAULT '' NOT NULL,
  neighbor text COLLATE "C" DEFAULT '' NOT NULL,
  state text DEFAULT 'unknown' NOT NULL,
  bfd_state text DEFAULT 'unknown' NOT NULL,
  local_asn bigint,
  remote_asn bigint,
  prefixes jsonb DEFAULT '{}'::jsonb NOT NULL,
  established_at timestamp with time zone,
  first_seen timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT device_bgp_session_pkey PRIMARY KEY (fabric_id, device, resource_id, vrf, neighbor),
  CONSTRAINT device_bgp_session_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_bgp_session_resource_id_required CHECK (resource_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_bgp_session_device_required CHECK (device <> ''),
  CONSTRAINT device_bgp_session_neighbor_required CHECK (neighbor <> ''),
  CONSTRAINT device_bgp_session_state_listed CHECK (state IN ('unknown', 'idle', 'connect', 'active', 'open_sent', 'open_confirm', 'established')),
  CONSTRAINT device_bgp_session_bfd_state_listed CHECK (bfd_state IN ('unknown', 'admin_down', 'down', 'init', 'up')),
  CONSTRAINT device_bgp_session_local_asn_range CHECK (local_asn BETWEEN 0 AND 4294967295),
  CONSTRAINT device_bgp_session_remote_asn_range CHECK (remote_asn BETWEEN 0 AND 4294967295),
  CONSTRAINT device_bgp_session_prefixes_is_object CHECK (jsonb_typeof(prefixes) = 'object'),
  CONSTRAINT device_bgp_session_device_fkey FOREIGN KEY (fabric_id, device, resource_id) REFERENCES fabric_sync.device (fabric_id, name, resource_id) ON DELETE CASCADE
);
COMMENT ON TABLE fabric_sync.device_bgp_session IS 'BGP sessions of a device. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_bgp_session.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_bgp_session.device IS 'The device. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_bgp_session.resource_id IS 'The resource that tells it, and that it goes with. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_bgp_session.vrf IS 'Routing table; empty for the default one. Default: empty: the default one. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_bgp_session.neighbor IS 'Address or interface of the neighbour. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_bgp_session.state IS 'State of the session (RFC 4271). Default: unknown: not observed is not down. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_bgp_session.bfd_state IS 'State of the BFD session with the same neighbour. Default: unknown: none is told of. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_bgp_session.local_asn IS 'AS number of this side. NULL: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_bgp_session.remote_asn IS 'AS number of the other side. NULL: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_bgp_session.prefixes IS 'Prefixes received and sent, for each address family. Default: none observed. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_bgp_session.established_at IS 'When it was established last. NULL: never, or not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_bgp_session.first_seen IS 'Since when it is there. Default: now. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_bgp_session.updated_at IS 'When the row changed last: what is unchanged is not touched, see device.sets_observed. Default: now. Writer: projections.';

CREATE TABLE fabric_sync.link (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  device_a text COLLATE "C" DEFAULT '' NOT NULL,
  interface_a text COLLATE "C" DEFAULT '' NOT NULL,
  device_b text COLLATE "C" DEFAULT '' NOT NULL,
  interface_b text COLLATE "C" DEFAULT '' NOT NULL,
  resource_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  kind text DEFAULT '' NOT NULL,
  side text DEFAULT 'actual' NOT NULL,
  address_a text DEFAULT '' NOT NULL,
  address_b text DEFAULT '' NOT NULL,
  first_seen timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT link_pkey PRIMARY KEY (fabric_id, device_a, interface_a, device_b, interface_b, resource_id),
  CONSTRAINT link_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT link_resource_id_required CHECK (resource_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT link_device_a_required CHECK (device_a <> ''),
  CONSTRAINT link_side_listed CHECK (side IN ('desired', 'actual')),
  CONSTRAINT link_resource_fkey FOREIGN KEY (fabric_id, resource_id) REFERENCES fabric_sync.resource (fabric_id, id) ON DELETE CASCADE
);
CREATE INDEX link_device_b_idx ON fabric_sync.link (fabric_id, device_b, interface_b);
CREATE INDEX link_resource_idx ON fabric_sync.link (fabric_id, resource_id);
COMMENT ON TABLE fabric_sync.link IS 'Cables as they are declared. What is observed, and the verdict on both, is computed where it is asked: the view links. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.device_a IS 'Device at the first end, as the declaration orders them. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.interface_a IS 'Its interface. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.device_b IS 'Device at the other end. Default: empty: nobody that has a name, like an external. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.interface_b IS 'Its interface. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.resource_id IS 'The resource that declares it, and that it goes with. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.kind IS 'Variant of the declaration: fabric, mesh, eslag, bundled, unbundled, external, … Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.side IS 'Which side declares it: the cluster where the object is there, else Git. Default: actual. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.address_a IS 'Address declared for the first end, with its prefix length. Default: empty: none. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.address_b IS 'Address declared for the other end. Default: empty: none. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.first_seen IS 'Since when it is declared. Default: now. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.updated_at IS 'When the row changed last. Default: now. Writer: projections.';
COMMENT ON INDEX fabric_sync.link_device_b_idx IS 'The links that end at a device.';
COMMENT ON INDEX fabric_sync.link_resource_idx IS 'The links that a resource declares; replacing and deleting them asks for it.';

CREATE TABLE fabric_sync.profile_port (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  resource_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  profile text COLLATE "C" DEFAULT '' NOT NULL,
  port text COLLATE "C" DEFAULT '' NOT NULL,
  nos_name text COLLATE "C" DEFAULT '' NOT NULL,
  first_seen timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT profile_port_pkey PRIMARY KEY (fabric_id, resource_id, port, nos_name),
  CONSTRAINT profile_port_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT profile_port_resource_id_required CHECK (resource_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT profile_port_profile_required CHECK (profile <> ''),
  CONSTRAINT profile_port_port_required CHECK (port <> ''),
  CONSTRAINT profile_port_nos_name_required CHECK (nos_name <> ''),
  CONSTRAINT profile_port_resource_fkey FOREIGN KEY (fabric_id, resource_id) REFERENCES fabric_sync.resource (fabric_id, id) ON DELETE CASCADE
);
CREATE INDEX profile_port_nos_name_idx ON fabric_sync.profile_port (fabric_id, profile, nos_name);
COMMENT ON TABLE fabric_sync.profile_port IS 'How the operating system of a switch model calls each port, breakouts included. Writer: projections.';
COMMENT ON COLUMN fabric_sync.profile_port.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.profile_port.resource_id IS 'The resource that it is made of, and that it goes with. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.profile_port.profile IS 'The switch profile. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.profile_port.port IS 'The port as the fabric calls it (E1/5, E1/32/2). Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.profile_port.nos_name IS 'The port as the operating system calls it (Ethernet4). Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.profile_port.first_seen IS 'Since when it is there. Default: now. Writer: projections.';
COMMENT ON COLUMN fabric_sync.profile_port.updated_at IS 'When the row changed last. Default: now. Writer: projections.';
COMMENT ON INDEX fabric_sync.profile_port_nos_name_idx IS 'The port that a neighbour means by the name that it announces.';

CREATE TABLE fabric_sync.dhcp_lease (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  resource_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  mac macaddr DEFAULT '00:00:00:00:00:00' NOT NULL,
  address inet DEFAULT '0.0.0.0' NOT NULL,
  hostname text DEFAULT '' NOT NULL,
  subnet text DEFAULT '' NOT NULL,
  first_seen timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT dhcp_lease_pkey PRIMARY KEY (fabric_id, resource_id, mac, address),
  CONSTRAINT dhcp_lease_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT dhcp_lease_resource_id_required CHECK (resource_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT dhcp_lease_mac_required CHECK (mac <> '00:00:00:00:00:00'::macaddr),
  CONSTRAINT dhcp_lease_address_required CHECK (address <> '0.0.0.0'::inet),
  CONSTRAINT dhcp_lease_resource_fkey FOREIGN KEY (fabric_id, resource_id) REFERENCES fabric_sync.resource (fabric_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE fabric_sync.dhcp_lease IS 'Addresses given out by DHCP. Writer: projections.';
COMMENT ON COLUMN fabric_sync.dhcp_lease.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.dhcp_lease.resource_id IS 'The resource that it is made of, and that it goes with. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.dhcp_lease.mac IS 'The client. Default: the zero address is nobody''s, and is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.dhcp_lease.address IS 'What it got. Default: 0.0.0.0 is nobody''s, and is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.dhcp_lease.hostname IS 'How it calls itself. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.dhcp_lease.subnet IS 'vpc/subnet. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.dhcp_lease.first_seen IS 'Since when it is there. Default: now. Writer: projections.';
COMMENT ON COLUMN fabric_sync.dhcp_lease.updated_at IS 'When the row changed last. Default: now. Writer: projections.';

CREATE TABLE fabric_sync.vpc_subnet (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  resource_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  vpc text COLLATE "C" DEFAULT '' NOT NULL,
  name text COLLATE "C" DEFAULT '' NOT NULL,
  address_namespace text DEFAULT '' NOT NULL,
  prefix cidr DEFAULT '255.255.255.255/32' NOT NULL,
  gateway text DEFAULT '' NOT NULL,
  vlan integer DEFAULT 0 NOT NULL,
  first_seen timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT vpc_subnet_pkey PRIMARY KEY (fabric_id, resource_id, name),
  CONSTRAINT vpc_subnet_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT vpc_subnet_resource_id_required CHECK (resource_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT vpc_subnet_vpc_required CHECK (vpc <> ''),
  CONSTRAINT vpc_subnet_name_required CHECK (name <> ''),
  CONSTRAINT vpc_subnet_prefix_required CHECK (prefix <> '255.255.255.255/32'::cidr),
  CONSTRAINT vpc_subnet_vlan_range CHECK (vlan BETWEEN 0 AND 4094),
  CONSTRAINT vpc_subnet_resource_fkey FOREIGN KEY (fabric_id, resource_id) REFERENCES fabric_sync.resource (fabric_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE fabric_sync.vpc_subnet IS 'Subnets of VPCs. Writer: projections.';
COMMENT ON COLUMN fabric_sync.vpc_subnet.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.vpc_subnet.resource_id IS 'The resource that it is made of, and that it goes with. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.vpc_subnet.vpc IS 'The VPC. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.vpc_subnet.name IS 'Name of the subnet in the VPC. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.vpc_subnet.address_namespace IS 'The namespace in which prefixes must not overlap. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.vpc_subnet.prefix IS 'The prefix. Default: 255.255.255.255/32 is nobody''s, and is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.vpc_subnet.gateway IS 'Address of the gateway. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.vpc_subnet.vlan IS 'VLAN id. Default: 0: none. Writer: projections.';
COMMENT ON COLUMN fabric_sync.vpc_subnet.first_seen IS 'Since when it is there. Default: now. Writer: projections.';
COMMENT ON COLUMN fabric_sync.vpc_subnet.updated_at IS 'When the row changed last. Default: now. Writer: projections.';

CREATE TABLE fabric_sync.device_snapshot (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  device text COLLATE "C" DEFAULT '' NOT NULL,
  resource_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  source text DEFAULT '' NOT NULL,
  observation jsonb DEFAULT '{}'::jsonb NOT NULL,
  observed_at timestamp with time zone DEFAULT now() NOT NULL,
  expires_at timestamp with time zone DEFAULT (now() + '00:30:00'::interval) NOT NULL,
  CONSTRAINT device_snapshot_pkey PRIMARY KEY (fabric_id, device, resource_id),
  CONSTRAINT device_snapshot_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_snapshot_resource_id_required CHECK (resource_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_snapshot_device_required CHECK (device <> ''),
  CONSTRAINT device_snapshot_source_required CHECK (source <> ''),
  CONSTRAINT device_snapshot_observation_is_object CHECK (jsonb_typeof(observation) = 'object'),
  CONSTRAINT device_snapshot_device_fkey FOREIGN KEY (fabric_id, device, resource_id) REFERENCES fabric_sync.device (fabric_id, name, resource_id) ON DELETE CASCADE
);
COMMENT ON TABLE fabric_sync.device_snapshot IS 'The raw observation of a device, kept for a while beside the tables that were made of it. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_snapshot.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_snapshot.device IS 'The device. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_snapshot.resource_id IS 'The resource that tells it, and that it goes with. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_snapshot.source IS 'Which kind of object told it. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_snapshot.observation IS 'The redacted observation. Default: an empty object: nothing was told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_snapshot.observed_at IS 'When it was observed last, changed or not. Default: now. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_snapshot.expires_at IS 'When db maintain may purge it. Default: half an hour from now, twice the longest interval of collectors. Writer: projections.';

-- lz4 costs a third of the CPU time of pglz; a server built without it keeps its default.
DO $$
BEGIN
  IF (SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression') THEN
    ALTER TABLE fabric_sync.device_snapshot ALTER COLUMN observation SET COMPRESSION lz4;
  END IF;
END
$$;

CREATE VIEW fabric_sync.devices AS
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
COMMENT ON VIEW fabric_sync.devices IS 'Devices of every fabric: what all resources tell of one name, the most credible first, with the age of what is known.';
COMMENT ON COLUMN fabric_sync.devices.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.devices.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.devices.name IS 'Name of the device.';
COMMENT ON COLUMN fabric_sync.devices.role IS 'Its role in the fabric: spine, server-leaf, …';
COMMENT ON COLUMN fabric_sync.devices.site IS 'Where it stands.';
COMMENT ON COLUMN fabric_sync.devices.vendor IS 'Vendor.';
COMMENT ON COLUMN fabric_sync.devices.model IS 'Hardware model.';
COMMENT ON COLUMN fabric_sync.devices.profile IS 'Switch profile by which its ports are named.';
COMMENT ON COLUMN fabric_sync.devices.serial_number IS 'Serial number.';
COMMENT ON COLUMN fabric_sync.devices.nos IS 'Network operating system.';
COMMENT ON COLUMN fabric_sync.devices.nos_version IS 'Its version.';
COMMENT ON COLUMN fabric_sync.devices.management_address IS 'Address of its management interface.';
COMMENT ON COLUMN fabric_sync.devices.chassis_id IS 'Chassis id that it announces to neighbours.';
COMMENT ON COLUMN fabric_sync.devices.asn IS 'AS number.';
COMMENT ON COLUMN fabric_sync.devices.inventory IS 'Power supplies, fans, temperature limits, firmware as observed.';
COMMENT ON COLUMN fabric_sync.devices.sets_observed IS 'How fresh each set of children of the most credible source is: current, or since when it is not told of any more.';
COMMENT ON COLUMN fabric_sync.devices.source_kind IS 'Kind of the most credible resource that tells of it.';
COMMENT ON COLUMN fabric_sync.devices.sources IS 'Kinds of all resources that tell of it.';
COMMENT ON COLUMN fabric_sync.devices.mentioned_only IS 'Whether nothing is known but that something refers to it: the end of a link that leads out of what is mirrored.';
COMMENT ON COLUMN fabric_sync.devices.resource_state IS 'Where that resource stands between Git and cluster; see the drawing in core/reduce.ts.';
COMMENT ON COLUMN fabric_sync.devices.observed_at IS 'When this was observed last.';
COMMENT ON COLUMN fabric_sync.devices.age IS 'Time since it was observed last.';
COMMENT ON COLUMN fabric_sync.devices.readings IS 'Fans, power supplies and temperatures as read last; they are as old as age says.';
COMMENT ON COLUMN fabric_sync.devices.first_seen IS 'When it was projected first.';
COMMENT ON COLUMN fabric_sync.devices.updated_at IS 'When what is told of it changed last.';
COMMENT ON COLUMN fabric_sync.devices.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.devices.resource_id IS 'The row of the table resource, for joins.';

CREATE VIEW fabric_sync.interfaces AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, i.device, i.name, i.nos_name, i.description, i.admin_status, i.oper_status,
       i.speed_mbps, i.mtu, i.fec, i.mac, i.lag, i.transceiver,
       ARRAY(SELECT DISTINCT a.address FROM fabric_sync.device_ip_address a
              WHERE a.fabric_id = i.fabric_id AND a.device = i.device AND a.interface = i.name
              ORDER BY a.address) AS addresses,
       d.source_kind AS source, coalesce(CASE WHEN d.sets_observed ->> 'interfaces' <> 'current' THEN (d.sets_observed ->> 'interfaces')::timestamptz END,
                r.actual_updated, r.desired_updated) AS observed_at,
       coalesce(d.sets_observed ->> 'interfaces' <> 'current', false) AS stale,
       now() - coalesce(CASE WHEN d.sets_observed ->> 'interfaces' <> 'current' THEN (d.sets_observed ->> 'interfaces')::timestamptz END,
                r.actual_updated, r.desired_updated) AS age,
       i.first_seen, i.updated_at AS changed_at, i.fabric_id, i.resource_id
  FROM fabric_sync.device_interface i
  JOIN fabric_sync.device d ON d.fabric_id = i.fabric_id AND d.name = i.device AND d.resource_id = i.resource_id
  JOIN fabric_sync.fabric f ON f.id = i.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = i.fabric_id AND r.id = i.resource_id;
COMMENT ON VIEW fabric_sync.interfaces IS 'Interfaces of every device, with their addresses.';
COMMENT ON COLUMN fabric_sync.interfaces.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.interfaces.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.interfaces.device IS 'The device.';
COMMENT ON COLUMN fabric_sync.interfaces.name IS 'Name as the fabric knows it.';
COMMENT ON COLUMN fabric_sync.interfaces.nos_name IS 'Name as the network operating system knows it.';
COMMENT ON COLUMN fabric_sync.interfaces.description IS 'Description.';
COMMENT ON COLUMN fabric_sync.interfaces.admin_status IS 'What was configured.';
COMMENT ON COLUMN fabric_sync.interfaces.oper_status IS 'What is the case; unknown is not down.';
COMMENT ON COLUMN fabric_sync.interfaces.speed_mbps IS 'Speed in Mbit/s; 0 when not known.';
COMMENT ON COLUMN fabric_sync.interfaces.mtu IS 'MTU in bytes; 0 when not known.';
COMMENT ON COLUMN fabric_sync.interfaces.fec IS 'Forward error correction.';
COMMENT ON COLUMN fabric_sync.interfaces.mac IS 'MAC address.';
COMMENT ON COLUMN fabric_sync.interfaces.lag IS 'The aggregate that it is a member of.';
COMMENT ON COLUMN fabric_sync.interfaces.transceiver IS 'What is plugged in.';
COMMENT ON COLUMN fabric_sync.interfaces.addresses IS 'Addresses that it has, declared ones included.';
COMMENT ON COLUMN fabric_sync.interfaces.source IS 'Kind of the resource that tells it.';
COMMENT ON COLUMN fabric_sync.interfaces.observed_at IS 'When this was observed last.';
COMMENT ON COLUMN fabric_sync.interfaces.stale IS 'Whether the resource does not tell of it any more: what is shown is what it told last.';
COMMENT ON COLUMN fabric_sync.interfaces.age IS 'Time since it was observed last.';
COMMENT ON COLUMN fabric_sync.interfaces.first_seen IS 'When it was there first.';
COMMENT ON COLUMN fabric_sync.interfaces.changed_at IS 'When it changed last.';
COMMENT ON COLUMN fabric_sync.interfaces.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.interfaces.resource_id IS 'The row of the table resource, for joins.';

CREATE VIEW fabric_sync.neighbors AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, n.device, n.interface, n.protocol, n.remote_name, n.remote_port, n.remote_chassis_id,
       n.remote_port_description, n.remote_description, n.remote_management_address,
       d.source_kind AS source, coalesce(CASE WHEN d.sets_observed ->> 'neighbors' <> 'current' THEN (d.sets_observed ->> 'neighbors')::timestamptz END,
                r.actual_updated, r.desired_updated) AS observed_at,
       coalesce(d.sets_observed ->> 'neighbors' <> 'current', false) AS stale,
       now() - coalesce(CASE WHEN d.sets_observed ->> 'neighbors' <> 'current' THEN (d.sets_observed ->> 'neighbors')::timestamptz END,
                r.actual_updated, r.desired_updated) AS age,
       n.first_seen, n.updated_at AS changed_at, n.fabric_id, n.resource_id
  FROM fabric_sync.device_neighbor n
  JOIN fabric_sync.device d ON d.fabric_id = n.fabric_id AND d.name = n.device AND d.resource_id = n.resource_id
  JOIN fabric_sync.fabric f ON f.id = n.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = n.fabric_id AND r.id = n.resource_id;
COMMENT ON VIEW fabric_sync.neighbors IS 'What every device hears at its ports, as it was heard; links tells who that is.';
COMMENT ON COLUMN fabric_sync.neighbors.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.neighbors.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.neighbors.device IS 'The device.';
COMMENT ON COLUMN fabric_sync.neighbors.interface IS 'Interface.';
COMMENT ON COLUMN fabric_sync.neighbors.protocol IS 'lldp or cdp.';
COMMENT ON COLUMN fabric_sync.neighbors.remote_name IS 'Name that the neighbour announces.';
COMMENT ON COLUMN fabric_sync.neighbors.remote_port IS 'Port that it announces, in its own words.';
COMMENT ON COLUMN fabric_sync.neighbors.remote_chassis_id IS 'Chassis id that it announces.';
COMMENT ON COLUMN fabric_sync.neighbors.remote_port_description IS 'Description of that port.';
COMMENT ON COLUMN fabric_sync.neighbors.remote_description IS 'Description of the neighbour.';
COMMENT ON COLUMN fabric_sync.neighbors.remote_management_address IS 'Management address that it announces.';
COMMENT ON COLUMN fabric_sync.neighbors.source IS 'Kind of the resource that tells it.';
COMMENT ON COLUMN fabric_sync.neighbors.observed_at IS 'When this was observed last.';
COMMENT ON COLUMN fabric_sync.neighbors.stale IS 'Whether the resource does not tell of it any more: what is shown is what it told last.';
COMMENT ON COLUMN fabric_sync.neighbors.age IS 'Time since it was observed last.';
COMMENT ON COLUMN fabric_sync.neighbors.first_seen IS 'When it was there first.';
COMMENT ON COLUMN fabric_sync.neighbors.changed_at IS 'When it changed last.';
COMMENT ON COLUMN fabric_sync.neighbors.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.neighbors.resource_id IS 'The row of the table resource, for joins.';

CREATE VIEW fabric_sync.addresses AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, a.device, a.vrf, a.address, a.interface,
       d.source_kind AS source, coalesce(CASE WHEN d.sets_observed ->> 'addresses' <> 'current' THEN (d.sets_observed ->> 'addresses')::timestamptz END,
                r.actual_updated, r.desired_updated) AS observed_at,
       coalesce(d.sets_observed ->> 'addresses' <> 'current', false) AS stale,
       now() - coalesce(CASE WHEN d.sets_observed ->> 'addresses' <> 'current' THEN (d.sets_observed ->> 'addresses')::timestamptz END,
                r.actual_updated, r.desired_updated) AS age,
       a.first_seen, a.updated_at AS changed_at, a.fabric_id, a.resource_id
  FROM fabric_sync.device_ip_address a
  JOIN fabric_sync.device d ON d.fabric_id = a.fabric_id AND d.name = a.device AND d.resource_id = a.resource_id
  JOIN fabric_sync.fabric f ON f.id = a.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = a.fabric_id AND r.id = a.resource_id;
COMMENT ON VIEW fabric_sync.addresses IS 'Addresses of every device, observed and declared.';
COMMENT ON COLUMN fabric_sync.addresses.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.addresses.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.addresses.device IS 'The device.';
COMMENT ON COLUMN fabric_sync.addresses.vrf IS 'Routing table; empty for the default one.';
COMMENT ON COLUMN fabric_sync.addresses.address IS 'Address with its prefix length.';
COMMENT ON COLUMN fabric_sync.addresses.interface IS 'Interface.';
COMMENT ON COLUMN fabric_sync.addresses.source IS 'Kind of the resource that tells it.';
COMMENT ON COLUMN fabric_sync.addresses.observed_at IS 'When this was observed last.';
COMMENT ON COLUMN fabric_sync.addresses.stale IS 'Whether the resource does not tell of it any more: what is shown is what it told last.';
COMMENT ON COLUMN fabric_sync.addresses.age IS 'Time since it was observed last.';
COMMENT ON COLUMN fabric_sync.addresses.first_seen IS 'When it was there first.';
COMMENT ON COLUMN fabric_sync.addresses.changed_at IS 'When it changed last.';
COMMENT ON COLUMN fabric_sync.addresses.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.addresses.resource_id IS 'The row of the table resource, for joins.';

CREATE VIEW fabric_sync.routes AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, t.device, t.vrf, t.prefix, t.protocol, t.next_hop, t.interface, t.metric, t.distance,
       d.source_kind AS source, coalesce(CASE WHEN d.sets_observed ->> 'routes' <> 'current' THEN (d.sets_observed ->> 'routes')::timestamptz END,
                r.actual_updated, r.desired_updated) AS observed_at,
       coalesce(d.sets_observed ->> 'routes' <> 'current', false) AS stale,
       now() - coalesce(CASE WHEN d.sets_observed ->> 'routes' <> 'current' THEN (d.sets_observed ->> 'routes')::timestamptz END,
                r.actual_updated, r.desired_updated) AS age,
       t.first_seen, t.updated_at AS changed_at, t.fabric_id, t.resource_id
  FROM fabric_sync.device_route t
  JOIN fabric_sync.device d ON d.fabric_id = t.fabric_id AND d.name = t.device AND d.resource_id = t.resource_id
  JOIN fabric_sync.fabric f ON f.id = t.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = t.fabric_id AND r.id = t.resource_id;
COMMENT ON VIEW fabric_sync.routes IS 'Routes of every device.';
COMMENT ON COLUMN fabric_sync.routes.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.routes.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.routes.device IS 'The device.';
COMMENT ON COLUMN fabric_sync.routes.vrf IS 'Routing table; empty for the default one.';
COMMENT ON COLUMN fabric_sync.routes.prefix IS 'Where to.';
COMMENT ON COLUMN fabric_sync.routes.protocol IS 'How it was learnt: connected, static, ospf, bgp.';
COMMENT ON COLUMN fabric_sync.routes.next_hop IS 'By whom; empty when directly connected.';
COMMENT ON COLUMN fabric_sync.routes.interface IS 'Interface.';
COMMENT ON COLUMN fabric_sync.routes.metric IS 'Metric.';
COMMENT ON COLUMN fabric_sync.routes.distance IS 'Administrative distance.';
COMMENT ON COLUMN fabric_sync.routes.source IS 'Kind of the resource that tells it.';
COMMENT ON COLUMN fabric_sync.routes.observed_at IS 'When this was observed last.';
COMMENT ON COLUMN fabric_sync.routes.stale IS 'Whether the resource does not tell of it any more: what is shown is what it told last.';
COMMENT ON COLUMN fabric_sync.routes.age IS 'Time since it was observed last.';
COMMENT ON COLUMN fabric_sync.routes.first_seen IS 'When it was there first.';
COMMENT ON COLUMN fabric_sync.routes.changed_at IS 'When it changed last.';
COMMENT ON COLUMN fabric_sync.routes.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.routes.resource_id IS 'The row of the table resource, for joins.';

CREATE VIEW fabric_sync.bgp_sessions AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, s.device, s.vrf, s.neighbor, s.state, s.bfd_state, s.local_asn, s.remote_asn, s.prefixes, s.established_at,
       d.source_kind AS source, coalesce(CASE WHEN d.sets_observed ->> 'bgpSessions' <> 'current' THEN (d.sets_observed ->> 'bgpSessions')::timestamptz END,
                r.actual_updated, r.desired_updated) AS observed_at,
       coalesce(d.sets_observed ->> 'bgpSessions' <> 'current', false) AS stale,
       now() - coalesce(CASE WHEN d.sets_observed ->> 'bgpSessions' <> 'current' THEN (d.sets_observed ->> 'bgpSessions')::timestamptz END,
                r.actual_updated, r.desired_updated) AS age,
       s.first_seen, s.updated_at AS changed_at, s.fabric_id, s.resource_id
  FROM fabric_sync.device_bgp_session s
  JOIN fabric_sync.device d ON d.fabric_id = s.fabric_id AND d.name = s.device AND d.resource_id = s.resource_id
  JOIN fabric_sync.fabric f ON f.id = s.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = s.fabric_id AND r.id = s.resource_id;
COMMENT ON VIEW fabric_sync.bgp_sessions IS 'BGP sessions of every device as it tells them, with the BFD session beside.';
COMMENT ON COLUMN fabric_sync.bgp_sessions.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.bgp_sessions.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.bgp_sessions.device IS 'The device.';
COMMENT ON COLUMN fabric_sync.bgp_sessions.vrf IS 'Routing table; empty for the default one.';
COMMENT ON COLUMN fabric_sync.bgp_sessions.neighbor IS 'Address of the neighbour.';
COMMENT ON COLUMN fabric_sync.bgp_sessions.state IS 'State of the session (RFC 4271).';
COMMENT ON COLUMN fabric_sync.bgp_sessions.bfd_state IS 'State of the BFD session with the same neighbour (RFC 5880); unknown when there is none.';
COMMENT ON COLUMN fabric_sync.bgp_sessions.local_asn IS 'AS number of this side.';
COMMENT ON COLUMN fabric_sync.bgp_sessions.remote_asn IS 'AS number of the other side.';
COMMENT ON COLUMN fabric_sync.bgp_sessions.prefixes IS 'Counts by address family, as told.';
COMMENT ON COLUMN fabric_sync.bgp_sessions.established_at IS 'When it was established last.';
COMMENT ON COLUMN fabric_sync.bgp_sessions.source IS 'Kind of the resource that tells it.';
COMMENT ON COLUMN fabric_sync.bgp_sessions.observed_at IS 'When this was observed last.';
COMMENT ON COLUMN fabric_sync.bgp_sessions.stale IS 'Whether the resource does not tell of it any more: what is shown is what it told last.';
COMMENT ON COLUMN fabric_sync.bgp_sessions.age IS 'Time since it was observed last.';
COMMENT ON COLUMN fabric_sync.bgp_sessions.first_seen IS 'When it was there first.';
COMMENT ON COLUMN fabric_sync.bgp_sessions.changed_at IS 'When it changed last.';
COMMENT ON COLUMN fabric_sync.bgp_sessions.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.bgp_sessions.resource_id IS 'The row of the table resource, for joins.';

CREATE VIEW fabric_sync.whereabouts AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, w.mac, w.address, w.device, w.interface, w.vlan, w.name, w.evidence,
       w.stale, coalesce(r.actual_updated, r.desired_updated) AS observed_at,
       now() - coalesce(r.actual_updated, r.desired_updated) AS age, w.fabric_id, w.resource_id
  FROM (SELECT m.fabric_id, m.resource_id, m.mac, NULL::inet AS address, m.device, m.interface, m.vlan, '' AS name, 'mac table' AS evidence,
               coalesce(d.sets_observed ->> 'macEntries' <> 'current', false) AS stale
          FROM fabric_sync.device_mac_entry m
          JOIN fabric_sync.device d ON d.fabric_id = m.fabric_id AND d.name = m.device AND d.resource_id = m.resource_id
        UNION ALL
        SELECT a.fabric_id, a.resource_id, CASE WHEN a.mac ~ '^([0-9a-f]{2}:){5}[0-9a-f]{2}$' THEN a.mac::macaddr END, a.address, a.device, a.interface, 0, '', 'arp table',
               coalesce(d.sets_observed ->> 'arpEntries' <> 'current', false)
          FROM fabric_sync.device_arp_entry a
          JOIN fabric_sync.device d ON d.fabric_id = a.fabric_id AND d.name = a.device AND d.resource_id = a.resource_id
        UNION ALL
        SELECT n.fabric_id, n.resource_id, n.remote_chassis_id::macaddr, NULL, n.device, n.interface, 0, n.remote_name, 'neighbour',
               coalesce(d.sets_observed ->> 'neighbors' <> 'current', false)
          FROM fabric_sync.device_neighbor n
          JOIN fabric_sync.device d ON d.fabric_id = n.fabric_id AND d.name = n.device AND d.resource_id = n.resource_id
         WHERE n.remote_chassis_id ~ '^([0-9a-f]{2}:){5}[0-9a-f]{2}$'
        UNION ALL
        SELECT i.fabric_id, i.resource_id, i.mac::macaddr, NULL, i.device, i.name, 0, '', 'interface',
               coalesce(d.sets_observed ->> 'interfaces' <> 'current', false)
          FROM fabric_sync.device_interface i
          JOIN fabric_sync.device d ON d.fabric_id = i.fabric_id AND d.name = i.device AND d.resource_id = i.resource_id
         WHERE i.mac ~ '^([0-9a-f]{2}:){5}[0-9a-f]{2}$'
        UNION ALL
        SELECT l.fabric_id, l.resource_id, l.mac, l.address, '', '', 0, l.hostname, 'dhcp lease in ' || l.subnet, false
          FROM fabric_sync.dhcp_lease l) w
  JOIN fabric_sync.fabric f ON f.id = w.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = w.fabric_id AND r.id = w.resource_id;
COMMENT ON VIEW fabric_sync.whereabouts IS 'Where a MAC address or an IP address was met: MAC and ARP tables, neighbours, interfaces, DHCP leases.';
COMMENT ON COLUMN fabric_sync.whereabouts.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.whereabouts.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.whereabouts.mac IS 'MAC address.';
COMMENT ON COLUMN fabric_sync.whereabouts.address IS 'IP address; NULL where none is told.';
COMMENT ON COLUMN fabric_sync.whereabouts.device IS 'Device that met it; empty for a lease.';
COMMENT ON COLUMN fabric_sync.whereabouts.interface IS 'Where; empty for a lease.';
COMMENT ON COLUMN fabric_sync.whereabouts.vlan IS 'VLAN; 0 where none is told.';
COMMENT ON COLUMN fabric_sync.whereabouts.name IS 'How it calls itself.';
COMMENT ON COLUMN fabric_sync.whereabouts.evidence IS 'What tells so.';
COMMENT ON COLUMN fabric_sync.whereabouts.stale IS 'Whether the resource does not tell of it any more: what is shown is what it told last.';
COMMENT ON COLUMN fabric_sync.whereabouts.observed_at IS 'When this was observed last.';
COMMENT ON COLUMN fabric_sync.whereabouts.age IS 'Time since it was observed last.';
COMMENT ON COLUMN fabric_sync.whereabouts.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.whereabouts.resource_id IS 'The row of the table resource, for joins.';

CREATE VIEW fabric_sync.links AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, l.device_a, l.interface_a, l.device_b, l.interface_b, l.kind, l.side,
       l.first_seen, l.updated_at AS changed_at, now() - coalesce(r.actual_updated, r.desired_updated) AS age, l.fabric_id, l.resource_id
  FROM fabric_sync.link l
  JOIN fabric_sync.fabric f ON f.id = l.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = l.fabric_id AND r.id = l.resource_id;
COMMENT ON VIEW fabric_sync.links IS 'Links as they are declared.';
COMMENT ON COLUMN fabric_sync.links.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.links.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.links.device_a IS 'Device at the first end.';
COMMENT ON COLUMN fabric_sync.links.interface_a IS 'Its interface.';
COMMENT ON COLUMN fabric_sync.links.device_b IS 'Device at the other end.';
COMMENT ON COLUMN fabric_sync.links.interface_b IS 'Its interface.';
COMMENT ON COLUMN fabric_sync.links.kind IS 'Variant of the declaration.';
COMMENT ON COLUMN fabric_sync.links.side IS 'Which side declares it.';
COMMENT ON COLUMN fabric_sync.links.first_seen IS 'When it was there first.';
COMMENT ON COLUMN fabric_sync.links.changed_at IS 'When it changed last.';
COMMENT ON COLUMN fabric_sync.links.age IS 'Time since it was observed last.';
COMMENT ON COLUMN fabric_sync.links.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.links.resource_id IS 'The row of the table resource, for joins.';
