-- One row a fabric: a list of drifts that is empty says nothing of a fabric that was never compared. Never compared, could not be determined and in
-- sync are three columns, and there are no figures before anything was taken in.
CREATE VIEW fabric_sync.fabrics AS
SELECT f.namespace AS fabric_namespace,
       f.name AS fabric,
       CASE WHEN taken.ever THEN counted.in_sync END AS in_sync,
       CASE WHEN taken.ever THEN counted.drifted END AS drifted,
       CASE WHEN taken.ever THEN counted.missing END AS missing,
       CASE WHEN taken.ever THEN counted.extra END AS extra,
       CASE WHEN taken.ever THEN counted.untracked END AS untracked,
       CASE WHEN taken.ever THEN counted.invalid END AS invalid,
       CASE WHEN taken.ever THEN counted.unknown END AS unknown,
       CASE WHEN taken.ever THEN counted.not_compared END AS not_compared,
       taken.desired_complete_at,
       taken.actual_complete_at,
       now() - taken.actual_complete_at AS actual_age,
       f.id AS fabric_id
  FROM fabric_sync.fabric f
 CROSS JOIN LATERAL (
       SELECT coalesce(bool_or(c.complete_at IS NOT NULL), false) OR EXISTS (SELECT FROM fabric_sync.resource r WHERE r.fabric_id = f.id),
              max(c.complete_at) FILTER (WHERE c.source = 'git'),
              CASE WHEN bool_and(c.complete_at IS NOT NULL) FILTER (WHERE c.source = 'cluster')
                   THEN min(c.complete_at) FILTER (WHERE c.source = 'cluster') END
         FROM fabric_sync.cursor c WHERE c.fabric_id = f.id
       ) taken (ever, desired_complete_at, actual_complete_at)
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE told.word = 'in_sync'),
              count(*) FILTER (WHERE told.word = 'drifted'),
              count(*) FILTER (WHERE told.word = 'missing'),
              count(*) FILTER (WHERE told.word = 'extra'),
              count(*) FILTER (WHERE told.word = 'untracked'),
              count(*) FILTER (WHERE told.word = 'invalid'),
              count(*) FILTER (WHERE told.word = 'unknown'),
              count(*) FILTER (WHERE told.word = 'not_compared')
         FROM (SELECT CASE WHEN r.drift_status = 'unknown'
                            AND r.drift_details ->> 'code' IN ('GitNotTakenIn', 'KindNotListed', 'AwaitingServer')
                           THEN 'not_compared' ELSE r.drift_status END AS word
                 FROM fabric_sync.resource r
                WHERE r.fabric_id = f.id AND r.resource_state <> 'deleted') told
       ) counted (in_sync, drifted, missing, extra, untracked, invalid, unknown, not_compared)
 WHERE f.retiring_at IS NULL;
--> statement-breakpoint
COMMENT ON VIEW fabric_sync.fabrics IS 'Each fabric in numbers: how many objects have which verdict, and as of when. NULL where nothing was ever taken in.';
COMMENT ON COLUMN fabric_sync.fabrics.fabric_namespace IS 'Namespace of the Fabric object.';
COMMENT ON COLUMN fabric_sync.fabrics.fabric IS 'Name of the Fabric object.';
COMMENT ON COLUMN fabric_sync.fabrics.in_sync IS 'Objects that were compared and are as Git declares them.';
COMMENT ON COLUMN fabric_sync.fabrics.drifted IS 'Objects that differ on a path that Git declares.';
COMMENT ON COLUMN fabric_sync.fabrics.missing IS 'Objects that Git declares and the cluster does not have.';
COMMENT ON COLUMN fabric_sync.fabrics.extra IS 'Objects that only the cluster has, where the Fabric asks to report them.';
COMMENT ON COLUMN fabric_sync.fabrics.untracked IS 'Objects that only the cluster has, where nobody asked.';
COMMENT ON COLUMN fabric_sync.fabrics.invalid IS 'Objects that the API server would refuse as Git declares them.';
COMMENT ON COLUMN fabric_sync.fabrics.unknown IS 'Objects of which it could not be determined whether they drift; drift_details of resources tells why.';
COMMENT ON COLUMN fabric_sync.fabrics.not_compared IS 'Objects that were not compared yet: the comparison is under way.';
COMMENT ON COLUMN fabric_sync.fabrics.desired_complete_at IS 'As of when everything that Git declares is known to be here; NULL before the first complete take.';
COMMENT ON COLUMN fabric_sync.fabrics.actual_complete_at IS 'As of when everything of the cluster is known to be here: of the oldest stream, NULL while one was never complete.';
COMMENT ON COLUMN fabric_sync.fabrics.actual_age IS 'Time since actual_complete_at: how old what is told of the cluster may be.';
COMMENT ON COLUMN fabric_sync.fabrics.fabric_id IS 'The fabric, for joins.';
