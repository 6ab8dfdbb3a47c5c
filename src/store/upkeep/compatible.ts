import { FabricSyncError } from "../../core/errors.ts";
import { withSession, type Database } from "../migrate-connection.ts";
import { readMigrations } from "../migrate-files.ts";
import { appliedVersion, checkJournal, readJournal } from "../migrate-journal.ts";
import { columnsWithoutDefault, presentColumns } from "./catalogue.ts";
import { expectedTables } from "./expected.ts";

/**
 * Whether this program can write to the database as it is; asked once at the start.
 *
 * A column that somebody added is no trouble as long as our INSERT may leave it out. One that must be given would make Postgres
 * refuse every row: that is told here, by name, and not by a million dead letters.
 * @throws FabricSyncError policy `stall`: `SchemaOutOfDate`, `DatabaseNewer`, `MigrationChanged`, `SchemaColumnMissing`,
 * `SchemaColumnWithoutDefault`.
 */
export async function assertSchemaCompatible(database: Database, directory?: string): Promise<void> {
  const set = await readMigrations(directory);
  await withSession(database, async (session) => {
    const journal = await readJournal(session);
    checkJournal(journal, set);
    const applied = appliedVersion(journal);
    if (applied < set.migrations.length) {
      throw new FabricSyncError(
        "SchemaOutOfDate",
        "stall",
        `the database is at migration ${applied}, this program needs ${set.migrations.length}: run fabric-sync db migrate`,
      );
    }
    const present = await presentColumns(session);
    const missing = expectedTables()
      .flatMap((table) => table.columns.map((column) => `${table.name}.${column.name}`))
      .filter((column) => !present.has(column));
    if (missing.length > 0) {
      throw new FabricSyncError("SchemaColumnMissing", "stall", `the database lacks ${missing.join(", ")}`);
    }
    const required = await columnsWithoutDefault(session);
    if (required.length > 0) {
      throw new FabricSyncError(
        "SchemaColumnWithoutDefault",
        "stall",
        `${required.join(", ")} must be given, and has no default: every row would be refused. ` +
          `Give it a default, or make it nullable (ALTER TABLE … ALTER COLUMN … DROP NOT NULL)`,
      );
    }
  });
}
