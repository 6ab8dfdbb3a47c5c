import { is } from "drizzle-orm";
import { getTableConfig, PgTable } from "drizzle-orm/pg-core";
import * as tables from "../schema/tables.ts";

export interface ExpectedTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly notNull: boolean; readonly hasDefault: boolean }[];
  /** Primary key, unique, foreign key and check constraints. */
  readonly constraints: readonly string[];
  /** Indexes that are no constraint. */
  readonly indexes: readonly string[];
}

/** What this program's statements rely on, from the drizzle tables. */
export function expectedTables(): ExpectedTable[] {
  return Object.values(tables)
    .filter((table) => is(table, PgTable))
    .map((table) => {
      const config = getTableConfig(table);
      return {
        name: config.name,
        columns: config.columns.map((column) => ({
          name: column.name,
          notNull: column.notNull,
          hasDefault: column.hasDefault,
        })),
        constraints: [
          ...config.primaryKeys.map((constraint) => constraint.getName()),
          ...config.uniqueConstraints.map((constraint) => constraint.getName() ?? ""),
          ...config.foreignKeys.map((constraint) => constraint.getName()),
          ...config.checks.map((constraint) => constraint.name),
        ],
        indexes: config.indexes.map((index) => index.config.name ?? ""),
      };
    });
}
