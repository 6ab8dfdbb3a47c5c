-- Takes no data with it: look-ups may be slow again while the statistics say that the table is empty.
DROP INDEX fabric_sync.resource_name_idx;
DROP INDEX fabric_sync.resource_state_idx;
DROP INDEX fabric_sync.resource_edge_target_idx;
CREATE INDEX resource_name_idx ON fabric_sync.resource (fabric_id, name);
CREATE INDEX resource_state_idx ON fabric_sync.resource (fabric_id, resource_state, drift_status);
COMMENT ON INDEX fabric_sync.resource_name_idx IS 'Objects by name, or by the beginning of a name (LIKE ''leaf-%''), of whatever kind.';
COMMENT ON INDEX fabric_sync.resource_state_idx IS 'Objects in a state, and in a state with a drift status; counts by both.';
CREATE INDEX resource_edge_target_idx ON fabric_sync.resource_edge (fabric_id, target_api_group, target_kind, target_namespace, target_name);
COMMENT ON INDEX fabric_sync.resource_edge_target_idx IS 'What refers to an object.';
