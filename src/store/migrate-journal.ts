import { FabricSyncError } from "../core/errors.ts";
import type { Session } from "./migrate-connection.ts";
import type { Migration, MigrationSet } from "./migrate-files.ts";
import type { MigrationState } from "./schema/schema-migration.ts";

export interface JournalEntry {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
  readonly state: MigrationState;
}

/**
 * Every step of every run takes this advisory lock of its database for one transaction: of ten replicas that migrate at once
 * one applies a step, and the others find it applied. A lock of a transaction, because a pooler may give each transaction
 * another session. The number is "fabs" in ASCII.
 */
export const LOCK_STATEMENT = "SELECT pg_advisory_xact_lock(1717658227)";

/** What the database has seen, in order; empty where there is no journal yet. */
export async function readJournal(session: Session): Promise<JournalEntry[]> {
  const [found] = await session.rows<{ there: boolean }>(
    "SELECT to_regclass('fabric_sync.schema_migration') IS NOT NULL AS there",
  );
  if (found?.there !== true) return [];
  return session.rows<JournalEntry>(
    "SELECT version, name, checksum, state FROM fabric_sync.schema_migration ORDER BY version",
  );
}

/**
 * Compares the database with this program's files.
 * @throws FabricSyncError `DatabaseNewer`, `MigrationChanged` or `JournalBroken`, policy `stall`: a person must decide.
 */
export function checkJournal(journal: readonly JournalEntry[], set: MigrationSet): void {
  const newest = set.migrations.length;
  journal.forEach((entry, index) => {
    const known = set.migrations[entry.version - 1];
    if (entry.version !== index + 1) {
      throw new FabricSyncError(
        "JournalBroken",
        "stall",
        `migration ${index + 1} is not in the journal, ${entry.name} is`,
      );
    }
    if (known === undefined) {
      const last = journal.at(-1);
      throw new FabricSyncError(
        "DatabaseNewer",
        "stall",
        `the database is at migration ${last?.name}, and this program knows migrations up to ${newest}: ` +
          `run a newer release, or roll back with it first (fabric-sync db rollback --to ${newest})`,
      );
    }
    if (known.name !== entry.name || known.checksum !== entry.checksum) {
      throw new FabricSyncError(
        "MigrationChanged",
        "stall",
        `migration ${entry.name} was changed after it had been applied: ` +
          `its checksum is ${known.checksum} (${known.name}), the database has ${entry.checksum}`,
      );
    }
  });
}

/** The last migration that is completely in. */
export function appliedVersion(journal: readonly JournalEntry[]): number {
  return journal.filter((entry) => entry.state === "applied").at(-1)?.version ?? 0;
}

export async function recordMigration(
  session: Session,
  migration: Migration,
  state: MigrationState,
  durationMs: number,
) {
  await session.rows(
    `INSERT INTO fabric_sync.schema_migration (version, name, checksum, state, duration_ms, applied_at)
     VALUES ($1, $2, $3, $4, $5, now())
     ON CONFLICT (version) DO UPDATE
       SET state = excluded.state, duration_ms = excluded.duration_ms, applied_at = excluded.applied_at`,
    [migration.version, migration.name, migration.checksum, state, durationMs],
  );
}

export async function forgetMigration(session: Session, version: number): Promise<void> {
  await session.rows("DELETE FROM fabric_sync.schema_migration WHERE version = $1", [version]);
}
