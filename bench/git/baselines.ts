import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";

const execute = promisify(execFile);
const MAX_OUTPUT = 64 * 1024 * 1024;

/** What is needed to talk to the test's server, and nothing of ours. */
export interface Baseline {
  readonly url: string;
  readonly caFile: string;
  readonly directory: string;
}

/** ms of `git clone` into a work tree and a parse of every file with the same YAML library. */
export async function cloneAndParse({ url, caFile, directory }: Baseline): Promise<number> {
  const target = await mkdtemp(join(directory, "clone-"));
  const begun = performance.now();
  await execute("git", ["clone", "--quiet", "--depth=1", url, target], { env: environment(caFile) });
  let documents = 0;
  for (const name of await readdir(target, { recursive: true })) {
    if (!name.endsWith(".yaml")) continue;
    const text = await readFile(join(target, name), "utf8");
    documents += parseAllDocuments(text, { version: "1.1" }).map((document) => document.toJS() as unknown).length;
  }
  const took = performance.now() - begun;
  if (documents === 0) throw new Error("the clone is empty");
  await rm(target, { recursive: true });
  return took;
}

/** The least that git itself needs for a push: fetch, diff-tree, cat-file, in a bare repository. */
export class GitFloor {
  readonly #options: Baseline;
  readonly #bare: string;

  constructor(options: Baseline) {
    this.#options = options;
    this.#bare = join(options.directory, "floor.git");
  }

  async clone(): Promise<void> {
    await execute("git", ["clone", "--quiet", "--bare", this.#options.url, this.#bare], { env: this.#environment() });
  }

  /** ms for what was pushed since the last call. */
  async follow(): Promise<number> {
    const begun = performance.now();
    const before = await this.#git(["rev-parse", "refs/heads/main"]);
    await this.#git(["fetch", "--quiet", "origin", "+refs/heads/main:refs/heads/main"]);
    const changed = await this.#git(["diff-tree", "-r", before.trim(), "refs/heads/main"]);
    const blobs = changed.split("\n").flatMap((line) => line.split(" ")[3] ?? []);
    const reading = execute("git", ["cat-file", "--batch"], { cwd: this.#bare, env: this.#environment() });
    reading.child.stdin?.end(`${blobs.join("\n")}\n`);
    const { stdout } = await reading;
    const took = performance.now() - begun;
    if (blobs.length !== 3 || stdout.length < 300) throw new Error(`the floor saw ${blobs.length} files`);
    return took;
  }

  async #git(args: readonly string[]): Promise<string> {
    const options = { cwd: this.#bare, env: this.#environment(), maxBuffer: MAX_OUTPUT };
    return (await execute("git", [...args], options)).stdout;
  }

  #environment(): NodeJS.ProcessEnv {
    return environment(this.#options.caFile);
  }
}

function environment(caFile: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    GIT_SSL_CAINFO: caFile,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
  };
}
