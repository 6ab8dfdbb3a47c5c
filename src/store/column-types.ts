import pg from "pg";
import { parseJson } from "../core/json.ts";

const { builtins } = pg.types;
/** `xid8` (PostgreSQL 13 and newer) is not in pg's list. It stays text: it exceeds 2^53 in principle. */
type Parser = (text: string) => unknown;

/** How values of Postgres become values of ours; handed to the pool, so that nothing global is changed. */
const PARSERS: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [builtins.JSON, parseJson],
  [builtins.JSONB, parseJson],
  [builtins.TIMESTAMPTZ, timestampText],
  [builtins.INT8, exactInteger],
]);

export const columnTypes = typesOf(PARSERS);

const asText: Parser = (text) => text;

/**
 * The same, but JSON and times stay as Postgres wrote them, for {@link readLate}: what comes off the socket in one go, a megabyte and more of rows, is
 * then only cut up there, and parsed some rows at a time.
 */
export const lateTypes = typesOf(
  new Map([...PARSERS, ...[builtins.JSON, builtins.JSONB, builtins.TIMESTAMPTZ].map((oid) => [oid, asText] as const)]),
);

/** How a column's value that was left as text is read; undefined where it was not. */
export function readLate(sqlType: string): Parser | undefined {
  if (sqlType.startsWith("json")) return parseJson;
  return sqlType.startsWith("timestamp") ? timestampText : undefined;
}

function typesOf(parsers: ReadonlyMap<number, Parser>): pg.CustomTypesConfig {
  return {
    getTypeParser: ((oid: number, format?: "text" | "binary") =>
      (format === "binary" ? undefined : parsers.get(oid)) ??
      pg.types.getTypeParser(oid, format as "text")) as typeof pg.types.getTypeParser,
  };
}

/** What a session in UTC answers; read without a Date, which costs a microsecond for each of a row's ten times. */
const IN_UTC = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,3})\d*)?\+00$/;

/** `2025-01-31 12:00:00.123+00` (DateStyle ISO, any zone) as RFC 3339 in UTC with milliseconds. */
export function timestampText(text: string): string {
  const utc = IN_UTC.exec(text);
  if (utc !== null) return `${utc[1]}T${utc[2]}.${(utc[3] ?? "").padEnd(3, "0")}Z`;
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new RangeError(`not an ISO timestamp: ${text}`);
  return time.toISOString();
}

/** A bigint as a number; one beyond 2^53 is an error, never rounded. */
function exactInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${text}`);
  return value;
}
