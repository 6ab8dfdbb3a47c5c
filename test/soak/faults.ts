import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { pause } from "../../src/core/pause.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { startStandby, withClient } from "../support/postgres.ts";
import { ROLE } from "./rig.ts";
import type { Rig } from "./rig.ts";

/** One way in which PostgreSQL fails. */
export interface Fault {
  readonly name: string;
  /** Nothing is refused for long enough that it need be told of: what counts is that nothing is lost. */
  readonly brief?: boolean;
  /** The operator is expected to find that confirmed commits are not there. */
  readonly loses?: boolean;
  /** Begins it; what it gives ends it, and resolves when PostgreSQL works again. */
  begin(rig: Rig): Promise<() => Promise<void>>;
}

/** Every session of the operator ends, and each new one soon after it has begun, or whatever `statement` does to them. */
function again(everyMs: number, act: (rig: Rig) => Promise<unknown> | void): Fault["begin"] {
  return async (rig) => {
    const stop = new AbortController();
    const acting = (async () => {
      while (!stop.signal.aborted) {
        await act(rig);
        await pause(everyMs, stop.signal);
      }
    })();
    return async () => {
      stop.abort();
      await acting;
    };
  };
}

const sessions = (what: string): string =>
  `SELECT ${what}(pid) FROM pg_stat_activity WHERE usename = '${ROLE}' AND pid <> pg_backend_pid()`;

/** A trigger of the real server refuses every write of a row with this SQLSTATE. */
function refusing(sqlstate: string): Fault["begin"] {
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

/** A setting of the whole server, for sessions that begin from now on; those that are there end. */
function setting(set: string, reset: string): Fault["begin"] {
  return async (rig) => {
    await rig.sql(set);
    await rig.sql("SELECT pg_reload_conf()");
    await rig.sql(sessions("pg_terminate_backend"));
    return async () => {
      // A superuser's session may be read-only as well.
      await withClient(rig.databaseUrl(), async (client) => {
        await client.query("SET default_transaction_read_only = off");
        await client.query(reset);
        await client.query("SELECT pg_reload_conf()");
      });
    };
  };
}

/** A fault-injecting server in the place of ours: it answers every session as a server that is starting up does. */
async function startingUp(rig: Rig): Promise<() => Promise<void>> {
  const fields = "SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0";
  const message = Buffer.alloc(5 + fields.length);
  message.write("E");
  message.writeInt32BE(4 + fields.length, 1);
  message.write(fields, 5);
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", () => socket.end(message));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = rig.target;
  rig.target.port = (server.address() as AddressInfo).port;
  rig.proxy.reset();
  return async () => {
    rig.target.port = port;
    rig.proxy.reset();
    await new Promise((resolve) => server.close(resolve));
  };
}

/** The server and all of its processes. */
async function family(pid: number): Promise<number[]> {
  const members = [pid];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, "utf8").catch(() => "");
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    if (parent === pid) members.push(Number(entry));
  }
  return members;
}

/** SIGSTOP: connections stay, nothing answers. */
async function stopped(rig: Rig): Promise<() => Promise<void>> {
  // The postmaster first: it makes no new one then.
  process.kill(rig.postgres.pid, "SIGSTOP");
  const members = await family(rig.postgres.pid);
  for (const pid of members) process.kill(pid, "SIGSTOP");
  return async () => {
    for (const pid of members) process.kill(pid, "SIGCONT");
  };
}

/**
 * A replica that is a second behind becomes the primary: the last second of what was confirmed is lost. The old primary is gone; it comes
 * back afterwards as the server of the next fault, with what the replica has since.
 */
async function promoted(rig: Rig): Promise<() => Promise<void>> {
  const link = await startFaultProxy({ port: rig.postgres.port });
  const standby = await startStandby(rig.postgres, link.port);
  // It has caught up with the load before it falls behind.
  await withClient(standby.url, async (client) => {
    for (;;) {
      const { rows } = await client.query<{ live: boolean }>(
        "SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') AS live",
      );
      if (rows[0]?.live === true) return;
      await pause(50, new AbortController().signal);
    }
  });
  await pause(500, new AbortController().signal);
  link.freeze();
  await link.refuse();
  await pause(1_000, new AbortController().signal);
  await rig.postgres.halt("SIGKILL");
  await withClient(standby.url, (client) => client.query("SELECT pg_promote()"));
  rig.target.port = standby.port;
  rig.proxy.reset();
  rig.onStop(async () => {
    await link.stop();
    await standby.stop();
  });
  return () => Promise.resolve();
}

export const FAULTS: readonly Fault[] = [
  {
    name: "25006 read-only",
    begin: setting(
      "ALTER SYSTEM SET default_transaction_read_only = on",
      "ALTER SYSTEM RESET default_transaction_read_only",
    ),
  },
  { name: "57P01 terminated", brief: true, begin: again(20, (rig) => rig.sql(sessions("pg_terminate_backend"))) },
  { name: "57P03 starting up", begin: startingUp },
  {
    name: "53300 too many connections",
    begin: setting(`ALTER ROLE ${ROLE} CONNECTION LIMIT 0`, `ALTER ROLE ${ROLE} CONNECTION LIMIT -1`),
  },
  { name: "53100 disk full", begin: refusing("53100") },
  { name: "40001 serialization", begin: refusing("40001") },
  { name: "40P01 deadlock", begin: refusing("40P01") },
  { name: "57014 cancelled", begin: refusing("57014") },
  { name: "reset", brief: true, begin: again(30, (rig) => rig.proxy.reset()) },
  { name: "SIGSTOP", begin: stopped },
  {
    name: "restart",
    begin: async ({ postgres }) => {
      await postgres.halt("SIGINT");
      return () => postgres.resume();
    },
  },
  // Last: the server is another one afterwards, and before it nothing was ever lost.
  { name: "promoted replica", brief: true, loses: true, begin: promoted },
];
