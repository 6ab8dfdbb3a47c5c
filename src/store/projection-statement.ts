import { columnSource } from "./column-arrays.ts";
import type { OwnedTable } from "./projection-tables.ts";
import { refusing } from "./store-error.ts";

/** Rows of one table, each with the resource that it belongs to. */
export interface Replacement {
  readonly table: OwnedTable;
  readonly rows: readonly object[];
  /** Resources whose rows in this table are replaced; rows of theirs that are missing go. */
  readonly owners: readonly string[];
}

/** A statement that is put together from parts, with its parameters. `$1` is the fabric. */
export interface Statement {
  readonly parts: string[];
  readonly values: unknown[];
}

/**
 * The fabric in a look-up. One look-up a row, whatever the statistics say: LIMIT and OFFSET keep look-ups from being joined, and a subquery
 * keeps the planner from taking a fabric that is newer than the statistics for empty. Otherwise the first load of a large fabric reads all that it
 * has written so far with every batch.
 */
const FABRIC = "(SELECT $1::uuid)";

/** Adds what writes the rows that are new or differ: rows that are as they are get neither a write nor a lock. */
export function upsertPart(statement: Statement, { table, rows }: Replacement): void {
  if (rows.length === 0) return;
  const source = refusing(() => columnSource(table.wire, rows, statement.values.length + 1, "i"));
  statement.values.push(...source.values);
  const given = (index: number): string => source.expressions[index] ?? "NULL";
  const rest = table.columns.map(({ name }) => name).filter((name) => !table.key.includes(name));
  const times = table.hasUpdatedAt ? ["first_seen", "updated_at"] : ["first_seen"];
  const update = [...rest, ...(table.hasUpdatedAt ? ["updated_at"] : [])];
  const names = table.columns.map(({ name }) => name);
  const sets = table.columns.findIndex(({ name }) => name === '"sets_observed"');
  const select = table.columns.map(({ name }, index) => {
    const value = `${given(index)}::${castOf(table, index)}`;
    return `${index === sets ? mergedSets(value) : value} AS ${name}`;
  });
  const joined =
    sets < 0 ? "" : devicesBefore(given(0), given(table.columns.findIndex(({ property }) => property === "name")));
  const same = (left: string, right: string, columns: readonly string[]): string =>
    `(${columns.map((name) => left + name).join(", ")}) ${right === "" ? "" : `IS NOT DISTINCT FROM (${columns.map((name) => right + name).join(", ")})`}`;
  statement.parts.push(`
  in_${table.name} AS (
    SELECT ${select.join(", ")}, i.position FROM ${source.from} ${joined}
  ), up_${table.name} AS (
    INSERT INTO fabric_sync.${table.name} (fabric_id, ${names.join(", ")}, ${times.join(", ")})
    SELECT $1, ${names.map((name) => `i.${name}`).join(", ")}, ${times.map(() => "now()").join(", ")}
      FROM in_${table.name} i
     WHERE NOT EXISTS (
             SELECT FROM fabric_sync.${table.name} t
              WHERE t.fabric_id = ${FABRIC} AND ${table.key.map((name) => `t.${name} = i.${name}`).join(" AND ")}
                ${rest.length === 0 ? "" : `AND ${same("t.", "i.", rest)}`} OFFSET 0)
     ORDER BY i.position
        ON CONFLICT (fabric_id, ${table.key.join(", ")}) ${
          update.length === 0
            ? "DO NOTHING"
            : `DO UPDATE SET ${update.map((name) => `${name} = excluded.${name}`).join(", ")}`
        }
    RETURNING 1
  )`);
}

/**
 * Adds what removes the rows that are not given any more. By their place (ctid): who writes rows of a resource holds the lock on it, so nobody
 * moves them meanwhile.
 */
export function deletePart(statement: Statement, { table, rows, owners }: Replacement): void {
  if (owners.length === 0) return;
  statement.values.push(owners);
  const parameter = `$${statement.values.length}::uuid[]`;
  const given = statement.parts.some((part) => part.includes(`up_${table.name} AS`));
  const kept =
    rows.length === 0 || !given
      ? ""
      : `WHERE NOT EXISTS (SELECT FROM in_${table.name} i WHERE ${table.key.map((name) => `i.${name} = t.${name}`).join(" AND ")})`;
  const devices = `CROSS JOIN LATERAL (
          SELECT d.name FROM fabric_sync.device d WHERE d.fabric_id = ${FABRIC} AND d.resource_id = o.id OFFSET 0) d`;
  statement.parts.push(`
  gone_${table.name} AS (
    DELETE FROM fabric_sync.${table.name} WHERE ctid = ANY (ARRAY(
      SELECT t.ctid FROM unnest(${parameter}) AS o (id) ${table.ofDevice ? devices : ""}
       CROSS JOIN LATERAL (
          SELECT t.ctid, ${table.key.map((name) => `t.${name}`).join(", ")} FROM fabric_sync.${table.name} t
           WHERE t.fabric_id = ${FABRIC} AND t.resource_id = o.id ${table.ofDevice ? "AND t.device = d.name" : ""} OFFSET 0) t
       ${kept}))
    RETURNING 1
  )`);
}

/**
 * `WITH …` that answers with how many rows were written and removed, and whether any part of any resource is a dead letter. Asked here, behind the
 * locks on the resources, the answer holds until the commit.
 */
export function statementText({ parts }: Statement): string {
  const counted = parts.flatMap((part) =>
    [...part.matchAll(/\b((?:up|gone)_\w+) AS \(/g)].map(([, name]) => name ?? ""),
  );
  const sum = counted.map((name) => `(SELECT count(*) FROM ${name})`).join(" + ");
  return `WITH ${parts.join(",")} SELECT (${sum || "0"})::integer AS writes,
    EXISTS (SELECT FROM fabric_sync.resource_dead_letter d WHERE d.fabric_id = $1 AND d.part <> '') AS refusals`;
}

function castOf(table: OwnedTable, index: number): string {
  const type = table.columns[index]?.type ?? "text";
  return type.includes("COLLATE") ? 'text COLLATE "C"' : type;
}

/** What a device's row says already, and as of when the resource is told. */
function devicesBefore(resourceId: string, name: string): string {
  return `
      CROSS JOIN LATERAL (
        SELECT r.actual_updated FROM fabric_sync.resource r WHERE r.fabric_id = ${FABRIC} AND r.id = ${resourceId} LIMIT 1) r
      LEFT JOIN LATERAL (
        SELECT d.sets_observed FROM fabric_sync.device d
         WHERE d.fabric_id = ${FABRIC} AND d.resource_id = ${resourceId} AND d.name = ${name} LIMIT 1) was ON true`;
}

/**
 * What is told of is `current`; a set that was told of before and is not now is stale since this observation, and stays so until it is told
 * of again.
 */
function mergedSets(given: string): string {
  return `${given} || coalesce((
      SELECT jsonb_object_agg(key, CASE value WHEN '"current"' THEN to_jsonb(coalesce(r.actual_updated, now())) ELSE value END)
        FROM jsonb_each(was.sets_observed) WHERE NOT (${given}) ? key), '{}')`;
}
