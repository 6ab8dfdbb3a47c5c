-- Takes every device cache with it, and what was read of profiles, subnets and leases; `resource` keeps what they were made of.
DROP VIEW fabric_sync.links;
DROP VIEW fabric_sync.whereabouts;
DROP VIEW fabric_sync.bgp_sessions;
DROP VIEW fabric_sync.routes;
DROP VIEW fabric_sync.addresses;
DROP VIEW fabric_sync.neighbors;
DROP VIEW fabric_sync.interfaces;
DROP VIEW fabric_sync.devices;
DROP TABLE fabric_sync.profile_port;
DROP TABLE fabric_sync.dhcp_lease;
DROP TABLE fabric_sync.vpc_subnet;
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
  role text DEFAULT '' NOT NULL,
  site text DEFAULT '' NOT NULL,
  vendor text DEFAULT '' NOT NULL,
  model text DEFAULT '' NOT NULL,
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
  CONSTRAINT device_pkey PRIMARY KEY (fabric_id, name),
  CONSTRAINT device_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_resource_id_required CHECK (resource_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_name_required CHECK (name <> ''),
  CONSTRAINT device_asn_range CHECK (asn BETWEEN 0 AND 4294967295),
  CONSTRAINT device_inventory_is_object CHECK (jsonb_typeof(inventory) = 'object'),
  CONSTRAINT device_sets_observed_is_object CHECK (jsonb_typeof(sets_observed) = 'object'),
  CONSTRAINT device_resource_fkey FOREIGN KEY (fabric_id, resource_id) REFERENCES fabric_sync.resource (fabric_id, id) ON DELETE CASCADE
);
CREATE INDEX device_resource_idx ON fabric_sync.device (fabric_id, resource_id);
COMMENT ON TABLE fabric_sync.device IS 'A switch, server, gateway or other box, projected from the resource that tells of it. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.name IS 'Name of the device. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.resource_id IS 'The resource that it was projected from, and goes with. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.role IS 'Its role in the fabric: spine, server-leaf, … Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.site IS 'Where it stands. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.vendor IS 'Vendor. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.model IS 'Hardware model. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.serial_number IS 'Serial number. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.nos IS 'Network operating system. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.nos_version IS 'Its version. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.management_address IS 'Address of its management interface. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.chassis_id IS 'Chassis id that it announces to neighbours. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.asn IS 'AS number. NULL: it has none. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.inventory IS 'Power supplies, fans, temperatures, transceivers as observed. Default: none observed. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.sets_observed IS 'When each set of children was observed last: {"interfaces": time, …}. A set that is missing here was never observed. Default: none observed. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.first_seen IS 'When it was projected first. Default: now. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device.updated_at IS 'When the row changed last. Default: now. Writer: projections.';
COMMENT ON INDEX fabric_sync.device_resource_idx IS 'The devices made of a resource; deleting that asks for it.';

CREATE TABLE fabric_sync.device_interface (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  device text COLLATE "C" DEFAULT '' NOT NULL,
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
  CONSTRAINT device_interface_pkey PRIMARY KEY (fabric_id, device, name),
  CONSTRAINT device_interface_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_interface_device_required CHECK (device <> ''),
  CONSTRAINT device_interface_name_required CHECK (name <> ''),
  CONSTRAINT device_interface_admin_status_listed CHECK (admin_status IN ('unknown', 'up', 'down')),
  CONSTRAINT device_interface_oper_status_listed CHECK (oper_status IN ('unknown', 'up', 'down')),
  CONSTRAINT device_interface_speed_mbps_range CHECK (speed_mbps >= 0),
  CONSTRAINT device_interface_mtu_range CHECK (mtu >= 0),
  CONSTRAINT device_interface_transceiver_is_object CHECK (jsonb_typeof(transceiver) = 'object'),
  CONSTRAINT device_interface_device_fkey FOREIGN KEY (fabric_id, device) REFERENCES fabric_sync.device (fabric_id, name) ON DELETE CASCADE
);
COMMENT ON TABLE fabric_sync.device_interface IS 'Interfaces of a device. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_interface.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_interface.device IS 'The device. Default: empty is refused by name. Writer: projections.';
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
  vrf text COLLATE "C" DEFAULT '' NOT NULL,
  address inet DEFAULT '0.0.0.0' NOT NULL,
  interface text COLLATE "C" DEFAULT '' NOT NULL,
  first_seen timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT device_ip_address_pkey PRIMARY KEY (fabric_id, device, vrf, address, interface),
  CONSTRAINT device_ip_address_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_ip_address_device_required CHECK (device <> ''),
  CONSTRAINT device_ip_address_address_required CHECK (address <> '0.0.0.0'::inet),
  CONSTRAINT device_ip_address_device_fkey FOREIGN KEY (fabric_id, device) REFERENCES fabric_sync.device (fabric_id, name) ON DELETE CASCADE
);
COMMENT ON TABLE fabric_sync.device_ip_address IS 'Addresses of a device. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_ip_address.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_ip_address.device IS 'The device. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_ip_address.vrf IS 'Routing table; empty for the default one. Default: empty: the default one. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_ip_address.address IS 'Address with its prefix length. Default: 0.0.0.0 is nobody''s, and is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_ip_address.interface IS 'Interface that has it. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_ip_address.first_seen IS 'Since when it is there. Default: now. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_ip_address.updated_at IS 'When the row changed last: what is unchanged is not touched, see device.sets_observed. Default: now. Writer: projections.';

CREATE TABLE fabric_sync.device_neighbor (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  device text COLLATE "C" DEFAULT '' NOT NULL,
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
  CONSTRAINT device_neighbor_pkey PRIMARY KEY (fabric_id, device, interface, protocol, remote_chassis_id, remote_port),
  CONSTRAINT device_neighbor_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_neighbor_device_required CHECK (device <> ''),
  CONSTRAINT device_neighbor_interface_required CHECK (interface <> ''),
  CONSTRAINT device_neighbor_protocol_listed CHECK (protocol IN ('unknown', 'lldp', 'cdp')),
  CONSTRAINT device_neighbor_device_fkey FOREIGN KEY (fabric_id, device) REFERENCES fabric_sync.device (fabric_id, name) ON DELETE CASCADE
);
COMMENT ON TABLE fabric_sync.device_neighbor IS 'What a device hears at its ports by LLDP or CDP, as it was heard. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_neighbor.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_neighbor.device IS 'The device. Default: empty is refused by name. Writer: projections.';
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
  vrf text COLLATE "C" DEFAULT '' NOT NULL,
  address inet DEFAULT '0.0.0.0' NOT NULL,
  interface text COLLATE "C" DEFAULT '' NOT NULL,
  mac text DEFAULT '' NOT NULL,
  origin text DEFAULT 'unknown' NOT NULL,
  first_seen timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT device_arp_entry_pkey PRIMARY KEY (fabric_id, device, vrf, address, interface),
  CONSTRAINT device_arp_entry_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_arp_entry_device_required CHECK (device <> ''),
  CONSTRAINT device_arp_entry_address_required CHECK (address <> '0.0.0.0'::inet),
  CONSTRAINT device_arp_entry_origin_listed CHECK (origin IN ('unknown', 'dynamic', 'static')),
  CONSTRAINT device_arp_entry_device_fkey FOREIGN KEY (fabric_id, device) REFERENCES fabric_sync.device (fabric_id, name) ON DELETE CASCADE
);
COMMENT ON TABLE fabric_sync.device_arp_entry IS 'ARP and IPv6 neighbour entries of a device. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_arp_entry.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_arp_entry.device IS 'The device. Default: empty is refused by name. Writer: projections.';
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
  vlan integer DEFAULT 0 NOT NULL,
  mac macaddr DEFAULT '00:00:00:00:00:00' NOT NULL,
  interface text COLLATE "C" DEFAULT '' NOT NULL,
  origin text DEFAULT 'unknown' NOT NULL,
  first_seen timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT device_mac_entry_pkey PRIMARY KEY (fabric_id, device, vlan, mac, interface),
  CONSTRAINT device_mac_entry_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_mac_entry_device_required CHECK (device <> ''),
  CONSTRAINT device_mac_entry_vlan_range CHECK (vlan BETWEEN 0 AND 4094),
  CONSTRAINT device_mac_entry_mac_required CHECK (mac <> '00:00:00:00:00:00'::macaddr),
  CONSTRAINT device_mac_entry_origin_listed CHECK (origin IN ('unknown', 'dynamic', 'static')),
  CONSTRAINT device_mac_entry_device_fkey FOREIGN KEY (fabric_id, device) REFERENCES fabric_sync.device (fabric_id, name) ON DELETE CASCADE
);
COMMENT ON TABLE fabric_sync.device_mac_entry IS 'Entries of the MAC table of a device. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_mac_entry.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_mac_entry.device IS 'The device. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_mac_entry.vlan IS 'VLAN; 0 where there is none. Default: 0: none. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_mac_entry.mac IS 'MAC address. Default: the zero address is nobody''s, and is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_mac_entry.interface IS 'Interface behind which it is. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_mac_entry.origin IS 'Learnt or configured. Default: unknown: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_mac_entry.first_seen IS 'Since when it is there. Default: now. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_mac_entry.updated_at IS 'When the row changed last: what is unchanged is not touched, see device.sets_observed. Default: now. Writer: projections.';

CREATE TABLE fabric_sync.device_route (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  device text COLLATE "C" DEFAULT '' NOT NULL,
  vrf text COLLATE "C" DEFAULT '' NOT NULL,
  prefix cidr DEFAULT '255.255.255.255/32' NOT NULL,
  protocol text COLLATE "C" DEFAULT 'unknown' NOT NULL,
  next_hop text COLLATE "C" DEFAULT '' NOT NULL,
  interface text COLLATE "C" DEFAULT '' NOT NULL,
  metric bigint DEFAULT 0 NOT NULL,
  distance integer DEFAULT 0 NOT NULL,
  first_seen timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT device_route_pkey PRIMARY KEY (fabric_id, device, vrf, prefix, protocol, next_hop, interface),
  CONSTRAINT device_route_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_route_device_required CHECK (device <> ''),
  CONSTRAINT device_route_prefix_required CHECK (prefix <> '255.255.255.255/32'::cidr),
  CONSTRAINT device_route_protocol_listed CHECK (protocol IN ('unknown', 'connected', 'static', 'ospf', 'bgp')),
  CONSTRAINT device_route_metric_range CHECK (metric >= 0),
  CONSTRAINT device_route_distance_range CHECK (distance BETWEEN 0 AND 255),
  CONSTRAINT device_route_device_fkey FOREIGN KEY (fabric_id, device) REFERENCES fabric_sync.device (fabric_id, name) ON DELETE CASCADE
);
COMMENT ON TABLE fabric_sync.device_route IS 'Routes of a device. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_route.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_route.device IS 'The device. Default: empty is refused by name. Writer: projections.';
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
  vrf text COLLATE "C" DEFAULT '' NOT NULL,
  neighbor text COLLATE "C" DEFAULT '' NOT NULL,
  state text DEFAULT 'unknown' NOT NULL,
  local_asn bigint,
  remote_asn bigint,
  prefixes jsonb DEFAULT '{}'::jsonb NOT NULL,
  established_at timestamp with time zone,
  first_seen timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT device_bgp_session_pkey PRIMARY KEY (fabric_id, device, vrf, neighbor),
  CONSTRAINT device_bgp_session_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_bgp_session_device_required CHECK (device <> ''),
  CONSTRAINT device_bgp_session_neighbor_required CHECK (neighbor <> ''),
  CONSTRAINT device_bgp_session_state_listed CHECK (state IN ('unknown', 'idle', 'connect', 'active', 'open_sent', 'open_confirm', 'established')),
  CONSTRAINT device_bgp_session_local_asn_range CHECK (local_asn BETWEEN 0 AND 4294967295),
  CONSTRAINT device_bgp_session_remote_asn_range CHECK (remote_asn BETWEEN 0 AND 4294967295),
  CONSTRAINT device_bgp_session_prefixes_is_object CHECK (jsonb_typeof(prefixes) = 'object'),
  CONSTRAINT device_bgp_session_device_fkey FOREIGN KEY (fabric_id, device) REFERENCES fabric_sync.device (fabric_id, name) ON DELETE CASCADE
);
COMMENT ON TABLE fabric_sync.device_bgp_session IS 'BGP sessions of a device. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_bgp_session.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_bgp_session.device IS 'The device. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_bgp_session.vrf IS 'Routing table; empty for the default one. Default: empty: the default one. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_bgp_session.neighbor IS 'Address or interface of the neighbour. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_bgp_session.state IS 'State of the session (RFC 4271). Default: unknown: not observed is not down. Writer: projections.';
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
  kind text DEFAULT '' NOT NULL,
  declared boolean DEFAULT false NOT NULL,
  observed boolean DEFAULT false NOT NULL,
  verdict text DEFAULT 'unknown' NOT NULL,
  evidence text DEFAULT 'none' NOT NULL,
  details jsonb DEFAULT '{}'::jsonb NOT NULL,
  first_seen timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT link_pkey PRIMARY KEY (fabric_id, device_a, interface_a, device_b, interface_b),
  CONSTRAINT link_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT link_device_a_required CHECK (device_a <> ''),
  CONSTRAINT link_device_b_required CHECK (device_b <> ''),
  CONSTRAINT link_ends_ordered CHECK ((device_a, interface_a) <= (device_b, interface_b)),
  CONSTRAINT link_verdict_listed CHECK (verdict IN ('unknown', 'match', 'missing', 'wrong_device', 'wrong_port', 'one_sided', 'unexpected', 'down', 'ambiguous')),
  CONSTRAINT link_evidence_listed CHECK (evidence IN ('none', 'both_ends', 'one_end', 'name_only', 'address_only')),
  CONSTRAINT link_details_is_object CHECK (jsonb_typeof(details) = 'object'),
  CONSTRAINT link_fabric_fkey FOREIGN KEY (fabric_id) REFERENCES fabric_sync.fabric (id) ON DELETE CASCADE
);
COMMENT ON TABLE fabric_sync.link IS 'A cable between two interfaces: declared, observed, or both. Its ends are names and may lead to devices that nobody mirrors. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.device_a IS 'The device that is first in byte order. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.interface_a IS 'Its interface. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.device_b IS 'The other device. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.interface_b IS 'Its interface. Default: empty: not told. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.kind IS 'What the cable is for, as declared: fabric, mclag, unbundled, … Default: empty: not declared. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.declared IS 'Whether Git or the cluster''s objects declare it. Default: false: nobody said so. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.observed IS 'Whether a device was seen to hear the other. Default: false: nobody saw it. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.verdict IS 'What comparing the two says. Default: unknown: not compared is not a match. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.evidence IS 'What the observation rests on. Default: none: not observed. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.details IS 'The rows that declare and show it, and candidates where it is ambiguous. Default: none. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.first_seen IS 'Since when it is known. Default: now. Writer: projections.';
COMMENT ON COLUMN fabric_sync.link.updated_at IS 'When the row changed last. Default: now. Writer: projections.';

CREATE TABLE fabric_sync.device_snapshot (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  device text COLLATE "C" DEFAULT '' NOT NULL,
  source text COLLATE "C" DEFAULT '' NOT NULL,
  observation jsonb DEFAULT '{}'::jsonb NOT NULL,
  observed_at timestamp with time zone DEFAULT now() NOT NULL,
  expires_at timestamp with time zone DEFAULT (now() + '00:30:00'::interval) NOT NULL,
  CONSTRAINT device_snapshot_pkey PRIMARY KEY (fabric_id, device, source),
  CONSTRAINT device_snapshot_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT device_snapshot_device_required CHECK (device <> ''),
  CONSTRAINT device_snapshot_source_required CHECK (source <> ''),
  CONSTRAINT device_snapshot_observation_is_object CHECK (jsonb_typeof(observation) = 'object'),
  CONSTRAINT device_snapshot_device_fkey FOREIGN KEY (fabric_id, device) REFERENCES fabric_sync.device (fabric_id, name) ON DELETE CASCADE
);
COMMENT ON TABLE fabric_sync.device_snapshot IS 'The raw observation of a device, kept for a while beside the tables that were made of it. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_snapshot.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.device_snapshot.device IS 'The device. Default: empty is refused by name. Writer: projections.';
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
SELECT f.namespace AS fabric_namespace, f.name AS fabric, d.name, d.role, d.site, d.vendor, d.model, d.serial_number,
       d.nos, d.nos_version, d.management_address, d.chassis_id, d.asn, d.inventory, d.sets_observed,
       r.kind AS source_kind, r.resource_state, r.actual_updated AS observed_at, now() - r.actual_updated AS age,
       d.first_seen, d.updated_at, d.fabric_id, d.resource_id
  FROM fabric_sync.device d
  JOIN fabric_sync.fabric f ON f.id = d.fabric_id
  JOIN fabric_sync.resource r ON r.fabric_id = d.fabric_id AND r.id = d.resource_id;
COMMENT ON VIEW fabric_sync.devices IS 'Devices of every fabric, with the age of what is known of them.';
COMMENT ON COLUMN fabric_sync.devices.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.devices.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.devices.name IS 'Name of the device.';
COMMENT ON COLUMN fabric_sync.devices.role IS 'Its role in the fabric: spine, server-leaf, …';
COMMENT ON COLUMN fabric_sync.devices.site IS 'Where it stands.';
COMMENT ON COLUMN fabric_sync.devices.vendor IS 'Vendor.';
COMMENT ON COLUMN fabric_sync.devices.model IS 'Hardware model.';
COMMENT ON COLUMN fabric_sync.devices.serial_number IS 'Serial number.';
COMMENT ON COLUMN fabric_sync.devices.nos IS 'Network operating system.';
COMMENT ON COLUMN fabric_sync.devices.nos_version IS 'Its version.';
COMMENT ON COLUMN fabric_sync.devices.management_address IS 'Address of its management interface.';
COMMENT ON COLUMN fabric_sync.devices.chassis_id IS 'Chassis id that it announces to neighbours.';
COMMENT ON COLUMN fabric_sync.devices.asn IS 'AS number.';
COMMENT ON COLUMN fabric_sync.devices.inventory IS 'Power supplies, fans, temperatures, transceivers as observed.';
COMMENT ON COLUMN fabric_sync.devices.sets_observed IS 'When each set of children was observed last: {"interfaces": time, …}. A set that is missing here was never observed.';
COMMENT ON COLUMN fabric_sync.devices.source_kind IS 'Kind of the resource that the device was projected from.';
COMMENT ON COLUMN fabric_sync.devices.resource_state IS 'Where the object stands between Git and cluster; see the drawing in core/reduce.ts.';
COMMENT ON COLUMN fabric_sync.devices.observed_at IS 'When this was observed last.';
COMMENT ON COLUMN fabric_sync.devices.age IS 'Time since it was observed last.';
COMMENT ON COLUMN fabric_sync.devices.first_seen IS 'When it was projected first.';
COMMENT ON COLUMN fabric_sync.devices.updated_at IS 'When the row changed last.';
COMMENT ON COLUMN fabric_sync.devices.fabric_id IS 'The fabric, for joins.';
COMMENT ON COLUMN fabric_sync.devices.resource_id IS 'The row of the table resource, for joins.';

CREATE VIEW fabric_sync.interfaces AS
SELECT d.fabric_namespace, d.fabric, i.device, i.name, i.nos_name, i.description, i.admin_status, i.oper_status,
       i.speed_mbps, i.mtu, i.fec, i.mac, i.lag, i.transceiver,
       ARRAY(SELECT a.address FROM fabric_sync.device_ip_address a
              WHERE a.fabric_id = i.fabric_id AND a.device = i.device AND a.interface = i.name
              ORDER BY a.address) AS addresses,
       d.sets_observed ->> 'interfaces' AS observed_at, i.updated_at AS changed_at, d.age, i.fabric_id
  FROM fabric_sync.device_interface i
  JOIN fabric_sync.devices d ON d.fabric_id = i.fabric_id AND d.name = i.device;
COMMENT ON VIEW fabric_sync.interfaces IS 'Interfaces with their addresses.';
COMMENT ON COLUMN fabric_sync.interfaces.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.interfaces.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.interfaces.device IS 'The device.';
COMMENT ON COLUMN fabric_sync.interfaces.name IS 'Name as the fabric knows it (E1/5).';
COMMENT ON COLUMN fabric_sync.interfaces.nos_name IS 'Name as the network operating system knows it (Ethernet4).';
COMMENT ON COLUMN fabric_sync.interfaces.description IS 'Description.';
COMMENT ON COLUMN fabric_sync.interfaces.admin_status IS 'What was configured.';
COMMENT ON COLUMN fabric_sync.interfaces.oper_status IS 'What is the case.';
COMMENT ON COLUMN fabric_sync.interfaces.speed_mbps IS 'Speed in Mbit/s.';
COMMENT ON COLUMN fabric_sync.interfaces.mtu IS 'MTU in bytes.';
COMMENT ON COLUMN fabric_sync.interfaces.fec IS 'Forward error correction.';
COMMENT ON COLUMN fabric_sync.interfaces.mac IS 'MAC address as told.';
COMMENT ON COLUMN fabric_sync.interfaces.lag IS 'The aggregate that it is a member of.';
COMMENT ON COLUMN fabric_sync.interfaces.transceiver IS 'What is plugged in, as told.';
COMMENT ON COLUMN fabric_sync.interfaces.addresses IS 'Addresses of the interface.';
COMMENT ON COLUMN fabric_sync.interfaces.observed_at IS 'When this was observed last.';
COMMENT ON COLUMN fabric_sync.interfaces.changed_at IS 'When the row changed last.';
COMMENT ON COLUMN fabric_sync.interfaces.age IS 'Time since it was observed last.';
COMMENT ON COLUMN fabric_sync.interfaces.fabric_id IS 'The fabric, for joins.';

CREATE VIEW fabric_sync.neighbors AS
SELECT d.fabric_namespace, d.fabric, n.device, n.interface, n.protocol, n.remote_name, n.remote_port, n.remote_chassis_id,
       n.remote_port_description, n.remote_description, n.remote_management_address,
       d.sets_observed ->> 'neighbors' AS observed_at, n.first_seen, n.updated_at AS changed_at, d.age, n.fabric_id
  FROM fabric_sync.device_neighbor n
  JOIN fabric_sync.devices d ON d.fabric_id = n.fabric_id AND d.name = n.device;
COMMENT ON VIEW fabric_sync.neighbors IS 'What each device hears at each port.';
COMMENT ON COLUMN fabric_sync.neighbors.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.neighbors.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.neighbors.device IS 'The device.';
COMMENT ON COLUMN fabric_sync.neighbors.interface IS 'Local interface.';
COMMENT ON COLUMN fabric_sync.neighbors.protocol IS 'lldp or cdp.';
COMMENT ON COLUMN fabric_sync.neighbors.remote_name IS 'System name of the neighbour.';
COMMENT ON COLUMN fabric_sync.neighbors.remote_port IS 'Port id of the neighbour.';
COMMENT ON COLUMN fabric_sync.neighbors.remote_chassis_id IS 'Chassis id of the neighbour.';
COMMENT ON COLUMN fabric_sync.neighbors.remote_port_description IS 'Port description of the neighbour.';
COMMENT ON COLUMN fabric_sync.neighbors.remote_description IS 'System description of the neighbour.';
COMMENT ON COLUMN fabric_sync.neighbors.remote_management_address IS 'Management address of the neighbour.';
COMMENT ON COLUMN fabric_sync.neighbors.observed_at IS 'When this was observed last.';
COMMENT ON COLUMN fabric_sync.neighbors.first_seen IS 'Since when it is there.';
COMMENT ON COLUMN fabric_sync.neighbors.changed_at IS 'When the row changed last.';
COMMENT ON COLUMN fabric_sync.neighbors.age IS 'Time since it was observed last.';
COMMENT ON COLUMN fabric_sync.neighbors.fabric_id IS 'The fabric, for joins.';

CREATE VIEW fabric_sync.links AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, l.device_a, l.interface_a, l.device_b, l.interface_b, l.kind,
       l.declared, l.observed, l.verdict, l.evidence, l.details, l.first_seen, l.updated_at AS changed_at,
       now() - l.updated_at AS age, l.fabric_id
  FROM fabric_sync.link l
  JOIN fabric_sync.fabric f ON f.id = l.fabric_id;
COMMENT ON VIEW fabric_sync.links IS 'Cables, declared and observed, with the verdict on each.';
COMMENT ON COLUMN fabric_sync.links.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.links.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.links.device_a IS 'The device that is first in byte order.';
COMMENT ON COLUMN fabric_sync.links.interface_a IS 'Its interface.';
COMMENT ON COLUMN fabric_sync.links.device_b IS 'The other device.';
COMMENT ON COLUMN fabric_sync.links.interface_b IS 'Its interface.';
COMMENT ON COLUMN fabric_sync.links.kind IS 'What the cable is for, as declared: fabric, mclag, unbundled, …';
COMMENT ON COLUMN fabric_sync.links.declared IS 'Whether Git or the cluster''s objects declare it.';
COMMENT ON COLUMN fabric_sync.links.observed IS 'Whether a device was seen to hear the other.';
COMMENT ON COLUMN fabric_sync.links.verdict IS 'What comparing the two says.';
COMMENT ON COLUMN fabric_sync.links.evidence IS 'What the observation rests on.';
COMMENT ON COLUMN fabric_sync.links.details IS 'The rows that declare and show it, and candidates where it is ambiguous.';
COMMENT ON COLUMN fabric_sync.links.first_seen IS 'Since when it is known.';
COMMENT ON COLUMN fabric_sync.links.changed_at IS 'When the row changed last.';
COMMENT ON COLUMN fabric_sync.links.age IS 'Time since the row changed last.';
COMMENT ON COLUMN fabric_sync.links.fabric_id IS 'The fabric, for joins.';

-- What `db migrate` had granted to the views that were there before.
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'fabric_sync_reader') THEN
    GRANT SELECT ON fabric_sync.devices, fabric_sync.interfaces, fabric_sync.neighbors, fabric_sync.links TO fabric_sync_reader;
  END IF;
END $$;
