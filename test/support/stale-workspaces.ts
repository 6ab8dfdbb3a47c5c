import { execFile } from "node:child_process";
import { readdir, readFile, readlink, rm, stat } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export const WORKSPACE_PREFIX = "fabric-sync-";

/** Who made a workspace: a process id means something only on its own host and in its own pid namespace. */
export interface Place {
  readonly pid: number;
  readonly host: string;
  readonly namespace: string;
}

export async function describePlace(): Promise<Place> {
  return { pid: process.pid, host: hostname(), namespace: await readlink("/proc/self/ns/pid").catch(() => "") };
}

/**
 * Removes the workspaces whose owner is dead and whose guardian died with it (the machine went down, or both were killed), and ends
 * what still runs in them. Leaves alone what belongs to another user, host or pid namespace.
 */
export async function sweepStaleWorkspaces(directory: string = tmpdir()): Promise<void> {
  const here = await describePlace();
  for (const name of await readdir(directory)) {
    if (!name.startsWith(WORKSPACE_PREFIX)) continue;
    const path = join(directory, name);
    const owner = await readOwner(path);
    if (owner === null || owner.host !== here.host || owner.namespace !== here.namespace || isAlive(owner.pid))
      continue;
    await endProcessesIn(path);
    // Another process may sweep the same directory at this moment.
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function readOwner(path: string): Promise<Place | null> {
  try {
    if ((await stat(path)).uid !== process.getuid?.()) return null;
    return JSON.parse(await readFile(join(path, "owner.json"), "utf8")) as Place;
  } catch {
    // Just being made or just being removed, or not ours at all.
    return null;
  }
}

/** Whether a process of that id runs here, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Ends processes whose command line names the directory: a recorded pid may long belong to somebody else. */
async function endProcessesIn(path: string): Promise<void> {
  for (const { pid, command } of await commandLines()) {
    if (!command.includes(`${path}/`) || pid === process.pid) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Ended between the listing and the signal.
    }
  }
}

/** From /proc where there is one (slim images have no ps), else from ps. */
async function commandLines(): Promise<{ pid: number; command: string }[]> {
  const entries = await readdir("/proc").catch(() => null);
  if (entries === null) {
    const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,args="], { maxBuffer: 16 << 20 });
    return stdout.split("\n").map((line) => ({ pid: Number.parseInt(line, 10), command: line }));
  }
  const pids = entries.filter((name) => /^\d+$/.test(name));
  return Promise.all(
    pids.map(async (pid) => ({
      pid: Number(pid),
      command: (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " "),
    })),
  );
}
