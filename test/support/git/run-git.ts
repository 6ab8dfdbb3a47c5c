import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Git with nothing of the user's or the system's configuration, and a fixed identity. */
export function gitEnvironment(home: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    HOME: home,
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_AUTHOR_NAME: "Ada Author",
    GIT_AUTHOR_EMAIL: "ada@example.com",
    GIT_COMMITTER_NAME: "Ada Author",
    GIT_COMMITTER_EMAIL: "ada@example.com",
  };
}

/** Runs git in `directory` and returns what it printed, without the last line's end. @throws with git's own words. */
export async function runGit(directory: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await promisify(execFile)("git", [...args], { cwd: directory, env, maxBuffer: 64 << 20 });
  return stdout.trimEnd();
}
