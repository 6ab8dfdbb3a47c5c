-- Takes no data with it: cursors go on, and the views tell the age of an API group again.
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
       actual.complete_at AS actual_complete_at,
       now() - actual.complete_at AS actual_age,
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
  LEFT JOIN fabric_sync.freshness actual
    ON actual.fabric_id = r.fabric_id AND actual.source = 'cluster' AND actual.api_group = r.api_group
  LEFT JOIN fabric_sync.freshness desired ON desired.fabric_id = r.fabric_id AND desired.source = 'git';
COMMENT ON COLUMN fabric_sync.resources.actual_complete_at IS 'As of when everything of this API group is known to be here; NULL before the first complete list.';
COMMENT ON COLUMN fabric_sync.drifts.actual_complete_at IS 'As of when everything of this API group is known to be here; NULL before the first complete list.';
COMMENT ON COLUMN fabric_sync.orphans.actual_complete_at IS 'As of when everything of this API group is known to be here; NULL before the first complete list.';
DROP VIEW fabric_sync.kinds;
ALTER TABLE fabric_sync.cursor DROP COLUMN kind;
