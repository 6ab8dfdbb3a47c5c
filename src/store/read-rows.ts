import { keyString, type ResourceKey } from "../core/identity.ts";
import { CursorsLost } from "../core/errors.ts";
import type { Cursor, Fence } from "../core/ports.ts";
import { parseJson } from "../core/json.ts";
import type { ReferenceRule } from "../core/references.ts";
import { rowKey, type ResourceRow } from "../core/row.ts";
import type { Side } from "../core/vocabulary.ts";
import { KEY_COLUMNS, RESOURCE_COLUMNS } from "./resource-columns.ts";
import { inSlices } from "./slices.ts";
import { fenceLost } from "./store-error.ts";
import { columnList, rowDecoder } from "./table-shape.ts";
import type { Sql } from "./transaction.ts";

/** A row as it was read. `version` (xmin) changes with every update by anybody: the write checks that it is still the same. */
export interface StoredRow {
  readonly row: ResourceRow;
  readonly version: string;
}

export interface FoundRows {
  /** By `keyString`. */
  readonly rows: ReadonlyMap<string, StoredRow>;
  /** Sides of the wanted keys that have dead letters. */
  readonly refused: readonly (readonly [key: ResourceKey, side: Side])[];
  /** Wanted keys with dead letters of parts, by `keyString`. */
  readonly lettered: ReadonlySet<string>;
  /** Reference fields that the Fabric names. */
  readonly references: readonly ReferenceRule[];
}

const [OF_FABRIC, ...IN_FABRIC] = KEY_COLUMNS;
const inFabric = (table: string): string => IN_FABRIC.map((column) => `${table}.${column}`).join(", ");
/** The row with the key, in words that only the index of the primary key answers in order: as equal columns, any index that begins with the fabric would do. */
const AT_KEY = `r.${OF_FABRIC} = k.${OF_FABRIC} AND (${inFabric("r")}) >= (${inFabric("k")}) AND (${inFabric("r")}) <= (${inFabric("k")})
       ORDER BY ${inFabric("r")}`;
const ofKey = (table: string): string => KEY_COLUMNS.map((column) => `${table}.${column} = k.${column}`).join(" AND ");

/**
 * The first of a batch's two statements: checks the fence, and reads the rows that the batch touches.
 *
 * - `FOR KEY SHARE` holds the fence until the commit: `acquireFence` waits for it, and whoever comes after that finds no row.
 * - Rows are read without locks at first: most of a relist is unchanged, and a lock alone is a write (54 bytes of WAL, a full
 *   page after a checkpoint). What changes is locked by the second statement, in key order, if it is still as it was read.
 *   `lock` is for the second try: rows are locked here, in key order (that of the parameters), so that nobody can come first again.
 * - One look-up a key, whatever the statistics say: a batch must not read the whole fabric because the planner takes it for small. LIMIT and
 *   OFFSET keep the look-ups apart; the fabric comes from a subquery, since of a fabric that is newer than the statistics the planner expects
 *   one row, and then takes any index that begins with it; and where they say that the table is empty, all that counts is that nothing need be
 *   sorted (`enable_sort` in `session.ts`).
 */
const text = (lock: boolean): string => `
  WITH held AS (
    SELECT id, reference_rules FROM fabric_sync.fabric WHERE id = $1 AND writer_epoch = $2 FOR KEY SHARE
  ), wanted AS (
    SELECT (SELECT id FROM held) AS fabric_id, k.*
      FROM unnest($3::text[], $4::text[], $5::text[], $6::text[])
             WITH ORDINALITY AS k (api_group, kind, namespace, name, position)
     ORDER BY position
  ), found AS (
    SELECT r.* FROM wanted k CROSS JOIN LATERAL (
      SELECT r.xmin, r.* FROM fabric_sync.resource r WHERE ${AT_KEY} ${lock ? "FOR UPDATE" : ""} LIMIT 1) r
  )
  SELECT (SELECT json_agg(json_build_array(k.api_group, k.kind, k.namespace, k.name, d.side, d.of_part))
            FROM wanted k CROSS JOIN LATERAL (
              SELECT DISTINCT d.side, d.part <> '' AS of_part
                FROM fabric_sync.resource_dead_letter d WHERE ${ofKey("d")} OFFSET 0) d),
         (SELECT json_agg(e.scope)
            FROM json_to_recordset($7::json) AS e (source text, scope text, saved text, next text)
                 LEFT JOIN fabric_sync.cursor c ON c.fabric_id = $1 AND c.source = e.source AND c.scope = e.scope
           WHERE c.position IS DISTINCT FROM e.saved AND c.position IS DISTINCT FROM e.next),
         (SELECT CASE WHEN reference_rules <> '[]' THEN reference_rules END FROM held),
         f.xmin, ${columnList(RESOURCE_COLUMNS, "f.")}
    FROM held LEFT JOIN found f ON true`;

const READ = text(false);
const READ_AND_LOCK = text(true);
const decode = rowDecoder<ResourceRow>(RESOURCE_COLUMNS, 4);

/** Where a stream's cursor must stand: as it was saved, or already where this transaction moves it. */
export interface ExpectedCursor {
  readonly source: Cursor["source"];
  readonly scope: string;
  readonly saved: string;
  readonly next: string;
}

/** @throws FabricSyncError `FenceLost` when the fence is not the fabric's current one, `CursorsLost` when a cursor is not as expected. */
export async function readRows(
  sql: Sql,
  fence: Fence,
  keys: readonly ResourceKey[],
  lock: boolean,
  expected: readonly ExpectedCursor[] = [],
): Promise<FoundRows> {
  const tuples = await sql.tuples(lock ? READ_AND_LOCK : READ, [
    fence.fabricId,
    fence.epoch,
    keys.map((key) => key.apiGroup),
    keys.map((key) => key.kind),
    keys.map((key) => key.namespace),
    keys.map((key) => key.name),
    JSON.stringify(expected),
  ]);
  const [first] = tuples;
  if (first === undefined) throw fenceLost(fence);
  const [letters, lost, references] = first.slice(0, 3).map(asJson);
  if (Array.isArray(lost)) throw new CursorsLost(lost.map(String));
  // Without any row the fence alone answers, with NULLs.
  const found = tuples.filter((tuple) => tuple[3] !== null);
  const rows = await inSlices(found, (tuple): [string, StoredRow] => {
    const row = decode(tuple);
    return [keyString(rowKey(row)), { row, version: String(tuple[3]) }];
  });
  return {
    rows: new Map(rows),
    references: (references ?? []) as readonly ReferenceRule[],
    ...lettersOf(fence.fabricId, letters),
  };
}

function asJson(text: unknown): unknown {
  return typeof text === "string" ? parseJson(text) : null;
}

function lettersOf(fabricId: string, found: unknown): Pick<FoundRows, "refused" | "lettered"> {
  const refused: [ResourceKey, Side][] = [];
  const lettered = new Set<string>();
  const letters = (found ?? []) as [string, string, string, string, Side, boolean][];
  for (const [apiGroup, kind, namespace, name, side, ofPart] of letters) {
    const key = { fabricId, apiGroup, kind, namespace, name };
    if (ofPart) lettered.add(keyString(key));
    else refused.push([key, side]);
  }
  return { refused, lettered };
}
