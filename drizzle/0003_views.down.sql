-- Takes no data with it.
DROP VIEW fabric_sync.rejections;
DROP VIEW fabric_sync.links;
DROP VIEW fabric_sync.neighbors;
DROP VIEW fabric_sync.interfaces;
DROP VIEW fabric_sync.devices;
DROP VIEW fabric_sync.orphans;
DROP VIEW fabric_sync.drifts;
DROP VIEW fabric_sync.resources;
DROP VIEW fabric_sync.freshness;
