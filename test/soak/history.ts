/** What must hold of the history of the cluster's side, whatever happened to who wrote it; each statement finds what breaks it. */
export const HISTORY_RULES: Readonly<Record<string, string>> = {
  "no event is there twice": `
    SELECT kind, name, event_type, resource_version, count(*)::int AS times
      FROM fabric_sync.resource_event
     WHERE side = 'actual'
     GROUP BY fabric_id, resource_id, kind, name, event_type, resource_version
    HAVING count(*) > 1`,
  "the last event of each object tells what its row says": `
    SELECT r.kind, r.name, r.actual_resource_version, e.resource_version, e.event_type
      FROM fabric_sync.resource r
      LEFT JOIN LATERAL (
             SELECT * FROM fabric_sync.resource_event e
              WHERE e.fabric_id = r.fabric_id AND e.resource_id = r.id AND e.side = 'actual'
              ORDER BY e.xid DESC, e.seq DESC LIMIT 1) e ON true
     WHERE (r.actual_spec IS NULL) IS DISTINCT FROM (e.image IS NULL)
        OR r.actual_spec IS DISTINCT FROM nullif(e.image -> 'spec', 'null')
        OR r.actual_status IS DISTINCT FROM nullif(e.image -> 'status', 'null')
        OR (e.image IS NOT NULL AND (r.labels, r.annotations) IS DISTINCT FROM (e.image -> 'labels', e.image -> 'annotations'))
        OR r.actual_resource_version IS DISTINCT FROM e.resource_version
        OR r.resource_state IS DISTINCT FROM e.state_after`,
  "each event goes on where the one before it ended": `
    SELECT kind, name, state_before, previous
      FROM (SELECT kind, name, state_before, lag(state_after) OVER (PARTITION BY fabric_id, resource_id ORDER BY xid, seq) AS previous
              FROM fabric_sync.resource_event) chain
     WHERE previous IS NOT NULL AND previous <> state_before`,
};
