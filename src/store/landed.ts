import type { CommitRows } from "../core/ports.ts";
import type { ResourceRow } from "../core/row.ts";
import { RESOURCE_COLUMNS } from "./resource-columns.ts";
import { columnList, rowDecoder } from "./table-shape.ts";
import type { Sql } from "./transaction.ts";

const decode = rowDecoder<ResourceRow>(RESOURCE_COLUMNS);

/** Two are enough to say that a prefix is not one commit. */
const COMMITS = `
  SELECT DISTINCT commit FROM fabric_sync.resource_event
   WHERE fabric_id = $1 AND side = 'desired' AND commit LIKE $2 || '%' LIMIT 2`;

const CHANGED = `
  SELECT ${columnList(RESOURCE_COLUMNS, "r.")} FROM fabric_sync.resource r
   WHERE r.fabric_id = $1 AND r.id IN (
     SELECT resource_id FROM fabric_sync.resource_event WHERE fabric_id = $1 AND side = 'desired' AND commit = $2)
   ORDER BY r.api_group, r.kind, r.namespace, r.name`;

const AGENTS = `
  SELECT ${columnList(RESOURCE_COLUMNS)} FROM fabric_sync.resource
   WHERE fabric_id = $1 AND api_group = 'agent.githedgehog.com' AND kind = 'Agent' AND actual_spec IS NOT NULL
   ORDER BY namespace, name`;

/** The rows that a commit changed, as they are now. `prefix` is of hex digits. */
export async function commitRows(sql: Sql, fabricId: string, prefix: string): Promise<CommitRows> {
  const commits = (await sql.rows<{ commit: string }>(COMMITS, [fabricId, prefix])).map(({ commit }) => commit);
  const [commit, ...others] = commits;
  if (commit === undefined || others.length > 0) return { commits, rows: [], agents: [] };
  const rows = (await sql.tuples(CHANGED, [fabricId, commit])).map(decode);
  const agents = (await sql.tuples(AGENTS, [fabricId])).map(decode);
  return { commits, rows, agents };
}
