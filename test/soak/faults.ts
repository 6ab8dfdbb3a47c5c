import { execFile } from "node:child_process";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { pause } from "../../src/core/pause.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { startStandby, withClient } from "../support/postgres.ts";
import { waitFor } from "../support/wait.ts";
import { canHaveSmallDisk } from "../support/small-disk.ts";
import { again, deadlocking, fillDisk, hunting, refusing, serializing } from "./refusals.ts";
import { ROLE } from "./rig.ts";
import type { Rig } from "./rig.ts";

/** One way in which PostgreSQL fails. */
export interface Fault {
  readonly name: string;
  /** What the server refuses the operator's writes with; absent where it says nothing. */
  readonly sqlstate?: string;
  /** The operator is expected to find that confirmed commits are not there, and to say so. */
  readonly loses?: boolean;
  /** Begins it; what it gives ends it, and resolves when PostgreSQL works again. */
  begin(rig: Rig): Promise<() => Promise<void>>;
}

const sessions = (what: string): string =>
  `SELECT ${what}(pid) FROM pg_stat_activity WHERE usename = '${ROLE}' AND pid <> pg_backend_pid()`;

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

/** It recovers and takes nobody in, as every server does for a while after a crash; this one for as long as it waits for a primary. */
async function startingUp({ postgres }: Rig): Promise<() => Promise<void>> {
  await postgres.halt();
  const signal = join(postgres.dataDirectory, "standby.signal");
  // A copy, because `cp` keeps the owner.
  await promisify(execFile)("cp", ["-a", join(postgres.dataDirectory, "PG_VERSION"), signal]);
  await postgres.resume("takes nobody in");
  return async () => {
    await postgres.halt();
    await rm(signal);
    await postgres.resume();
  };
}

/** The server and all of its processes. */
async function family(pid: number): Promise<number[]> {
  const members = [pid];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const [, parent] = await statusOf(Number(entry));
    if (Number(parent) === pid) members.push(Number(entry));
  }
  return members;
}

/** State, parent and so on, as `proc(5)` has them; nothing of a process that is gone. */
async function statusOf(pid: number): Promise<string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat === "" ? [] : stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** SIGSTOP: connections stay, nothing answers. */
async function stopped(rig: Rig): Promise<() => Promise<void>> {
  // The postmaster first: it makes no new one then.
  process.kill(rig.postgres.pid, "SIGSTOP");
  await waitFor("the postmaster to stand still", async () => (await statusOf(rig.postgres.pid))[0] === "T");
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
  const [now] = await rig.sql<{ lsn: string }>("SELECT pg_current_wal_lsn()::text AS lsn");
  await withClient(standby.url, async (client) => {
    const hasCaughtUp = async () =>
      (await client.query(`SELECT WHERE pg_last_wal_replay_lsn() >= '${now?.lsn ?? ""}'`)).rowCount === 1;
    await waitFor("the replica to catch up", hasCaughtUp, { timeoutMs: 60_000 });
  });
  link.freeze();
  await link.refuse();
  const cursors = async () =>
    (
      await rig.sql<{ all: string }>("SELECT string_agg(position, ' ' ORDER BY scope) AS all FROM fabric_sync.cursor")
    )[0]?.all;
  const before = await cursors();
  await pause(1_000, new AbortController().signal);
  await waitFor("commits that the replica lacks", async () => (await cursors()) !== before, { timeoutMs: 60_000 });
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
    sqlstate: "25006",
    begin: setting(
      "ALTER SYSTEM SET default_transaction_read_only = on",
      "ALTER SYSTEM RESET default_transaction_read_only",
    ),
  },
  { name: "57P01 terminated", sqlstate: "57P01", begin: hunting("pg_terminate_backend") },
  { name: "57P03 starting up", sqlstate: "57P03", begin: startingUp },
  {
    name: "53300 too many connections",
    sqlstate: "53300",
    begin: setting(`ALTER ROLE ${ROLE} CONNECTION LIMIT 0`, `ALTER ROLE ${ROLE} CONNECTION LIMIT -1`),
  },
  (await canHaveSmallDisk())
    ? { name: "53100 disk full", sqlstate: "53100", begin: fillDisk }
    : { name: "53100 disk full (raised by a trigger)", sqlstate: "53100", begin: refusing("53100") },
  { name: "40001 serialization", sqlstate: "40001", begin: serializing },
  { name: "40P01 deadlock", sqlstate: "40P01", begin: deadlocking },
  { name: "57014 cancelled", sqlstate: "57014", begin: hunting("pg_cancel_backend") },
  // Sooner than a session is set up.
  { name: "reset", begin: again(5, (rig) => rig.proxy.reset()) },
  { name: "SIGSTOP", begin: stopped },
  {
    name: "restart",
    begin: async ({ postgres }) => {
      await postgres.halt("SIGINT");
      return () => postgres.resume();
    },
  },
  // Last: the server is another one afterwards, and before it nothing was ever lost.
  { name: "promoted replica", loses: true, begin: promoted },
];
