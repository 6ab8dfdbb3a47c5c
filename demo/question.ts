/** The one SQL question that the demo asks after every step: what Git says beside what the cluster says. */
export const QUESTION = `\
SELECT kind || '/' || name AS object,
       resource_state AS state,
       drift_status AS drift,
       CASE WHEN desired_file_path = '' THEN '' ELSE desired_file_path || ':' || desired_line END AS "declared at",
       coalesce(desired_spec #>> '{subnets,front,vlan}', desired_spec ->> 'subnet', '') AS desired,
       coalesce(actual_spec #>> '{subnets,front,vlan}', actual_spec ->> 'subnet', '') AS actual
  FROM fabric_sync.resources
 WHERE fabric = $1 AND kind IN ('VPC', 'VPCAttachment') AND resource_state <> 'deleted'
 ORDER BY kind, name`;

/** The rest of the fabric in one line: rows by state. */
export const SUMMARY = `\
SELECT resource_state AS state, count(*)::int AS rows
  FROM fabric_sync.resources
 WHERE fabric = $1
 GROUP BY resource_state
 ORDER BY rows DESC, state`;
