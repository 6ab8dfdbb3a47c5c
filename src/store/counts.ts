import type { FabricCounts } from "../core/ports.ts";
import type { Sql } from "./transaction.ts";

/**
 * Counts of one fabric from its rows, in one statement. `objects` and `desired` are those that are there now; tombstones are
 * counted under their state.
 */
const COUNTS = `
  WITH tally AS (
    SELECT resource_state, drift_status, count(*)::integer AS rows,
           (count(*) FILTER (WHERE actual_spec IS NOT NULL))::integer AS objects,
           (count(*) FILTER (WHERE desired_spec IS NOT NULL))::integer AS desired
      FROM fabric_sync.resource WHERE fabric_id = $1
     GROUP BY resource_state, drift_status
  )
  SELECT (SELECT coalesce(sum(objects), 0)::integer FROM tally) AS "objects",
         (SELECT coalesce(sum(desired), 0)::integer FROM tally) AS "desired",
         (SELECT coalesce(json_object_agg(word, rows), '{}') FROM
           (SELECT resource_state AS word, sum(rows) AS rows FROM tally GROUP BY 1) AS s) AS "byState",
         (SELECT coalesce(json_object_agg(word, rows), '{}') FROM
           (SELECT drift_status AS word, sum(rows) AS rows FROM tally GROUP BY 1) AS s) AS "byDrift",
         (SELECT coalesce(sum(jsonb_array_length(rejections)), 0)::integer
            FROM fabric_sync.git_file WHERE fabric_id = $1) AS "rejections",
         (SELECT count(*)::integer FROM fabric_sync.resource_dead_letter WHERE fabric_id = $1) AS "deadLetters"`;

export async function countFabric(sql: Sql, fabricId: string): Promise<FabricCounts> {
  const [counts] = await sql.rows<FabricCounts>(COUNTS, [fabricId]);
  if (counts === undefined) throw new Error("a SELECT without FROM gave no row");
  return counts;
}
