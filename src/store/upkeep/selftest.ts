import { isDeepStrictEqual } from "node:util";
import type pg from "pg";
import { FabricSyncError } from "../../core/errors.ts";
import type { Fence } from "../../core/ports.ts";
import type { Observation } from "../../core/observation.ts";
import type { ReducePolicy } from "../../core/policy.ts";
import type { ResourceRow } from "../../core/row.ts";
import { keyString } from "../../core/identity.ts";
import { folding, type Fold } from "../fold.ts";
import { readRows } from "../read-rows.ts";
import { StoreError } from "../store-error.ts";
import { subjectsOf } from "../subject.ts";
import { createTally } from "../tally.ts";
import { inTransaction, type Sql } from "../transaction.ts";
import { writeSubjects } from "../write-subjects.ts";
import { expectedTables } from "./expected.ts";
import { check, reportOf, type Check, type Report, type Verdict } from "./report.ts";
import { maximalObservations, minimalObservations } from "./samples.ts";

const POLICY: ReducePolicy = {
  driftMode: "local",
  reportExtra: true,
  direction: "observe",
  ignore: [],
  hasGit: true,
};

/** Ends the transaction of the self-test, whose rows nobody may see. */
class Undo extends Error {}

/**
 * Writes a minimal and a maximal object by the real builder and the real INSERT, reads them back, and tries what must be
 * refused: in one transaction that is rolled back.
 */
export async function selftest(pool: pg.Pool): Promise<Report> {
  const checks: Check[] = [];
  await inTransaction(pool, async (sql) => {
    const fence = await scratchFabric(sql);
    const now = new Date();
    const part = async (name: string, body: () => Promise<Verdict>): Promise<void> => {
      await sql.rows("SAVEPOINT selftest");
      checks.push(await check(name, body));
      await sql.rows("ROLLBACK TO SAVEPOINT selftest");
    };
    await part("minimal_object", () => roundTrip(sql, fence, minimalObservations(fence.fabricId, now)));
    await part("maximal_object", () => roundTrip(sql, fence, maximalObservations(fence.fabricId, now)));
    await part("stale_fence", () => staleFence(sql, fence, minimalObservations(fence.fabricId, now)));
    for (const { name } of expectedTables()) {
      await part(`row_of_defaults_${name}`, () => rowOfDefaults(sql, name));
      await part(`defaults_in_range_${name}`, () => defaultsInRange(sql, name));
    }
    throw new Undo();
  }).catch((error: unknown) => {
    if (!(error instanceof Undo)) throw error;
  });
  return reportOf(checks);
}

async function scratchFabric(sql: Sql): Promise<Fence> {
  const [row] = await sql.rows<{ id: string }>(
    `INSERT INTO fabric_sync.fabric (namespace, name, uid, writer_epoch)
     VALUES ('fabric-sync', 'selftest', 'selftest ' || gen_random_uuid(), 1) RETURNING id`,
  );
  if (row === undefined) throw new Error("an INSERT … RETURNING gave no row");
  return { fabricId: row.id, epoch: 1 };
}

/** Writes the observations, and compares what the reducer made with what the table holds. */
async function roundTrip(sql: Sql, fence: Fence, observations: readonly Observation[]): Promise<Verdict> {
  const made = new Map<string, ResourceRow>();
  const fold = folding(POLICY);
  const watched: Fold = (subject, stored) => {
    const folded = fold(subject, stored);
    if (folded.change !== null) made.set(keyString(subject.key), folded.change.row);
    return folded;
  };
  const subjects = subjectsOf(observations);
  const refusal = await refusalBy(() => writeSubjects(sql, { fence, fold: watched }, subjects, [], createTally()));
  if (refusal !== null) return { status: "failed", message: `refused: ${refusal.message}`, findings: culprit(refusal) };
  const keys = subjects.map(({ key }) => key);
  const { rows } = await readRows(sql, fence, keys, false);
  const findings = keys.flatMap((key) => {
    const [row, stored] = [made.get(keyString(key)), rows.get(keyString(key))?.row];
    if (row === undefined || stored === undefined) return [`${key.kind} ${key.name}: no row`];
    return Object.keys(row).filter((column) => !isDeepStrictEqual(at(row, column), at(stored, column)));
  });
  const [events] = await sql.rows<{ events: number }>(
    "SELECT count(*) AS events FROM fabric_sync.resource_event WHERE fabric_id = $1",
    [fence.fabricId],
  );
  if (events?.events !== observations.length)
    findings.push(`${events?.events} events of ${observations.length} changes`);
  if (findings.length > 0) return { status: "failed", message: "read back other than written", findings };
  return { status: "ok", message: "written with its history, and read back the same" };
}

async function staleFence(sql: Sql, fence: Fence, observations: readonly Observation[]): Promise<Verdict> {
  const stale = { ...fence, epoch: fence.epoch - 1 };
  const work = { fence: stale, fold: folding(POLICY) };
  const refusal = await refusalBy(() => writeSubjects(sql, work, subjectsOf(observations), [], createTally()));
  if (refusal?.code === "FenceLost") return { status: "ok", message: "a writer without the fence is refused" };
  return {
    status: "failed",
    message: `a writer without the fence ${refusal === null ? "could write" : refusal.message}`,
  };
}

/** A row of defaults alone is taken, or refused by the name of a column that must be given; by nothing else. */
async function rowOfDefaults(sql: Sql, table: string): Promise<Verdict> {
  const refusal = await refusalBy(() => sql.rows(`INSERT INTO fabric_sync.${table} DEFAULT VALUES`));
  if (refusal === null) return { status: "ok", message: "a row of defaults is taken" };
  const byName = refusal instanceof StoreError && /(_required|_fkey)$/.test(refusal.constraint);
  if (byName) return { status: "ok", message: `a row of defaults is refused by ${refusal.constraint}` };
  return { status: "failed", message: `a row of defaults is refused: ${refusal.message}`, findings: culprit(refusal) };
}

/** Every default is a value that the checks of its column allow, those apart that ask for a value on purpose. */
async function defaultsInRange(sql: Sql, table: string): Promise<Verdict> {
  const checks = await sql.rows<{ name: string; condition: string }>(
    `SELECT conname AS name, pg_get_expr(conbin, conrelid) AS condition FROM pg_constraint
      WHERE conrelid = $1::regclass AND contype = 'c' AND conname NOT LIKE '%\\_required'`,
    [`fabric_sync.${table}`],
  );
  const holds = checks.map(({ condition }, index) => `coalesce(${condition}, true) AS c${index}`);
  const copy = await refusalBy(() =>
    sql.rows(`
      CREATE TEMP TABLE selftest_defaults (LIKE fabric_sync.${table} INCLUDING DEFAULTS) ON COMMIT DROP;
      INSERT INTO selftest_defaults DEFAULT VALUES`),
  );
  if (copy !== null)
    return { status: "failed", message: `no row of defaults: ${copy.message}`, findings: culprit(copy) };
  const [row] = await sql.tuples(`SELECT ${holds.join(", ") || "true"} FROM selftest_defaults`, []);
  const broken = checks.filter((_check, index) => row?.[index] !== true).map(({ name }) => name);
  if (broken.length === 0) return { status: "ok", message: "every default is allowed" };
  return { status: "failed", message: "a default is not allowed by its own check", findings: broken };
}

/** The refusal that `body` meets, null when it meets none. Anything else, a lost connection above all, is thrown. */
async function refusalBy(body: () => Promise<unknown>): Promise<FabricSyncError | null> {
  try {
    await body();
    return null;
  } catch (error) {
    if (!(error instanceof FabricSyncError) || (error.policy !== "dead-letter" && error.code !== "FenceLost"))
      throw error;
    return error;
  }
}

function culprit(refusal: FabricSyncError): string[] {
  return refusal instanceof StoreError ? [refusal.constraint, refusal.column].filter((name) => name !== "") : [];
}

function at(row: ResourceRow, column: string): unknown {
  return row[column as keyof ResourceRow];
}
