import { pause } from "../../src/core/pause.ts";
import { waitFor } from "../support/wait.ts";
import { withClient } from "../support/postgres.ts";
import type { Fault } from "./faults.ts";
import { ROLE } from "./rig.ts";
import type { Rig } from "./rig.ts";

/** Runs `act` again and again until the fault ends, the last time to its end. */
export function again(
  everyMs: number,
  act: (rig: Rig, signal: AbortSignal) => Promise<unknown> | void,
): Fault["begin"] {
  return async (rig) => {
    const stop = new AbortController();
    const acting = (async () => {
      while (!stop.signal.aborted) {
        await act(rig, stop.signal);
        await pause(everyMs, stop.signal);
      }
    })();
    return async () => {
      stop.abort();
      await acting;
    };
  };
}

/** A trigger of the real server refuses every write of a row with this SQLSTATE: for what this machine does not let us bring about. */
export function refusing(sqlstate: string): Fault["begin"] {
  return async (rig) => {
    await rig.sql(
      `CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '${sqlstate}'; END $$`,
    );
    await rig.sql(
      `CREATE TRIGGER refuse BEFORE INSERT ON fabric_sync.resource FOR EACH STATEMENT EXECUTE FUNCTION public.refuse()`,
    );
    return async () => void (await rig.sql("DROP FUNCTION public.refuse() CASCADE"));
  };
}

/**
 * Somebody cancels what the operator runs, or ends its sessions, every millisecond: in one statement, since a round trip is longer than most of the
 * operator's statements.
 */
export function hunting(act: "pg_cancel_backend" | "pg_terminate_backend"): Fault["begin"] {
  return again(0, (rig) =>
    rig.sql(`
      DO $$ BEGIN
        FOR i IN 1..300 LOOP
          PERFORM ${act}(pid) FROM pg_stat_activity WHERE usename = '${ROLE}' AND (state = 'active' OR '${act}' = 'pg_terminate_backend');
          PERFORM pg_stat_clear_snapshot(), pg_sleep(0.001);
        END LOOP;
      END $$`),
  );
}

const ASKED = Buffer.from("ISOLATION LEVEL READ COMMITTED");
const GIVEN = Buffer.from("ISOLATION LEVEL SERIALIZABLE  ");

/** Every transaction is given what databases give that know nothing weaker. */
function stricter(chunk: Buffer): Buffer {
  const at = chunk.indexOf(ASKED);
  if (at === -1) return chunk;
  const changed = Buffer.from(chunk);
  GIVEN.copy(changed, at);
  return changed;
}

/**
 * The row that each transaction of the operator holds is changed by two others in turns: while one has it the next one waits for it already, so
 * whoever comes has a snapshot from before the change that he waits for.
 */
const CHANGE = `
  BEGIN;
  SELECT FROM fabric_sync.fabric FOR UPDATE;
  UPDATE fabric_sync.fabric SET name = name;
  SELECT pg_sleep(0.02);
  COMMIT`;

/**
 * The server finds that it cannot serialize. At READ COMMITTED, which the operator asks for, it has no reason to; so somebody in between asks for
 * more, as a database does to which transactions are SERIALIZABLE whatever was asked for.
 */
export async function serializing(rig: Rig): Promise<() => Promise<void>> {
  const stop = new AbortController();
  const changing = [1, 2].map(() =>
    withClient(rig.databaseUrl(), async (client) => {
      while (!stop.signal.aborted) await client.query(CHANGE);
    }),
  );
  rig.proxy.rewrite = stricter;
  return async () => {
    rig.proxy.rewrite = null;
    stop.abort();
    await Promise.all(changing);
  };
}

const WAITS = `SELECT pid FROM pg_stat_activity WHERE usename = '${ROLE}' AND wait_event_type = 'Lock' LIMIT 1`;

/**
 * Another program locks what the operator writes last, waits until the operator stands behind that, and then asks, again and again, for what the
 * operator has locked first. The operator has waited for longer, so the server finds each circle from its side and ends its transaction. It asks for
 * the table: who waits for a row that several transactions hold waits for one after the other, and only that one is in a circle.
 */
export async function deadlocking(rig: Rig): Promise<() => Promise<void>> {
  const stop = new AbortController();
  const held = Promise.withResolvers<number>();
  const holding = withClient(rig.databaseUrl(), async (client) => {
    // This side waits for as long as it takes: whoever looks for a circle first is the one who goes.
    await client.query("BEGIN; SET LOCAL deadlock_timeout = '10min'");
    await client.query("LOCK TABLE fabric_sync.resource_event IN SHARE MODE");
    const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    held.resolve(rows[0]?.pid ?? 0);
    while (!stop.signal.aborted) {
      const { rowCount } = await client.query(WAITS);
      if ((rowCount ?? 0) === 0) await pause(10, stop.signal);
      else await client.query("SAVEPOINT first; LOCK TABLE fabric_sync.fabric IN EXCLUSIVE MODE; ROLLBACK TO first");
    }
    await client.query("ROLLBACK");
  }).catch((error: unknown) => {
    held.reject(error);
    // Cancelled by us while it waited; its transaction ends with its connection.
    if (!stop.signal.aborted) throw error;
  });
  const pid = await held.promise;
  return async () => {
    stop.abort();
    await rig.sql(`SELECT pg_cancel_backend(${pid})`);
    await holding;
  };
}

/** Rows of a table that takes what room there is: 8 KB each, out of line and uncompressed. */
const FILL = `INSERT INTO public.filler SELECT repeat('x', 8000) FROM generate_series(1, $1)`;

/** The disk of the history is full: a file system that is too small for it, and a table of somebody else that takes the rest. */
export async function fillDisk(rig: Rig): Promise<() => Promise<void>> {
  const directory = rig.postgres.smallDisk ?? "";
  const [part] = await rig.sql<{ name: string }>(`
    SELECT tableoid::regclass::text AS name FROM fabric_sync.resource_event ORDER BY at DESC LIMIT 1`);
  if (part === undefined) throw new Error("there is no history yet");
  await rig.sql(`CREATE TABLESPACE small LOCATION '${directory}'`);
  await rig.sql(`ALTER TABLE ${part.name} SET TABLESPACE small`);
  await rig.sql(
    `CREATE TABLE public.filler (filler text STORAGE EXTERNAL) WITH (autovacuum_enabled = off) TABLESPACE small`,
  );
  await withClient(rig.databaseUrl(), async (client) => {
    for (const rows of [4_096, 512, 64, 8, 1]) {
      const full = async (): Promise<boolean> => {
        try {
          await client.query(FILL, [rows]);
          return false;
        } catch (error) {
          if ((error as { code?: string }).code !== "53100") throw error;
          return true;
        }
      };
      await waitFor("the disk to be full", full, { timeoutMs: 60_000, intervalMs: 0 });
    }
  });
  return async () => {
    await rig.sql("DROP TABLE public.filler");
    await rig.sql(`ALTER TABLE ${part.name} SET TABLESPACE pg_default`);
    await rig.sql("DROP TABLESPACE small");
  };
}
