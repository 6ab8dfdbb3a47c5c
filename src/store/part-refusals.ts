import type { ResourceRow } from "../core/row.ts";
import type { Refusal } from "../projections/projection.ts";
import { boundedPart } from "./dead-letters.ts";
import { wasWritten, type Part } from "./statement.ts";
import { plainText } from "./store-error.ts";

/** A child of a resource that was refused while the resource itself was taken in. */
export interface Refused {
  readonly row: ResourceRow;
  readonly refusal: Refusal;
}

/**
 * Dead letters of the parts of `rows`, replaced by difference: a part that is right now is no dead letter any more. They are told beside those
 * of whole objects, and are no business of `dead-letter retry`: the object itself is in the table.
 */
export function refusalPart(rows: readonly ResourceRow[], refused: readonly Refused[]): Part {
  const parts = new Map(refused.map(({ row, refusal }) => [`${row.id}\0${refusal.path}`, { row, refusal }] as const));
  const subjects = JSON.stringify(
    rows.map(({ id, apiGroup, kind, namespace, name }) => ({ id, api_group: apiGroup, kind, namespace, name })),
  );
  const input = JSON.stringify(
    [...parts.values()].map(({ row, refusal }) => ({
      id: row.id,
      api_group: row.apiGroup,
      kind: row.kind,
      namespace: row.namespace,
      name: row.name,
      side: row.actualSpec === null && row.actualStatus === null ? "desired" : "actual",
      part: boundedPart(refusal.path),
      sqlstate: refusal.sqlstate,
      column_name: refusal.column,
      message: plainText(refusal.message),
      position: row.actualResourceVersion || row.desiredCommit,
      write_path: row.writePath,
    })),
  );
  return ({ parts, values }) => {
    values.push(subjects, input);
    parts.push(replacement(`$${values.length - 1}::json`, `$${values.length}::json`));
  };
}

const KEY = "id uuid, api_group text, kind text, namespace text, name text";

const replacement = (subjects: string, input: string): string => `
  part_subject AS (
    SELECT * FROM json_to_recordset(${subjects}) AS s (${KEY}) WHERE ${wasWritten("s.id")}
  ), part_input AS (
    SELECT * FROM json_to_recordset(${input})
      AS i (${KEY}, side text, part text, sqlstate text, column_name text, message text, position text, write_path text)
     WHERE ${wasWritten("i.id")}
  ), gone_letter AS (
    DELETE FROM fabric_sync.resource_dead_letter d USING part_subject s
     WHERE d.fabric_id = $1 AND d.api_group = s.api_group AND d.kind = s.kind AND d.namespace = s.namespace
       AND d.name = s.name AND d.part <> ''
       AND NOT EXISTS (SELECT FROM part_input i WHERE i.id = s.id AND i.side = d.side AND i.part = d.part)
    RETURNING s.id AS resource_id
  ), part_refused AS (
    INSERT INTO fabric_sync.resource_dead_letter
      (fabric_id, api_group, kind, namespace, name, side, part, sqlstate, constraint_name, column_name, message,
       payload, position, write_path, attempts, schema_version, first_failed_at, last_failed_at)
    SELECT $1::uuid, i.api_group, i.kind, i.namespace, i.name, i.side, i.part, i.sqlstate, '', i.column_name, i.message,
           '{}'::json, i.position, i.write_path, 1,
           (SELECT coalesce(max(version), 0) FROM fabric_sync.schema_migration WHERE state = 'applied'), now(), now()
      FROM part_input i
     WHERE NOT EXISTS (SELECT FROM fabric_sync.resource_dead_letter d
                        WHERE d.fabric_id = $1 AND d.api_group = i.api_group AND d.kind = i.kind
                          AND d.namespace = i.namespace AND d.name = i.name AND d.side = i.side AND d.part = i.part
                          AND d.sqlstate = i.sqlstate AND d.column_name = i.column_name AND d.message = i.message)
        ON CONFLICT (fabric_id, api_group, kind, namespace, name, side, part) DO UPDATE
       SET sqlstate = excluded.sqlstate, column_name = excluded.column_name, message = excluded.message,
           position = excluded.position, write_path = excluded.write_path,
           attempts = resource_dead_letter.attempts + 1, last_failed_at = excluded.last_failed_at
    RETURNING api_group, kind, namespace, name
  ), up_letter AS (
    SELECT s.id AS resource_id FROM part_refused r JOIN part_subject s USING (api_group, kind, namespace, name)
  )`;
