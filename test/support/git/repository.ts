import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gitEnvironment, runGit } from "./run-git.ts";

/** Path → contents; null deletes the file (or the folder). */
export type FileChanges = Readonly<Record<string, string | Buffer | null>>;

export interface PushOptions {
  /** Default `main`; made from the current one when it is new. */
  readonly branch?: string;
  /** `Name <mail>`. */
  readonly author?: string;
  /** The author's time; default now. */
  readonly date?: string;
  /** Rewrites the branch's last commit and pushes by force. */
  readonly amend?: boolean;
}

/** A bare repository and a clone of it that its changes come from. */
export interface TestRepository {
  /** `name.git`, its path below the servers' root. */
  readonly path: string;
  readonly bareDirectory: string;
  readonly cloneDirectory: string;
  /** Addresses at the servers that run; '' where one does not. */
  readonly httpsUrl: string;
  readonly sshUrl: string;
  /** Commits the changes in the clone and pushes them. Returns the commit's id. */
  push(changes: FileChanges, message?: string, options?: PushOptions): Promise<string>;
  /** Runs git in the clone: tags, merges, branches, deletions. */
  git(...args: readonly string[]): Promise<string>;
  /** The commit of a branch or tag in the bare repository. */
  head(ref?: string): Promise<string>;
}

export interface RepositoryHost {
  /** Where bare repositories are served from. */
  readonly root: string;
  readonly clones: string;
  httpsUrl(path: string): string;
  sshUrl(path: string): string;
}

/** Makes an empty bare repository with the branch `main` to come, and its clone. */
export async function createRepository(
  host: RepositoryHost,
  name: string = `repository-${randomBytes(4).toString("hex")}`,
  options: { objectFormat?: "sha1" | "sha256" } = {},
): Promise<TestRepository> {
  const path = `${name}.git`;
  const bareDirectory = join(host.root, path);
  const cloneDirectory = join(host.clones, name);
  const env = gitEnvironment(host.clones);
  await mkdir(bareDirectory, { recursive: true });
  await mkdir(cloneDirectory, { recursive: true });
  const format = `--object-format=${options.objectFormat ?? "sha1"}`;
  await runGit(bareDirectory, ["init", "--quiet", "--bare", "--initial-branch=main", format], env);
  // What a hosting service allows: fetching a commit by its id, and partial clones.
  for (const key of ["uploadpack.allowAnySHA1InWant", "uploadpack.allowFilter"]) {
    await runGit(bareDirectory, ["config", key, "true"], env);
  }
  // Not cloned: older gits make a sha1 clone of an empty sha256 repository.
  await runGit(cloneDirectory, ["init", "--quiet", "--initial-branch=main", format], env);
  await runGit(cloneDirectory, ["remote", "add", "origin", bareDirectory], env);
  const git = (...args: readonly string[]) => runGit(cloneDirectory, args, env);

  return {
    path,
    bareDirectory,
    cloneDirectory,
    httpsUrl: host.httpsUrl(path),
    sshUrl: host.sshUrl(path),
    git,
    head: (ref = "main") => runGit(bareDirectory, ["rev-parse", `${ref}^{commit}`], env),
    async push(changes, message = "Change files", { branch = "main", author, date, amend = false } = {}) {
      if ((await git("symbolic-ref", "--short", "HEAD")) !== branch) {
        const exists = (await git("branch", "--list", branch)) !== "";
        await git("switch", "--quiet", ...(exists ? [branch] : ["--create", branch]));
      }
      for (const [file, contents] of Object.entries(changes)) {
        const target = join(cloneDirectory, file);
        if (contents === null) {
          await rm(target, { recursive: true });
        } else {
          await mkdir(dirname(target), { recursive: true });
          await writeFile(target, contents);
        }
      }
      await git("add", "--all");
      const flags = [
        ...(amend ? ["--amend"] : []),
        ...(author === undefined ? [] : [`--author=${author}`]),
        ...(date === undefined ? [] : [`--date=${date}`]),
      ];
      await git("commit", "--quiet", "--allow-empty", `--message=${message}`, ...flags);
      await git("push", "--quiet", ...(amend ? ["--force"] : []), "origin", `HEAD:refs/heads/${branch}`);
      return git("rev-parse", "HEAD");
    },
  };
}
