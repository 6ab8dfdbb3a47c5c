import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { serverUser } from "./postgres-binaries.ts";
import type { RunAs } from "./postgres-binaries.ts";

/**
 * A file system of so many bytes at `directory`, seen by one command and what it starts alone: a tmpfs in a user and mount namespace of its own,
 * in which the command runs as the user that it is. Nobody needs to be root; a kernel or a container may still refuse it.
 */
export interface SmallDisk {
  readonly directory: string;
  readonly bytes: number;
}

const SCRIPT = `
mount -t tmpfs -o size="$1",mode=0700 tmpfs "$2" || exit 99
user="$3" group="$4"; shift 4
exec unshare --user --map-user="$user" --map-group="$group" "$@"
`;

/** The command line that runs `command` with the disk. Each step replaces the one before: the process stays the one that was started. */
export function onSmallDisk(
  { directory, bytes }: SmallDisk,
  runAs: RunAs,
  command: string,
  args: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  const user = String(runAs.uid ?? process.getuid?.() ?? 0);
  const group = String(runAs.gid ?? process.getgid?.() ?? 0);
  const namespace = ["--user", "--map-root-user", "--mount"];
  const script = ["sh", "-c", SCRIPT, "small-disk", String(bytes), directory, user, group];
  return { command: "unshare", args: [...namespace, ...script, command, ...args] };
}

/** Where such a disk can be, in a directory of ours; null when none is wanted, or this machine lets nobody have one. */
export async function smallDiskIn(parent: string, runAs: RunAs, bytes: number | undefined): Promise<SmallDisk | null> {
  if (bytes === undefined || !(await canHaveSmallDisk(runAs))) return null;
  const directory = join(parent, "small");
  await mkdir(directory, { recursive: true });
  return { directory, bytes };
}

/** Whether this machine lets `runAs`, the user of our servers by default, have one. */
export async function canHaveSmallDisk(runAs?: RunAs): Promise<boolean> {
  const user = runAs ?? (await serverUser());
  const { command, args } = onSmallDisk({ directory: "/tmp", bytes: 1 << 20 }, user, "true", []);
  const probe = spawn(command, args, { ...user, stdio: "ignore" });
  return new Promise((resolve) => {
    probe.on("error", () => resolve(false));
    probe.on("close", (code) => resolve(code === 0));
  });
}
