import type { Pool } from "pg";
import type { ResourceKey } from "../core/identity.ts";
import type { Fence } from "../core/ports.ts";
import type { ReducePolicy } from "../core/policy.ts";
import { rejudging } from "./fold.ts";
import { retrying, type RetryOptions } from "./retry.ts";
import { createTally } from "./tally.ts";
import { autocommit, inTransaction } from "./transaction.ts";
import { writeSubjects } from "./write-subjects.ts";

/** Rows a transaction: short enough that a watch's writes to the same rows do not wait noticeably. */
const PAGE = 100;

const NEXT_KEYS = `
  SELECT fabric_id AS "fabricId", api_group AS "apiGroup", kind, namespace, name
    FROM fabric_sync.resource
   WHERE fabric_id = $1 AND (api_group, kind, namespace, name) > ($2, $3, $4, $5)
   ORDER BY api_group, kind, namespace, name LIMIT ${PAGE}`;

/** Judges every row of a fabric under `policy`; a row whose verdict stays is not written. Safe to repeat. */
export async function rejudge(
  pool: Pool,
  fence: Fence,
  policy: ReducePolicy,
  retry: RetryOptions,
): Promise<{ changed: number; unchanged: number }> {
  let changed = 0;
  let unchanged = 0;
  const work = { fence, fold: rejudging(policy) };
  let after: Omit<ResourceKey, "fabricId"> = { apiGroup: "", kind: "", namespace: "", name: "" };
  for (;;) {
    retry.signal.throwIfAborted();
    const { apiGroup, kind, namespace, name } = after;
    const keys = await retrying(retry, () =>
      autocommit(pool).rows<ResourceKey>(NEXT_KEYS, [fence.fabricId, apiGroup, kind, namespace, name]),
    );
    const last = keys.at(-1);
    if (last === undefined) break;
    const subjects = keys.map((key) => ({ key, observations: [] }));
    // A tally of its own: an attempt that is repeated must not count twice.
    const page = await retrying(retry, () =>
      inTransaction(pool, async (sql) => {
        const counted = createTally();
        await writeSubjects(sql, work, subjects, [], counted);
        return counted.result();
      }),
    );
    changed += page.changed;
    unchanged += page.unchanged;
    after = last;
  }
  return { changed, unchanged };
}
