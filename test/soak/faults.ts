import { execFile } from "node:child_process";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { pause } from "../../src/core/pause.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { startStandby, withClient } from "../support/postgres.ts";
import { canHaveSmallDisk } from "../support/small-disk.ts";
import { again, deadlocking, fillDisk, hunting, refusing } from "./refusals.ts";
import { ROLE } from "./rig.ts";
import type { Rig } from "./rig.ts";

/** One way in which PostgreSQL fails. */
export interface Fault {
  readonly name: string;
  /** It is over as soon as it was, so there is nothing to tell of it: what counts is that nothing is lost. */
  readonly brief?: boolean;
  /** The operator is expected to find that confirmed commits are not there. */
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
  { name: "57P01 terminated", begin: hunting("pg_terminate_backend") },
  { name: "57P03 starting up", begin: startingUp },
  {
    name: "53300 too many connections",
    begin: setting(`ALTER ROLE ${ROLE} CONNECTION LIMIT 0`, `ALTER ROLE ${ROLE} CONNECTION LIMIT -1`),
  },
  (await canHaveSmallDisk())
    ? { name: "53100 disk full", begin: fillDisk }
    : { name: "53100 disk full (raised by a trigger)", begin: refusing("53100") },
  // Only writers at a stricter isolation than ours meet it, or those of a distributed database.
  { name: "40001 serialization (raised by a trigger)", begin: refusing("40001") },
  { name: "40P01 deadlock", begin: deadlocking },
  { name: "57014 cancelled", begin: hunting("pg_cancel_backend") },
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
  { name: "promoted replica", brief: true, loses: true, begin: promoted },
];
