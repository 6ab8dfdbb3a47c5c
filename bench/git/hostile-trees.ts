import { spawn } from "node:child_process";
import { gitEnvironment } from "../../test/support/git/run-git.ts";

/** One entry of a tree: `<mode> <type> <id>`, and its name as it stands in Git. */
export interface Entry {
  readonly mode: "100644" | "120000" | "160000" | "040000";
  readonly id: string;
  readonly name: string | Buffer;
}

/** Writes objects straight into a bare repository: trees that no client would make. */
export class Forge {
  readonly #directory: string;

  constructor(bareDirectory: string) {
    this.#directory = bareDirectory;
  }

  blob(content: string | Buffer): Promise<string> {
    return this.#git(["hash-object", "-w", "--stdin"], content);
  }

  file(name: string | Buffer, content: string | Buffer): Promise<Entry> {
    return this.blob(content).then((id) => ({ mode: "100644", id, name }));
  }

  async folder(name: string, entries: readonly Entry[]): Promise<Entry> {
    return { mode: "040000", id: await this.tree(entries), name };
  }

  tree(entries: readonly Entry[]): Promise<string> {
    const types = { "100644": "blob", "120000": "blob", "160000": "commit", "040000": "tree" } as const;
    const lines = entries.flatMap(({ mode, id, name }) => [
      Buffer.from(`${mode} ${types[mode]} ${id}\t`),
      Buffer.from(name as string),
      Buffer.from([0]),
    ]);
    return this.#git(["mktree", "-z", "--missing"], Buffer.concat(lines));
  }

  /** Makes a commit of the tree the newest of main. */
  async commit(tree: string, parent: string): Promise<string> {
    const parents = parent === "" ? [] : ["-p", parent];
    const commit = await this.#git(["commit-tree", tree, ...parents, "-m", "Push"]);
    await this.#git(["update-ref", "refs/heads/main", commit]);
    return commit;
  }

  /** Whether the server leaves out what it is asked to leave out. */
  async filters(allowed: boolean): Promise<void> {
    await this.#git(["config", "uploadpack.allowFilter", String(allowed)]);
  }

  #git(args: readonly string[], input: string | Buffer = ""): Promise<string> {
    const child = spawn("git", args, {
      cwd: this.#directory,
      env: gitEnvironment(this.#directory),
      stdio: ["pipe", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    // Commands that read nothing close it before.
    child.stdin.on("error", () => undefined).end(input);
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => {
        if (code === 0) resolve(output.trim());
        else reject(new Error(`git ${args[0]} ended with ${code}`));
      });
    });
  }
}
