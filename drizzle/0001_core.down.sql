-- Takes every row with it. Children before parents; nothing by CASCADE, so that what others hung on our tables stops it.
DROP TABLE fabric_sync.webhook_delivery;
DROP TABLE fabric_sync.sync_run;
DROP TABLE fabric_sync.git_file;
DROP TABLE fabric_sync.cursor;
DROP TABLE fabric_sync.resource_edge;
DROP TABLE fabric_sync.resource_dead_letter;
DROP TABLE fabric_sync.resource_event;
DROP SEQUENCE fabric_sync.resource_event_seq;
DROP TABLE fabric_sync.resource;
DROP TABLE fabric_sync.fabric;
