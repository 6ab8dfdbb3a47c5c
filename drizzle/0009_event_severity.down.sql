-- Takes with it how severe each recorded drift was.
ALTER TABLE fabric_sync.resource_event DROP COLUMN drift_score;
ALTER TABLE fabric_sync.resource_event DROP COLUMN drift_severity;
