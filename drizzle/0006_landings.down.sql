-- Takes two views and an index away; no data is lost.
DROP VIEW fabric_sync.landings;
DROP VIEW fabric_sync.applied;
DROP INDEX fabric_sync.resource_event_commit_idx;
