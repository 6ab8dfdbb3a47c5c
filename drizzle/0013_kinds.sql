-- As of when each kind is known to be complete: a broken watch of one kind must not make its whole group look old, nor a lively one make a
-- broken one look fresh. Cursors that an older release wrote name no kind; theirs is the age of those of their group until they move.
ALTER TABLE fabric_sync.cursor ADD COLUMN kind text DEFAULT '' NOT NULL;
--> statement-breakpoint
COMMENT ON COLUMN fabric_sync.cursor.kind IS 'Kind of the objects of a cluster''s stream. Default: empty: Git, or written by a release that did not say. Writer: store.';
--> statement-breakpoint
CREATE VIEW fabric_sync.kinds AS
SELECT f.namespace AS fabric_namespace, f.name AS fabric, c.api_group, c.kind, c.complete_at, now() - c.complete_at AS age, c.streams, c.fabric_id
  FROM (SELECT fabric_id, split_part(scope, '/', 1) AS api_group, kind,
               CASE WHEN bool_and(complete_at IS NOT NULL) THEN min(complete_at) END AS complete_at, count(*) AS streams
          FROM fabric_sync.cursor WHERE source = 'cluster' GROUP BY 1, 2, 3) c
  JOIN fabric_sync.fabric f ON f.id = c.fabric_id;
COMMENT ON VIEW fabric_sync.kinds IS 'As of when the tables are known to hold everything of each kind of the cluster. A watch that stands still in silence moves it by bookmarks, a broken one does not.';
COMMENT ON COLUMN fabric_sync.kinds.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.kinds.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.kinds.api_group IS 'API group; empty for the core group.';
COMMENT ON COLUMN fabric_sync.kinds.kind IS 'Kind; empty for streams that an older release took in and that have not moved since.';
COMMENT ON COLUMN fabric_sync.kinds.complete_at IS 'Everything up to this time is in the tables: of the oldest of its streams, NULL while one of them was never complete.';
COMMENT ON COLUMN fabric_sync.kinds.age IS 'Time since complete_at: how old what is told of the kind may be.';
COMMENT ON COLUMN fabric_sync.kinds.streams IS 'Streams that this is the oldest of: one, or one for each selected namespace.';
COMMENT ON COLUMN fabric_sync.kinds.fabric_id IS 'The fabric, for joins.';
--> statement-breakpoint
CREATE OR REPLACE VIEW fabric_sync.resources AS
SELECT f.namespace AS fabric_namespace,
       f.name AS fabric,
       r.api_group,
       r.api_version,
       r.kind,
       r.namespace,
       r.name,
       r.resource_state,
       r.state_change_reason,
       r.last_state_change,
       r.drift_status,
       r.drift_severity,
       r.drift_score,
       r.drift_details,
       r.drift_since,
       r.last_drift_check,
       r.labels,
       r.annotations,
       r.desired_spec,
       r.desired_commit,
       r.desired_file_path,
       r.desired_line,
       r.desired_updated,
       desired.complete_at AS desired_complete_at,
       r.actual_spec,
       r.actual_status,
       r.actual_generation,
       r.actual_resource_version,
       r.actual_updated,
       CASE WHEN actual.kind IS NOT NULL THEN actual.complete_at ELSE unnamed.complete_at END AS actual_complete_at,
       now() - CASE WHEN actual.kind IS NOT NULL THEN actual.complete_at ELSE unnamed.complete_at END AS actual_age,
       r.deletion_requested_at,
       r.conflict_status,
       (SELECT least(count(DISTINCT e.resource_id), 100)
          FROM fabric_sync.resource_edge e
          JOIN fabric_sync.resource x ON x.fabric_id = e.fabric_id AND x.id = e.resource_id AND x.resource_state <> 'deleted'
         WHERE e.fabric_id = r.fabric_id AND e.target_api_group = r.api_group AND e.target_kind = r.kind AND e.target_name = r.name
           AND (e.target_namespace = r.namespace OR r.namespace = '') AND e.resource_id <> r.id)::integer AS dependency_score,
       r.first_seen,
       r.updated_at,
       r.fabric_id,
       r.id AS resource_id
  FROM fabric_sync.resource r
  JOIN fabric_sync.fabric f ON f.id = r.fabric_id
  LEFT JOIN (SELECT fabric_id, split_part(scope, '/', 1) AS api_group, kind,
                    CASE WHEN bool_and(complete_at IS NOT NULL) THEN min(complete_at) END AS complete_at
               FROM fabric_sync.cursor WHERE source = 'cluster' GROUP BY 1, 2, 3) actual
    ON actual.fabric_id = r.fabric_id AND actual.api_group = r.api_group AND actual.kind = r.kind
  LEFT JOIN (SELECT fabric_id, split_part(scope, '/', 1) AS api_group, kind,
                    CASE WHEN bool_and(complete_at IS NOT NULL) THEN min(complete_at) END AS complete_at
               FROM fabric_sync.cursor WHERE source = 'cluster' GROUP BY 1, 2, 3) unnamed
    ON unnamed.fabric_id = r.fabric_id AND unnamed.api_group = r.api_group AND unnamed.kind = ''
  LEFT JOIN fabric_sync.freshness desired ON desired.fabric_id = r.fabric_id AND desired.source = 'git';
COMMENT ON COLUMN fabric_sync.resources.actual_complete_at IS 'As of when everything of this kind is known to be here; NULL before the first complete list.';
COMMENT ON COLUMN fabric_sync.drifts.actual_complete_at IS 'As of when everything of this kind is known to be here; NULL before the first complete list.';
COMMENT ON COLUMN fabric_sync.orphans.actual_complete_at IS 'As of when everything of this kind is known to be here; NULL before the first complete list.';
