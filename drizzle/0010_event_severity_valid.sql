-- no-transaction
ALTER TABLE fabric_sync.resource_event VALIDATE CONSTRAINT resource_event_drift_severity_listed;
--> statement-breakpoint
ALTER TABLE fabric_sync.resource_event VALIDATE CONSTRAINT resource_event_drift_score_range;
