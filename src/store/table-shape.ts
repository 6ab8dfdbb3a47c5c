import { readLate } from "./column-types.ts";
import { getTableColumns, type Table } from "drizzle-orm";

/** One column as the statements need it, taken from the drizzle table: no list of columns is written by hand. */
export interface ColumnShape {
  /** The property of the row type. */
  readonly property: string;
  /** Quoted, ready for SQL. */
  readonly name: string;
  readonly type: string;
}

/** The columns of a table in its own order; without those that only the database writes. */
export function shapeOf(table: Table, databaseOnly: readonly string[] = []): ColumnShape[] {
  return Object.entries(getTableColumns(table))
    .filter(([property]) => !databaseOnly.includes(property))
    .map(([property, column]) => ({ property, name: `"${column.name}"`, type: column.getSQLType() }));
}

export function columnList(columns: readonly ColumnShape[], prefix = ""): string {
  return columns.map((column) => prefix + column.name).join(", ");
}

/** Makes a row of the values that `Sql.tuples` gave for {@link columnList}, from position `offset` on: JSON and times are read here. */
export function rowDecoder<Row extends object>(
  columns: readonly ColumnShape[],
  offset = 0,
): (values: readonly unknown[]) => Row {
  const fields = columns.map(({ property, type }) => ({ property, read: readLate(type) }));
  return (values) => {
    const row: Record<string, unknown> = {};
    fields.forEach(({ property, read }, index) => {
      const value = values[index + offset];
      row[property] = read !== undefined && typeof value === "string" ? read(value) : value;
    });
    return row as Row;
  };
}
