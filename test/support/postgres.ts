import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chown, mkdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client, escapeIdentifier } from "pg";
import { freePort } from "./ports.ts";
import { type PostgresBinaries, postgresBinaries } from "./postgres-binaries.ts";
import { askBroker, RUN_VARIABLE } from "./broker-client.ts";
import { onSmallDisk, smallDiskIn } from "./small-disk.ts";
import { isAlive } from "./stale-workspaces.ts";
import { waitFor } from "./wait.ts";
import { createWorkspace, type ServerProcess, type Workspace } from "./workspace.ts";

export interface PostgresServer {
  /** Connection string of a superuser, database `postgres`. */
  readonly url: string;
  /** A new database, empty or a copy of `template`. */
  createDatabase(options?: { name?: string; template?: string }): Promise<TestDatabase>;
  /** Ends the server and removes its data. Of a server that was given, only the databases made here are dropped. */
  stop(): Promise<void>;
}

/** A server of our own can also be taken away and brought back, on the same port with the same data. */
export interface OwnPostgresServer extends PostgresServer {
  readonly port: number;
  readonly logFile: string;
  /** Of the postmaster, while it runs. */
  readonly pid: number;
  readonly dataDirectory: string;
  /** For a tablespace; null where none was asked for, or this machine does not let us. */
  readonly smallDisk: string | null;
  /** SIGINT (fast shutdown, sessions get 57P01) by default; SIGKILL for a crash. */
  halt(signal?: "SIGINT" | "SIGTERM" | "SIGQUIT" | "SIGKILL"): Promise<void>;
  /** `takes nobody in`: data that says it is a standby's waits for a primary, and every session is refused with 57P03. */
  resume(as?: "takes nobody in"): Promise<void>;
}

export interface TestDatabase {
  readonly name: string;
  /** Connection string of a superuser. */
  readonly url: string;
  /** Drops it, whoever is connected. */
  drop(): Promise<void>;
}

export interface PostgresOptions {
  /** Server settings over the defaults below, e.g. `{ fsync: "on" }` for a benchmark. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Gives the server a disk of so many bytes beside its own, empty at each start: `smallDisk` tells where, if there is one. */
  readonly smallDiskBytes?: number;
  /** Directory with `initdb` and `postgres` of another release than ours, e.g. `/usr/lib/postgresql/15/bin`. */
  readonly binDirectory?: string;
}

/**
 * For data that nobody keeps: no waiting for disks. Commits still reach the operating system (synchronous_commit stays on), so a killed
 * server loses nothing that it confirmed.
 */
const DISPOSABLE_SETTINGS: Readonly<Record<string, string>> = {
  fsync: "off",
  full_page_writes: "off",
  // Where there is a just-in-time compiler it takes seconds for each of the large views, over tables of a few rows.
  jit: "off",
  // Suites run side by side, each with pools of its own.
  max_connections: "200",
  // The tests that count statements read it.
  shared_preload_libraries: "pg_stat_statements",
};

/**
 * Starts a PostgreSQL of our own, release 18 unless another is given, on a loopback port from the OS, data in a temporary directory, with a password of its own. It ends
 * with this process at the latest. About 1.5 s.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<OwnPostgresServer> {
  const workspace = await createWorkspace("postgres");
  try {
    const binaries = await postgresBinaries(workspace.directory, options.binDirectory);
    const password = randomBytes(12).toString("hex");
    await initialise(workspace, binaries, password);
    const running = await launch(workspace, binaries, password, options);
    return ownServer(workspace, binaries, password, options, running);
  } catch (error) {
    await workspace.dispose();
    throw error;
  }
}

/**
 * A streaming replica of `primary`, which is away for the moment of a copy. It asks for changes on `primaryPort`: the primary's own, or a
 * proxy's. `SELECT pg_promote()` makes a primary of it.
 */
export async function startStandby(primary: OwnPostgresServer, primaryPort: number): Promise<OwnPostgresServer> {
  const workspace = await createWorkspace("postgres");
  try {
    const binaries = await postgresBinaries(workspace.directory);
    const { password } = new URL(primary.url);
    await primary.halt();
    const data = join(workspace.directory, "data");
    // `cp` keeps owner and mode, which PostgreSQL looks at.
    await promisify(execFile)("cp", ["-a", primary.dataDirectory, data]);
    await promisify(execFile)("cp", ["-a", join(data, "PG_VERSION"), join(data, "standby.signal")]);
    await primary.resume();
    const conninfo = `host=127.0.0.1 port=${primaryPort} user=postgres password=${password}`;
    const options = { settings: { primary_conninfo: conninfo } };
    return ownServer(workspace, binaries, password, options, await launch(workspace, binaries, password, options));
  } catch (error) {
    await workspace.dispose();
    throw error;
  }
}

function ownServer(
  workspace: Workspace,
  binaries: PostgresBinaries,
  password: string,
  options: PostgresOptions,
  started: Running,
): OwnPostgresServer {
  let running = started;
  return {
    ...databasesOf(running.url),
    port: running.port,
    logFile: running.process.logFile,
    get pid() {
      return running.process.pid;
    },
    dataDirectory: join(workspace.directory, "data"),
    smallDisk: running.smallDisk,
    async halt(signal = "SIGINT") {
      await running.process.stop(signal);
    },
    async resume(as) {
      running = await launch(workspace, binaries, password, options, running.port, as);
    },
    stop: () => workspace.dispose(),
  };
}

/** A server that somebody else runs; its user must be allowed to create databases and roles. */
export function givenPostgres(url: string): PostgresServer {
  return { ...databasesOf(url), stop: () => dropLeftovers(url) };
}

/**
 * A database with the project's migrations applied, copied from a template that is made once a run. The server is `TEST_DATABASE_URL`'s
 * or one of our own, shared by all suites of a run and started by the first that asks.
 */
export async function createTestDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const { url, template } = await askBroker(options.empty === true ? "postgres" : "template");
  return databasesOf(url).createDatabase(template === undefined ? {} : { template });
}

async function initialise(workspace: Workspace, binaries: PostgresBinaries, password: string): Promise<void> {
  const data = join(workspace.directory, "data");
  const passwordFile = join(workspace.directory, "password");
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  const { uid, gid } = binaries.runAs;
  if (uid !== undefined && gid !== undefined) {
    await chown(data, uid, gid);
    await chown(passwordFile, uid, gid);
  }
  const flags = ["--username=postgres", "--encoding=UTF8", "--locale=C", "--auth=password", "--no-sync"];
  await promisify(execFile)(binaries.initdb, [...flags, `--pwfile=${passwordFile}`, `--pgdata=${data}`], {
    ...binaries.runAs,
    cwd: workspace.directory,
    env: { PATH: process.env["PATH"], LC_ALL: "C" },
  });
}

interface Running {
  readonly process: ServerProcess;
  readonly smallDisk: string | null;
  readonly port: number;
  readonly url: string;
}

async function launch(
  workspace: Workspace,
  binaries: PostgresBinaries,
  password: string,
  options: PostgresOptions,
  givenPort?: number,
  as?: "takes nobody in",
): Promise<Running> {
  const settings = { ...DISPOSABLE_SETTINGS, ...options.settings, ...(as === undefined ? {} : { hot_standby: "off" }) };
  const begun = as === undefined ? answers : refusesAll;
  const disk = await smallDiskIn(workspace.directory, binaries.runAs, options.smallDiskBytes);
  for (let attempt = 1; ; attempt++) {
    const port = givenPort ?? (await freePort());
    const own = { listen_addresses: "127.0.0.1", port: String(port), unix_socket_directories: "", ...settings };
    const flags = Object.entries(own).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const direct = { command: binaries.postgres, args: ["-D", join(workspace.directory, "data"), ...flags] };
    const { command, args } = disk === null ? direct : onSmallDisk(disk, binaries.runAs, direct.command, direct.args);
    const server = await workspace.spawn("postgres", command, args, {
      ...binaries.runAs,
      env: { PATH: process.env["PATH"], LC_ALL: "C" },
      // Immediate shutdown: the data is thrown away, but its shared memory must not stay behind.
      endSignal: "SIGQUIT",
    });
    const url = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
    await waitFor(`PostgreSQL on port ${port}`, () => !server.running() || begun(url));
    if (server.running()) return { process: server, smallDisk: disk?.directory ?? null, port, url };
    // Most likely somebody took the port between our look and its bind.
    if (attempt === 3) throw new Error(`PostgreSQL does not start:\n${await server.logTail()}`);
  }
}

async function refusesAll(url: string): Promise<boolean> {
  try {
    await answers(url);
    return false;
  } catch (error) {
    if ((error as { code?: string }).code === "57P03") return true;
    throw error;
  }
}

async function answers(url: string): Promise<boolean> {
  await withClient(url, (client) => client.query("SELECT 1"));
  return true;
}

function databasesOf(url: string) {
  return {
    url,
    async createDatabase(options: { name?: string; template?: string } = {}): Promise<TestDatabase> {
      const name = options.name ?? `${runPrefix()}${randomBytes(5).toString("hex")}`;
      const template = escapeIdentifier(options.template ?? "template0");
      await withClient(url, (client) => client.query(`CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE ${template}`));
      const target = new URL(url);
      target.pathname = `/${name}`;
      const database: TestDatabase = {
        name,
        url: target.toString(),
        async drop() {
          await withClient(url, (client) =>
            client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`),
          );
        },
      };
      return database;
    },
  };
}

/** Every database of one run is named by its host and the process id of the run, so that what a dead run left can be told and dropped. */
const hostPrefix = `fst_${hostname()
  .toLowerCase()
  .replaceAll(/[^a-z0-9]/g, "")
  .slice(0, 16)}_`;

function runPrefix(): string {
  return `${hostPrefix}${process.env[RUN_VARIABLE] ?? process.pid}_`;
}

/** Drops what this run and dead runs of this host left on a server that was given. */
export async function dropLeftovers(url: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      "SELECT datname FROM pg_database WHERE starts_with(datname, $1)",
      [hostPrefix],
    );
    for (const { datname } of rows) {
      const pid = Number(datname.slice(hostPrefix.length).split("_")[0]);
      if (datname.startsWith(runPrefix()) || !isAlive(pid)) {
        await client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(datname)} WITH (FORCE)`);
      }
    }
  });
}

export async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // A server that goes away in between is told by the query's own rejection.
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
