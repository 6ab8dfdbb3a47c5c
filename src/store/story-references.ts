import type { StoryReference } from "../core/ports.ts";
import type { Sql } from "./transaction.ts";

/** References that one story tells in each direction: a namespace may be referred to by everything. */
const LIMIT = 500;

const COLUMNS = (prefix: "" | "target_") =>
  ["api_group", "kind", "namespace", "name"]
    .map((name) => `${prefix}${name} AS "${name.replace(/_(.)/, (_all, letter: string) => letter.toUpperCase())}"`)
    .join(", ");

/** What a resource refers to, and what refers to it, on both sides. */
export async function storyReferences(sql: Sql, fabricId: string, resourceId: string): Promise<StoryReference[]> {
  return sql.rows<StoryReference>(
    `(SELECT 'to' AS direction, side, relation, path, ${COLUMNS("target_")}, dangling, file_path AS "filePath", line
        FROM fabric_sync."references" WHERE fabric_id = $1 AND resource_id = $2
       ORDER BY target_kind, target_name, side, path LIMIT ${LIMIT})
      UNION ALL
     (SELECT 'by', side, relation, path, ${COLUMNS("")}, false, file_path, line
        FROM fabric_sync."references" WHERE fabric_id = $1 AND target_id = $2
       ORDER BY kind, name, side, path LIMIT ${LIMIT})`,
    [fabricId, resourceId],
  );
}
