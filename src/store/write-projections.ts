import { policyOf } from "../core/errors.ts";
import type { ResourceRow } from "../core/row.ts";
import type { Refusal } from "../projections/projection.ts";
import { refusalOf } from "./dead-letters.ts";
import { refusalPart, type Refused } from "./part-refusals.ts";
import type { Plan } from "./plan-projections.ts";
import { DEVICE, type OwnedTable } from "./projection-tables.ts";
import { addReplacements, runAlone, type Replacement } from "./projection-statement.ts";
import type { Part } from "./statement.ts";
import type { Sql } from "./transaction.ts";

/**
 * What writes a plan, as parts of the statement that writes the resources.
 * @param lettered whether a resource has dead letters of its parts already
 */
export function projectionParts(plan: Plan, lettered: (row: ResourceRow) => boolean): Part[] {
  const parts: Part[] = [];
  if (plan.replacements.length > 0) parts.push((statement) => addReplacements(statement, plan.replacements));
  const refusing = new Set(plan.refused.map(({ row }) => row));
  const told = plan.replaced.filter((row) => refusing.has(row) || lettered(row));
  if (told.length > 0) parts.push(refusalPart(told, plan.refused));
  return parts;
}

/** Rows of projections and dead letters of parts that were written or removed, and of which resources. */
interface Written {
  readonly writes: number;
  readonly owners: readonly string[];
}

/**
 * Writes a plan for resources that the transaction has written or locked already. When something is refused, rows are halved behind savepoints
 * until the refused one is alone: a child costs itself, a device what hangs on it.
 */
export async function writeProjectionsCarefully(
  sql: Sql,
  fabricId: string,
  plan: Plan,
  lettered: (row: ResourceRow) => boolean,
): Promise<Written> {
  if (plan.replaced.length === 0) return { writes: 0, owners: [] };
  const refused = [...plan.refused];
  const rows = await replaceCarefully(sql, fabricId, plan, refused);
  const parts = projectionParts({ replacements: [], replaced: plan.replaced, refused }, lettered);
  return parts.length === 0 ? rows : sum([rows, await runAlone(sql, fabricId, idsOf(plan), parts)]);
}

function sum(outcomes: readonly Written[]): Written {
  return {
    writes: outcomes.reduce((total, { writes }) => total + writes, 0),
    owners: [...new Set(outcomes.flatMap(({ owners }) => owners))],
  };
}

function idsOf({ replaced }: Plan): string[] {
  return replaced.map(({ id }) => id);
}

async function replaceCarefully(sql: Sql, fabricId: string, plan: Plan, refused: Refused[]): Promise<Written> {
  const { replacements, replaced } = plan;
  const replace = (some: readonly Replacement[]): Promise<Written> =>
    runAlone(sql, fabricId, idsOf(plan), [(statement) => addReplacements(statement, some)]);
  const whole = await attempt(sql, () => replace(replacements));
  if (!(whole instanceof Error)) return whole;
  const rowOf = new Map(replaced.map((row) => [row.id, row]));
  const lost = new Set<string>();
  const outcomes: Written[] = [];
  const accepted: Replacement[] = [];
  for (const { table, rows, owners } of replacements) {
    const kept: object[] = [];
    const halve = async (some: readonly object[]): Promise<void> => {
      if (some.length === 0) return;
      const outcome = await attempt(sql, () => replace([{ table, rows: some, owners: [] }]));
      if (!(outcome instanceof Error)) {
        outcomes.push(outcome);
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
  outcomes.push(await replace(accepted));
  return sum(outcomes);
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
async function attempt(sql: Sql, write: () => Promise<Written>): Promise<Written | Error> {
  await sql.rows("SAVEPOINT projection");
  try {
    const written = await write();
    await sql.rows("RELEASE SAVEPOINT projection");
    return written;
  } catch (error) {
    if (policyOf(error) !== "dead-letter" || !(error instanceof Error)) throw error;
    await sql.rows("ROLLBACK TO SAVEPOINT projection; RELEASE SAVEPOINT projection");
    return error;
  }
}
