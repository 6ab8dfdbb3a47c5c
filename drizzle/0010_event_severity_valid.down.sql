-- Takes no data with it.
ALTER TABLE fabric_sync.resource_event DROP CONSTRAINT resource_event_drift_severity_listed;
ALTER TABLE fabric_sync.resource_event ADD CONSTRAINT resource_event_drift_severity_listed CHECK (drift_severity IN ('none', 'low', 'medium', 'high', 'critical')) NOT VALID;
ALTER TABLE fabric_sync.resource_event DROP CONSTRAINT resource_event_drift_score_range;
ALTER TABLE fabric_sync.resource_event ADD CONSTRAINT resource_event_drift_score_range CHECK (drift_score BETWEEN 0 AND 100) NOT VALID;
