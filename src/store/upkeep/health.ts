import { withSession, type Database, type Session } from "../migrate-connection.ts";
import { readMigrations } from "../migrate-files.ts";
import { appliedVersion, checkJournal, readJournal } from "../migrate-journal.ts";
import { listPartitions, monthPartition } from "../partitions.ts";
import { READER_ROLE, READER_ROLE_ADVICE } from "../reader-role.ts";
import { check, reportOf, type Report, type Verdict } from "./report.ts";

/** PostgreSQL 15: the oldest major that is tested. */
const OLDEST_VERSION = 150_000;
/** A watch gets a bookmark about once a minute: a quarter of an hour of silence is more than a pause (minutes). */
const LAG_MINUTES = 15;
/** A transaction this old keeps vacuum from its work (minutes). */
const OLD_TRANSACTION_MINUTES = 60;
/** Share of dead rows at which autovacuum is behind, of tables with more than so many dead rows. */
const DEAD_SHARE = 0.3;
const DEAD_ROWS = 10_000;
/** Transaction ids end at 2 billion; autovacuum starts to force freezing at 200 million. */
const XID_AGE = 1_000_000_000;
/** Share of the server's connections in use. */
const CONNECTIONS_SHARE = 0.9;

/** Asks how the database does: cheap questions only, fit to be asked every minute. */
export async function health(database: Database, options: { directory?: string; now?: Date } = {}): Promise<Report> {
  const now = options.now ?? new Date();
  return withSession(database, async (session) =>
    reportOf([
      await check("server", () => server(session)),
      await check("migration", () => migration(session, options.directory)),
      await check("partitions_ahead", () => partitionsAhead(session, now)),
      await check("default_partition", () => defaultPartition(session)),
      await check("history_order", () => historyOrder(session)),
      await check("lag", () => lag(session)),
      await check("refused", () => refused(session)),
      await check("oldest_transaction", () => oldestTransaction(session)),
      await check("transaction_ids", () => transactionIds(session)),
      await check("bloat", () => bloat(session)),
      await check("connections", () => connections(session)),
      await check("reader_role", () => readerRole(session)),
    ]),
  );
}

async function server(session: Session): Promise<Verdict> {
  const row = await one<{ version: number; text: string; standby: boolean; size: string }>(
    session,
    `SELECT current_setting('server_version_num')::integer AS version, current_setting('server_version') AS text,
            pg_is_in_recovery() AS standby, pg_size_pretty(pg_database_size(current_database())) AS size`,
  );
  if (row.version < OLDEST_VERSION) return { status: "failed", message: `PostgreSQL ${row.text} is older than 15` };
  if (row.standby) return { status: "failed", message: `PostgreSQL ${row.text} is a standby: it cannot be written` };
  return { status: "ok", message: `PostgreSQL ${row.text}, ${row.size}` };
}

async function migration(session: Session, directory: string | undefined): Promise<Verdict> {
  const set = await readMigrations(directory);
  const journal = await readJournal(session);
  checkJournal(journal, set);
  const applied = appliedVersion(journal);
  const message = `at migration ${applied} of ${set.migrations.length}`;
  return applied === set.migrations.length
    ? { status: "ok", message }
    : { status: "failed", message: `${message}: run fabric-sync db migrate` };
}

async function partitionsAhead(session: Session, now: Date): Promise<Verdict> {
  const there = new Set((await listPartitions(session)).map(({ name }) => name));
  const missing = [0, 1].map((offset) => monthPartition(now, offset).name).filter((name) => !there.has(name));
  if (missing.length === 0) return { status: "ok", message: "this month and the next have their partition" };
  return { status: "failed", message: "a month has no partition: run fabric-sync db maintain", findings: missing };
}

async function defaultPartition(session: Session): Promise<Verdict> {
  const { rows } = await one<{ rows: number }>(
    session,
    "SELECT count(*) AS rows FROM (SELECT FROM fabric_sync.resource_event_default LIMIT 1000) AS sample",
  );
  if (rows === 0) return { status: "ok", message: "every event is in its month" };
  return {
    status: "warning",
    message: `${rows === 1000 ? "1000 or more" : rows} events are in no month: a clock is wrong, or fabric-sync db maintain did not run`,
  };
}

/** Events from the server's future: the database was restored on a server that has seen fewer transactions. */
async function historyOrder(session: Session): Promise<Verdict> {
  const { ahead } = await one<{ ahead: number }>(
    session,
    `SELECT count(*) AS ahead FROM fabric_sync.fabric f
      WHERE EXISTS (SELECT FROM fabric_sync.resource_event e
                     WHERE e.fabric_id = f.id AND e.xid > pg_snapshot_xmax(pg_current_snapshot()))`,
  );
  if (ahead === 0) return { status: "ok", message: "history is in the order of commits" };
  return {
    status: "failed",
    message:
      `history of ${ahead} fabrics is ahead of this server's transaction ids: it was restored from another server, ` +
      "and readers that follow it would wait; see docs/runbook-migrations.md, Restore",
  };
}

async function lag(session: Session): Promise<Verdict> {
  const rows = await session.rows<{ stream: string }>(
    `SELECT concat(f.namespace, '/', f.name, ' ', c.source, ' ', c.scope, ': ',
                   coalesce(to_char(now() - c.complete_at, 'DD"d "HH24:MI:SS') || ' old', 'never complete')) AS stream
       FROM fabric_sync.cursor c JOIN fabric_sync.fabric f ON f.id = c.fabric_id
      WHERE f.detached_at IS NULL AND f.retiring_at IS NULL AND c.source = 'cluster'
        AND (c.complete_at IS NULL OR c.complete_at < now() - make_interval(mins => $1))
      ORDER BY c.complete_at NULLS FIRST`,
    [LAG_MINUTES],
  );
  if (rows.length === 0) return { status: "ok", message: `every stream is younger than ${LAG_MINUTES} minutes` };
  return {
    status: "warning",
    message: `${rows.length} streams of the cluster are older than ${LAG_MINUTES} minutes: suspended, forbidden, or nobody writes`,
    findings: rows.slice(0, 20).map(({ stream }) => stream),
  };
}

async function refused(session: Session): Promise<Verdict> {
  const { letters, documents } = await one<{ letters: number; documents: number }>(
    session,
    `SELECT (SELECT count(*) FROM fabric_sync.resource_dead_letter) AS letters,
            (SELECT coalesce(sum(jsonb_array_length(rejections)), 0)::bigint FROM fabric_sync.git_file) AS documents`,
  );
  const message = `${letters} objects and ${documents} documents are refused`;
  return { status: letters + documents === 0 ? "ok" : "warning", message };
}

async function oldestTransaction(session: Session): Promise<Verdict> {
  const { minutes, slots } = await one<{ minutes: number; slots: number }>(
    session,
    `SELECT coalesce(extract(epoch FROM now() - min(oldest)) / 60, 0)::integer AS minutes,
            (SELECT count(*) FROM pg_replication_slots WHERE NOT active)::integer AS slots
       FROM (SELECT min(xact_start) AS oldest FROM pg_stat_activity WHERE backend_xmin IS NOT NULL OR backend_xid IS NOT NULL
             UNION ALL SELECT min(prepared) FROM pg_prepared_xacts) AS t`,
  );
  const message = `the oldest transaction is ${minutes} minutes old, ${slots} replication slots are not in use`;
  return { status: minutes > OLD_TRANSACTION_MINUTES || slots > 0 ? "warning" : "ok", message };
}

async function transactionIds(session: Session): Promise<Verdict> {
  const { age } = await one<{ age: number }>(
    session,
    "SELECT age(datfrozenxid) AS age FROM pg_database WHERE datname = current_database()",
  );
  const message = `the oldest transaction id is ${age} transactions old`;
  return { status: age > XID_AGE ? "failed" : "ok", message };
}

async function bloat(session: Session): Promise<Verdict> {
  const rows = await session.rows<{ name: string; dead: number; live: number }>(
    `SELECT relname AS name, n_dead_tup AS dead, n_live_tup AS live FROM pg_stat_user_tables
      WHERE schemaname = 'fabric_sync' AND n_dead_tup > $1::bigint AND n_dead_tup > $2::float8 * (n_dead_tup + n_live_tup)
      ORDER BY n_dead_tup DESC`,
    [DEAD_ROWS, DEAD_SHARE],
  );
  if (rows.length === 0) return { status: "ok", message: "autovacuum keeps up" };
  return {
    status: "warning",
    message: `autovacuum is behind on ${rows.length} tables`,
    findings: rows.map(({ name, dead, live }) => `${name}: ${dead} dead, ${live} live rows`),
  };
}

async function connections(session: Session): Promise<Verdict> {
  const { used, most } = await one<{ used: number; most: number }>(
    session,
    `SELECT (SELECT count(*)::integer FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
            current_setting('max_connections')::integer AS most`,
  );
  return {
    status: used > CONNECTIONS_SHARE * most ? "warning" : "ok",
    message: `${used} of ${most} connections in use`,
  };
}

async function readerRole(session: Session): Promise<Verdict> {
  const rows = await session.rows("SELECT FROM pg_roles WHERE rolname = $1", [READER_ROLE]);
  if (rows.length > 0) return { status: "ok", message: `the role ${READER_ROLE} is there` };
  return { status: "warning", message: READER_ROLE_ADVICE };
}

async function one<Row extends object>(session: Session, text: string): Promise<Row> {
  const [row] = await session.rows<Row>(text);
  if (row === undefined) throw new Error("a statement that always gives a row gave none");
  return row;
}
