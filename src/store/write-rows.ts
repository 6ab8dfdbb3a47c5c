import type { ResourceEvent, ResourceRow } from "../core/row.ts";
import { columnSource, type ColumnSource } from "./column-arrays.ts";
import { eventWrite, IMAGE_SOURCES, imageExpression } from "./event-image.ts";
import { EVENT_COLUMNS, KEY_COLUMNS, RESOURCE_COLUMNS } from "./resource-columns.ts";
import type { Part, Statement } from "./statement.ts";
import { DoneAgain, refusing, StoreError } from "./store-error.ts";
import { columnList } from "./table-shape.ts";
import type { Sql } from "./transaction.ts";

/** A row that changed, with what it tells history. */
export interface RowChange {
  readonly row: ResourceRow;
  /** `version` of the row as it was read, null for a new one. */
  readonly version: string | null;
  readonly events: readonly ResourceEvent[];
  /** The row as it was read; null for a new one. */
  readonly before: ResourceRow | null;
}

const UPDATED = RESOURCE_COLUMNS.filter(
  ({ name }) => name !== '"id"' && !KEY_COLUMNS.some((column) => name === `"${column}"`),
);

/** Columns whose content costs: a value that stays is neither sent nor parsed nor compressed again. */
const CONTENT = UPDATED.filter(({ type }) => type === "jsonb").map(({ property }) => property as keyof ResourceRow);

/**
 * Of {@link CONTENT}, what no row that is there changes: as a rule the other side's. By identity, which the reducer keeps.
 * @param known the changes of rows that are there
 */
function unchangedContent(known: readonly RowChange[]): ReadonlySet<string> {
  if (known.length === 0) return new Set();
  return new Set(CONTENT.filter((column) => known.every(({ row, before }) => row[column] === before?.[column])));
}

/** The row without what is kept. In its place stands what its checks allow: a row that is there is never inserted. */
function withoutKept({ row, version }: RowChange, kept: ReadonlySet<string>): ResourceRow {
  if (version === null || kept.size === 0) return row;
  const sent: Record<string, unknown> = { ...row };
  for (const column of kept) {
    const value = sent[column];
    if (value !== null) sent[column] = Array.isArray(value) ? [] : {};
  }
  return sent as unknown as ResourceRow;
}

/** Events are sent with one field more than the table has: whether the image is the row's. */
const EVENT_FIELDS = [...EVENT_COLUMNS, { property: "derived", name: "derived", type: "boolean" }];

/** The rows that were read, in key order, and each as it was read. One look-up a row whatever the statistics say, as in `read-rows.ts`. */
const SEEN = "unnest($2::uuid[], $3::xid[]) WITH ORDINALITY AS seen (id, version, position)";
const AS_READ = `SELECT FROM fabric_sync.resource r
      WHERE r.fabric_id = (SELECT $1::uuid) AND r.id = seen.id AND r.xmin = seen.version`;

/**
 * So many rows have one statement, whatever they say: it comes again and again, and is planned once (`session.ts`). More rows have a statement that
 * suits what they say.
 */
export const BRIEF_ROWS = 8;

/** The first parameter of the rows' columns; before them the fabric, and ids and versions of the rows that are there. */
const ROWS_FROM = 4;

/**
 * The only statement that writes `resource`. A row that another writer changed since it was read is not overwritten:
 * - `same` counts the rows that are as they were read. One that is not, and nothing is locked or written: locks on a part of the rows
 *   would have to be completed later, out of order.
 * - `guard` locks them, in key order. One that somebody else changes meanwhile, and nothing is written; all are locked then.
 * - A new row that somebody else has made meanwhile has another id than ours: the upsert leaves it alone.
 * The caller reads again what was not written.
 */
const resourceStatement = (rows: ColumnSource, kept: ReadonlySet<string>): string => `
  same AS (
    SELECT count(*) AS rows FROM ${SEEN} CROSS JOIN LATERAL (${AS_READ} LIMIT 1) r
  ), guard AS (
    SELECT FROM (SELECT * FROM ${SEEN} ORDER BY position) AS seen CROSS JOIN LATERAL (${AS_READ} FOR UPDATE LIMIT 1) r
     WHERE (SELECT rows FROM same) = cardinality($2::uuid[])
  ), written AS (
    INSERT INTO fabric_sync.resource (${columnList(RESOURCE_COLUMNS)})
    SELECT ${rows.expressions.join(", ")} FROM ${rows.from}
     WHERE (SELECT count(*) FROM guard) = cardinality($2::uuid[])
     ORDER BY i.position
        ON CONFLICT (${KEY_COLUMNS.join(", ")}) DO UPDATE
       SET ${UPDATED.filter(({ property }) => !kept.has(property))
         .map(({ name }) => `${name} = excluded.${name}`)
         .join(", ")}
     WHERE resource.id = excluded.id
    RETURNING id, ${IMAGE_SOURCES.join(", ")}
  )`;

/** History of the rows that were written. */
function eventStatement(events: ColumnSource): string {
  const field = (property: string): string =>
    events.expressions[EVENT_FIELDS.findIndex((column) => column.property === property)] ?? "NULL";
  const image = `CASE WHEN ${field("derived")} THEN ${imageExpression(field("side"), "written")} ELSE ${field("image")} END`;
  const values = EVENT_COLUMNS.map(({ property }) => (property === "image" ? image : field(property)));
  return `event AS (
    INSERT INTO fabric_sync.resource_event (${columnList(EVENT_COLUMNS)})
    SELECT ${values.join(", ")}
      FROM ${events.from}
      JOIN written ON written.id = ${field("resourceId")}
     ORDER BY e.position
  )`;
}

/**
 * The second of a batch's two statements: everything at once. `changes` must be in key order. What `parts` write of a resource
 * depends on `written` (`statement.ts`).
 *
 * The statement's snapshot is older than its locks. It is good for all that belongs to the rows nevertheless: who writes such rows gives their
 * resource a new version in the same transaction, so that what `guard` finds as it was read has had no other writer since.
 * Returns the ids of the rows that were written. `atOnce`: all of them, and they are committed.
 * @throws DoneAgain where `atOnce` and not all of them could be written: none is, then
 */
export async function writeRows(
  sql: Sql,
  fabricId: string,
  changes: readonly RowChange[],
  parts: readonly Part[],
  atOnce = false,
): Promise<ReadonlySet<string>> {
  const statement: Statement = { parts: [], values: [fabricId] };
  if (changes.length > 0) addRows(statement, changes);
  for (const part of parts) part(statement);
  if (statement.parts.length === 0) return new Set();
  const ids = changes.length > 0 ? "(SELECT json_agg(id) FROM written)" : "NULL::json";
  const begin = `WITH ${statement.parts.join(", ")} SELECT ${ids} AS written, $1::uuid AS fabric_id`;
  const check = atOnce && changes.length > 0 ? allOrNothing(changes.length, statement) : "";
  const text = begin + check;
  const [answer] = atOnce
    ? await sql.lastRows<Written>(text, statement.values).catch(changedMeanwhile)
    : await sql.rows<Written>(text, statement.values);
  return new Set(answer?.written ?? []);
}

interface Written {
  readonly written: string[] | null;
}

/** What ends the statement, and so the transaction, unless it wrote as many rows as it was given: its COMMIT is under way already. */
function allOrNothing(rows: number, { values }: Statement): string {
  values.push(rows);
  return `, 1 / (CASE WHEN (SELECT count(*) FROM written) = $${values.length}::integer THEN 1 ELSE 0 END) AS all_of_them`;
}

/** Nothing else in a statement of ours divides. */
const DIVISION_BY_ZERO = "22012";

function changedMeanwhile(error: unknown): never {
  if (!(error instanceof StoreError) || error.sqlstate !== DIVISION_BY_ZERO) throw error;
  throw new DoneAgain("another writer changed the same rows", { sqlstate: "40001", dropConnection: false });
}

function addRows({ parts, values }: Statement, changes: readonly RowChange[]): void {
  const known = changes.filter(({ version }) => version !== null);
  const kept = unchangedContent(known);
  const rows = changes.map((change) => withoutKept(change, kept));
  const events = changes.flatMap(({ row, events }) => events.map((event) => eventWrite(event, row)));
  values.push(
    known.map(({ row }) => row.id),
    known.map(({ version }) => version),
  );
  const steady = rows.length > 1 && rows.length <= BRIEF_ROWS;
  const rowSource = refusing(() => columnSource(RESOURCE_COLUMNS, rows, ROWS_FROM, "i", steady));
  values.push(...rowSource.values);
  parts.push(resourceStatement(rowSource, kept));
  if (events.length === 0) return;
  const eventSource = refusing(() => columnSource(EVENT_FIELDS, events, values.length + 1, "e", steady));
  values.push(...eventSource.values);
  parts.push(eventStatement(eventSource));
}
