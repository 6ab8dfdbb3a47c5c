import { escapeIdentifier } from "pg";
import { transaction, withSession, type Database, type Session } from "./migrate-connection.ts";
import { LOCK_STATEMENT } from "./migrate-journal.ts";

export interface MonthPartition {
  /** Table name in schema `fabric_sync`. */
  readonly name: string;
  /** First instant (RFC 3339), and the first one after it. */
  readonly from: string;
  readonly to: string;
}

/** Months that are ready beside the current one: three missed monthly maintenances do no harm. */
export const MONTHS_AHEAD = 3;
/** Also the last month, for events that are a few minutes old when a month begins. */
const MONTHS_BACK = 1;
/** Writers wait no longer for us than this (ms); then we give way and are run again. */
const LOCK_TIMEOUT = "SET LOCAL lock_timeout = '3s'";

/** The partition of the month (UTC) that is `offset` months after that of `now`. */
export function monthPartition(now: Date, offset: number): MonthPartition {
  const from = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset, 1));
  const to = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset + 1, 1));
  const month = String(from.getUTCMonth() + 1).padStart(2, "0");
  return {
    name: `resource_event_${from.getUTCFullYear()}_${month}`,
    from: from.toISOString(),
    to: to.toISOString(),
  };
}

/** The monthly partitions that are there, oldest first; the default partition is not among them. */
export async function listPartitions(session: Session): Promise<MonthPartition[]> {
  return session.rows<MonthPartition>(`
    SELECT child.relname AS name,
           to_char(bound[1]::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "from",
           to_char(bound[2]::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "to"
      FROM pg_inherits
      JOIN pg_class child ON child.oid = inhrelid,
           regexp_match(pg_get_expr(child.relpartbound, child.oid),
                        $re$FROM \\('([^']+)'\\) TO \\('([^']+)'\\)$re$) AS bound
     WHERE inhparent = 'fabric_sync.resource_event'::regclass AND bound IS NOT NULL
     ORDER BY bound[1]::timestamptz`);
}

/**
 * Makes the months around `now` that are not there. Rows that waited in the default partition move to their month in the same
 * transaction. Attaching lets writers of other months go on; it needs the default partition to itself for an instant, so that a
 * reader of the whole history can make it give way (55P03, policy `retry`): months are made long before they are needed.
 * @returns the names of the partitions made.
 */
export async function createPartitions(database: Database, now: Date, ahead = MONTHS_AHEAD): Promise<string[]> {
  return withSession(database, async (session) => {
    const made: string[] = [];
    for (let offset = -MONTHS_BACK; offset <= ahead; offset += 1) {
      const month = monthPartition(now, offset);
      const created = await transaction(session, LOCK_TIMEOUT, async () => {
        await session.rows(LOCK_STATEMENT);
        const there = await listPartitions(session);
        if (there.some((partition) => partition.from < month.to && partition.to > month.from)) return false;
        await createPartition(session, month);
        return true;
      });
      if (created) made.push(month.name);
    }
    return made;
  });
}

async function createPartition(session: Session, month: MonthPartition): Promise<void> {
  const table = `fabric_sync.${escapeIdentifier(month.name)}`;
  const range = `at >= '${month.from}'::timestamptz AND at < '${month.to}'::timestamptz`;
  // Writers of the default partition wait; it is empty but for clocks that are wrong.
  await session.rows(`
    CREATE TABLE ${table} (LIKE fabric_sync.resource_event INCLUDING ALL EXCLUDING COMMENTS);
    LOCK TABLE fabric_sync.resource_event_default IN ACCESS EXCLUSIVE MODE;
    WITH moved AS (DELETE FROM fabric_sync.resource_event_default WHERE ${range} RETURNING *)
    INSERT INTO ${table} SELECT * FROM moved;
    ALTER TABLE fabric_sync.resource_event ATTACH PARTITION ${table} FOR VALUES FROM ('${month.from}') TO ('${month.to}');
    COMMENT ON TABLE ${table} IS 'History from ${month.from} until before ${month.to}; see resource_event.'`);
}

/**
 * Drops the months that ended before `before`. Postgres locks the parent for an instant; when a reader holds it for longer than
 * the lock time-out, the error (55P03, policy `retry`) says so and the next maintenance does it.
 * @returns the names of the partitions dropped.
 */
export async function dropPartitions(database: Database, before: Date): Promise<string[]> {
  return withSession(database, async (session) => {
    const expired = (await listPartitions(session)).filter((partition) => partition.to <= before.toISOString());
    for (const partition of expired) {
      await transaction(session, LOCK_TIMEOUT, async () => {
        await session.rows(LOCK_STATEMENT);
        await session.rows(`DROP TABLE IF EXISTS fabric_sync.${escapeIdentifier(partition.name)}`);
      });
    }
    return expired.map((partition) => partition.name);
  });
}
