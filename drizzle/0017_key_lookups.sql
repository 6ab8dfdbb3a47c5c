-- Where the statistics say that a table is empty (vacuumed when everything in it had gone, or while a first take was not committed), all indexes that
-- begin with the fabric look equally cheap, and the look-up of a key or an id may go through one that leads to every row of the fabric: that of each
-- foreign key's check too, whose words are not ours. These three are there for whoever names their column, and for nobody else from now on.
DROP INDEX fabric_sync.resource_name_idx;
DROP INDEX fabric_sync.resource_state_idx;
DROP INDEX fabric_sync.resource_edge_target_idx;
CREATE INDEX resource_name_idx ON fabric_sync.resource (fabric_id, name) WHERE name IS NOT NULL;
CREATE INDEX resource_state_idx ON fabric_sync.resource (fabric_id, resource_state, drift_status) WHERE resource_state IS NOT NULL;
COMMENT ON INDEX fabric_sync.resource_name_idx IS 'Objects by name, or by the beginning of a name (LIKE ''leaf-%''), of whatever kind.';
COMMENT ON INDEX fabric_sync.resource_state_idx IS 'Objects in a state, and in a state with a drift status; counts by both, where they say resource_state > ''''.';
CREATE INDEX resource_edge_target_idx ON fabric_sync.resource_edge (fabric_id, target_api_group, target_kind, target_namespace, target_name) WHERE target_name IS NOT NULL;
COMMENT ON INDEX fabric_sync.resource_edge_target_idx IS 'What refers to an object.';
