import { hash } from "node:crypto";
import type { ResourceKey } from "../core/identity.ts";
import type { Observation } from "../core/observation.ts";
import type { DeadLetter, DeadLetterQuery, DeadLetterSummary } from "../core/ports.ts";
import type { Side } from "../core/vocabulary.ts";
import { plainText, StoreError } from "./store-error.ts";
import type { Sql } from "./transaction.ts";
import type { TableWrite } from "./statement.ts";

/**
 * Longest part of a key here (characters). The five parts share one index row of at most 2,704 bytes; Kubernetes allows 253. A longer
 * part is cut and marked with its hash: what is too long for an index must still be told of.
 */
const KEY_PART_LIMIT = 300;

/** Records that the database refused an observation; a later refusal of the same side replaces it and counts. */
export async function writeDeadLetter(
  sql: Sql,
  observation: Observation,
  refusal: Omit<DeadLetterSummary, "key">,
): Promise<void> {
  const { key } = observation;
  await sql.rows(
    `INSERT INTO fabric_sync.resource_dead_letter
       (fabric_id, api_group, kind, namespace, name, side, part, sqlstate, constraint_name, column_name, message,
        payload, position, write_path, attempts, schema_version, first_failed_at, last_failed_at)
     VALUES ($1, $2, $3, $4, $5, $6, '', $7, $8, $9, $10, $11, $12, $13, 1,
        (SELECT coalesce(max(version), 0) FROM fabric_sync.schema_migration WHERE state = 'applied'), now(), now())
     ON CONFLICT (fabric_id, api_group, kind, namespace, name, side, part) DO UPDATE
       SET sqlstate = excluded.sqlstate, constraint_name = excluded.constraint_name,
           column_name = excluded.column_name, message = excluded.message, payload = excluded.payload,
           position = excluded.position, write_path = excluded.write_path,
           attempts = resource_dead_letter.attempts + 1, schema_version = excluded.schema_version,
           last_failed_at = excluded.last_failed_at`,
    [
      key.fabricId,
      ...[key.apiGroup, key.kind, key.namespace, key.name].map(boundedPart),
      observation.side,
      refusal.sqlstate,
      refusal.constraint,
      refusal.column,
      refusal.message,
      // A `json` column keeps every text and number as it came, also what `jsonb` refuses.
      JSON.stringify(observation),
      plainText(positionOf(observation)),
      observation.writePath,
    ],
  );
}

/** Clears the dead letters of sides that were applied since: what was refused is no longer the newest. */
export function deadLetterClearance(applied: readonly (readonly [key: ResourceKey, side: Side])[]): TableWrite {
  return {
    name: "cleared_dead_letter",
    statement: (parameter) => `
      DELETE FROM fabric_sync.resource_dead_letter d
       USING json_to_recordset(${parameter}::json)
             AS i (api_group text, kind text, namespace text, name text, side text)
       WHERE d.fabric_id = $1 AND d.api_group = i.api_group AND d.kind = i.kind AND d.namespace = i.namespace
         AND d.name = i.name AND d.side = i.side AND d.part = ''`,
    input: JSON.stringify(
      applied.map(([{ apiGroup, kind, namespace, name }, side]) => ({
        api_group: apiGroup,
        kind,
        namespace,
        name,
        side,
      })),
    ),
  };
}

/** The ids of {@link DeadLetter}s are their keys. */
const ID = "concat_ws('/', side, api_group, kind, namespace, name)";

const FILTER = `
  fabric_id = $1
  AND ($2::text[] IS NULL OR ${ID} = ANY ($2::text[]))
  AND ($3::text IS NULL OR kind = $3) AND ($4::text IS NULL OR namespace = $4) AND ($5::text IS NULL OR name = $5)
  AND (NOT $6::boolean OR schema_version <
        (SELECT coalesce(max(version), 0) FROM fabric_sync.schema_migration WHERE state = 'applied'))`;

function filterValues(query: DeadLetterQuery): unknown[] {
  return [
    query.fabricId,
    query.ids ?? null,
    query.kind ?? null,
    query.namespace ?? null,
    query.name ?? null,
    query.olderSchema ?? false,
  ];
}

export async function listDeadLetters(sql: Sql, query: DeadLetterQuery): Promise<DeadLetter[]> {
  const rows = await sql.rows<Omit<DeadLetter, "key"> & ResourceKey>(
    `SELECT ${ID} AS id, fabric_id AS "fabricId", api_group AS "apiGroup", kind, namespace, name, side,
            sqlstate, constraint_name AS "constraint", column_name AS "column", message, payload,
            write_path AS "writePath", attempts, schema_version AS "schemaVersion",
            first_failed_at AS "firstFailedAt", last_failed_at AS "lastFailedAt"
       FROM fabric_sync.resource_dead_letter WHERE ${FILTER} AND part = ''
      ORDER BY api_group, kind, namespace, name, side`,
    filterValues(query),
  );
  return rows.map(({ fabricId, apiGroup, kind, namespace, name, ...letter }) => ({
    ...letter,
    key: { fabricId, apiGroup, kind, namespace, name },
  }));
}

export async function dropDeadLetters(sql: Sql, query: DeadLetterQuery): Promise<number> {
  const dropped = await sql.rows(
    `DELETE FROM fabric_sync.resource_dead_letter WHERE ${FILTER} RETURNING 1 AS dropped`,
    filterValues(query),
  );
  return dropped.length;
}

/** What a refusal tells, of an error of policy `dead-letter`. */
export function refusalOf(error: Error): Omit<DeadLetterSummary, "key"> {
  const message = plainText(error.message);
  if (!(error instanceof StoreError)) return { sqlstate: "", constraint: "", column: "", message };
  return { sqlstate: error.sqlstate, constraint: error.constraint, column: error.column, message };
}

function positionOf(observation: Observation): string {
  if (observation.side === "actual") return observation.resourceVersion;
  return observation.type === "upsert" ? observation.origin.commit : observation.commit;
}

export function boundedPart(part: string): string {
  const text = plainText(part);
  return text.length <= KEY_PART_LIMIT ? text : `${text.slice(0, KEY_PART_LIMIT - 65)}~${hash("sha256", text, "hex")}`;
}
