-- The version in which a raw observation was seen last, so that a heartbeat keeps it for longer and a replay writes nothing.
ALTER TABLE fabric_sync.device_snapshot ADD COLUMN resource_version text DEFAULT '' NOT NULL;
--> statement-breakpoint
COMMENT ON COLUMN fabric_sync.device_snapshot.resource_version IS 'The resourceVersion in which it was seen last. What the observation says besides readings and heartbeats has not changed up to it. Default: empty: not known. Writer: projections.';
