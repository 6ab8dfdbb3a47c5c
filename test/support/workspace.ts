import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describePlace, sweepStaleWorkspaces, WORKSPACE_PREFIX } from "./stale-workspaces.ts";

/** A temporary directory and the processes that live in it. All of it ends with this process, however this process ends. */
export interface Workspace {
  readonly directory: string;
  /** Starts a server whose output goes to `<name>.log` in the directory. */
  spawn(name: string, command: string, args: readonly string[], options?: SpawnOptions): Promise<ServerProcess>;
  /** Ends the processes and removes the directory. */
  dispose(): Promise<void>;
}

export interface SpawnOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** The signal that ends it at clean-up; SIGKILL follows after 5 s. Default SIGKILL, as nothing in a workspace is kept. */
  readonly endSignal?: NodeJS.Signals;
}

export interface ServerProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  running(): boolean;
  /** Resolves when it has ended, with how it ended. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Sends `signal` and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** The last `lines` lines it wrote, for error messages. */
  logTail(lines?: number): Promise<string>;
}

/**
 * The guardian: a shell that outlives us for as long as it takes to clean up. It reads "+SIGNAL PID" and "-PID" lines from a pipe that
 * only this process holds, so the end of the pipe is the end of this process: by exit, Ctrl-C, a crash or kill -9 alike.
 */
const GUARDIAN = `
trap '' INT TERM HUP
servers=""
while IFS=' ' read -r word pid; do
  case "$word" in
    +*) servers="$servers \${word#+}:$pid" ;;
    -) kept=""; for s in $servers; do [ "\${s#*:}" = "$pid" ] || kept="$kept $s"; done; servers="$kept" ;;
  esac
done
for s in $servers; do kill -"\${s%%:*}" "\${s#*:}" 2>/dev/null; done
tries=0
while [ $tries -lt 100 ]; do
  alive=""
  for s in $servers; do kill -0 "\${s#*:}" 2>/dev/null && alive=yes; done
  [ -n "$alive" ] || break
  sleep 0.05; tries=$((tries + 1))
done
for s in $servers; do kill -KILL "\${s#*:}" 2>/dev/null; done
rm -rf "$1" || { sleep 0.5; rm -rf "$1"; }
`;

/** Makes a workspace; `kind` is a word of its directory's name. Removes those that dead processes left behind. */
export async function createWorkspace(kind: string): Promise<Workspace> {
  await sweepStaleWorkspaces();
  const directory = await mkdtemp(join(tmpdir(), `${WORKSPACE_PREFIX}${kind}-`));
  await chmod(directory, 0o711);
  await writeFile(join(directory, "owner.json"), JSON.stringify(await describePlace()));
  const guardian = spawn("/bin/sh", ["-c", GUARDIAN, "fabric-sync-guardian", directory], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  guardian.unref();
  const pipe = guardian.stdin;
  // A guardian that someone killed must not take the tests with it; the next start sweeps.
  pipe.on("error", () => pipe.destroy());
  (pipe as unknown as { unref?(): void }).unref?.();
  const gone = new Promise<void>((resolve) => guardian.once("exit", () => resolve()));
  let disposed = false;

  return {
    directory,
    async spawn(name, command, args, options = {}) {
      if (disposed) throw new Error(`workspace ${directory} is disposed, cannot start ${name}`);
      const logFile = join(directory, `${name}.log`);
      const log = openSync(logFile, "a");
      // Their own process group: Ctrl-C reaches this process alone, which then ends them in order.
      const child = spawn(command, args, {
        cwd: options.cwd ?? directory,
        env: options.env ?? process.env,
        ...(options.uid === undefined ? {} : { uid: options.uid }),
        ...(options.gid === undefined ? {} : { gid: options.gid }),
        detached: true,
        stdio: ["ignore", log, log],
      });
      closeSync(log);
      const pid = await startedPid(child);
      // A server that somebody forgot must not keep the process from ending; its end is the guardian's business then.
      child.unref();
      pipe.write(`+${(options.endSignal ?? "SIGKILL").slice(3)} ${pid}\n`);
      const server = serverProcess(name, child, pid, logFile);
      void server.ended.then(() => {
        if (!disposed) pipe.write(`- ${pid}\n`);
      });
      return server;
    },
    async dispose() {
      if (!disposed) {
        disposed = true;
        guardian.ref();
        pipe.end();
      }
      await gone;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function startedPid(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () => (child.pid === undefined ? reject(new Error("no pid")) : resolve(child.pid)));
  });
}

function serverProcess(name: string, child: ChildProcess, pid: number, logFile: string): ServerProcess {
  let running = true;
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("exit", (code, signal) => {
      running = false;
      resolve({ code, signal });
    });
  });
  return {
    name,
    pid,
    logFile,
    ended,
    running: () => running,
    kill: (signal) => void child.kill(signal),
    async stop(signal = "SIGTERM") {
      child.ref();
      if (running) child.kill(signal);
      await ended;
    },
    async logTail(lines = 20) {
      const text = await readFile(logFile, "utf8").catch(() => "");
      return text.trimEnd().split("\n").slice(-lines).join("\n");
    },
  };
}
