-- Counting without reading rows, and questions by state that know how states are spread over fabrics.
CREATE INDEX resource_declared_idx ON fabric_sync.resource (fabric_id, resource_state, drift_status) WHERE desired_hash <> '';
COMMENT ON INDEX fabric_sync.resource_declared_idx IS 'How many objects Git declares; only a change of what Git declares touches it.';

-- Taken apart, the columns mislead: in a database whose other fabrics are all in one state the planner reads the whole table for another one.
CREATE STATISTICS fabric_sync.resource_state_statistics (mcv) ON fabric_id, resource_state, drift_status FROM fabric_sync.resource;
COMMENT ON STATISTICS fabric_sync.resource_state_statistics IS 'Which states and verdicts the objects of a fabric have, taken together.';
