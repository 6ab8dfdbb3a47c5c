-- Takes every device cache with it; `resource` keeps what they were made of.
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
