import { existsSync } from "node:fs";
import { chmod, chown, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { Client } from "pg";
import { freePort } from "./ports.ts";
import { unprivilegedUser } from "./postgres-binaries.ts";
import { waitFor } from "./wait.ts";
import { createWorkspace } from "./workspace.ts";

export interface Pooler {
  /** `host:port`, for any database of the server behind it. */
  readonly address: string;
  stop(): Promise<void>;
}

/** The variable that tells suites to reach their databases through the pooler at this address; the store's fixture reads it. */
export const POOLER_VARIABLE = "TEST_POOLER";

/** `url` through the pooler of this run, or as it is. */
export function throughPooler(url: string): string {
  const address = process.env[POOLER_VARIABLE];
  if (address === undefined || address === "") return url;
  const pooled = new URL(url);
  pooled.host = address;
  return pooled.href;
}

/** Server connections a database: fewer than a suite's clients, so that transactions of several share them. */
const POOL_SIZE = 6;

/**
 * A pgbouncer in transaction mode before the server of `url`. Each transaction may run in another session, and none of its settings stay.
 * @throws Error where no pgbouncer is installed
 */
export async function startPooler(url: string): Promise<Pooler> {
  const program = pgbouncer();
  if (program === undefined) throw new Error("no pgbouncer here: install Debian's pgbouncer");
  const { hostname, port, username, password } = new URL(url);
  const workspace = await createWorkspace("pooler");
  const { uid, gid } = process.getuid?.() === 0 ? await unprivilegedUser() : {};
  const own = await freePort();
  const users = join(workspace.directory, "users.txt");
  const settings = join(workspace.directory, "pgbouncer.ini");
  await writeFile(users, `"${username}" "${password}"\n`);
  await writeFile(
    settings,
    [
      "[databases]",
      `* = host=${hostname} port=${port}`,
      "[pgbouncer]",
      "listen_addr = 127.0.0.1",
      `listen_port = ${own}`,
      "unix_socket_dir =",
      "auth_type = trust",
      `auth_file = ${users}`,
      "pool_mode = transaction",
      `default_pool_size = ${POOL_SIZE}`,
      "max_client_conn = 500",
      // Sessions that are used by nobody go soon, so that databases can be dropped.
      "server_idle_timeout = 5",
      "",
    ].join("\n"),
  );
  for (const file of [users, settings]) {
    await chmod(file, 0o600);
    if (uid !== undefined && gid !== undefined) await chown(file, uid, gid);
  }
  const server = await workspace.spawn("pgbouncer", program, [settings], {
    ...(uid === undefined || gid === undefined ? {} : { uid, gid }),
  });
  const pooled = new URL(url);
  pooled.host = `127.0.0.1:${own}`;
  await waitFor("pgbouncer", () => !server.running() || answers(pooled.href));
  if (!server.running()) {
    const log = await server.logTail();
    await workspace.dispose();
    throw new Error(`pgbouncer does not start:\n${log}`);
  }
  return { address: pooled.host, stop: () => workspace.dispose() };
}

function pgbouncer(): string | undefined {
  const directories = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return directories.map((directory) => join(directory, "pgbouncer")).find((file) => existsSync(file));
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
