import { primaryKey } from "drizzle-orm/pg-core";
import { checksOf } from "./checks.ts";
import * as column from "./columns.ts";
import { fabricSync } from "./namespace.ts";

/** `started` is left by a migration without a transaction that was interrupted; the next run does it again. */
export const MIGRATION_STATES = ["started", "applied"] as const;
export type MigrationState = (typeof MIGRATION_STATES)[number];

const checks = checksOf("schema_migration");

/** The journal of the runner: which migration files this database has seen. */
export const schemaMigration = fabricSync.table(
  "schema_migration",
  {
    version: column.count("version"),
    name: column.plain("name"),
    checksum: column.plain("checksum"),
    state: column.word<MigrationState>("state", "started"),
    durationMs: column.count("duration_ms"),
    appliedAt: column.time("applied_at"),
  },
  (table) => [
    primaryKey({ name: "schema_migration_pkey", columns: [table.version] }),
    checks.rule("version_required", "version > 0"),
    ...checks.required("name", "checksum"),
    ...checks.contentHash("checksum"),
    checks.listed("state", MIGRATION_STATES),
    ...checks.atLeastZero("duration_ms"),
  ],
);
