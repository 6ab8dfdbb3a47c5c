import { FabricSyncError } from "../core/errors.ts";
import { transaction, withSession, type Database, type Session } from "./migrate-connection.ts";
import { readMigrations, statementsOf, type Migration, type MigrationSet } from "./migrate-files.ts";
import {
  appliedVersion,
  checkJournal,
  forgetMigration,
  LOCK_STATEMENT,
  readJournal,
  recordMigration,
} from "./migrate-journal.ts";
import { createPartitions } from "./partitions.ts";
import { grantReader, READER_ROLE_ADVICE } from "./reader-role.ts";

export interface MigrateOptions {
  /** Where the SQL files are; by default those that came with this program. */
  readonly directory?: string | undefined;
  /** The last version to apply; by default all. */
  readonly to?: number;
  /** Told after each step. */
  onStep?(step: MigrationStep): void;
  readonly signal?: AbortSignal;
  /** Whose month's partitions are made; the present by default. */
  readonly now?: Date;
}

export interface MigrationStep {
  readonly version: number;
  readonly name: string;
  /** `repaired`: a step outside of a transaction had been interrupted, and was done again. */
  readonly action: "applied" | "repaired" | "rolled back";
  readonly durationMs: number;
}

export interface MigrateReport {
  readonly ok: true;
  readonly from: number;
  readonly to: number;
  readonly steps: readonly MigrationStep[];
  /** Partitions of the history that were made. */
  readonly partitions: readonly string[];
  /** What is not as it should be, and does not stop anything. */
  readonly warnings: readonly string[];
}

/**
 * Time for a lock on a table in use (ms). A DDL statement that waits makes every later reader wait behind it, so it gives way
 * and the step is tried again. The advisory lock is waited for without a limit: its holder is at work.
 */
const STEP_SETTINGS =
  "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";
const TABLE_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '5s'";
/** Attempts of one step to get its table locks: about half a minute beside a busy writer. */
const STEP_ATTEMPTS = 6;

/**
 * Brings the database to the newest migration that this program knows. Safe to run at once from many replicas, and again after
 * an interruption: each step is one transaction with its journal entry, and one that cannot be is repeatable.
 * @throws FabricSyncError when a step cannot be done; what was done before stays.
 */
export async function migrate(database: Database, options: MigrateOptions = {}): Promise<MigrateReport> {
  const set = await readMigrations(options.directory);
  const target = options.to ?? set.migrations.length;
  const done = await withSession(database, async (session) => {
    const from = await locked(session, async () => {
      await session.rows(set.journal);
      const journal = await readJournal(session);
      checkJournal(journal, set);
      return appliedVersion(journal);
    });
    const steps: MigrationStep[] = [];
    for (;;) {
      options.signal?.throwIfAborted();
      const step = await retryLocks(() => nextStep(database, session, set, target));
      if (step === undefined) break;
      steps.push(step);
      options.onStep?.(step);
    }
    const warnings = (await grantReader(session)) ? [] : [READER_ROLE_ADVICE];
    return { from, to: appliedVersion(await readJournal(session)), steps, warnings };
  });
  const partitions = done.to > 0 ? await createPartitions(database, options.now ?? new Date()) : [];
  return { ok: true, ...done, partitions };
}

/**
 * Takes the database back to version `to` by the way back of each later migration, newest first, each in one transaction.
 * What those migrations brought is lost with its data; `docs/runbook-migrations.md` says when to do it and when not.
 */
export async function rollback(database: Database, to: number, options: Omit<MigrateOptions, "to"> = {}) {
  const set = await readMigrations(options.directory);
  return withSession(database, async (session): Promise<MigrateReport> => {
    const from = appliedVersion(await readJournal(session));
    if (!Number.isInteger(to) || to < 0) {
      throw new FabricSyncError(
        "RollbackTarget",
        "stall",
        `there is no version ${to}: give a number from 0 to ${from}`,
      );
    }
    const steps: MigrationStep[] = [];
    for (;;) {
      options.signal?.throwIfAborted();
      const step = await retryLocks(() => previousStep(database, session, set, to));
      if (step === undefined) break;
      steps.push(step);
      options.onStep?.(step);
    }
    return { ok: true, from, to: appliedVersion(await readJournal(session)), steps, partitions: [], warnings: [] };
  });
}

/** Applies the first migration that is not in; undefined when all up to `target` are. */
async function nextStep(
  database: Database,
  session: Session,
  set: MigrationSet,
  target: number,
): Promise<MigrationStep | undefined> {
  return locked(session, async () => {
    const journal = await readJournal(session);
    checkJournal(journal, set);
    const migration = set.migrations[appliedVersion(journal)];
    if (migration === undefined || migration.version > target) return undefined;
    const interrupted = journal.some((entry) => entry.version === migration.version);
    const started = performance.now();
    if (migration.up.transactional) {
      await session.rows(`${TABLE_LOCK_TIMEOUT}; ${migration.up.text}`);
    } else {
      await runOutside(database, migration, statementsOf(migration.up));
    }
    const durationMs = Math.round(performance.now() - started);
    await recordMigration(session, migration, "applied", durationMs);
    return {
      version: migration.version,
      name: migration.name,
      action: interrupted ? "repaired" : "applied",
      durationMs,
    };
  });
}

/** Takes back the newest migration; undefined when the database is at `target`. */
async function previousStep(
  database: Database,
  session: Session,
  set: MigrationSet,
  target: number,
): Promise<MigrationStep | undefined> {
  return locked(session, async () => {
    const journal = await readJournal(session);
    checkJournal(journal, set);
    const migration = set.migrations[(journal.at(-1)?.version ?? 0) - 1];
    if (migration === undefined || migration.version <= target) return undefined;
    const started = performance.now();
    if (migration.down.transactional) {
      await session.rows(`${TABLE_LOCK_TIMEOUT}; ${migration.down.text}`);
    } else {
      await runOutside(database, migration, statementsOf(migration.down));
    }
    await forgetMigration(session, migration.version);
    const durationMs = Math.round(performance.now() - started);
    return { version: migration.version, name: migration.name, action: "rolled back", durationMs };
  });
}

/**
 * Runs statements one by one in a second session, while the first holds the lock. The journal says `started` meanwhile, so that
 * a run after an interruption knows that it repeats. What a killed `CREATE INDEX CONCURRENTLY` left is removed first.
 */
async function runOutside(database: Database, migration: Migration, statements: readonly string[]): Promise<void> {
  await withSession(database, async (outside) => {
    await recordMigration(outside, migration, "started", 0);
    const broken = await outside.rows<{ index: string }>(
      `SELECT indexrelid::regclass::text AS index FROM pg_index
         JOIN pg_class ON pg_class.oid = indexrelid
        WHERE NOT indisvalid AND relkind = 'i' AND relnamespace = 'fabric_sync'::regnamespace`,
    );
    for (const { index } of broken) await outside.rows(`DROP INDEX CONCURRENTLY IF EXISTS ${index}`);
    for (const statement of statements) await outside.rows(statement);
  });
}

async function locked<T>(session: Session, body: () => Promise<T>): Promise<T> {
  return transaction(session, STEP_SETTINGS, async () => {
    await session.rows(LOCK_STATEMENT);
    return body();
  });
}

/** Repeats a step whose table locks were not free (55P03) or that was a deadlock's victim; each attempt has waited by itself. */
async function retryLocks<T>(step: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await step();
    } catch (error) {
      const conflict = error instanceof FabricSyncError && error.code === "StoreConflict";
      if (!conflict || attempt === STEP_ATTEMPTS) throw error;
    }
  }
}
