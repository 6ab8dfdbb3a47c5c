-- Takes no data with it.
DROP VIEW fabric_sync.fabrics;
