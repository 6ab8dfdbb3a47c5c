import type { FabricCounts } from "../core/ports.ts";
import { isNotCompared } from "../core/unknown.ts";
import { RESOURCE_STATES } from "../core/vocabulary.ts";
import type { Sql } from "./transaction.ts";

/**
 * Counts of one fabric from its rows, in one statement. `objects` and `desired` are those that are there now; tombstones are
 * counted under their state alone. Rows whose drift is unknown are read for their reason: they are few, but where drift is disabled.
 *
 * Counted in the indexes as far as these tell: 40 % of the time that reading rows of 1 KB takes (200,000 rows, both in memory). What a state says of the sides is the table of
 * `deriveState`: `committed` and `deleted` are not in the cluster, all others are, apart from what was never seen (`pending`) and from generated
 * kinds that Git alone has (`external`). Those rows are read. The index of the states is for who names the state (drizzle/0017), and every state
 * is greater than an empty text.
 */
const COUNTS = `
  WITH tally AS (
    SELECT resource_state, drift_status, count(*) AS rows
      FROM fabric_sync.resource WHERE fabric_id = $1 AND resource_state > ''
     GROUP BY resource_state, drift_status
  ), severe AS (
    SELECT drift_severity AS word, count(*) AS rows, max(drift_score) AS score
      FROM fabric_sync.resource
     WHERE fabric_id = $1 AND drift_status IN ('drifted', 'missing', 'extra', 'invalid') AND drift_severity <> 'none'
     GROUP BY drift_severity
  )
  SELECT ((SELECT coalesce(sum(rows), 0) FROM tally WHERE resource_state NOT IN ('committed', 'deleted'))
          - (SELECT count(*) FROM fabric_sync.resource
              WHERE fabric_id = $1 AND resource_state = 'pending' AND actual_spec IS NULL)
          - (SELECT count(*) FROM fabric_sync.resource
              WHERE fabric_id = $1 AND resource_state = 'external' AND desired_hash <> '' AND actual_spec IS NULL)
         )::integer AS "objects",
         (SELECT count(*)::integer FROM fabric_sync.resource WHERE fabric_id = $1 AND desired_hash <> '') AS "desired",
         (SELECT coalesce(json_object_agg(word, rows), '{}') FROM
           (SELECT resource_state AS word, sum(rows) AS rows FROM tally GROUP BY 1) AS s) AS "byState",
         (SELECT coalesce(json_object_agg(word, rows), '{}') FROM
           (SELECT drift_status AS word, sum(rows) AS rows FROM tally
             WHERE resource_state <> 'deleted' AND drift_status <> 'unknown' GROUP BY 1) AS s) AS "byDrift",
         (SELECT coalesce(json_agg(json_build_object('code', code, 'reason', reason, 'objects', objects)
                                   ORDER BY objects DESC, code), '[]') FROM
           (SELECT coalesce(drift_details ->> 'code', '') AS code, coalesce(min(drift_details ->> 'reason'), '') AS reason,
                   count(*) AS objects
              FROM fabric_sync.resource
             WHERE fabric_id = $1 AND drift_status = 'unknown' AND resource_state = ANY($2)
             GROUP BY 1) AS s) AS "unknown",
         (SELECT coalesce(json_object_agg(word, rows), '{}') FROM severe) AS "bySeverity",
         (SELECT coalesce(max(score), 0) FROM severe) AS "driftScore",
         (SELECT coalesce(sum(jsonb_array_length(rejections)), 0)::integer
            FROM fabric_sync.git_file WHERE fabric_id = $1) AS "rejections",
         (SELECT count(*)::integer FROM fabric_sync.resource_dead_letter WHERE fabric_id = $1) AS "deadLetters"`;

/** States of what is there on one side at least: what has gone from both cannot be compared, and is no trouble. */
const PRESENT = RESOURCE_STATES.filter((state) => state !== "deleted");

export async function countFabric(sql: Sql, fabricId: string): Promise<FabricCounts> {
  const [counts] = await sql.rows<FabricCounts>(COUNTS, [fabricId, PRESENT]);
  if (counts === undefined) throw new Error("a SELECT without FROM gave no row");
  const words = { ...counts.byDrift };
  for (const { code, objects } of counts.unknown) {
    const word = isNotCompared("unknown", { code }) ? "not_compared" : "unknown";
    words[word] = (words[word] ?? 0) + objects;
  }
  return { ...counts, byDrift: words };
}
