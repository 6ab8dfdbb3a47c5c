-- Takes with it in which version each raw observation was seen last; the next heartbeats of the release before write them again.
ALTER TABLE fabric_sync.device_snapshot DROP COLUMN resource_version;
