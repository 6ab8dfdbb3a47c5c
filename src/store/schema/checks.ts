import { sql, type SQL } from "drizzle-orm";
import { check, type CheckBuilder } from "drizzle-orm/pg-core";
import { NIL_UUID } from "./columns.ts";

/** Lengths of a Git object id in hex: SHA-1 or SHA-256; 0 while there is none. */
const GIT_ID_LENGTHS = [0, 40, 64];
/** Lengths of a content hash in hex: SHA-256; 0 while the side is not there. */
const CONTENT_HASH_LENGTHS = [0, 64];

/**
 * The CHECK constraints of one table. Their names say what is wrong, as they end up in dead letters and in front of people:
 * `<table>_<column>_required`, `_listed`, `_is_object`, `_is_array`, `_not_json_null`, `_length`, `_range`.
 */
export function checksOf(table: string) {
  const named = (column: string, suffix: string, condition: string): CheckBuilder =>
    check(`${table}_${column}_${suffix}`, raw(condition));
  return {
    /** Identity: '' is the default and is refused, so that an omission fails by name. */
    required: (...columns: string[]) => columns.map((column) => named(column, "required", `${quote(column)} <> ''`)),
    requiredId: (...columns: string[]) =>
      columns.map((column) => named(column, "required", `${quote(column)} <> '${NIL_UUID}'::uuid`)),
    listed: (column: string, words: readonly string[]) =>
      named(column, "listed", `${quote(column)} IN (${words.map((word) => `'${word}'`).join(", ")})`),
    isObject: (...columns: string[]) =>
      columns.map((column) => named(column, "is_object", `jsonb_typeof(${quote(column)}) = 'object'`)),
    isArray: (...columns: string[]) =>
      columns.map((column) => named(column, "is_array", `jsonb_typeof(${quote(column)}) = 'array'`)),
    notJsonNull: (...columns: string[]) =>
      columns.map((column) => named(column, "not_json_null", `jsonb_typeof(${quote(column)}) <> 'null'`)),
    contentHash: (...columns: string[]) =>
      columns.map((column) => named(column, "length", lengthIn(column, CONTENT_HASH_LENGTHS))),
    gitId: (...columns: string[]) => columns.map((column) => named(column, "length", lengthIn(column, GIT_ID_LENGTHS))),
    atLeastZero: (...columns: string[]) => columns.map((column) => named(column, "range", `${quote(column)} >= 0`)),
    between: (column: string, least: number, most: number) =>
      named(column, "range", `${quote(column)} BETWEEN ${least} AND ${most}`),
    /** Anything else: `condition` is SQL over the table's columns. */
    rule: (suffix: string, condition: string) => check(`${table}_${suffix}`, raw(condition)),
  };
}

function lengthIn(column: string, lengths: readonly number[]): string {
  return `length(${quote(column)}) IN (${lengths.join(", ")})`;
}

function quote(column: string): string {
  return `"${column}"`;
}

function raw(condition: string): SQL {
  return sql.raw(condition);
}
