import { GitPluginError, simpleGit } from "simple-git";
import { gitError } from "./transport-errors.ts";

/** How a short command ended: a non-zero exit is the caller's to judge. */
export interface LocalAnswer {
  readonly exitCode: number;
  readonly stdout: string;
}

export interface LocalGitOptions {
  readonly directory: string;
  /** Built from nothing by `environment.ts`. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** ms without a word after which a short command is ended; each takes milliseconds. */
const QUIET_MS = 60_000;

/**
 * Short commands on the cached repository, by simple-git: what answers with a few lines of text, starts no process of its own and
 * talks to no server. Everything else (exchanges, which must end as a process group, and output that is streamed as bytes) is
 * `process.ts`.
 * @throws FabricSyncError `Timeout`, `Aborted`, `GitUnavailable`.
 */
export async function localGit(options: LocalGitOptions, args: readonly string[]): Promise<LocalAnswer> {
  const { directory, env, signal } = options;
  if (signal.aborted) throw gitError("Aborted", "stopping");
  let exitCode = 0;
  try {
    const git = simpleGit({
      baseDir: directory,
      abort: signal,
      timeout: { block: QUIET_MS },
      completion: { onClose: true, onExit: false },
      // The environment is ours, to the last variable: simple-git guards against variables and settings that came from elsewhere.
      allowEnvironment: Object.keys(env),
      unsafe: {
        allowUnsafeConfigPaths: true,
        allowUnsafeConfigEnvCount: true,
        allowUnsafeProtocolOverride: true,
        allowUnsafeHooksPath: true,
        allowUnsafeCredentialHelper: true,
        allowUnsafeTemplateDir: true,
      },
      errors: (error, result) => {
        // By then simple-git has made an error of every exit code; one below 1 means that git did not run to its end.
        exitCode = result.exitCode;
        return exitCode > 0 ? undefined : error;
      },
    });
    const stdout = await git.env({ ...env }).raw([...args]);
    return { exitCode, stdout };
  } catch (error) {
    if (signal.aborted) throw gitError("Aborted", "stopping", { cause: error });
    if (error instanceof GitPluginError && error.plugin === "timeout") {
      throw gitError("Timeout", `git ${args[0]} said nothing for ${QUIET_MS} ms`, { cause: error });
    }
    throw gitError("GitUnavailable", "the git program cannot be started", { cause: error });
  }
}
