import { withClient } from "../../test/support/postgres.ts";
import { between } from "./cpu.ts";
import type { Spent } from "./cpu.ts";
import { GROUP } from "./objects.ts";
import { logOf, usageOf } from "./rig.ts";
import type { Rig, Usage } from "./rig.ts";

/** How often the table is asked (ms); what it is asked takes the server a tenth of a millisecond. */
const ASK_MS = 20;

/** One start of the artefact, from its process to its last row; times in ms since the process was started. */
export interface Loading extends Usage {
  readonly ms: number;
  readonly firstRowMs: number;
  readonly timeline: readonly { readonly what: string; readonly ms: number }[];
  readonly rows: number;
  readonly events: number;
  readonly walMiB: number;
  /** From the start of the process to the last row. */
  readonly spent: Spent;
}

const ASK = `SELECT EXISTS (SELECT FROM fabric_sync.resource) AS begun,
  (SELECT count(*)::int FROM fabric_sync.cursor WHERE source = 'cluster' AND complete_at IS NOT NULL) AS complete`;
const COUNT = `SELECT (SELECT count(*)::int FROM fabric_sync.resource WHERE actual_spec IS NOT NULL) AS rows,
  (SELECT count(*)::int FROM fabric_sync.resource_event) AS events,
  (pg_current_wal_lsn() - $1::pg_lsn)::float / 1048576 AS wal`;

/**
 * Starts the artefact on a database and waits until each of `kinds` kinds has its cursor, which commits with the last row of its list. The
 * process is ended afterwards, by SIGTERM.
 */
export async function loadOnce(rig: Rig, databaseUrl: string, kinds: number): Promise<Loading> {
  return withClient(databaseUrl, async (sql) => {
    const [start] = (await sql.query<{ lsn: string }>("SELECT pg_current_wal_lsn()::text AS lsn")).rows;
    const before = rig.meter();
    const begun = Date.now();
    const operator = await rig.operator(databaseUrl);
    let firstRowMs = 0;
    for (;;) {
      const { rows } = await sql.query<{ begun: boolean; complete: number }>(ASK);
      const [state] = rows;
      if (state?.begun === true) firstRowMs ||= Date.now() - begun;
      if ((state?.complete ?? 0) >= kinds) break;
      if (!operator.process.running()) throw new Error(await operator.process.logTail());
      await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    }
    const ms = Date.now() - begun;
    const usage = usageOf(operator.process.pid);
    const spent = between(before, rig.meter(operator.process.pid));
    const [counted] = (await sql.query<{ rows: number; events: number; wal: number }>(COUNT, [start?.lsn])).rows;
    await operator.process.stop("SIGTERM");
    const log = await logOf(operator);
    const first = (message: string): number => (log.find((line) => line.message === message)?.at ?? NaN) - begun;
    const timeline = [
      { what: "the program's first line", ms: first("starting") },
      { what: "the lease is ours", ms: first("leading") },
      { what: `the first stream of ${GROUP} starts`, ms: first("stream starts") },
      { what: "first row visible", ms: firstRowMs },
      { what: "last row committed", ms },
    ];
    return {
      ms,
      firstRowMs,
      timeline,
      ...usage,
      spent,
      rows: counted?.rows ?? 0,
      events: counted?.events ?? 0,
      walMiB: counted?.wal ?? 0,
    };
  });
}

/** The process once more on the same database: how long until it is ready, and what it wrote. */
export async function startAgain(
  rig: Rig,
  databaseUrl: string,
): Promise<{ readonly ms: number; readonly writes: number } & Usage> {
  return withClient(databaseUrl, async (sql) => {
    const versions = async (): Promise<number> => {
      const text = "SELECT coalesce(max(xmin::text::bigint), 0)::float AS newest FROM fabric_sync.resource";
      return (await sql.query<{ newest: number }>(text)).rows[0]?.newest ?? 0;
    };
    const newest = await versions();
    const begun = Date.now();
    const operator = await rig.operator(databaseUrl);
    await operator.ready(60_000);
    const ms = Date.now() - begun;
    const usage = usageOf(operator.process.pid);
    await operator.process.stop("SIGTERM");
    const text = "SELECT count(*)::int AS writes FROM fabric_sync.resource WHERE xmin::text::bigint > $1";
    const [counted] = (await sql.query<{ writes: number }>(text, [newest])).rows;
    return { ms, ...usage, writes: counted?.writes ?? 0 };
  });
}
