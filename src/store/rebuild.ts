import type { Pool } from "pg";
import type { ResourceKey } from "../core/identity.ts";
import type { Fence } from "../core/ports.ts";
import { REFERENCES } from "../core/references.ts";
import { projectedKinds } from "../projections/project.ts";
import { readRows } from "./read-rows.ts";
import { retrying, type RetryOptions } from "./retry.ts";
import { autocommit, inTransaction } from "./transaction.ts";
import { writeProjections } from "./write-projections.ts";

/** Rows a transaction: a rebuild beside a running operator makes its writes wait for no longer than this takes. */
const PAGE = 200;

/** Resources that may have rows in projections, by kind or by their owners. */
const NEXT_KEYS = `
  SELECT fabric_id AS "fabricId", api_group AS "apiGroup", kind, namespace, name
    FROM fabric_sync.resource
   WHERE fabric_id = $1 AND (api_group, kind, namespace, name) > ($2, $3, $4, $5)
     AND (kind || '.' || api_group = ANY ($6::text[]) OR relationship_metadata ? 'owners')
   ORDER BY api_group, kind, namespace, name LIMIT ${PAGE}`;

/**
 * Makes the projections of a fabric anew of its resources, by difference: rows that are right are not written, so it is safe to repeat and to
 * run beside the operator. What a resource told before and does not tell now (stale sets) is not in it any more, and stays.
 */
export async function rebuildProjections(
  pool: Pool,
  fence: Fence,
  retry: RetryOptions,
): Promise<{ resources: number; writes: number }> {
  const kinds = [...new Set([...projectedKinds(), ...REFERENCES.keys()])];
  let resources = 0;
  let writes = 0;
  let after: Omit<ResourceKey, "fabricId"> = { apiGroup: "", kind: "", namespace: "", name: "" };
  for (;;) {
    retry.signal.throwIfAborted();
    const { apiGroup, kind, namespace, name } = after;
    const keys = await retrying(retry, () =>
      autocommit(pool).rows<ResourceKey>(NEXT_KEYS, [fence.fabricId, apiGroup, kind, namespace, name, kinds]),
    );
    const last = keys.at(-1);
    if (last === undefined) return { resources, writes };
    writes += await retrying(retry, () =>
      inTransaction(pool, async (sql) => {
        const { rows } = await readRows(sql, fence, keys, true);
        const changes = [...rows.values()].map(({ row }) => ({ row, before: null }));
        return writeProjections(sql, fence.fabricId, changes, true);
      }),
    );
    resources += keys.length;
    after = last;
  }
}
