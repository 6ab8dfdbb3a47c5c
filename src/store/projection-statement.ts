import { columnSource } from "./column-arrays.ts";
import { DEVICE, type OwnedTable } from "./projection-tables.ts";
import { wasWritten, type Part, type Statement } from "./statement.ts";
import { refusing } from "./store-error.ts";
import type { Sql } from "./transaction.ts";

/** Rows of one table, each with the resource that it belongs to. */
export interface Replacement {
  readonly table: OwnedTable;
  readonly rows: readonly object[];
  /** Resources whose rows in this table are replaced; rows of theirs that are missing go. */
  readonly owners: readonly string[];
}

/**
 * The fabric in a look-up. One look-up a row, whatever the statistics say: LIMIT and OFFSET keep look-ups from being joined, and a subquery
 * keeps the planner from taking a fabric that is newer than the statistics for empty. Otherwise the first load of a large fabric reads all that it
 * has written so far with every batch.
 */
export const FABRIC = "(SELECT $1::uuid)";

/** Beside its columns a device is sent with the time as of which its resource is told. */
const TOLD_AT = { property: "toldAt", name: '"told_at"', type: "timestamp with time zone" };

/**
 * Replaces rows by difference: what is as it was gets neither a write nor a lock. Everything at once, whatever hangs on what: foreign keys are
 * checked at the statement's end.
 */
export function addReplacements(statement: Statement, replacements: readonly Replacement[]): void {
  for (const replacement of replacements) upsertPart(statement, replacement);
  for (const replacement of replacements) deletePart(statement, replacement);
}

/** Adds what writes the rows that are new or differ. */
function upsertPart(statement: Statement, { table, rows }: Replacement): void {
  if (rows.length === 0) return;
  const isDevice = table === DEVICE;
  const wire = isDevice ? [...table.wire, TOLD_AT] : table.wire;
  const source = refusing(() => columnSource(wire, rows, statement.values.length + 1, "i"));
  statement.values.push(...source.values);
  const given = (property: string): string =>
    source.expressions[wire.findIndex((column) => column.property === property)] ?? "NULL";
  const rest = table.columns.map(({ name }) => name).filter((name) => !table.key.includes(name));
  const times = table.hasUpdatedAt ? ["first_seen", "updated_at"] : ["first_seen"];
  const update = [...rest, ...(table.hasUpdatedAt ? ["updated_at"] : [])];
  const names = table.columns.map(({ name }) => name);
  const select = table.columns.map(({ name, property, type }) => {
    const value = `${given(property)}::${type.includes("COLLATE") ? 'text COLLATE "C"' : type}`;
    return `${property === "setsObserved" ? mergedSets(value, given("toldAt")) : value} AS ${name}`;
  });
  const same = (left: string, right: string, columns: readonly string[]): string =>
    `(${columns.map((name) => left + name).join(", ")}) IS NOT DISTINCT FROM (${columns.map((name) => right + name).join(", ")})`;
  statement.parts.push(`
  in_${table.name} AS (
    SELECT ${select.join(", ")}, i.position FROM ${source.from} ${isDevice ? deviceBefore(given("resourceId"), given("name")) : ""}
  ), up_${table.name} AS (
    INSERT INTO fabric_sync.${table.name} (fabric_id, ${names.join(", ")}, ${times.join(", ")})
    SELECT $1, ${names.map((name) => `i.${name}`).join(", ")}, ${times.map(() => "now()").join(", ")}
      FROM in_${table.name} i
     WHERE ${wasWritten("i.resource_id")}
       AND NOT EXISTS (
             SELECT FROM fabric_sync.${table.name} t
              WHERE t.fabric_id = ${FABRIC} AND ${table.key.map((name) => `t.${name} = i.${name}`).join(" AND ")}
                ${rest.length === 0 ? "" : `AND ${same("t.", "i.", rest)}`} OFFSET 0)
     ORDER BY i.position
        ON CONFLICT (fabric_id, ${table.key.join(", ")}) ${
          update.length === 0
            ? "DO NOTHING"
            : `DO UPDATE SET ${update.map((name) => `${name} = excluded.${name}`).join(", ")}`
        }
    RETURNING resource_id
  )`);
}

/** Adds what removes the rows that are not given any more, by their place (ctid): nobody moves rows of a resource that is locked. */
function deletePart(statement: Statement, { table, rows, owners }: Replacement): void {
  if (owners.length === 0) return;
  statement.values.push(owners);
  const parameter = `$${statement.values.length}::uuid[]`;
  const kept =
    rows.length === 0
      ? ""
      : `AND NOT EXISTS (SELECT FROM in_${table.name} i WHERE ${table.key.map((name) => `i.${name} = t.${name}`).join(" AND ")})`;
  const devices = `CROSS JOIN LATERAL (
          SELECT d.name FROM fabric_sync.device d WHERE d.fabric_id = ${FABRIC} AND d.resource_id = o.id OFFSET 0) d`;
  statement.parts.push(`
  gone_${table.name} AS (
    DELETE FROM fabric_sync.${table.name} WHERE ctid = ANY (ARRAY(
      SELECT t.ctid FROM unnest(${parameter}) AS o (id) ${table.ofDevice ? devices : ""}
       CROSS JOIN LATERAL (
          SELECT t.ctid, ${table.key.map((name) => `t.${name}`).join(", ")} FROM fabric_sync.${table.name} t
           WHERE t.fabric_id = ${FABRIC} AND t.resource_id = o.id ${table.ofDevice ? "AND t.device = d.name" : ""} OFFSET 0) t
       WHERE ${wasWritten("o.id")} ${kept}))
    RETURNING resource_id
  )`);
}

/** What a device's row says already. */
function deviceBefore(resourceId: string, name: string): string {
  return `
      LEFT JOIN LATERAL (
        SELECT d.sets_observed FROM fabric_sync.device d
         WHERE d.fabric_id = ${FABRIC} AND d.resource_id = ${resourceId} AND d.name = ${name} LIMIT 1) was ON true`;
}

/**
 * What is told of is `current`; a set that was told of before and is not now is stale since this observation, and stays so until it is told
 * of again.
 */
function mergedSets(given: string, toldAt: string): string {
  return `${given} || coalesce((
      SELECT jsonb_object_agg(key, CASE value WHEN '"current"' THEN to_jsonb(coalesce(${toldAt}::timestamptz, now())) ELSE value END)
        FROM jsonb_each(was.sets_observed) WHERE NOT (${given}) ? key), '{}')`;
}

/**
 * Runs parts by themselves, for resources that are written and locked already.
 * @returns how many rows of projections were written and removed, and of which resources
 */
export async function runAlone(
  sql: Sql,
  fabricId: string,
  ids: readonly string[],
  parts: readonly Part[],
): Promise<{ writes: number; owners: readonly string[] }> {
  const written = `written AS (
    SELECT r.* FROM unnest($2::uuid[]) AS o (id) CROSS JOIN LATERAL (
      SELECT r.id, r.actual_spec, r.actual_status FROM fabric_sync.resource r WHERE r.fabric_id = ${FABRIC} AND r.id = o.id LIMIT 1) r)`;
  const statement: Statement = { parts: [written], values: [fabricId, ids] };
  for (const part of parts) part(statement);
  const changed = statement.parts.flatMap((part) =>
    [...part.matchAll(/\b((?:up|gone)_\w+) AS \(/g)].map(([, name]) => name),
  );
  const owners = changed.map((name) => `SELECT resource_id FROM ${name}`).join(" UNION ALL ");
  const [answer] = await sql.rows<{ writes: number; owners: string[] | null }>(
    `WITH ${statement.parts.join(", ")}
     SELECT count(*)::integer AS writes, json_agg(DISTINCT resource_id) AS owners FROM (${owners || "SELECT $1::uuid AS resource_id WHERE false"}) c`,
    statement.values,
  );
  return { writes: answer?.writes ?? 0, owners: answer?.owners ?? [] };
}
