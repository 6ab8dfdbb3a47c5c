import { sql } from "drizzle-orm";
import { bigint, customType, integer, json, jsonb, text, timestamp, uuid } from "drizzle-orm/pg-core";
import type { JsonObject, JsonValue } from "../../core/json.ts";

/** The uuid that stands for "not given": no generator makes it, and each column's `_required` check refuses it. */
export const NIL_UUID = "00000000-0000-0000-0000-000000000000";

/**
 * Text in byte order, whatever the database's locale: the order of `compareKeys`, in which batches are locked. Prefixes
 * (`LIKE 'leaf-%'`) can use its plain indexes, and an upgrade of the system's collations cannot corrupt them.
 */
const byteOrderedText = customType<{ data: string; driverData: string }>({ dataType: () => 'text COLLATE "C"' });

/** A transaction id that does not wrap around (PostgreSQL 13 and newer), as text. */
const transactionId = customType<{ data: string; driverData: string }>({ dataType: () => "xid8" });

/** Part of a key. '' means "not given", or "none" where the table has no `_required` check for it. */
export const key = (name: string) => byteOrderedText(name).notNull().default("");

/** Text outside of keys. '' means "not known" or "none". */
export const plain = (name: string) => text(name).notNull().default("");

/** A word of a closed list; the table adds the CHECK. */
export const word = <Word extends string>(name: string, initial: NoInfer<Word>) =>
  text(name).$type<Word>().notNull().default(initial);

/** A word of a closed list that is part of a key. */
export const keyWord = <Word extends string>(name: string, initial: NoInfer<Word>) =>
  byteOrderedText(name).$type<Word>().notNull().default(initial);

/** The fabric that a row belongs to; leads every key. */
export const fabricId = () => uuid("fabric_id").notNull().default(NIL_UUID);

/** The id of another table's row that must be given. */
export const requiredId = (name: string) => uuid(name).notNull().default(NIL_UUID);

/** An id that the database makes when nobody else did. */
export const generatedId = (name: string) =>
  uuid(name)
    .notNull()
    .default(sql`gen_random_uuid()`);

export const currentTransaction = (name: string) =>
  transactionId(name)
    .notNull()
    .default(sql`pg_current_xact_id()`);

export const jsonObject = (name: string) =>
  jsonb(name)
    .$type<JsonObject>()
    .notNull()
    .default(sql`'{}'::jsonb`);

export const jsonArray = <Item = JsonValue>(name: string) =>
  jsonb(name)
    .$type<Item[]>()
    .notNull()
    .default(sql`'[]'::jsonb`);

/** NULL means that the side does not exist. JSON null is refused by a check, so that there is one way to say it. */
export const absentJson = <Value extends JsonValue = JsonValue>(name: string) => jsonb(name).$type<Value>();

/** JSON kept as the text it came in: `json` holds `\u0000` and lone surrogates, which `jsonb` refuses. */
export const verbatimJson = (name: string) =>
  json(name)
    .$type<JsonObject>()
    .notNull()
    .default(sql`'{}'::json`);

export const count = (name: string) => integer(name).notNull().default(0);

export const bigCount = (name: string) => bigint(name, { mode: "number" }).notNull().default(0);

/** A time that every row has. */
export const time = (name: string) => timestamp(name, { withTimezone: true, mode: "string" }).notNull().defaultNow();

/** NULL means that it never happened, or not on this side. */
export const absentTime = (name: string) => timestamp(name, { withTimezone: true, mode: "string" });
