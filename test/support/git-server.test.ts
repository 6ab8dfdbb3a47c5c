import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gitEnvironment, runGit } from "./git/run-git.ts";
import { type GitServer, startGitServer, type TestRepository } from "./git-server.ts";

let server: GitServer;
let repository: TestRepository;
let first: string;

beforeAll(async () => {
  server = await startGitServer();
  repository = await server.createRepository();
  first = await repository.push({ "a/one.yaml": "one: 1\n", "two.yaml": "two: 2\n" }, "First");
});
afterAll(() => server.stop());
afterEach(() => {
  Object.assign(server.https, { access: null, fault: null });
  server.https.requests.length = 0;
  server.ssh.fault = null;
});

const overHttps = (url: string) =>
  runGit(server.directory, ["ls-remote", url, "main"], {
    ...gitEnvironment(server.directory),
    GIT_SSL_CAINFO: server.caFile,
  });

async function overSsh(keys: { identity: string; knownHosts: string }): Promise<string> {
  const identity = join(server.directory, "identity");
  const knownHosts = join(server.directory, "known_hosts");
  await writeFile(identity, keys.identity, { mode: 0o600 });
  await writeFile(knownHosts, keys.knownHosts);
  const ssh = `ssh -F none -i ${identity} -o IdentitiesOnly=yes -o BatchMode=yes -o UserKnownHostsFile=${knownHosts} -o StrictHostKeyChecking=yes`;
  return runGit(server.directory, ["ls-remote", repository.sshUrl, "main"], {
    ...gitEnvironment(server.directory),
    GIT_SSH_COMMAND: ssh,
  });
}

describe("git over https", () => {
  it("serves what was pushed, to who trusts its authority", async () => {
    expect(await overHttps(repository.httpsUrl)).toBe(`${first}\trefs/heads/main`);
    await expect(
      runGit(server.directory, ["ls-remote", repository.httpsUrl], gitEnvironment(server.directory)),
    ).rejects.toThrow(/certificate/);
  });

  it("counts what it was asked for", async () => {
    const clone = join(server.directory, "counted");
    await runGit(server.directory, ["clone", "--quiet", repository.httpsUrl, clone], {
      ...gitEnvironment(server.directory),
      GIT_SSL_CAINFO: server.caFile,
    });
    expect(["info/refs", "ls-refs", "fetch"].map((command) => server.https.count(command as "fetch"))).toEqual([
      1, 1, 1,
    ]);
    expect(await runGit(clone, ["rev-parse", "HEAD"], gitEnvironment(clone))).toBe(first);
  });

  it("lets in by password or token, and nobody else", async () => {
    server.https.access = { basic: { username: "ada", password: "secret" } };
    await expect(overHttps(repository.httpsUrl)).rejects.toThrow(/could not read Username/);
    expect(await overHttps(repository.httpsUrl.replace("//", "//ada:secret@"))).toContain(first);
  });

  it.each([
    [{ type: "status", status: 503 } as const, /503/],
    [{ type: "reset" } as const, /unable to access/],
    [{ type: "cut", afterBytes: 10 } as const, /unable to access|expected flush|early EOF|hung up|bad line/],
  ])("fails as told: %j", async (fault, words) => {
    server.https.fault = fault;
    await expect(overHttps(repository.httpsUrl)).rejects.toThrow(words);
  });
});

describe("git over ssh", () => {
  it("serves who holds the key and knows the host", async () => {
    const { clientKey: identity, knownHosts } = server.ssh;
    expect(await overSsh({ identity, knownHosts })).toBe(`${first}\trefs/heads/main`);
    expect(server.ssh.commands).toEqual([`git-upload-pack '/${repository.path}'`]);
  });

  it("turns strangers away, and is turned away as a stranger", async () => {
    const { clientKey, strangerKey, knownHosts, wrongKnownHosts } = server.ssh;
    await expect(overSsh({ identity: strangerKey, knownHosts })).rejects.toThrow(/Permission denied/);
    await expect(overSsh({ identity: clientKey, knownHosts: wrongKnownHosts })).rejects.toThrow(
      /Host key verification/,
    );
  });

  it("fails as told", async () => {
    server.ssh.fault = { type: "reset" };
    const { clientKey: identity, knownHosts } = server.ssh;
    await expect(overSsh({ identity, knownHosts })).rejects.toThrow(/reset|closed/i);
  });
});

describe("a repository", () => {
  it("takes changes, deletions and moves on branches", async () => {
    const moved = await repository.push({ a: null, "b/one.yaml": "one: 1\n" }, "Move", { branch: "moved" });
    expect(await repository.head("moved")).toBe(moved);
    expect(await repository.git("ls-tree", "-r", "--name-only", moved)).toBe("b/one.yaml\ntwo.yaml");
    expect(await repository.head()).toBe(first);
  });

  it("takes a rewritten history", async () => {
    const old = await repository.push({ "x.yaml": "x: 1\n" }, "Old", { branch: "rewritten" });
    const rewritten = await repository.push({ "x.yaml": "x: 2\n" }, "New", { branch: "rewritten", amend: true });
    expect(await repository.head("rewritten")).toBe(rewritten);
    expect(await repository.git("rev-list", "--count", rewritten)).toBe(
      await repository.git("rev-list", "--count", old),
    );
  });
});
