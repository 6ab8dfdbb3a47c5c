import type { Sql } from "./transaction.ts";

/** The newest migration of the database; 0 when it has none, or is empty. */
export async function appliedMigration(sql: Sql): Promise<number> {
  const [journal] = await sql.rows<{ there: boolean }>(
    "SELECT to_regclass('fabric_sync.schema_migration') IS NOT NULL AS there",
  );
  if (journal?.there !== true) return 0;
  const [newest] = await sql.rows<{ version: number }>(
    "SELECT coalesce(max(version), 0) AS version FROM fabric_sync.schema_migration WHERE state = 'applied'",
  );
  return newest?.version ?? 0;
}
