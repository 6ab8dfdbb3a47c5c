import { spawn } from "node:child_process";
import { access, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { describePlace, isAlive, sweepStaleWorkspaces, WORKSPACE_PREFIX } from "./stale-workspaces.ts";
import { waitFor } from "./wait.ts";
import { createWorkspace } from "./workspace.ts";

const SERVER = "process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000); console.log('up')";

/** A process that makes a workspace with a server in it and then waits to be ended. */
async function ownerProcess(): Promise<{ pid: number; directory: string; server: number; ended: Promise<unknown> }> {
  const program = `
    import { createWorkspace } from ${JSON.stringify(join(import.meta.dirname, "workspace.ts"))};
    const workspace = await createWorkspace("owner");
    const server = await workspace.spawn("server", process.execPath, ["-e", ${JSON.stringify(SERVER)}]);
    console.log(JSON.stringify({ directory: workspace.directory, server: server.pid }));
    setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ["--input-type=module-typescript", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => owner.once("close", resolve));
  const line = await new Promise<string>((resolve) =>
    owner.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString())),
  );
  return { pid: owner.pid ?? 0, ...(JSON.parse(line) as { directory: string; server: number }), ended };
}

describe("a workspace", () => {
  it.each(["SIGINT", "SIGKILL"] as const)(
    "takes its servers and files along when its owner ends by %s",
    async (signal) => {
      const owner = await ownerProcess();
      process.kill(owner.pid, signal);
      await owner.ended;
      await waitFor("the server's end", () => !isAlive(owner.server));
      await waitFor("the directory's end", () =>
        access(owner.directory).then(
          () => false,
          () => true,
        ),
      );
    },
  );

  it("keeps what servers print, and ends them when it is disposed", async () => {
    const workspace = await createWorkspace("test");
    const server = await workspace.spawn("server", process.execPath, ["-e", SERVER], { endSignal: "SIGTERM" });
    await waitFor("its word", async () => (await server.logTail()) === "up");
    await workspace.dispose();
    expect(await server.ended).toEqual({ code: 0, signal: null });
    await expect(access(workspace.directory)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("says when a program cannot be started", async () => {
    const workspace = await createWorkspace("test");
    await expect(workspace.spawn("none", "/nowhere/none", [])).rejects.toMatchObject({ code: "ENOENT" });
    await workspace.dispose();
  });
});

describe("the sweep", () => {
  let root: string;
  beforeEach(async () => (root = await mkdtemp(join(tmpdir(), "sweep-"))));
  afterEach(() => rm(root, { recursive: true, force: true }));

  async function leftBehind(name: string, owner: object | null): Promise<string> {
    const directory = join(root, name);
    await mkdir(directory);
    if (owner !== null) await writeFile(join(directory, "owner.json"), JSON.stringify(owner));
    return directory;
  }

  it("removes what dead owners left, with what still runs there, and nothing else", async () => {
    const here = await describePlace();
    // No process can have this id: it is above the largest that Linux or macOS give out.
    const dead = { ...here, pid: 2 ** 30 };
    const stale = await leftBehind(`${WORKSPACE_PREFIX}stale`, dead);
    const survivor = spawn(process.execPath, ["-e", SERVER, join(stale, "data")], { stdio: "ignore" });
    const killed = new Promise((resolve) => survivor.once("exit", (_code, signal) => resolve(signal)));
    await leftBehind(`${WORKSPACE_PREFIX}alive`, here);
    await leftBehind(`${WORKSPACE_PREFIX}elsewhere`, { ...dead, host: `not-${hostname()}` });
    await leftBehind(`${WORKSPACE_PREFIX}unknown`, null);
    await leftBehind("other", dead);
    await sweepStaleWorkspaces(root);
    expect(await killed).toBe("SIGKILL");
    expect((await readdir(root)).sort()).toEqual(
      ["alive", "elsewhere", "unknown"]
        .map((name) => WORKSPACE_PREFIX + name)
        .concat("other")
        .sort(),
    );
  });
});
