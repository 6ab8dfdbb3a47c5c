import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { gitError } from "./transport-errors.ts";

/** How a git command ended on its own; what it printed is bounded. */
export interface GitResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  /** The last {@link STDERR_BYTES}; may hold the server's words: for choosing a reason and for debug logs only. */
  readonly stderr: string;
}

export interface GitRun {
  /** Default git. */
  readonly program?: "git" | "gpg" | "sh";
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Takes stdout piece by piece instead of collecting it; false ends the command early, which counts as success. */
  readonly onData?: (piece: Buffer) => boolean;
  /** Bytes of stdout that are collected; default {@link STDOUT_BYTES}. More is `LimitExceeded`. */
  readonly maxStdout?: number;
}

/** Enough for git's last words. */
const STDERR_BYTES = 16 * 1024;
/** 64 MiB: an `ls-remote` of half a million references. */
const STDOUT_BYTES = 64 * 1024 * 1024;
/** Git removes its lock files on SIGTERM, which takes it milliseconds; then SIGKILL. */
const GRACE_MS = 1_000;

export type GitProcess = ChildProcessByStdio<Writable, Readable, Readable>;

/** Starts git as the leader of a process group of its own, so that its helpers (git-remote-https, ssh) end with it. */
export function spawnGit(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
  program = "git",
): GitProcess {
  return spawn(program, args, { cwd, env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
}

/** Ends a process group: SIGTERM, and SIGKILL to what is left after {@link GRACE_MS}. */
export function endGroup(child: GitProcess): void {
  signalGroup(child, "SIGTERM");
  const timer = setTimeout(() => signalGroup(child, "SIGKILL"), GRACE_MS);
  child.once("close", () => clearTimeout(timer));
}

function signalGroup(child: GitProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // ESRCH: the group is gone already.
  }
}

/**
 * Runs one git command to its end.
 * @throws FabricSyncError `Timeout`, `Aborted`, `LimitExceeded` (after the group is dead), `GitUnavailable`. A non-zero exit is not
 *   thrown: the caller knows what it means.
 */
export function runGit(run: GitRun): Promise<GitResult> {
  return new Promise((resolve, reject) => {
    if (run.signal.aborted) return reject(gitError("Aborted", "stopping"));
    const { program = "git" } = run;
    const child = spawnGit(run.args, run.cwd, run.env, program);
    const pieces: Buffer[] = [];
    let bytes = 0;
    let stderr = "";
    let failure: Error | null = null;
    let enough = false;

    const end = (error: Error | null): void => {
      failure ??= error;
      endGroup(child);
    };
    const onAbort = (): void => end(gitError("Aborted", "stopping"));
    const timer = setTimeout(
      () => end(gitError("Timeout", `git ${verbOf(run.args)} did not finish within ${run.timeoutMs} ms`)),
      run.timeoutMs,
    );
    run.signal.addEventListener("abort", onAbort, { once: true });

    child.on("error", (error) => {
      failure ??= gitError("GitUnavailable", `the ${program} program cannot be started`, { cause: error });
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end();
    child.stdout.on("data", (piece: Buffer) => {
      if (enough || failure) return;
      if (run.onData) {
        if (run.onData(piece)) return;
        enough = true;
        endGroup(child);
        return;
      }
      bytes += piece.length;
      if (bytes > (run.maxStdout ?? STDOUT_BYTES)) {
        return end(gitError("LimitExceeded", `git ${verbOf(run.args)} answered with more than ${bytes} bytes`));
      }
      pieces.push(piece);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-STDERR_BYTES);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      run.signal.removeEventListener("abort", onAbort);
      if (failure) return reject(failure);
      resolve({ exitCode: enough ? 0 : (code ?? -1), stdout: Buffer.concat(pieces), stderr });
    });
  });
}

/** The git subcommand, for messages: the first argument that is neither an option nor a `-c` pair. */
function verbOf(args: readonly string[]): string {
  const index = args.findIndex((arg, at) => !arg.startsWith("-") && args[at - 1] !== "-c");
  return args[index] ?? "";
}
