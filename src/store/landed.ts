import type { CommitLandings, Landed, LandingCounts } from "../core/landed.ts";
import type { Sql } from "./transaction.ts";

/** Two are enough to say that a prefix is not one commit. The bounds are for the indexes, whatever the collation makes of LIKE. */
const COMMITS = `
  SELECT commit FROM (
    SELECT DISTINCT commit FROM fabric_sync.resource_event
     WHERE fabric_id = $1 AND side = 'desired' AND commit <> '' AND commit >= $2 AND commit < $2 || 'g' AND commit LIKE $2 || '%'
     UNION
    SELECT position FROM fabric_sync.resource_dead_letter
     WHERE fabric_id = $1 AND side = 'desired' AND part = '' AND position LIKE $2 || '%'
  ) AS known LIMIT 2`;

const LANDINGS = `
  SELECT api_group AS "apiGroup", kind, namespace, name,
         taken_in AS "takenIn", in_cluster AS "inCluster", on_device AS "onDevice", reason
    FROM fabric_sync.landings WHERE fabric_id = $1 AND commit = $2
   ORDER BY api_group COLLATE "C", kind COLLATE "C", namespace COLLATE "C", name COLLATE "C"`;

/** What became of what a commit changed. `prefix` is of hex digits. */
export async function commitLandings(sql: Sql, fabricId: string, prefix: string): Promise<CommitLandings> {
  const commits = (await sql.rows<{ commit: string }>(COMMITS, [fabricId, prefix])).map(({ commit }) => commit);
  const [commit, ...others] = commits;
  if (commit === undefined || others.length > 0) return { commits, objects: [] };
  return { commits, objects: await sql.rows<Landed>(LANDINGS, [fabricId, commit]) };
}

/** What Git dropped long ago, and is gone, is no part of the revision. 1,000 objects of which 20 agents hold a copy each are counted in 0.4 s. */
const COUNTS = `
  SELECT in_cluster AS "inCluster", on_device AS "onDevice", count(*)::integer AS objects
    FROM fabric_sync.applied a
    JOIN fabric_sync.resource r ON r.fabric_id = a.fabric_id AND r.id = a.resource_id
   WHERE a.fabric_id = $1 AND (r.desired_spec IS NOT NULL OR r.actual_spec IS NOT NULL)
   GROUP BY 1, 2`;

const REFUSED = `
  SELECT count(*)::integer AS refused FROM fabric_sync.resource_dead_letter
   WHERE fabric_id = $1 AND side = 'desired' AND part = ''`;

export async function countLandings(sql: Sql, fabricId: string): Promise<LandingCounts> {
  const rows = await sql.rows<Pick<Landed, "inCluster" | "onDevice"> & { objects: number }>(COUNTS, [fabricId]);
  const sum = (of: "inCluster" | "onDevice", landing: string): number =>
    rows.reduce((total, row) => total + (row[of] === landing ? row.objects : 0), 0);
  const counted = (of: "inCluster" | "onDevice") => ({
    yes: sum(of, "yes"),
    no: sum(of, "no"),
    unknown: sum(of, "unknown"),
  });
  const objects = rows.reduce((total, row) => total + row.objects, 0);
  const [letters] = await sql.rows<{ refused: number }>(REFUSED, [fabricId]);
  return {
    ...{ objects, refused: letters?.refused ?? 0 },
    ...{ inCluster: counted("inCluster"), onDevice: counted("onDevice") },
  };
}
