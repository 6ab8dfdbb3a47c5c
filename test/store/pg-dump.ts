import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** A pg_dump that can read a server of this major version, null where there is none: the npm package of the server has no client programs. */
export async function findPgDump(serverMajor: number): Promise<string | null> {
  const debian = await readdir("/usr/lib/postgresql").catch(() => [] as string[]);
  for (const candidate of [
    "pg_dump",
    ...debian.map((version) => join("/usr/lib/postgresql", version, "bin/pg_dump")),
  ]) {
    const found = await promisify(execFile)(candidate, ["--version"]).catch(() => null);
    const major = Number(/ (\d+)/.exec(found?.stdout ?? "")?.[1] ?? 0);
    if (major >= serverMajor) return candidate;
  }
  return null;
}
