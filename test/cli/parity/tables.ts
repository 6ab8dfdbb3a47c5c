import { withClient } from "../../support/postgres.ts";

/** Ids, who wrote, and when: what tells of the way by which a row came and of nothing else. */
export const PROVENANCE = [
  ...["id", "fabric_id", "write_path"],
  ...["first_seen", "updated_at", "last_state_change", "drift_since", "last_drift_check", "last_reconciliation"],
  ...["desired_updated", "actual_updated", "last_file_sync"],
];

/** What only who was there can tell: how often something changed, by whose edits, and in which commit. */
export const HISTORY = [
  ...["sync_attempts", "reconciliation_attempts", "external_modifications"],
  ...["desired_commit", "last_synced_commit"],
];

/** Tables of what is made of resources; the history and the dead letters are not of them. */
const PROJECTIONS = `
  SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'resource_id'
   WHERE c.relnamespace = 'fabric_sync'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition ORDER BY 1`;

/** Their ids and times, and in which version of its object a raw observation was seen last: our own answer to a DeviceState is one more. */
const PROJECTION_PROVENANCE = [
  "fabric_id",
  "resource_id",
  "first_seen",
  "updated_at",
  "observed_at",
  "expires_at",
  "resource_version",
] as const;

const KEY = "concat_ws(' ', r.api_group, r.kind, r.namespace, r.name)";
/**
 * Tombstones are history as well: whoever comes later finds nothing. So are the last uid and resourceVersion of a side that is gone and the file that it
 * was declared in, what the API server said when it was asked, what changed since both sides agreed, and by which commit and whom an object and its
 * drifted paths were declared. Our own answer to a DeviceState, which is outside of its content, may be a minute old.
 */
const RESOURCES = `
  SELECT ${KEY} || ' ' || regexp_replace((
           jsonb_set(to_jsonb(r), '{sync_metadata}', sync_metadata - '{check,sinceAgreed,blame}'::text[]) - $1::text[]
           - CASE WHEN actual_spec IS NULL THEN '{actual_uid,actual_resource_version}'::text[] ELSE '{}' END
           - CASE WHEN desired_spec IS NULL THEN '{managed_file_path}'::text[] ELSE '{}' END
           - CASE WHEN kind = 'DeviceState' THEN '{actual_status,actual_resource_version}'::text[] ELSE '{}' END)::text,
           '"commit": "[0-9a-f]{40}"', '"commit": ""', 'g') AS row
    FROM fabric_sync.resource r WHERE resource_state <> 'deleted' ORDER BY 1`;

/** A row a line, in the order of their keys; equal texts are equal tables. */
export type Tables = Readonly<Record<string, readonly string[]>>;

export async function tablesOf(databaseUrl: string): Promise<Tables> {
  return withClient(databaseUrl, async (client) => {
    // One instant of all of them.
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const rowsOf = async (text: string, values: unknown[]): Promise<string[]> =>
      (await client.query<{ row: string }>(text, values)).rows.map(({ row }) => row);
    const tables: Record<string, string[]> = { resource: await rowsOf(RESOURCES, [[...PROVENANCE, ...HISTORY]]) };
    for (const { name: table } of (await client.query<{ name: string }>(PROJECTIONS)).rows) {
      tables[table] = await rowsOf(
        `SELECT ${KEY} || ' ' || (to_jsonb(t) - $1::text[]) AS row
           FROM fabric_sync.${table} t JOIN fabric_sync.resource r ON r.fabric_id = t.fabric_id AND r.id = t.resource_id ORDER BY 1`,
        [PROJECTION_PROVENANCE],
      );
    }
    return tables;
  });
}

/** What one has and the other has not, by table; empty when both are the same. */
export function differences(tables: Tables, expected: Tables): Record<string, { more: string[]; less: string[] }> {
  const found: Record<string, { more: string[]; less: string[] }> = {};
  for (const table of Object.keys({ ...tables, ...expected })) {
    const [is, should] = [tables[table] ?? [], expected[table] ?? []];
    const more = is.filter((row) => !should.includes(row));
    const less = should.filter((row) => !is.includes(row));
    if (more.length > 0 || less.length > 0 || is.length !== should.length) found[table] = { more, less };
  }
  return found;
}
