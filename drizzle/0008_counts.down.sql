-- Takes no data with it.
DROP STATISTICS fabric_sync.resource_state_statistics;
DROP INDEX fabric_sync.resource_declared_idx;
