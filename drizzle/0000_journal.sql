-- The runner's own table: applied before anything else by every run, safe to repeat, without a way back.
CREATE SCHEMA IF NOT EXISTS fabric_sync;

CREATE TABLE IF NOT EXISTS fabric_sync.schema_migration (
  version integer DEFAULT 0 NOT NULL,
  name text DEFAULT '' NOT NULL,
  checksum text DEFAULT '' NOT NULL,
  state text DEFAULT 'started' NOT NULL,
  duration_ms integer DEFAULT 0 NOT NULL,
  applied_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT schema_migration_pkey PRIMARY KEY (version),
  CONSTRAINT schema_migration_version_required CHECK (version > 0),
  CONSTRAINT schema_migration_name_required CHECK (name <> ''),
  CONSTRAINT schema_migration_checksum_required CHECK (checksum <> ''),
  CONSTRAINT schema_migration_checksum_length CHECK (length(checksum) IN (0, 64)),
  CONSTRAINT schema_migration_state_listed CHECK (state IN ('started', 'applied')),
  CONSTRAINT schema_migration_duration_ms_range CHECK (duration_ms >= 0)
);
COMMENT ON TABLE fabric_sync.schema_migration IS 'The journal of the migration runner: which files this database has seen. Writer: fabric-sync db migrate.';
COMMENT ON COLUMN fabric_sync.schema_migration.version IS 'Number of the file, from 1. Default: nothing sensible: refused by name. Writer: db migrate.';
COMMENT ON COLUMN fabric_sync.schema_migration.name IS 'File name without its ending. Default: nothing sensible: refused by name. Writer: db migrate.';
COMMENT ON COLUMN fabric_sync.schema_migration.checksum IS 'SHA-256 of the file in hex: an applied migration must not change. Default: nothing sensible: refused by name. Writer: db migrate.';
COMMENT ON COLUMN fabric_sync.schema_migration.state IS 'applied, or started while a migration without a transaction runs. Default: started: nothing is applied before it was seen to be. Writer: db migrate.';
COMMENT ON COLUMN fabric_sync.schema_migration.duration_ms IS 'How long it took, in milliseconds. Default: 0: not measured. Writer: db migrate.';
COMMENT ON COLUMN fabric_sync.schema_migration.applied_at IS 'When it was recorded. Default: now. Writer: db migrate.';
