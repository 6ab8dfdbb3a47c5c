import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FabricSyncError } from "../../../src/core/errors.ts";
import type { Logger } from "../../../src/core/telemetry.ts";
import type { GitCredentials } from "../../../src/sources/git/repository/credentials.ts";
import type { GitRef } from "../../../src/sources/git/repository/refs.ts";
import { RepositoryPool } from "../../../src/sources/git/repository/repository-pool.ts";
import type { GitRepository } from "../../../src/sources/git/repository/repository.ts";
import type { Subscriber } from "../../../src/sources/git/repository/subscriber.ts";
import { type GitServer, startGitServer, type TestRepository } from "../../support/git-server.ts";
import { waitFor } from "../../support/wait.ts";

const TOKEN = "canary-t0ken-9f3b";

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

let server: GitServer;
let cache: string;
let pool: RepositoryPool;

beforeAll(async () => {
  server = await startGitServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "fabric-sync-git-cache-"));
  pool = newPool();
  server.https.access = null;
  server.https.fault = null;
  server.ssh.fault = null;
  server.https.requests.length = 0;
});
afterEach(async () => {
  await pool.close();
  await rm(cache, { recursive: true, force: true });
});

function newPool(): RepositoryPool {
  return new RepositoryPool({
    cacheDirectory: cache,
    path: process.env["PATH"] ?? "",
    httpsProxy: "",
    noProxy: "",
    logger: quiet,
  });
}

function subscriber(ref: GitRef, credentials: GitCredentials, timeoutMs = 20_000): Subscriber & { moved: number } {
  const self = {
    ref,
    timeoutMs,
    maxTransferBytes: 1 << 28,
    moved: 0,
    credentials: () => Promise.resolve(credentials),
    onMoved: () => void (self.moved += 1),
    onExchange: () => undefined,
  };
  return self;
}

const ca = (): GitCredentials => ({ caCrt: server.https.ca });

async function resolve(
  url: string,
  ref: GitRef,
  credentials: GitCredentials,
  timeoutMs?: number,
): Promise<{ commit: string; label: string; repository: GitRepository }> {
  const asker = subscriber(ref, credentials, timeoutMs);
  const repository = await pool.subscribe(url, "", asker);
  try {
    const { commit, label } = await repository.resolve(asker, Date.now());
    return { commit, label, repository };
  } finally {
    pool.unsubscribe(repository, asker);
  }
}

async function failure(work: Promise<unknown>): Promise<FabricSyncError> {
  try {
    await work;
  } catch (error) {
    return error as FabricSyncError;
  }
  throw new Error("it did not fail");
}

async function content(repository: GitRepository, name: string): Promise<string | null> {
  return (await (await repository.bare.contents()).read(name))?.content.toString("utf8") ?? null;
}

describe("over https", () => {
  let repository: TestRepository;
  let first: string;
  beforeEach(async () => {
    repository = await server.createRepository();
    first = await repository.push({ "a.yaml": "a: 1\n" });
  });

  test("fetches the head of a branch and reads its objects", async () => {
    const result = await resolve(repository.httpsUrl, { branch: "main" }, ca());
    expect(result).toMatchObject({ commit: first, label: "main" });
    expect(await content(result.repository, `${first}:a.yaml`)).toBe("a: 1\n");
    expect(await content(result.repository, `${first}:b.yaml`)).toBeNull();
  });

  test("asks once and fetches nothing when nothing changed, also after a restart", async () => {
    await resolve(repository.httpsUrl, { branch: "main" }, ca());
    await pool.close();
    pool = newPool();
    server.https.requests.length = 0;
    await resolve(repository.httpsUrl, { branch: "main" }, ca());
    expect(server.https.count("ls-refs")).toBe(1);
    expect(server.https.count("fetch")).toBe(0);
  });

  test("200 askers on one repository share one ls-remote and one fetch", async () => {
    await resolve(repository.httpsUrl, { branch: "main" }, ca());
    const next = await repository.push({ "a.yaml": "a: 2\n" });
    server.https.requests.length = 0;
    const askers = Array.from({ length: 200 }, () => subscriber({ branch: "main" }, ca()));
    const repositories = await Promise.all(askers.map((asker) => pool.subscribe(repository.httpsUrl, "", asker)));
    const [shared, ...others] = new Set(repositories);
    if (shared === undefined) throw new Error("nobody subscribed");
    expect(others).toEqual([]);
    const asked = Date.now();
    const answers = await Promise.all(askers.map((asker) => shared.resolve(asker, asked)));
    expect(new Set(answers.map((answer) => answer.commit))).toEqual(new Set([next]));
    // One connection for ls-remote, one for fetch, and git's fetch lists references by itself.
    expect(server.https.count("info/refs")).toBe(2);
    expect(server.https.count("fetch")).toBe(1);
  });

  test("200 askers who are told of a push share one fetch, without a question before it", async () => {
    await resolve(repository.httpsUrl, { branch: "main" }, ca());
    const next = await repository.push({ "a.yaml": "a: 2\n" });
    server.https.requests.length = 0;
    const askers = Array.from({ length: 200 }, () => subscriber({ branch: "main" }, ca()));
    const [shared] = await Promise.all(askers.map((asker) => pool.subscribe(repository.httpsUrl, "", asker)));
    const asked = Date.now();
    const answers = await Promise.all(askers.map(async (asker) => shared?.resolve(asker, asked, true)));
    expect(new Set(answers.map((answer) => answer?.commit))).toEqual(new Set([next]));
    expect(server.https.count("info/refs")).toBe(1);
    expect(server.https.count("ls-refs")).toBe(1);
    expect(server.https.count("fetch")).toBe(1);
  });

  test("somebody is told of a push, and the branch is gone: it is asked what there is", async () => {
    await repository.push({ "a.yaml": "a: 2\n" }, "Change", { branch: "other" });
    const asker = subscriber({ branch: "other" }, ca());
    const shared = await pool.subscribe(repository.httpsUrl, "", asker);
    await shared.resolve(asker, Date.now());
    await repository.git("push", "--quiet", "origin", "--delete", "other");
    expect((await failure(shared.resolve(asker, Date.now() + 1, true))).code).toBe("RefNotFound");
  });

  test("one asker's news reach the others without another question", async () => {
    const idle = subscriber({ branch: "main" }, ca());
    const shared = await pool.subscribe(repository.httpsUrl, "", idle);
    await shared.resolve(idle, Date.now());
    const next = await repository.push({ "a.yaml": "a: 3\n" });
    await resolve(repository.httpsUrl, { branch: "main" }, ca());
    expect(idle.moved).toBe(1);
    server.https.requests.length = 0;
    expect((await shared.resolve(idle, 0)).commit).toBe(next);
    expect(server.https.requests).toEqual([]);
  });

  test("tags, versions, full names and commits", async () => {
    await repository.git("tag", "v1.2.0");
    await repository.push({ "a.yaml": "a: 2\n" });
    await repository.git("tag", "-a", "v1.10.0", "-m", "annotated");
    await repository.git("tag", "v2.0.0-rc.1");
    await repository.git("push", "--quiet", "--tags");
    const second = await repository.head();
    const ask = async (ref: GitRef) => {
      const { commit, label } = await resolve(repository.httpsUrl, ref, ca());
      return [commit, label];
    };
    expect(await ask({ tag: "v1.2.0" })).toEqual([first, "v1.2.0"]);
    expect(await ask({ tag: "v1.10.0" })).toEqual([second, "v1.10.0"]);
    expect(await ask({ semver: "1.x" })).toEqual([second, "v1.10.0"]);
    expect(await ask({ semver: "~1.2" })).toEqual([first, "v1.2.0"]);
    expect(await ask({ name: "refs/tags/v1.10.0" })).toEqual([second, "refs/tags/v1.10.0"]);
    expect(await ask({ commit: first })).toEqual([first, ""]);
    expect((await failure(resolve(repository.httpsUrl, { semver: "3.x" }, ca()))).code).toBe("RefNotFound");
    expect((await failure(resolve(repository.httpsUrl, { commit: "1".repeat(40) }, ca()))).code).toBe("RefNotFound");
  });

  test("a missing reference of one asker costs the others nothing", async () => {
    const good = subscriber({ branch: "main" }, ca());
    const bad = subscriber({ branch: "gone" }, ca());
    const shared = await pool.subscribe(repository.httpsUrl, "", good);
    await pool.subscribe(repository.httpsUrl, "", bad);
    const asked = Date.now();
    const [one, other] = await Promise.allSettled([shared.resolve(good, asked), shared.resolve(bad, asked)]);
    expect(one.status).toBe("fulfilled");
    expect(other).toMatchObject({ status: "rejected", reason: { code: "RefNotFound", policy: "stall" } });
  });

  test("follows rewritten history", async () => {
    await resolve(repository.httpsUrl, { branch: "main" }, ca());
    const rewritten = await repository.push({ "a.yaml": "a: rewritten\n" }, "Rewrite", { amend: true });
    const result = await resolve(repository.httpsUrl, { branch: "main" }, ca());
    expect(result.commit).toBe(rewritten);
    expect(await content(result.repository, `${rewritten}:a.yaml`)).toBe("a: rewritten\n");
  });

  test("reads sha256 repositories", async () => {
    const other = await server.createRepository(undefined, { objectFormat: "sha256" });
    const head = await other.push({ "a.yaml": "sha: 256\n" });
    expect(head).toHaveLength(64);
    const result = await resolve(other.httpsUrl, { branch: "main" }, ca());
    expect(await content(result.repository, `${result.commit}:a.yaml`)).toBe("sha: 256\n");
  });

  test("a user name and password, and a bearer token, which may rotate", async () => {
    server.https.access = { basic: { username: "ada", password: TOKEN }, bearer: `${TOKEN}-b` };
    const basic = { ...ca(), username: "ada", password: TOKEN };
    expect((await resolve(repository.httpsUrl, { branch: "main" }, basic)).commit).toBe(first);
    expect(
      (await resolve(repository.httpsUrl, { branch: "main" }, { ...ca(), bearerToken: `${TOKEN}-b` })).commit,
    ).toBe(first);
    server.https.access = { basic: { username: "ada", password: `${TOKEN}-2` } };
    const rotated = { ...ca(), username: "ada", password: TOKEN };
    const asker = { ...subscriber({ branch: "main" }, rotated), credentials: () => Promise.resolve({ ...rotated }) };
    const shared = await pool.subscribe(repository.httpsUrl, "", asker);
    expect(await failure(shared.resolve(asker, Date.now()))).toMatchObject({ code: "AuthFailed", policy: "stall" });
    rotated.password = `${TOKEN}-2`;
    expect((await shared.resolve(asker, Date.now())).commit).toBe(first);
  });

  test("credentials are in no file of the cache, no argument list and no error", async () => {
    server.https.access = { basic: { username: "ada", password: TOKEN } };
    await resolve(repository.httpsUrl, { branch: "main" }, { ...ca(), username: "ada", password: TOKEN });
    server.https.fault = { type: "hang" };
    const hanging = resolve(
      repository.httpsUrl,
      { branch: "main" },
      { ...ca(), username: "ada", password: TOKEN },
      1_500,
    );
    const outcome = failure(hanging);
    const seen = await waitFor("git to run", async () => {
      const lines = await argumentsOfGit();
      return lines.length > 1 && lines;
    });
    expect(seen.join("\n")).not.toContain(TOKEN);
    const error = await outcome;
    expect(error.code).toBe("Timeout");
    expect(`${error.message} ${JSON.stringify(error.context)}`).not.toContain(TOKEN);
    for (const file of await readdir(cache, { recursive: true, withFileTypes: true })) {
      expect(file.name).not.toMatch(/^credentials-/);
      if (file.isFile()) expect((await readFile(join(file.parentPath, file.name))).includes(TOKEN)).toBe(false);
    }
  });

  test.each([
    [401, "AuthFailed", "stall"],
    [403, "AuthFailed", "stall"],
    [404, "RepositoryNotFound", "stall"],
    [429, "RateLimited", "wait"],
    [302, "Redirected", "stall"],
    [500, "ServerError", "wait"],
    [503, "ServerError", "wait"],
  ])("%i is told as %s", async (status, code, policy) => {
    server.https.fault = {
      type: "status",
      status,
      headers: { location: "https://127.0.0.1:1/elsewhere.git/info/refs" },
    };
    expect(await failure(resolve(repository.httpsUrl, { branch: "main" }, ca()))).toMatchObject({ code, policy });
  });

  test("a redirect to another host is not followed: nothing is asked there, whatever the status, and no credentials get there", async () => {
    server.https.access = { basic: { username: "ada", password: TOKEN } };
    const { cert, key } = server.https.authority.issue(["localhost"]);
    const asked: string[] = [];
    const elsewhere = createServer({ cert, key }, (request, response) => {
      asked.push(`${request.url} ${request.headers.authorization}`);
      response.writeHead(404).end();
    });
    elsewhere.listen(0, "127.0.0.1");
    await once(elsewhere, "listening");
    try {
      const { port } = elsewhere.address() as AddressInfo;
      const location = repository.httpsUrl.replace(/^https:\/\/[^/]+/, `https://localhost:${port}`);
      for (const status of [301, 302, 303, 307, 308]) {
        const headers = { location: `${location}/info/refs?service=git-upload-pack` };
        server.https.fault = { type: "status", status, headers };
        const given = { username: "ada", password: TOKEN, ...ca() };
        const error = await failure(resolve(repository.httpsUrl, { branch: "main" }, given));
        expect(error).toMatchObject({ code: "Redirected", message: expect.stringContaining(`(${status})`) });
      }
      expect(asked).toEqual([]);
    } finally {
      elsewhere.close();
    }
  });

  test("no credentials where some are needed", async () => {
    server.https.access = { basic: { username: "ada", password: TOKEN } };
    const error = await failure(resolve(repository.httpsUrl, { branch: "main" }, ca()));
    expect(error).toMatchObject({ code: "AuthFailed", message: expect.stringContaining("secretRef") });
  });

  test("an unknown authority", async () => {
    const error = await failure(resolve(repository.httpsUrl, { branch: "main" }, {}));
    expect(error).toMatchObject({ code: "CertificateRejected", policy: "stall" });
  });

  test("a server that is away, and one that resets", async () => {
    const away = await failure(resolve("https://127.0.0.1:1/x.git", { branch: "main" }, ca()));
    expect(away).toMatchObject({ code: "Unreachable", policy: "wait" });
    server.https.fault = { type: "reset" };
    const reset = await failure(resolve(repository.httpsUrl, { branch: "main" }, ca()));
    expect(reset).toMatchObject({ code: "Unreachable", policy: "wait" });
  });

  test("a server that hangs is given up in time and leaves no process", async () => {
    server.https.fault = { type: "hang" };
    const error = await failure(resolve(repository.httpsUrl, { branch: "main" }, ca(), 1_000));
    expect(error).toMatchObject({ code: "Timeout", policy: "wait" });
    expect((await argumentsOfGit()).filter((line) => line.includes(repository.path))).toEqual([]);
  });

  test("an answer that breaks off harms nothing; the next fetch is whole", async () => {
    await resolve(repository.httpsUrl, { branch: "main" }, ca());
    const noise = Array.from({ length: 2_000 }, (_, index) => `key${index}: ${Math.sin(index)}`).join("\n");
    const next = await repository.push({ "big.yaml": noise });
    server.https.fault = { type: "cut", afterBytes: 400 };
    expect(["TransportFailed", "Unreachable"]).toContain(
      (await failure(resolve(repository.httpsUrl, { branch: "main" }, ca()))).code,
    );
    server.https.fault = null;
    const result = await resolve(repository.httpsUrl, { branch: "main" }, ca());
    expect(result.commit).toBe(next);
    expect(await content(result.repository, `${next}:big.yaml`)).toBe(noise);
  });

  test("a broken pack is not taken, and leaves nothing behind; the next one is", async () => {
    await resolve(repository.httpsUrl, { branch: "main" }, ca());
    const noise = Array.from({ length: 2_000 }, (_, index) => `key${index}: ${Math.cos(index)}`).join("\n");
    const next = await repository.push({ "big.yaml": noise });
    server.https.fault = { type: "garble" };
    const asker = subscriber({ branch: "main" }, ca());
    const shared = await pool.subscribe(repository.httpsUrl, "", asker);
    expect((await failure(shared.resolve(asker, Date.now()))).code).toBe("TransportFailed");
    const packs = await readdir(join(shared.bare.directory, "objects", "pack"));
    expect(packs.filter((name) => name.startsWith("tmp_"))).toEqual([]);
    expect(await content(shared, `${first}:a.yaml`)).toBe("a: 1\n");
    server.https.fault = null;
    expect((await shared.resolve(asker, Date.now())).commit).toBe(next);
    expect(await content(shared, `${next}:big.yaml`)).toBe(noise);
  });

  test("a damaged cache that is thrown away is fetched again", async () => {
    const { repository: shared } = await resolve(repository.httpsUrl, { branch: "main" }, ca());
    await rm(join(shared.bare.directory, "objects"), { recursive: true });
    await shared.discard("damaged by the test");
    const again = await resolve(repository.httpsUrl, { branch: "main" }, ca());
    expect(await content(again.repository, `${first}:a.yaml`)).toBe("a: 1\n");
  });

  test("different credentials share no repository", async () => {
    const one = await pool.subscribe(repository.httpsUrl, "team-a/git", subscriber({ branch: "main" }, ca()));
    const other = await pool.subscribe(repository.httpsUrl, "team-b/git", subscriber({ branch: "main" }, ca()));
    expect(one.bare.directory).not.toBe(other.bare.directory);
  });

  test.each([
    "file:///etc",
    "http://127.0.0.1/x.git",
    "ext::sh -c id",
    "git://127.0.0.1/x.git",
    "https://u:p@127.0.0.1/x.git",
    "ssh://-oProxyCommand=id/x.git",
  ])("%s is refused before git sees it", async (url) => {
    const error = await failure(resolve(url, { branch: "main" }, { identity: "x", knownHosts: "x" }));
    expect(error).toMatchObject({ code: "InvalidUrl", policy: "stall" });
  });
});

describe("over ssh", () => {
  let repository: TestRepository;
  let head: string;
  beforeEach(async () => {
    repository = await server.createRepository();
    head = await repository.push({ "a.yaml": "a: ssh\n" });
  });
  const credentials = (): GitCredentials => ({ identity: server.ssh.clientKey, knownHosts: server.ssh.knownHosts });

  test("fetches with a key and a known host", async () => {
    const result = await resolve(repository.sshUrl, { branch: "main" }, credentials());
    expect(await content(result.repository, `${head}:a.yaml`)).toBe("a: ssh\n");
    expect((await readdir(cache)).filter((name) => name.startsWith("credentials-"))).toEqual([]);
  });

  test("another host key, a stranger's key, and missing halves of the Secret", async () => {
    const ask = (given: GitCredentials) => failure(resolve(repository.sshUrl, { branch: "main" }, given));
    expect((await ask({ ...credentials(), knownHosts: server.ssh.wrongKnownHosts })).code).toBe("HostKeyRejected");
    expect((await ask({ ...credentials(), identity: server.ssh.strangerKey })).code).toBe("AuthFailed");
    expect((await ask({ identity: server.ssh.clientKey })).code).toBe("InvalidCredentials");
    expect((await ask({ knownHosts: server.ssh.knownHosts })).code).toBe("InvalidCredentials");
  });

  test("a server that hangs after the handshake is given up, with its ssh", async () => {
    server.ssh.fault = { type: "hang-command" };
    const error = await failure(resolve(repository.sshUrl, { branch: "main" }, credentials(), 1_500));
    expect(error.code).toBe("Timeout");
    expect((await argumentsOfGit()).filter((line) => line.includes(repository.path))).toEqual([]);
  });
});

/** Command lines of our git and ssh children, as any user of the machine could see them. */
async function argumentsOfGit(): Promise<string[]> {
  const lines: string[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    const command = line.replaceAll("\0", " ");
    if (/^(git|ssh|\S*git-remote-https?) /.test(command) && /ls-remote|upload-pack|git-remote/.test(command))
      lines.push(command);
  }
  return lines;
}
