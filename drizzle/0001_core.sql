-- Core: fabrics, resources with both sides, their history, and how far each source was taken in.
-- Made from src/store/schema by drizzle-kit, then completed by hand: partitions, storage, comments.
COMMENT ON SCHEMA fabric_sync IS 'fabric-sync: network fabrics, desired beside actual.';

CREATE TABLE fabric_sync.fabric (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  namespace text COLLATE "C" DEFAULT '' NOT NULL,
  name text COLLATE "C" DEFAULT '' NOT NULL,
  uid text COLLATE "C" DEFAULT '' NOT NULL,
  writer_epoch bigint DEFAULT 0 NOT NULL,
  writer_holder text DEFAULT '' NOT NULL,
  writer_acquired_at timestamp with time zone,
  history_retention interval DEFAULT '90 days'::interval NOT NULL,
  tombstone_retention interval DEFAULT '30 days'::interval NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  detached_at timestamp with time zone,
  retiring_at timestamp with time zone,
  CONSTRAINT fabric_pkey PRIMARY KEY (id),
  CONSTRAINT fabric_namespace_required CHECK (namespace <> ''),
  CONSTRAINT fabric_name_required CHECK (name <> ''),
  CONSTRAINT fabric_uid_required CHECK (uid <> ''),
  CONSTRAINT fabric_id_required CHECK (id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT fabric_writer_epoch_range CHECK (writer_epoch >= 0),
  CONSTRAINT fabric_history_retention_range CHECK (history_retention >= '0'::interval),
  CONSTRAINT fabric_tombstone_retention_range CHECK (tombstone_retention >= '0'::interval)
);
CREATE UNIQUE INDEX fabric_live_name_key ON fabric_sync.fabric (namespace, name) WHERE detached_at IS NULL AND retiring_at IS NULL;
CREATE UNIQUE INDEX fabric_uid_key ON fabric_sync.fabric (uid);
COMMENT ON TABLE fabric_sync.fabric IS 'One row for each Fabric object, with the fence of its writers. Writer: the controller.';
COMMENT ON COLUMN fabric_sync.fabric.id IS 'Identity of the fabric in every other table. Default: made at random: nothing depends on its value. Writer: controller.';
COMMENT ON COLUMN fabric_sync.fabric.namespace IS 'Kubernetes namespace of the Fabric object. Default: empty is refused by name. Writer: controller.';
COMMENT ON COLUMN fabric_sync.fabric.name IS 'Name of the Fabric object. Default: empty is refused by name. Writer: controller.';
COMMENT ON COLUMN fabric_sync.fabric.uid IS 'metadata.uid of the Fabric object: a recreated one is another fabric. Default: empty is refused by name. Writer: controller.';
COMMENT ON COLUMN fabric_sync.fabric.writer_epoch IS 'The current fence: only a writer that holds this number may commit. It only grows. Default: 0: nobody has ever written. Writer: whoever takes over the fabric.';
COMMENT ON COLUMN fabric_sync.fabric.writer_holder IS 'Who holds the fence, for people. Default: empty: nobody yet. Writer: whoever takes over the fabric.';
COMMENT ON COLUMN fabric_sync.fabric.writer_acquired_at IS 'When the fence was taken. NULL: never. Writer: whoever takes over the fabric.';
COMMENT ON COLUMN fabric_sync.fabric.history_retention IS 'How long history is kept, at least. Default: 90 days, as in the Fabric API. Writer: controller.';
COMMENT ON COLUMN fabric_sync.fabric.tombstone_retention IS 'How long the rows of deleted objects are kept. Default: 30 days, as in the Fabric API. Writer: controller.';
COMMENT ON COLUMN fabric_sync.fabric.created_at IS 'When the fabric was registered. Default: now. Writer: controller.';
COMMENT ON COLUMN fabric_sync.fabric.detached_at IS 'When the Fabric object was deleted with its rows to be kept. NULL: it is there. Writer: controller.';
COMMENT ON COLUMN fabric_sync.fabric.retiring_at IS 'When the deletion of its rows began; they go in chunks. NULL: it is not being deleted. Writer: controller.';
COMMENT ON INDEX fabric_sync.fabric_live_name_key IS 'One live Fabric object has a name; the controller finds a fabric by it.';
COMMENT ON INDEX fabric_sync.fabric_uid_key IS 'The controller finds a fabric by the uid of its object.';

-- fillfactor: room for an update on its own page, so that it touches no index (HOT). The GIN index keeps a short list of what
-- is not sorted in yet, because every search reads that list.
CREATE TABLE fabric_sync.resource (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  api_group text COLLATE "C" DEFAULT '' NOT NULL,
  api_version text DEFAULT '' NOT NULL,
  kind text COLLATE "C" DEFAULT '' NOT NULL,
  namespace text COLLATE "C" DEFAULT '' NOT NULL,
  name text COLLATE "C" DEFAULT '' NOT NULL,
  labels jsonb DEFAULT '{}'::jsonb NOT NULL,
  annotations jsonb DEFAULT '{}'::jsonb NOT NULL,
  custom_field_data jsonb DEFAULT '{}'::jsonb NOT NULL,
  first_seen timestamp with time zone DEFAULT now() NOT NULL,
  desired_spec jsonb,
  desired_labels jsonb DEFAULT '{}'::jsonb NOT NULL,
  desired_annotations jsonb DEFAULT '{}'::jsonb NOT NULL,
  desired_hash text DEFAULT '' NOT NULL,
  desired_commit text DEFAULT '' NOT NULL,
  desired_file_path text DEFAULT '' NOT NULL,
  desired_line integer DEFAULT 0 NOT NULL,
  desired_updated timestamp with time zone,
  actual_spec jsonb,
  actual_status jsonb,
  actual_hash text DEFAULT '' NOT NULL,
  actual_uid text DEFAULT '' NOT NULL,
  actual_generation bigint DEFAULT 0 NOT NULL,
  actual_resource_version text DEFAULT '' NOT NULL,
  actual_updated timestamp with time zone,
  deletion_requested_at timestamp with time zone,
  resource_state text DEFAULT 'pending' NOT NULL,
  state_change_reason text DEFAULT '' NOT NULL,
  last_state_change timestamp with time zone DEFAULT now() NOT NULL,
  drift_status text DEFAULT 'unknown' NOT NULL,
  drift_severity text DEFAULT 'none' NOT NULL,
  drift_score integer DEFAULT 0 NOT NULL,
  drift_details jsonb DEFAULT '{}'::jsonb NOT NULL,
  last_drift_check timestamp with time zone,
  drift_since timestamp with time zone,
  dependency_score integer DEFAULT 0 NOT NULL,
  relationship_metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
  sync_direction text DEFAULT 'observe' NOT NULL,
  sync_attempts integer DEFAULT 0 NOT NULL,
  reconciliation_attempts integer DEFAULT 0 NOT NULL,
  last_sync_error text DEFAULT '' NOT NULL,
  last_synced_commit text DEFAULT '' NOT NULL,
  last_reconciliation timestamp with time zone,
  sync_metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
  managed_file_path text DEFAULT '' NOT NULL,
  file_hash text DEFAULT '' NOT NULL,
  last_file_sync timestamp with time zone,
  conflict_status text DEFAULT 'none' NOT NULL,
  conflict_details jsonb DEFAULT '{}'::jsonb NOT NULL,
  external_modifications jsonb DEFAULT '[]'::jsonb NOT NULL,
  write_path text DEFAULT 'repair' NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT resource_pkey PRIMARY KEY (fabric_id, api_group, kind, namespace, name),
  CONSTRAINT resource_id_key UNIQUE (fabric_id, id),
  CONSTRAINT resource_id_required CHECK (id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT resource_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT resource_kind_required CHECK (kind <> ''),
  CONSTRAINT resource_name_required CHECK (name <> ''),
  CONSTRAINT resource_labels_is_object CHECK (jsonb_typeof(labels) = 'object'),
  CONSTRAINT resource_annotations_is_object CHECK (jsonb_typeof(annotations) = 'object'),
  CONSTRAINT resource_custom_field_data_is_object CHECK (jsonb_typeof(custom_field_data) = 'object'),
  CONSTRAINT resource_desired_labels_is_object CHECK (jsonb_typeof(desired_labels) = 'object'),
  CONSTRAINT resource_desired_annotations_is_object CHECK (jsonb_typeof(desired_annotations) = 'object'),
  CONSTRAINT resource_drift_details_is_object CHECK (jsonb_typeof(drift_details) = 'object'),
  CONSTRAINT resource_relationship_metadata_is_object CHECK (jsonb_typeof(relationship_metadata) = 'object'),
  CONSTRAINT resource_sync_metadata_is_object CHECK (jsonb_typeof(sync_metadata) = 'object'),
  CONSTRAINT resource_conflict_details_is_object CHECK (jsonb_typeof(conflict_details) = 'object'),
  CONSTRAINT resource_external_modifications_is_array CHECK (jsonb_typeof(external_modifications) = 'array'),
  CONSTRAINT resource_desired_spec_not_json_null CHECK (jsonb_typeof(desired_spec) <> 'null'),
  CONSTRAINT resource_actual_spec_not_json_null CHECK (jsonb_typeof(actual_spec) <> 'null'),
  CONSTRAINT resource_actual_status_not_json_null CHECK (jsonb_typeof(actual_status) <> 'null'),
  CONSTRAINT resource_desired_hash_length CHECK (length(desired_hash) IN (0, 64)),
  CONSTRAINT resource_actual_hash_length CHECK (length(actual_hash) IN (0, 64)),
  CONSTRAINT resource_desired_commit_length CHECK (length(desired_commit) IN (0, 40, 64)),
  CONSTRAINT resource_last_synced_commit_length CHECK (length(last_synced_commit) IN (0, 40, 64)),
  CONSTRAINT resource_file_hash_length CHECK (length(file_hash) IN (0, 40, 64)),
  CONSTRAINT resource_desired_line_range CHECK (desired_line >= 0),
  CONSTRAINT resource_actual_generation_range CHECK (actual_generation >= 0),
  CONSTRAINT resource_sync_attempts_range CHECK (sync_attempts >= 0),
  CONSTRAINT resource_reconciliation_attempts_range CHECK (reconciliation_attempts >= 0),
  CONSTRAINT resource_drift_score_range CHECK (drift_score BETWEEN 0 AND 100),
  CONSTRAINT resource_dependency_score_range CHECK (dependency_score BETWEEN 0 AND 100),
  CONSTRAINT resource_resource_state_listed CHECK (resource_state IN ('pending', 'committed', 'synced', 'drifted', 'orphaned', 'terminating', 'deleted', 'external')),
  CONSTRAINT resource_drift_status_listed CHECK (drift_status IN ('unknown', 'in_sync', 'drifted', 'missing', 'extra', 'untracked', 'invalid')),
  CONSTRAINT resource_drift_severity_listed CHECK (drift_severity IN ('none', 'low', 'medium', 'high', 'critical')),
  CONSTRAINT resource_sync_direction_listed CHECK (sync_direction IN ('observe', 'git_to_cluster', 'cluster_to_git', 'bidirectional')),
  CONSTRAINT resource_conflict_status_listed CHECK (conflict_status IN ('none', 'detected', 'resolved')),
  CONSTRAINT resource_write_path_listed CHECK (write_path IN ('watch', 'list', 'git_poll', 'git_webhook', 'cli', 'import', 'repair')),
  CONSTRAINT resource_fabric_fkey FOREIGN KEY (fabric_id) REFERENCES fabric_sync.fabric (id)
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
CREATE INDEX resource_labels_idx ON fabric_sync.resource USING gin (labels jsonb_path_ops) WITH (gin_pending_list_limit = 256);
CREATE INDEX resource_owner_idx ON fabric_sync.resource USING gin (relationship_metadata jsonb_path_ops) WITH (gin_pending_list_limit = 256) WHERE relationship_metadata ? 'owners';
CREATE INDEX resource_name_idx ON fabric_sync.resource (fabric_id, name);
CREATE INDEX resource_state_idx ON fabric_sync.resource (fabric_id, resource_state, drift_status);
CREATE INDEX resource_drift_idx ON fabric_sync.resource (fabric_id, kind, drift_status) WHERE drift_status IN ('drifted', 'missing', 'extra', 'invalid');
COMMENT ON TABLE fabric_sync.resource IS 'One row for each Kubernetes object identity of a fabric: what Git says beside what the cluster says. Writer: the one INSERT of the store.';
COMMENT ON COLUMN fabric_sync.resource.id IS 'Identity of the row for tables that refer to it. Default: made at random, for rows made by hand. Writer: builder.';
COMMENT ON COLUMN fabric_sync.resource.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: builder.';
COMMENT ON COLUMN fabric_sync.resource.api_group IS 'API group; empty for the core group. Default: empty: the core group. Writer: builder.';
COMMENT ON COLUMN fabric_sync.resource.api_version IS 'group/version as seen last. Default: empty: not seen. Writer: builder.';
COMMENT ON COLUMN fabric_sync.resource.kind IS 'Kind. Default: empty is refused by name. Writer: builder.';
COMMENT ON COLUMN fabric_sync.resource.namespace IS 'Namespace of the object; empty for cluster-scoped ones. Default: empty: cluster scope. Writer: builder.';
COMMENT ON COLUMN fabric_sync.resource.name IS 'metadata.name. Default: empty is refused by name. Writer: builder.';
COMMENT ON COLUMN fabric_sync.resource.labels IS 'Labels: the cluster''s where the object is there, else those of Git. Default: none. Writer: builder.';
COMMENT ON COLUMN fabric_sync.resource.annotations IS 'Annotations, as labels. Default: none. Writer: builder.';
COMMENT ON COLUMN fabric_sync.resource.custom_field_data IS 'Fields that users or other tools attach; no source touches it. Default: none. Writer: users.';
COMMENT ON COLUMN fabric_sync.resource.first_seen IS 'When either side was seen first. Default: now. Writer: builder.';
COMMENT ON COLUMN fabric_sync.resource.desired_spec IS 'What Git declares: the spec, or every top-level field where there is no spec. NULL: Git does not declare it. Writer: git source.';
COMMENT ON COLUMN fabric_sync.resource.desired_labels IS 'Labels that Git declares. Default: none. Writer: git source.';
COMMENT ON COLUMN fabric_sync.resource.desired_annotations IS 'Annotations that Git declares. Default: none. Writer: git source.';
COMMENT ON COLUMN fabric_sync.resource.desired_hash IS 'SHA-256 in hex of what Git declares. Default: empty: Git does not declare it. Writer: git source.';
COMMENT ON COLUMN fabric_sync.resource.desired_commit IS 'The commit that was taken in when the desired side changed last. Default: empty: never. Writer: git source.';
COMMENT ON COLUMN fabric_sync.resource.desired_file_path IS 'Path in the repository of the file that declares it. Default: empty: no file. Writer: git source.';
COMMENT ON COLUMN fabric_sync.resource.desired_line IS 'Line of the document in that file, from 1. Default: 0: no file. Writer: git source.';
COMMENT ON COLUMN fabric_sync.resource.desired_updated IS 'When the desired side changed last. NULL: never. Writer: git source.';
COMMENT ON COLUMN fabric_sync.resource.actual_spec IS 'What the cluster has, in the form of desired_spec. NULL: the cluster does not have it. Writer: cluster source.';
COMMENT ON COLUMN fabric_sync.resource.actual_status IS 'status of the object, volatile fields included. NULL: it has none, or the object is not there. Writer: cluster source.';
COMMENT ON COLUMN fabric_sync.resource.actual_hash IS 'SHA-256 in hex of what counts as a change of the actual side. Default: empty: the cluster does not have it. Writer: cluster source.';
COMMENT ON COLUMN fabric_sync.resource.actual_uid IS 'metadata.uid: another one is another object of the same name. Default: empty: not known. Writer: cluster source.';
COMMENT ON COLUMN fabric_sync.resource.actual_generation IS 'metadata.generation. Default: 0: the kind has none, or not seen. Writer: cluster source.';
COMMENT ON COLUMN fabric_sync.resource.actual_resource_version IS 'metadata.resourceVersion; never goes back under one uid. Default: empty: not seen. Writer: cluster source.';
COMMENT ON COLUMN fabric_sync.resource.actual_updated IS 'When the actual side was taken in last; refreshed at most once a minute where nothing but volatile fields moved. NULL: never. Writer: cluster source.';
COMMENT ON COLUMN fabric_sync.resource.deletion_requested_at IS 'metadata.deletionTimestamp. NULL: it is not terminating. Writer: cluster source.';
COMMENT ON COLUMN fabric_sync.resource.resource_state IS 'Where the object stands between Git and cluster; see the drawing in core/reduce.ts. Default: pending: neither side was judged yet. Writer: reducer.';
COMMENT ON COLUMN fabric_sync.resource.state_change_reason IS 'Why the state is what it is, in words. Default: empty: it never changed. Writer: reducer.';
COMMENT ON COLUMN fabric_sync.resource.last_state_change IS 'When the state changed last. Default: now: a row begins with its first state. Writer: reducer.';
COMMENT ON COLUMN fabric_sync.resource.drift_status IS 'Whether the cluster has what Git declares. Default: unknown: not compared is not in sync. Writer: reducer.';
COMMENT ON COLUMN fabric_sync.resource.drift_severity IS 'How bad the worst drifted path is. Default: none: no drift is known. Writer: reducer.';
COMMENT ON COLUMN fabric_sync.resource.drift_score IS 'The same as a number from 0 to 100. Default: 0: no drift is known. Writer: reducer.';
COMMENT ON COLUMN fabric_sync.resource.drift_details IS 'The drifted paths with both values and their origin. Default: none. Writer: reducer.';
COMMENT ON COLUMN fabric_sync.resource.last_drift_check IS 'When both sides were compared last. NULL: never. Writer: reducer.';
COMMENT ON COLUMN fabric_sync.resource.drift_since IS 'Since when the drift lasts. NULL: it does not drift. Writer: reducer.';
COMMENT ON COLUMN fabric_sync.resource.dependency_score IS 'How much hangs on this object, from 0 to 100. Default: 0: nothing is known to. Writer: projections.';
COMMENT ON COLUMN fabric_sync.resource.relationship_metadata IS 'owners: metadata.ownerReferences; and what projections say of references. Default: none. Writer: reducer, projections.';
COMMENT ON COLUMN fabric_sync.resource.sync_direction IS 'What the Fabric allows to be written where. Default: observe: nothing but this database is written. Writer: reducer.';
COMMENT ON COLUMN fabric_sync.resource.sync_attempts IS 'How often either side was taken in with a change. Default: 0: never. Writer: reducer.';
COMMENT ON COLUMN fabric_sync.resource.reconciliation_attempts IS 'How often the two sides were compared. Default: 0: never. Writer: reducer.';
COMMENT ON COLUMN fabric_sync.resource.last_sync_error IS 'Why the last attempt to take the object in failed. Default: empty: it did not. Writer: reducer.';
COMMENT ON COLUMN fabric_sync.resource.last_synced_commit IS 'The last commit that the cluster was seen to agree with. Default: empty: none yet. Writer: reducer.';
COMMENT ON COLUMN fabric_sync.resource.last_reconciliation IS 'When the two sides were last found equal. NULL: never. Writer: reducer.';
COMMENT ON COLUMN fabric_sync.resource.sync_metadata IS 'What else a source wants to remember of the object. Default: none. Writer: reducer.';
COMMENT ON COLUMN fabric_sync.resource.managed_file_path IS 'The file that declares the object, or declared it last; stays when the desired side is gone. Default: empty: none ever did. Writer: git source.';
COMMENT ON COLUMN fabric_sync.resource.file_hash IS 'Git blob id of that file. Default: empty: none. Writer: git source.';
COMMENT ON COLUMN fabric_sync.resource.last_file_sync IS 'When that file was taken in last with a change of this object. NULL: never. Writer: git source.';
COMMENT ON COLUMN fabric_sync.resource.conflict_status IS 'Whether both sides were changed since they last agreed. Default: none: nothing was found. Writer: reducer.';
COMMENT ON COLUMN fabric_sync.resource.conflict_details IS 'Both changes by path. Default: none. Writer: reducer.';
COMMENT ON COLUMN fabric_sync.resource.external_modifications IS 'Edits in the cluster that did not come from Git, newest last, bounded. Default: none. Writer: reducer.';
COMMENT ON COLUMN fabric_sync.resource.write_path IS 'How the row was written last. Default: repair: whoever leaves it out is no source, so the row was made by hand. Writer: builder.';
COMMENT ON COLUMN fabric_sync.resource.updated_at IS 'When the row was written last. Default: now. Writer: builder.';
COMMENT ON INDEX fabric_sync.resource_labels_idx IS 'Objects by label: labels @> ''{"key": "value"}''.';
COMMENT ON INDEX fabric_sync.resource_owner_idx IS 'Objects by owner: relationship_metadata ? ''owners'' AND relationship_metadata @> ''{"owners": [{"uid": "…"}]}''.';
COMMENT ON INDEX fabric_sync.resource_name_idx IS 'Objects by name, or by the beginning of a name (LIKE ''leaf-%''), of whatever kind.';
COMMENT ON INDEX fabric_sync.resource_state_idx IS 'Objects in a state, and in a state with a drift status; counts by both.';
COMMENT ON INDEX fabric_sync.resource_drift_idx IS 'Drifts of a kind; rows in sync are not in it.';

CREATE SEQUENCE fabric_sync.resource_event_seq;

CREATE TABLE fabric_sync.resource_event (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
  seq bigint DEFAULT nextval('fabric_sync.resource_event_seq'::regclass) NOT NULL,
  at timestamp with time zone DEFAULT now() NOT NULL,
  resource_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  api_group text COLLATE "C" DEFAULT '' NOT NULL,
  kind text COLLATE "C" DEFAULT '' NOT NULL,
  namespace text COLLATE "C" DEFAULT '' NOT NULL,
  name text COLLATE "C" DEFAULT '' NOT NULL,
  event_type text DEFAULT 'modified' NOT NULL,
  side text DEFAULT 'actual' NOT NULL,
  trigger text DEFAULT 'repair' NOT NULL,
  actor text DEFAULT '' NOT NULL,
  commit text DEFAULT '' NOT NULL,
  resource_version text DEFAULT '' NOT NULL,
  state_before text DEFAULT 'pending' NOT NULL,
  state_after text DEFAULT 'pending' NOT NULL,
  drift_before text DEFAULT 'unknown' NOT NULL,
  drift_after text DEFAULT 'unknown' NOT NULL,
  reason text DEFAULT '' NOT NULL,
  image jsonb,
  CONSTRAINT resource_event_pkey PRIMARY KEY (fabric_id, xid, seq, at),
  CONSTRAINT resource_event_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT resource_event_resource_id_required CHECK (resource_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT resource_event_kind_required CHECK (kind <> ''),
  CONSTRAINT resource_event_name_required CHECK (name <> ''),
  CONSTRAINT resource_event_event_type_listed CHECK (event_type IN ('added', 'modified', 'deleted', 'recreated', 'reclassified')),
  CONSTRAINT resource_event_side_listed CHECK (side IN ('desired', 'actual')),
  CONSTRAINT resource_event_trigger_listed CHECK (trigger IN ('watch', 'list', 'git_poll', 'git_webhook', 'cli', 'import', 'repair')),
  CONSTRAINT resource_event_commit_length CHECK (length(commit) IN (0, 40, 64)),
  CONSTRAINT resource_event_state_before_listed CHECK (state_before IN ('pending', 'committed', 'synced', 'drifted', 'orphaned', 'terminating', 'deleted', 'external')),
  CONSTRAINT resource_event_state_after_listed CHECK (state_after IN ('pending', 'committed', 'synced', 'drifted', 'orphaned', 'terminating', 'deleted', 'external')),
  CONSTRAINT resource_event_drift_before_listed CHECK (drift_before IN ('unknown', 'in_sync', 'drifted', 'missing', 'extra', 'untracked', 'invalid')),
  CONSTRAINT resource_event_drift_after_listed CHECK (drift_after IN ('unknown', 'in_sync', 'drifted', 'missing', 'extra', 'untracked', 'invalid')),
  CONSTRAINT resource_event_image_is_object CHECK (jsonb_typeof(image) = 'object')
) PARTITION BY RANGE (at);
CREATE INDEX resource_event_subject_idx ON fabric_sync.resource_event (fabric_id, resource_id, at);
COMMENT ON TABLE fabric_sync.resource_event IS 'History: one row for each change of one side, in the transaction of the change. Append-only, no foreign keys, partitioned by month. Writer: the store.';
COMMENT ON COLUMN fabric_sync.resource_event.fabric_id IS 'The fabric, which may be gone. Default: the nil uuid is refused by name. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_event.xid IS 'The transaction that wrote it. Readers that take only events below pg_snapshot_xmin(pg_current_snapshot()), in the order (xid, seq), miss none. Default: the current transaction. Writer: database.';
COMMENT ON COLUMN fabric_sync.resource_event.seq IS 'Order within the transaction. Gaps mean nothing. Default: the sequence. Writer: database.';
COMMENT ON COLUMN fabric_sync.resource_event.at IS 'When it was seen to happen; decides the partition. Default: now. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_event.resource_id IS 'resource.id, which may be gone. Default: the nil uuid is refused by name. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_event.api_group IS 'API group of the object. Default: empty: the core group. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_event.kind IS 'Kind of the object. Default: empty is refused by name. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_event.namespace IS 'Namespace of the object. Default: empty: cluster scope. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_event.name IS 'Name of the object. Default: empty is refused by name. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_event.event_type IS 'What happened to that side. Default: modified: says least. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_event.side IS 'Which side changed. Default: actual: what happens without anybody declaring it. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_event.trigger IS 'How the change came in. Default: repair: whoever leaves it out is no source. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_event.actor IS 'The Git author or the field manager. Default: empty: the source did not say. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_event.commit IS 'The commit, for the desired side. Default: empty: not from Git. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_event.resource_version IS 'The resourceVersion, for the actual side. Default: empty: not from the cluster. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_event.state_before IS 'resource_state before. Default: pending: there was no row. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_event.state_after IS 'resource_state after. Default: pending: not judged. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_event.drift_before IS 'drift_status before. Default: unknown: there was no row. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_event.drift_after IS 'drift_status after. Default: unknown: not compared. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_event.reason IS 'Why, in words. Default: empty: nothing to add. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_event.image IS 'The whole side after the change. NULL: the side is gone. Writer: store.';
COMMENT ON INDEX fabric_sync.resource_event_subject_idx IS 'History of one object, and either side as of an instant.';

-- Takes what no month covers (a clock that is wrong, maintenance that never ran): an insert never fails for want of a partition.
CREATE TABLE fabric_sync.resource_event_default PARTITION OF fabric_sync.resource_event DEFAULT;
COMMENT ON TABLE fabric_sync.resource_event_default IS 'Events that no month covers: clocks that are wrong, or maintenance that never ran. db maintain moves them to their month.';

CREATE TABLE fabric_sync.resource_dead_letter (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  api_group text COLLATE "C" DEFAULT '' NOT NULL,
  kind text COLLATE "C" DEFAULT '' NOT NULL,
  namespace text COLLATE "C" DEFAULT '' NOT NULL,
  name text COLLATE "C" DEFAULT '' NOT NULL,
  side text COLLATE "C" DEFAULT 'actual' NOT NULL,
  part text COLLATE "C" DEFAULT '' NOT NULL,
  sqlstate text DEFAULT '' NOT NULL,
  constraint_name text DEFAULT '' NOT NULL,
  column_name text DEFAULT '' NOT NULL,
  message text DEFAULT '' NOT NULL,
  payload json DEFAULT '{}'::json NOT NULL,
  position text DEFAULT '' NOT NULL,
  write_path text DEFAULT 'repair' NOT NULL,
  attempts integer DEFAULT 0 NOT NULL,
  schema_version integer DEFAULT 0 NOT NULL,
  first_failed_at timestamp with time zone DEFAULT now() NOT NULL,
  last_failed_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT resource_dead_letter_pkey PRIMARY KEY (fabric_id, api_group, kind, namespace, name, side, part),
  CONSTRAINT resource_dead_letter_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT resource_dead_letter_side_listed CHECK (side IN ('desired', 'actual')),
  CONSTRAINT resource_dead_letter_write_path_listed CHECK (write_path IN ('watch', 'list', 'git_poll', 'git_webhook', 'cli', 'import', 'repair')),
  CONSTRAINT resource_dead_letter_payload_is_object CHECK (json_typeof(payload) = 'object'),
  CONSTRAINT resource_dead_letter_attempts_range CHECK (attempts >= 0),
  CONSTRAINT resource_dead_letter_schema_version_range CHECK (schema_version >= 0),
  CONSTRAINT resource_dead_letter_fabric_fkey FOREIGN KEY (fabric_id) REFERENCES fabric_sync.fabric (id)
);
COMMENT ON TABLE fabric_sync.resource_dead_letter IS 'Observations that Postgres refused: the newest of each key, side and part. Replayed when the source changes, after a migration, or by command. Writer: the store.';
COMMENT ON COLUMN fabric_sync.resource_dead_letter.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_dead_letter.api_group IS 'API group as it was given. Default: empty: the core group. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_dead_letter.kind IS 'Kind as it was given. Default: empty is what was refused. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_dead_letter.namespace IS 'Namespace as it was given. Default: empty: cluster scope. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_dead_letter.name IS 'Name as it was given. Default: empty is what was refused. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_dead_letter.side IS 'Which side was refused. Default: actual: what comes in without anybody declaring it. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_dead_letter.part IS 'Which part was refused: a child row of a projection. Default: empty: the object itself. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_dead_letter.sqlstate IS 'SQLSTATE of the refusal. Default: empty: refused before it reached Postgres. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_dead_letter.constraint_name IS 'The constraint that refused it. Default: empty: none, or not told. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_dead_letter.column_name IS 'The column that refused it. Default: empty: none, or not told. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_dead_letter.message IS 'The refusal in words, without row data. Default: empty: not told. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_dead_letter.payload IS 'The redacted observation, as the text it was: type json, because jsonb refuses what may be the reason. Default: an empty object: it could not be kept. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_dead_letter.position IS 'The commit or resourceVersion that was refused. Default: empty: not known. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_dead_letter.write_path IS 'How it came in. Default: repair: whoever leaves it out is no source. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_dead_letter.attempts IS 'How often it was refused. Default: 0: not counted. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_dead_letter.schema_version IS 'Migration at which it was refused last: a newer one is a reason to try again. Default: 0: not known, so any is newer. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_dead_letter.first_failed_at IS 'When it was refused first. Default: now. Writer: store.';
COMMENT ON COLUMN fabric_sync.resource_dead_letter.last_failed_at IS 'When it was refused last. Default: now. Writer: store.';

CREATE TABLE fabric_sync.resource_edge (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  resource_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  side text COLLATE "C" DEFAULT 'actual' NOT NULL,
  path text COLLATE "C" DEFAULT '' NOT NULL,
  relation text DEFAULT '' NOT NULL,
  target_api_group text COLLATE "C" DEFAULT '' NOT NULL,
  target_kind text COLLATE "C" DEFAULT '' NOT NULL,
  target_namespace text COLLATE "C" DEFAULT '' NOT NULL,
  target_name text COLLATE "C" DEFAULT '' NOT NULL,
  first_seen timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT resource_edge_pkey PRIMARY KEY (fabric_id, resource_id, side, path),
  CONSTRAINT resource_edge_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT resource_edge_resource_id_required CHECK (resource_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT resource_edge_side_listed CHECK (side IN ('desired', 'actual')),
  CONSTRAINT resource_edge_path_required CHECK (path <> ''),
  CONSTRAINT resource_edge_relation_required CHECK (relation <> ''),
  CONSTRAINT resource_edge_target_kind_required CHECK (target_kind <> ''),
  CONSTRAINT resource_edge_target_name_required CHECK (target_name <> ''),
  CONSTRAINT resource_edge_resource_fkey FOREIGN KEY (fabric_id, resource_id) REFERENCES fabric_sync.resource (fabric_id, id) ON DELETE CASCADE
);
CREATE INDEX resource_edge_target_idx ON fabric_sync.resource_edge (fabric_id, target_api_group, target_kind, target_namespace, target_name);
COMMENT ON TABLE fabric_sync.resource_edge IS 'References from one resource to another, owner references included. The target is a key: it may come later, or never. Writer: projections.';
COMMENT ON COLUMN fabric_sync.resource_edge.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.resource_edge.resource_id IS 'The resource that refers. Default: the nil uuid is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.resource_edge.side IS 'The side that says so. Default: actual: what is there. Writer: projections.';
COMMENT ON COLUMN fabric_sync.resource_edge.path IS 'JSON pointer of the reference in that side. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.resource_edge.relation IS 'What the reference means: owner, or the name of the field. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.resource_edge.target_api_group IS 'API group of the target. Default: empty: the core group. Writer: projections.';
COMMENT ON COLUMN fabric_sync.resource_edge.target_kind IS 'Kind of the target. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.resource_edge.target_namespace IS 'Namespace of the target. Default: empty: cluster scope. Writer: projections.';
COMMENT ON COLUMN fabric_sync.resource_edge.target_name IS 'Name of the target. Default: empty is refused by name. Writer: projections.';
COMMENT ON COLUMN fabric_sync.resource_edge.first_seen IS 'Since when it refers. Default: now. Writer: projections.';
COMMENT ON INDEX fabric_sync.resource_edge_target_idx IS 'What refers to an object.';

CREATE TABLE fabric_sync.cursor (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  source text COLLATE "C" DEFAULT 'cluster' NOT NULL,
  scope text COLLATE "C" DEFAULT '' NOT NULL,
  position text DEFAULT '' NOT NULL,
  complete_at timestamp with time zone,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT cursor_pkey PRIMARY KEY (fabric_id, source, scope),
  CONSTRAINT cursor_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT cursor_source_listed CHECK (source IN ('cluster', 'git')),
  CONSTRAINT cursor_scope_required CHECK (scope <> ''),
  CONSTRAINT cursor_fabric_fkey FOREIGN KEY (fabric_id) REFERENCES fabric_sync.fabric (id)
);
COMMENT ON TABLE fabric_sync.cursor IS 'How far each stream of each source was taken in, written with the rows that it covers. Writer: the store.';
COMMENT ON COLUMN fabric_sync.cursor.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: store.';
COMMENT ON COLUMN fabric_sync.cursor.source IS 'cluster or git. Default: cluster: the source that every fabric has. Writer: store.';
COMMENT ON COLUMN fabric_sync.cursor.scope IS 'The stream: group/version/plural with selector and namespace, or repository, ref and path. Default: empty is refused by name. Writer: store.';
COMMENT ON COLUMN fabric_sync.cursor.position IS 'resourceVersion or commit. Default: empty: nothing was taken in. Writer: store.';
COMMENT ON COLUMN fabric_sync.cursor.complete_at IS 'As of when everything in scope is known to be here. NULL: never complete. Writer: store.';
COMMENT ON COLUMN fabric_sync.cursor.updated_at IS 'When the cursor moved last. Default: now. Writer: store.';

CREATE TABLE fabric_sync.git_file (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  path text COLLATE "C" DEFAULT '' NOT NULL,
  blob text DEFAULT '' NOT NULL,
  documents integer DEFAULT 0 NOT NULL,
  keys jsonb DEFAULT '[]'::jsonb NOT NULL,
  rejections jsonb DEFAULT '[]'::jsonb NOT NULL,
  parsed boolean DEFAULT false NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT git_file_pkey PRIMARY KEY (fabric_id, path),
  CONSTRAINT git_file_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT git_file_path_required CHECK (path <> ''),
  CONSTRAINT git_file_blob_length CHECK (length(blob) IN (0, 40, 64)),
  CONSTRAINT git_file_documents_range CHECK (documents >= 0),
  CONSTRAINT git_file_keys_is_array CHECK (jsonb_typeof(keys) = 'array'),
  CONSTRAINT git_file_rejections_is_array CHECK (jsonb_typeof(rejections) = 'array'),
  CONSTRAINT git_file_fabric_fkey FOREIGN KEY (fabric_id) REFERENCES fabric_sync.fabric (id)
);
COMMENT ON TABLE fabric_sync.git_file IS 'What each file of the revision taken in declares, and what of it was refused. Writer: the git source.';
COMMENT ON COLUMN fabric_sync.git_file.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: git source.';
COMMENT ON COLUMN fabric_sync.git_file.path IS 'Path in the repository. Default: empty is refused by name. Writer: git source.';
COMMENT ON COLUMN fabric_sync.git_file.blob IS 'Git blob id of the content that was read. Default: empty: not known, so it is read again. Writer: git source.';
COMMENT ON COLUMN fabric_sync.git_file.documents IS 'Documents found in the file. Default: 0: none. Writer: git source.';
COMMENT ON COLUMN fabric_sync.git_file.keys IS 'What it declares, with the line of each. Default: none. Writer: git source.';
COMMENT ON COLUMN fabric_sync.git_file.rejections IS 'Documents refused, each with line, column, code and message. Default: none. Writer: git source.';
COMMENT ON COLUMN fabric_sync.git_file.parsed IS 'Whether all of it could be read; while it could not, nothing is concluded from what it lacks. Default: false: not read is not empty. Writer: git source.';
COMMENT ON COLUMN fabric_sync.git_file.updated_at IS 'When the record was written. Default: now. Writer: git source.';

CREATE TABLE fabric_sync.sync_run (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  source text DEFAULT 'cluster' NOT NULL,
  trigger text DEFAULT 'repair' NOT NULL,
  target text DEFAULT '' NOT NULL,
  result text DEFAULT 'running' NOT NULL,
  documents bigint DEFAULT 0 NOT NULL,
  changed bigint DEFAULT 0 NOT NULL,
  unchanged bigint DEFAULT 0 NOT NULL,
  rejected bigint DEFAULT 0 NOT NULL,
  error text DEFAULT '' NOT NULL,
  started_at timestamp with time zone DEFAULT now() NOT NULL,
  finished_at timestamp with time zone,
  CONSTRAINT sync_run_pkey PRIMARY KEY (fabric_id, id),
  CONSTRAINT sync_run_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT sync_run_id_required CHECK (id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT sync_run_source_listed CHECK (source IN ('cluster', 'git')),
  CONSTRAINT sync_run_trigger_listed CHECK (trigger IN ('watch', 'list', 'git_poll', 'git_webhook', 'cli', 'import', 'repair')),
  CONSTRAINT sync_run_result_listed CHECK (result IN ('running', 'succeeded', 'partial', 'failed')),
  CONSTRAINT sync_run_documents_range CHECK (documents >= 0),
  CONSTRAINT sync_run_changed_range CHECK (changed >= 0),
  CONSTRAINT sync_run_unchanged_range CHECK (unchanged >= 0),
  CONSTRAINT sync_run_rejected_range CHECK (rejected >= 0),
  CONSTRAINT sync_run_finished CHECK ((result = 'running') = (finished_at IS NULL)),
  CONSTRAINT sync_run_accounted CHECK (result IN ('running', 'failed') OR documents = changed + unchanged + rejected),
  CONSTRAINT sync_run_fabric_fkey FOREIGN KEY (fabric_id) REFERENCES fabric_sync.fabric (id)
);
CREATE INDEX sync_run_recent_idx ON fabric_sync.sync_run (fabric_id, started_at);
COMMENT ON TABLE fabric_sync.sync_run IS 'One pass of one source with its counters. Writer: whoever runs it.';
COMMENT ON COLUMN fabric_sync.sync_run.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: runner.';
COMMENT ON COLUMN fabric_sync.sync_run.id IS 'Identity of the run. Default: made at random. Writer: runner.';
COMMENT ON COLUMN fabric_sync.sync_run.source IS 'cluster or git. Default: cluster: the source that every fabric has. Writer: runner.';
COMMENT ON COLUMN fabric_sync.sync_run.trigger IS 'What started it. Default: repair: whoever leaves it out is no source. Writer: runner.';
COMMENT ON COLUMN fabric_sync.sync_run.target IS 'The commit or scope it was to take in. Default: empty: everything. Writer: runner.';
COMMENT ON COLUMN fabric_sync.sync_run.result IS 'How it ended, by its counters alone. Default: running: it has not ended. Writer: runner.';
COMMENT ON COLUMN fabric_sync.sync_run.documents IS 'Documents that came in. Default: 0: none yet. Writer: runner.';
COMMENT ON COLUMN fabric_sync.sync_run.changed IS 'Documents that changed a row. Default: 0: none yet. Writer: runner.';
COMMENT ON COLUMN fabric_sync.sync_run.unchanged IS 'Documents that changed none. Default: 0: none yet. Writer: runner.';
COMMENT ON COLUMN fabric_sync.sync_run.rejected IS 'Documents refused, with a record of each. Default: 0: none yet. Writer: runner.';
COMMENT ON COLUMN fabric_sync.sync_run.error IS 'Why it failed. Default: empty: it did not. Writer: runner.';
COMMENT ON COLUMN fabric_sync.sync_run.started_at IS 'When it began. Default: now. Writer: runner.';
COMMENT ON COLUMN fabric_sync.sync_run.finished_at IS 'When it ended. NULL: it runs, or its process died. Writer: runner.';
COMMENT ON INDEX fabric_sync.sync_run_recent_idx IS 'The last runs of a fabric.';

CREATE TABLE fabric_sync.webhook_delivery (
  fabric_id uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
  provider text COLLATE "C" DEFAULT '' NOT NULL,
  delivery_id text COLLATE "C" DEFAULT '' NOT NULL,
  received_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT webhook_delivery_pkey PRIMARY KEY (fabric_id, provider, delivery_id),
  CONSTRAINT webhook_delivery_fabric_id_required CHECK (fabric_id <> '00000000-0000-0000-0000-000000000000'::uuid),
  CONSTRAINT webhook_delivery_provider_required CHECK (provider <> ''),
  CONSTRAINT webhook_delivery_delivery_id_required CHECK (delivery_id <> ''),
  CONSTRAINT webhook_delivery_fabric_fkey FOREIGN KEY (fabric_id) REFERENCES fabric_sync.fabric (id)
);
COMMENT ON TABLE fabric_sync.webhook_delivery IS 'Deliveries that were accepted: a second one of the same id is a replay, on any replica. Writer: the webhook endpoint.';
COMMENT ON COLUMN fabric_sync.webhook_delivery.fabric_id IS 'The fabric. Default: the nil uuid is refused by name. Writer: webhooks.';
COMMENT ON COLUMN fabric_sync.webhook_delivery.provider IS 'Whose webhook. Default: empty is refused by name. Writer: webhooks.';
COMMENT ON COLUMN fabric_sync.webhook_delivery.delivery_id IS 'The provider''s id of the delivery. Default: empty is refused by name. Writer: webhooks.';
COMMENT ON COLUMN fabric_sync.webhook_delivery.received_at IS 'When it came; db maintain purges by it. Default: now. Writer: webhooks.';

-- lz4 costs a third of the CPU time of pglz; a server built without it keeps its default.
DO $$
BEGIN
  IF (SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression') THEN
    ALTER TABLE fabric_sync.resource ALTER COLUMN desired_spec SET COMPRESSION lz4;
    ALTER TABLE fabric_sync.resource ALTER COLUMN actual_spec SET COMPRESSION lz4;
    ALTER TABLE fabric_sync.resource ALTER COLUMN actual_status SET COMPRESSION lz4;
    ALTER TABLE fabric_sync.resource_event ALTER COLUMN image SET COMPRESSION lz4;
    ALTER TABLE fabric_sync.resource_event_default ALTER COLUMN image SET COMPRESSION lz4;
    ALTER TABLE fabric_sync.resource_dead_letter ALTER COLUMN payload SET COMPRESSION lz4;
  END IF;
END
$$;
