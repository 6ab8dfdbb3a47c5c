import { policyOf } from "../core/errors.ts";
import type { ReferenceRule } from "../core/references.ts";
import { edgesOf } from "../core/relations.ts";
import type { ResourceRow } from "../core/row.ts";
import { hasProjection, hasSnapshot, project } from "../projections/project.ts";
import { SETS } from "../projections/projection.ts";
import type { Projection, Refusal } from "../projections/projection.ts";
import { refusalOf } from "./dead-letters.ts";
import { writeRefusals, type Refused } from "./part-refusals.ts";
import { DEVICE, EDGE, SET_TABLES, type OwnedTable } from "./projection-tables.ts";
import { deletePart, statementText, upsertPart, type Replacement, type Statement } from "./projection-statement.ts";
import { writeSnapshots } from "./snapshots.ts";
import type { Sql } from "./transaction.ts";

/** A resource that was written, and what the table held of it before. */
export interface Change {
  readonly row: ResourceRow;
  /** null: a new row, or everything is to be written anew. */
  readonly before: ResourceRow | null;
  /** Whatever the row is, what its projections hold may be another's doing. */
  readonly anew?: true;
}

/**
 * Writes what resources tell of the network, and what they refer to, in the transaction of their rows. Rows are replaced by difference:
 * what is as it was is not touched. One statement for all of them, one more for snapshots where devices reported, one more where
 * children are refused, or were.
 *
 * @param references reference fields that the Fabric names
 * @param careful whether a row that Postgres refuses is looked for and put aside, behind savepoints; otherwise its error is thrown
 * @returns how many rows of projections were written or removed
 */
export async function writeProjections(
  sql: Sql,
  fabricId: string,
  changes: readonly Change[],
  references: readonly ReferenceRule[],
  careful: boolean,
): Promise<number> {
  const projected = changes.flatMap((change): Projected[] => {
    const projection = projectionOf(change);
    return projection === null ? [] : [{ row: change.row, projection }];
  });
  const edged = changes.filter((change) => edgesDiffer(change, references));
  let writes = 0;
  // Whether there may be dead letters of parts that these rows clear.
  let refusals = true;
  const refused: Refused[] = projected.flatMap(({ row, projection }) =>
    projection.refused.map((refusal) => ({ row, refusal })),
  );
  if (projected.length > 0 || edged.length > 0) {
    const replacements = [
      ...replacementsOf(projected),
      edgeReplacement(
        edged.map(({ row }) => row),
        references,
      ),
    ].filter(({ rows, owners }) => rows.length > 0 || owners.length > 0);
    if (careful) writes = await replaceCarefully(sql, fabricId, replacements, projected, refused);
    else ({ writes, refusals } = await run(sql, replaceStatement(fabricId, replacements)));
  }
  const replaced = new Set([...projected, ...edged].map(({ row }) => row));
  if (replaced.size > 0 && (refusals || refused.length > 0)) await writeRefusals(sql, fabricId, [...replaced], refused);
  const reported = changes.filter(({ row }) => hasSnapshot(row)).map(({ row }) => row.id);
  if (reported.length > 0) await writeSnapshots(sql, fabricId, reported, "always");
  return writes;
}

/** Whether a kind may have rows in projections; where it cannot, nothing is even computed. */
interface Projected {
  readonly row: ResourceRow;
  readonly projection: Projection;
}

/** null where the kind tells nothing, or the same as before. */
function projectionOf({ row, before }: Change): Projection | null {
  if (!hasProjection(row)) return null;
  const projection = project(row);
  if (projection === null || before === null) return projection;
  return JSON.stringify(projection) === JSON.stringify(project(before)) ? null : projection;
}

function edgesDiffer({ row, before, anew }: Change, references: readonly ReferenceRule[]): boolean {
  if (anew === true) return true;
  const edges = edgesOf(row, references);
  if (before === null) return edges.length > 0 || row.syncAttempts > 1;
  return JSON.stringify(edges) !== JSON.stringify(edgesOf(before, references));
}

function replacementsOf(projected: readonly Projected[]): Replacement[] {
  const owners = projected.map(({ row }) => row.id);
  const devices: Replacement = {
    table: DEVICE,
    owners,
    rows: projected.flatMap(({ row, projection }) =>
      projection.devices.map((device) => ({
        ...device,
        resourceId: row.id,
        setsObserved: Object.fromEntries(projection.observed.map((set) => [set, "current"])),
      })),
    ),
  };
  const sets = SETS.map((set): Replacement => {
    const observed = projected.filter(({ projection }) => projection.observed.includes(set));
    return {
      table: SET_TABLES[set],
      owners: observed.map(({ row }) => row.id),
      rows: observed.flatMap(({ row, projection }) =>
        projection[set].map((child) => ({ ...child, resourceId: row.id })),
      ),
    };
  });
  return [devices, ...sets];
}

function edgeReplacement(rows: readonly ResourceRow[], references: readonly ReferenceRule[]): Replacement {
  return {
    table: EDGE,
    owners: rows.map(({ id }) => id),
    rows: rows.flatMap((row) => edgesOf(row, references).map((edge) => ({ ...edge, resourceId: row.id }))),
  };
}

function replaceStatement(fabricId: string, replacements: readonly Replacement[]): Statement {
  const statement: Statement = { parts: [], values: [fabricId] };
  for (const replacement of replacements) upsertPart(statement, replacement);
  for (const replacement of replacements) deletePart(statement, replacement);
  return statement;
}

interface Replaced {
  readonly writes: number;
  readonly refusals: boolean;
}

async function run(sql: Sql, statement: Statement): Promise<Replaced> {
  if (statement.parts.length === 0) return { writes: 0, refusals: true };
  const [answer] = await sql.rows<Replaced>(statementText(statement), statement.values);
  if (answer === undefined) throw new Error("a SELECT without FROM gave no row");
  return answer;
}

/**
 * The same when something is refused: rows are halved until the refused one is alone, devices before their children. What hangs on a refused
 * device is refused with it.
 */
async function replaceCarefully(
  sql: Sql,
  fabricId: string,
  replacements: readonly Replacement[],
  projected: readonly Projected[],
  refused: Refused[],
): Promise<number> {
  const replace = async (some: readonly Replacement[]): Promise<number> =>
    (await run(sql, replaceStatement(fabricId, some))).writes;
  const whole = await attempt(sql, () => replace(replacements));
  if (!(whole instanceof Error)) return whole;
  const rowOf = new Map(projected.map(({ row }) => [row.id, row]));
  const lost = new Set<string>();
  let writes = 0;
  const accepted: Replacement[] = [];
  for (const { table, rows, owners } of replacements) {
    const kept: object[] = [];
    const halve = async (some: readonly object[]): Promise<void> => {
      if (some.length === 0) return;
      const part = { table, rows: some, owners: [] };
      const outcome = await attempt(sql, () => replace([part]));
      if (!(outcome instanceof Error)) {
        writes += outcome;
        kept.push(...some);
        return;
      }
      const [only] = some;
      if (some.length === 1 && only !== undefined) {
        const { resourceId, name } = only as { resourceId: string; name?: string };
        if (table === DEVICE) lost.add(`${resourceId}\0${name}`);
        const row = rowOf.get(resourceId);
        if (row !== undefined) refused.push({ row, refusal: refusalFor(table, only, outcome) });
        return;
      }
      const middle = some.length >> 1;
      await halve(some.slice(0, middle));
      await halve(some.slice(middle));
    };
    await halve(rows.filter((row) => !lost.has(deviceOf(row))));
    accepted.push({ table, rows: kept, owners });
  }
  // What is kept is there already: this only removes the rest.
  return writes + (await replace(accepted));
}

function deviceOf(row: object): string {
  const { resourceId, device } = row as { resourceId: string; device?: string };
  return `${resourceId}\0${device}`;
}

/** Named by the key of the row that it would have been: which child it was, the database cannot say. */
function refusalFor(table: OwnedTable, row: object, error: Error): Refusal {
  const { sqlstate, column, message } = refusalOf(error);
  const key = table.columns.filter(({ name }) => table.key.includes(name)).slice(1);
  const values = key.map(({ property }) => String((row as Record<string, unknown>)[property]));
  return { path: `${table.name} ${values.join(" ")}`, sqlstate, column, message };
}

/** Runs `write` behind a savepoint; the error when Postgres refuses something. */
async function attempt(sql: Sql, write: () => Promise<number>): Promise<number | Error> {
  await sql.rows("SAVEPOINT projection");
  try {
    const writes = await write();
    await sql.rows("RELEASE SAVEPOINT projection");
    return writes;
  } catch (error) {
    if (policyOf(error) !== "dead-letter" || !(error instanceof Error)) throw error;
    await sql.rows("ROLLBACK TO SAVEPOINT projection; RELEASE SAVEPOINT projection");
    return error;
  }
}
