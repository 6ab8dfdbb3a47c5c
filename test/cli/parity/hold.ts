import { withClient } from "../../support/postgres.ts";
import { waitFor } from "../../support/wait.ts";

/** Keys of advisory locks that nobody else takes: the one that we hold, and the turn to go on. */
const HELD = 4711;
const TURN = 4712;

/**
 * The first transaction that writes to the table may go on; every one that finds another's rows there, or comes while the first is on its way, waits
 * inside, what it has written so far not committed.
 */
const FUNCTION = `
  CREATE FUNCTION public.hold() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    -- Those of its savepoints as well.
    own xid[] := ARRAY(SELECT transactionid FROM pg_locks WHERE locktype = 'transactionid' AND pid = pg_backend_pid() AND granted);
    others boolean;
  BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE NOT xmin = ANY ($1))', TG_RELID::regclass) INTO others USING own;
    IF others OR NOT pg_try_advisory_xact_lock(${TURN}) THEN
      PERFORM pg_advisory_xact_lock_shared(${HELD});
    END IF;
    RETURN NULL;
  END $$`;

/**
 * Lets a writer run until some of its rows are in a table and more are on their way, calls `kill`, and lets what it left behind in PostgreSQL go on
 * and end.
 * @param begin starts the writer, or gives it something to write
 */
export async function killedMidway(
  { databaseUrl, table }: { readonly databaseUrl: string; readonly table: string },
  begin: () => Promise<unknown>,
  kill: () => Promise<unknown>,
): Promise<void> {
  await withClient(databaseUrl, async (holder) => {
    await holder.query(FUNCTION);
    await holder.query(
      `CREATE TRIGGER hold AFTER INSERT ON fabric_sync.${table} FOR EACH STATEMENT EXECUTE FUNCTION public.hold()`,
    );
    await holder.query("SELECT pg_advisory_lock($1)", [HELD]);
    await begin();
    await waitFor(
      "a writer in the middle",
      async () => {
        const { rows } = await holder.query<{ waits: boolean; some: boolean }>(
          `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted) AS waits,
                  EXISTS (SELECT FROM fabric_sync.${table}) AS some`,
          [HELD],
        );
        return rows[0]?.waits === true && rows[0].some;
      },
      { timeoutMs: 60_000 },
    );
    await kill();
    await holder.query("SELECT pg_advisory_unlock($1)", [HELD]);
    // Waits for the end of whoever still writes.
    await holder.query("DROP FUNCTION public.hold() CASCADE");
  });
}
