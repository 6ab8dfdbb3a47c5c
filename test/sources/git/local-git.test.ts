import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BareRepository } from "../../../src/sources/git/repository/bare-repository.ts";
import { localEnvironment } from "../../../src/sources/git/repository/environment.ts";
import { localGit } from "../../../src/sources/git/repository/local-git.ts";

let directory: string;
const host = () => ({ path: process.env["PATH"] ?? "", directory, httpsProxy: "", noProxy: "" });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "fabric-sync-local-git-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test("a short command sees our settings and nothing of our own environment", async () => {
  const env = await localEnvironment(host());
  const signal = new AbortController().signal;
  const { exitCode, stdout } = await localGit({ directory, env, signal }, ["config", "--list", "--show-origin"]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain("command line:\tcore.hookspath=/dev/null");
  expect(stdout.split("\n").filter((line) => line !== "" && !line.startsWith("command line:"))).toEqual([]);
});

test("an exit code other than 0 is an answer", async () => {
  const env = await localEnvironment(host());
  const signal = new AbortController().signal;
  expect((await localGit({ directory, env, signal }, ["rev-parse", "HEAD"])).exitCode).toBe(128);
});

test("no git on the path, and a stop, are told apart", async () => {
  const env = { ...(await localEnvironment(host())), PATH: directory };
  const stop = new AbortController();
  const failing = localGit({ directory, env, signal: stop.signal }, ["version"]);
  await expect(failing).rejects.toMatchObject({ code: "GitUnavailable", policy: "wait" });
  stop.abort();
  const stopped = localGit({ directory, env, signal: stop.signal }, ["version"]);
  await expect(stopped).rejects.toMatchObject({ code: "Aborted" });
});

test("a directory that holds something else is made a bare repository without templates and hooks", async () => {
  const signal = new AbortController().signal;
  const bare = new BareRepository({ directory: join(directory, "x.git"), host: host(), signal });
  expect(await bare.open("sha256")).toEqual(new Map());
  const { stdout } = await bare.short(["rev-parse", "--is-bare-repository", "--show-object-format"]);
  expect(stdout).toBe("true\nsha256\n");
  expect((await bare.stream(["fsck", "--strict"])).exitCode).toBe(0);
  bare.close();
});
