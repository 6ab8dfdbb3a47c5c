import type { ActualKey, ActualKeysQuery } from "../core/ports.ts";
import type { Sql } from "./transaction.ts";

/** One page of the keys whose actual side is there; walks the primary key, a page costs its own length. */
export async function actualKeys(sql: Sql, query: ActualKeysQuery): Promise<ActualKey[]> {
  return sql.rows<ActualKey>(
    `SELECT namespace, name, actual_uid AS "uid", actual_resource_version AS "resourceVersion"
       FROM fabric_sync.resource
      WHERE fabric_id = $1 AND api_group = $2 AND kind = $3
        AND ($4 = '' OR namespace = $4)
        AND (namespace, name) > ($5, $6)
        AND actual_spec IS NOT NULL
      ORDER BY namespace, name
      LIMIT $7`,
    [
      query.fabricId,
      query.apiGroup,
      query.kind,
      query.namespace,
      query.after?.namespace ?? "",
      query.after?.name ?? "",
      query.limit,
    ],
  );
}
