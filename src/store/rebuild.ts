import type { Pool } from "pg";
import { keyString, type ResourceKey } from "../core/identity.ts";
import type { Fence } from "../core/ports.ts";
import { REFERENCES } from "../core/references.ts";
import { rowKey, type ResourceRow } from "../core/row.ts";
import { projectedKinds } from "../projections/project.ts";
import { planOf, tellingOf } from "./plan-projections.ts";
import { readRows } from "./read-rows.ts";
import { retrying, type RetryOptions } from "./retry.ts";
import { inSlices } from "./slices.ts";
import { restoreSnapshots } from "./snapshots.ts";
import { autocommit, inTransaction } from "./transaction.ts";
import { writeProjectionsCarefully } from "./write-projections.ts";

/**
 * The rules by which this program makes projections. Raise it with every change of what a projector or a reference field makes of a resource: the
 * leader then makes them anew of all rows, once.
 */
export const PROJECTIONS_VERSION = 3;

/** Rows a transaction: a rebuild beside a running operator makes its writes wait for no longer than this takes. */
const PAGE = 200;

/** Kinds whose references the Fabric names. */
const NAMED_KINDS = `
  SELECT DISTINCT (rule ->> 'kind') || '.' || (rule ->> 'group') AS kind
    FROM fabric_sync.fabric CROSS JOIN LATERAL jsonb_array_elements(reference_rules) AS rule WHERE id = $1`;

const RULES = "SELECT reference_rules::text AS text FROM fabric_sync.fabric WHERE id = $1";

/**
 * Whoever writes projections gives their resource a new version (xmin) with them: the writer, who waits for its lock in the middle of a statement,
 * sees that what it knows of them is of before (`write-rows.ts`).
 */
const NEW_VERSION = "UPDATE fabric_sync.resource SET id = id WHERE fabric_id = $1 AND id = ANY ($2::uuid[])";

/** Resources that may have rows in projections, by kind or by their owners. */
const NEXT_KEYS = `
  SELECT fabric_id AS "fabricId", api_group AS "apiGroup", kind, namespace, name
    FROM fabric_sync.resource r
   WHERE fabric_id = $1 AND (api_group, kind, namespace, name) > ($2, $3, $4, $5)
     AND (kind || '.' || api_group = ANY ($6::text[]) OR relationship_metadata ?| ARRAY['owners', 'declaredOwners']
          OR EXISTS (SELECT FROM fabric_sync.resource_edge e WHERE e.fabric_id = r.fabric_id AND e.resource_id = r.id))
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
  const [rules] = await retrying(retry, () => autocommit(pool).rows<{ text: string }>(RULES, [fence.fabricId]));
  const named = await retrying(retry, () => autocommit(pool).rows<{ kind: string }>(NAMED_KINDS, [fence.fabricId]));
  const kinds = [...new Set([...projectedKinds(), ...REFERENCES.keys(), ...named.map(({ kind }) => kind)])];
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
    if (last === undefined) break;
    writes += await retrying(retry, () =>
      inTransaction(pool, async (sql) => {
        const { rows, references, lettered } = await readRows(sql, fence, keys, true);
        const tellings = await inSlices([...rows.values()], ({ row }) =>
          tellingOf({ row, before: null, anew: true }, references),
        );
        const isLettered = (row: ResourceRow): boolean => lettered.has(keyString(rowKey(row)));
        const plan = planOf(tellings, isLettered);
        const written = await writeProjectionsCarefully(sql, fence.fabricId, plan, isLettered);
        if (written.owners.length > 0) await sql.rows(NEW_VERSION, [fence.fabricId, written.owners]);
        return written.writes + (await restoreSnapshots(sql, fence.fabricId, tellings));
      }),
    );
    resources += keys.length;
    after = last;
  }
  // Rules that the Fabric changed meanwhile are for the next time.
  await retrying(retry, () =>
    autocommit(pool).rows(
      `UPDATE fabric_sync.fabric SET projections_version = $2
        WHERE id = $1 AND reference_rules::text = $3 AND writer_epoch = $4 AND projections_version <> $2`,
      [fence.fabricId, PROJECTIONS_VERSION, rules?.text ?? "", fence.epoch],
    ),
  );
  return { resources, writes };
}

/**
 * Makes the projections of a fabric anew where they were made by other rules: by another release, or before the Fabric named other references.
 * null when they are as they should be.
 */
export async function refreshProjections(
  pool: Pool,
  fence: Fence,
  retry: RetryOptions,
): Promise<{ resources: number; writes: number } | null> {
  const [made] = await retrying(retry, () =>
    autocommit(pool).rows<{ version: number }>(
      "SELECT projections_version AS version FROM fabric_sync.fabric WHERE id = $1",
      [fence.fabricId],
    ),
  );
  return made === undefined || made.version === PROJECTIONS_VERSION ? null : rebuildProjections(pool, fence, retry);
}
