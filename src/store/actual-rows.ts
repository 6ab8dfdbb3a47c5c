import type { ActualRow, ActualRowsQuery } from "../core/ports.ts";
import type { Sql } from "./transaction.ts";

/** The actual sides of some keys of one kind; those that are not there are left out. */
export async function actualRows(sql: Sql, { fabricId, apiGroup, kind, keys }: ActualRowsQuery): Promise<ActualRow[]> {
  return sql.rows<ActualRow>(
    `SELECT namespace, name, actual_uid AS "uid", actual_resource_version AS "resourceVersion", api_version AS "apiVersion",
            deletion_requested_at AS "deletionRequestedAt", labels, annotations, actual_spec AS spec, actual_status AS status
       FROM unnest($4::text[], $5::text[]) AS k (namespace, name)
       JOIN fabric_sync.resource USING (namespace, name)
      WHERE fabric_id = $1 AND api_group = $2 AND kind = $3 AND actual_spec IS NOT NULL`,
    [fabricId, apiGroup, kind, keys.map(({ namespace }) => namespace), keys.map(({ name }) => name)],
  );
}

/** Every kind of which the cluster has something; walks the fabric's rows once. */
export async function actualKinds(sql: Sql, fabricId: string): Promise<{ apiGroup: string; kind: string }[]> {
  return sql.rows(
    `SELECT DISTINCT api_group AS "apiGroup", kind FROM fabric_sync.resource
      WHERE fabric_id = $1 AND actual_spec IS NOT NULL
      ORDER BY 1, 2`,
    [fabricId],
  );
}
