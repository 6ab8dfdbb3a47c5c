import { readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { describePlace, isAlive, type Place } from "../stale-workspaces.ts";
import type { Progress } from "./progress.ts";

/** Between two looks at a lock that somebody else holds, ms. The work behind it takes minutes. */
const POLL_MS = 250;

/**
 * Runs `work` while no other process of this user does, or waits until `done` says that another one has done it. The lock only saves
 * doing the work twice: who finds the lock of a dead process takes it over, and the work itself ends in an atomic rename.
 */
export async function withBuildLock(
  lockFile: string,
  progress: Progress,
  done: () => Promise<boolean>,
  work: () => Promise<void>,
): Promise<void> {
  const me = JSON.stringify(await describePlace());
  let told = false;
  while (!(await done())) {
    if (await take(lockFile, me)) {
      try {
        if (!(await done())) await work();
        return;
      } finally {
        await rm(lockFile, { force: true });
      }
    }
    const holder = await readHolder(lockFile);
    if (holder !== null && (await isDead(holder))) {
      await rm(lockFile, { force: true });
      continue;
    }
    if (!told && holder !== null) progress(`control plane: waiting for process ${holder.pid}, which is making it`);
    told = true;
    await delay(POLL_MS);
  }
}

async function take(lockFile: string, content: string): Promise<boolean> {
  try {
    await writeFile(lockFile, content, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function readHolder(lockFile: string): Promise<Place | null> {
  try {
    return JSON.parse(await readFile(lockFile, "utf8")) as Place;
  } catch {
    // Just released, or just being written.
    return null;
  }
}

async function isDead(holder: Place): Promise<boolean> {
  const here = await describePlace();
  return holder.host === here.host && holder.namespace === here.namespace && !isAlive(holder.pid);
}
