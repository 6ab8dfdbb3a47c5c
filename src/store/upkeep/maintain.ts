import { withSession, type Database, type Session } from "../migrate-connection.ts";
import { createPartitions, dropPartitions } from "../partitions.ts";
import { grantReader, READER_ROLE_ADVICE } from "../reader-role.ts";
import { check, reportOf, type Report, type Verdict } from "./report.ts";

export interface MaintainOptions {
  /** The present by default. */
  readonly now?: Date;
  /** Ends between two chunks. */
  readonly signal?: AbortSignal;
}

export interface MaintainReport extends Report {
  readonly partitionsMade: readonly string[];
  readonly partitionsDropped: readonly string[];
  /** Rows purged a table. */
  readonly purged: Readonly<Record<string, number>>;
}

/** Rows a statement: short locks, and little is lost when it is interrupted. */
const CHUNK = 1_000;
/** Providers redeliver for up to 3 days; a week of them refuses every replay. */
const DELIVERY_DAYS = 7;
/** How long history is kept where no fabric says so. */
const HISTORY = "90 days";

interface Purge {
  readonly table: string;
  /** SQL over the table, `$1` (now) and `$2` (the fabric). */
  readonly condition: string;
  /** Runs once a fabric, so that the conditions can use the indexes that the fabric leads. */
  readonly perFabric: boolean;
}

/** What is purged row by row. Partitions of the history are dropped whole. */
const PURGES: readonly Purge[] = [
  {
    // Tombstones. The condition is asked again under the row's lock: a resource that came back stays.
    table: "resource",
    condition: `fabric_id = $2 AND resource_state = 'deleted' AND last_state_change < $1::timestamptz -
      (SELECT tombstone_retention FROM fabric_sync.fabric WHERE id = $2)`,
    perFabric: true,
  },
  {
    table: "sync_run",
    condition: `fabric_id = $2 AND started_at < $1::timestamptz -
      (SELECT history_retention FROM fabric_sync.fabric WHERE id = $2)`,
    perFabric: true,
  },
  { table: "device_snapshot", condition: "expires_at < $1::timestamptz", perFabric: false },
  {
    table: "webhook_delivery",
    condition: `received_at < $1::timestamptz - interval '${DELIVERY_DAYS} days'`,
    perFabric: false,
  },
  {
    // What was in no month goes by the same rule as the months.
    table: "resource_event_default",
    condition: `at < $1::timestamptz - (SELECT coalesce(max(history_retention), '${HISTORY}') FROM fabric_sync.fabric)`,
    perFabric: false,
  },
];

/**
 * Makes the months ahead, drops the months that no fabric keeps, and purges what has expired, in chunks that never hold a lock
 * for long. Safe to run at any time, from many places, and to interrupt.
 */
export async function maintain(database: Database, options: MaintainOptions = {}): Promise<MaintainReport> {
  const now = options.now ?? new Date();
  const made: string[] = [];
  const dropped: string[] = [];
  const purged: Record<string, number> = {};
  const checks = [
    await check("partitions_ahead", async () => {
      made.push(...(await createPartitions(database, now)));
      return { status: "ok", message: `${made.length} months made`, findings: made };
    }),
    await check("history_retention", async () => {
      const kept = await longestRetention(database, now);
      dropped.push(...(await dropPartitions(database, new Date(kept.since))));
      return {
        status: "ok",
        message: `${dropped.length} months dropped; a month is kept for the fabric that keeps history longest (${kept.retention})`,
        findings: dropped,
      };
    }),
  ];
  for (const one of PURGES) {
    options.signal?.throwIfAborted();
    checks.push(
      await check(`purge_${one.table}`, async () => {
        const rows = await purge(database, one, now, options.signal);
        purged[one.table] = rows;
        return { status: "ok", message: `${rows} rows purged` };
      }),
    );
  }
  checks.push(await check("reader_role", () => withSession(database, readerRole)));
  return { ...reportOf(checks), partitionsMade: made, partitionsDropped: dropped, purged };
}

async function longestRetention(database: Database, now: Date): Promise<{ since: string; retention: string }> {
  return withSession(database, async (session) => {
    const [row] = await session.rows<{ since: string; retention: string }>(
      `SELECT $1::timestamptz - longest AS since, longest::text AS retention
         FROM (SELECT coalesce(max(history_retention), '${HISTORY}') AS longest FROM fabric_sync.fabric) AS r`,
      [now.toISOString()],
    );
    if (row === undefined) throw new Error("an aggregate gave no row");
    return row;
  });
}

async function purge(
  database: Database,
  { table, condition, perFabric }: Purge,
  now: Date,
  signal: AbortSignal | undefined,
): Promise<number> {
  // SKIP LOCKED: what a writer holds is in use. ctid = ANY reads those rows and no others.
  const statement = `
    DELETE FROM fabric_sync.${table} WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM fabric_sync.${table} WHERE ${condition} LIMIT ${CHUNK} FOR UPDATE SKIP LOCKED)) AND ${condition}
    RETURNING 1 AS gone`;
  return withSession(database, async (session) => {
    const fabrics = perFabric
      ? await session.rows<{ id: string }>("SELECT id FROM fabric_sync.fabric ORDER BY id")
      : [];
    let total = 0;
    for (const values of perFabric ? fabrics.map(({ id }) => [now.toISOString(), id]) : [[now.toISOString()]]) {
      for (let gone = CHUNK; gone === CHUNK; total += gone) {
        signal?.throwIfAborted();
        gone = (await session.rows(statement, values)).length;
      }
    }
    return total;
  });
}

async function readerRole(session: Session): Promise<Verdict> {
  if (await grantReader(session)) return { status: "ok", message: "every view is granted to the reader role" };
  return { status: "warning", message: READER_ROLE_ADVICE };
}
