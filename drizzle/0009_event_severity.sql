-- History tells how much each change mattered, by the same rule as the row. What was written before says none.
ALTER TABLE fabric_sync.resource_event ADD COLUMN drift_severity text DEFAULT 'none' NOT NULL;
--> statement-breakpoint
ALTER TABLE fabric_sync.resource_event ADD COLUMN drift_score integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
-- History may be long: these are validated by the next step, under no lock that writers wait for.
ALTER TABLE fabric_sync.resource_event ADD CONSTRAINT resource_event_drift_severity_listed CHECK (drift_severity IN ('none', 'low', 'medium', 'high', 'critical')) NOT VALID;
--> statement-breakpoint
ALTER TABLE fabric_sync.resource_event ADD CONSTRAINT resource_event_drift_score_range CHECK (drift_score BETWEEN 0 AND 100) NOT VALID;
--> statement-breakpoint
COMMENT ON COLUMN fabric_sync.resource_event.drift_severity IS 'drift_severity of the row after. Default: none: no drift is known. Writer: store.';
--> statement-breakpoint
COMMENT ON COLUMN fabric_sync.resource_event.drift_score IS 'The same as a number from 0 to 100. Default: 0: no drift is known. Writer: store.';
