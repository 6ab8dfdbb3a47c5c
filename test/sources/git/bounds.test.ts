import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "../../../src/core/telemetry.ts";
import { RepositoryPool } from "../../../src/sources/git/repository/repository-pool.ts";
import type { PoolOptions } from "../../../src/sources/git/repository/repository-pool.ts";
import type { Subscriber } from "../../../src/sources/git/repository/subscriber.ts";
import { type GitServer, startGitServer, type TestRepository } from "../../support/git-server.ts";
import { waitFor } from "../../support/wait.ts";

const MIB = 1_048_576;
const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

let server: GitServer;
let cache: string;
let pool: RepositoryPool;
let repository: TestRepository;

beforeAll(async () => {
  server = await startGitServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "fabric-sync-git-cache-"));
  repository = await server.createRepository();
  await fastCommits(repository);
  await repository.push({ "a.yaml": "a: 0\n" });
  server.https.requests.length = 0;
});
afterEach(async () => {
  await pool.close();
  await rm(cache, { recursive: true, force: true });
});

function open(change: Partial<PoolOptions> = {}): void {
  const path = process.env["PATH"] ?? "";
  pool = new RepositoryPool({ cacheDirectory: cache, path, httpsProxy: "", noProxy: "", logger: quiet, ...change });
}

function asker(maxTransferBytes = 64 * MIB, branch = "main"): Subscriber {
  return {
    ref: { branch },
    timeoutMs: 60_000,
    maxTransferBytes,
    credentials: () => Promise.resolve({ caCrt: server.https.ca }),
    onMoved: () => undefined,
    onExchange: () => undefined,
  };
}

/** Noise does not become shorter by compressing it. */
const fastCommits = ({ git }: TestRepository): Promise<string> => git("config", "core.compression", "0");

const failureOf = (work: Promise<unknown>): Promise<{ code: string; policy: string; message: string }> =>
  work.then(
    () => ({ code: "none", policy: "", message: "it did not fail" }),
    (error: unknown) => error as { code: string; policy: string; message: string },
  );

async function packed(directory: string): Promise<{ bytes: number; partial: string[] }> {
  const folder = join(directory, "objects", "pack");
  const names = await readdir(folder);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return {
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    partial: names.filter((name) => name.startsWith("tmp_")),
  };
}

test("a film in the push costs nothing: it is left out, everything else comes, and it is never fetched later", async () => {
  open();
  const subscriber = asker();
  const shared = await pool.subscribe(repository.httpsUrl, "", subscriber);
  await shared.resolve(subscriber, Date.now());
  const commit = await repository.push({ "film.yaml": randomBytes(17 * MIB), "b.yaml": "b: 1\n" });
  expect((await shared.resolve(subscriber, Date.now(), true)).commit).toBe(commit);
  expect((await packed(shared.bare.directory)).bytes).toBeLessThan(MIB);
  server.https.requests.length = 0;
  const contents = await shared.bare.contents();
  expect((await contents.read(`${commit}:b.yaml`))?.content.toString()).toBe("b: 1\n");
  expect(await contents.read(`${commit}:film.yaml`)).toBeNull();
  expect(await (await shared.bare.headers()).read(`${commit}:film.yaml`)).toBeNull();
  expect(await shared.bare.collect()).toBe(true);
  expect(server.https.requests).toEqual([]);
  // The server may send what comes next as a difference to what we never had.
  const next = await repository.push({ "film.yaml": "film: short\n" });
  expect((await shared.resolve(subscriber, Date.now())).commit).toBe(next);
});

test("a fetch that brings too much is ended at the bound, leaves nothing behind, and is not begun again", async () => {
  await repository.git("--git-dir", repository.bareDirectory, "config", "uploadpack.allowFilter", "false");
  open();
  const subscriber = asker(2 * MIB);
  const shared = await pool.subscribe(repository.httpsUrl, "", subscriber);
  const { commit: first } = await shared.resolve(subscriber, Date.now());
  await repository.push({ "film.yaml": randomBytes(8 * MIB) });
  const failed = await failureOf(shared.resolve(subscriber, Date.now(), true));
  expect(failed).toMatchObject({ code: "LimitExceeded", policy: "stall" });
  expect(failed.message).toContain("limits.maxTransferBytes");
  expect((await packed(shared.bare.directory)).partial).toEqual([]);
  expect((await packed(shared.bare.directory)).bytes).toBeLessThan(MIB);
  server.https.requests.length = 0;
  for (const pushed of [false, true]) {
    expect((await failureOf(shared.resolve(subscriber, Date.now(), pushed))).message).toContain("not begun again");
  }
  expect(server.https.count("fetch")).toBe(0);
  expect((await (await shared.bare.contents()).read(`${first}:a.yaml`))?.content.toString()).toBe("a: 0\n");
  // It moves on: the film is out of the branch, and out of the history.
  await repository.git("reset", "--quiet", "--hard", first);
  const next = await repository.push({ "a.yaml": "a: 1\n" }, "Without the film", { amend: true });
  expect((await shared.resolve(subscriber, Date.now())).commit).toBe(next);
});

test("a branch that is too much costs those who read another one nothing", async () => {
  await repository.git("--git-dir", repository.bareDirectory, "config", "uploadpack.allowFilter", "false");
  await repository.push({ "film.yaml": randomBytes(8 * MIB) }, "Film", { branch: "films" });
  open();
  const [good, bad] = [asker(2 * MIB), asker(2 * MIB, "films")];
  const shared = await pool.subscribe(repository.httpsUrl, "", good);
  await pool.subscribe(repository.httpsUrl, "", bad);
  const asked = Date.now();
  const [one, other] = await Promise.allSettled([shared.resolve(good, asked), shared.resolve(bad, asked)]);
  expect(one.status).toBe("fulfilled");
  expect(other).toMatchObject({ status: "rejected", reason: { code: "LimitExceeded" } });
});

test("a pack bomb, 64 MiB of zeros in 64 KiB, is not unpacked into memory or onto the disk", async () => {
  await repository.git("--git-dir", repository.bareDirectory, "config", "uploadpack.allowFilter", "false");
  const bomb = join(repository.cloneDirectory, "bomb.yaml");
  await repository.git("config", "core.compression", "9");
  await writeFile(bomb, "");
  await truncate(bomb, 64 * MIB);
  const commit = await repository.push({ "b.yaml": "b: 1\n" });
  open();
  const subscriber = asker(2 * MIB);
  const shared = await pool.subscribe(repository.httpsUrl, "", subscriber);
  expect((await shared.resolve(subscriber, Date.now())).commit).toBe(commit);
  expect((await packed(shared.bare.directory)).bytes).toBeLessThan(2 * MIB);
  // By its size alone it is refused; see `file-reader.ts`.
  expect((await (await shared.bare.headers()).read(`${commit}:bomb.yaml`))?.size).toBe(64 * MIB);
});

test("all repositories together keep within the cache: the unused go first, those in use stay", async () => {
  open({ maxCacheBytes: 5 * MIB });
  const others: TestRepository[] = [];
  for (let n = 0; n < 3; n += 1) {
    const other = await server.createRepository();
    await fastCommits(other);
    await other.push({ "noise.yaml": randomBytes(2 * MIB) });
    others.push(other);
  }
  const [one, two, three] = others.map(({ httpsUrl }) => httpsUrl);
  const subscriber = asker(3 * MIB);
  const first = await pool.subscribe(one ?? "", "", subscriber);
  await first.resolve(subscriber, Date.now());
  const second = await pool.subscribe(two ?? "", "", subscriber);
  await second.resolve(subscriber, Date.now());
  // Both are in use: what is free is less than the third needs.
  const third = await pool.subscribe(three ?? "", "", subscriber);
  expect(await failureOf(third.resolve(subscriber, Date.now()))).toMatchObject({ code: "CacheFull", policy: "wait" });
  expect((await packed(third.bare.directory)).partial).toEqual([]);
  pool.unsubscribe(first, subscriber);
  await waitFor("the third to find room", async () => {
    const { code } = await failureOf(third.resolve(subscriber, Date.now()));
    return code === "none";
  });
  const left = (await readdir(cache)).filter((name) => name.endsWith(".git"));
  expect(left).toHaveLength(2);
  expect(left.every((name) => !first.bare.directory.endsWith(name))).toBe(true);
});

test("what an earlier process left counts, and goes first", async () => {
  open();
  const subscriber = asker();
  const noisy = await server.createRepository();
  await fastCommits(noisy);
  await noisy.push({ "noise.yaml": randomBytes(3 * MIB) });
  const before = await pool.subscribe(noisy.httpsUrl, "", subscriber);
  await before.resolve(subscriber, Date.now());
  await pool.close();
  open({ maxCacheBytes: 4 * MIB });
  const small = asker(2 * MIB);
  const shared = await pool.subscribe(repository.httpsUrl, "", small);
  await shared.resolve(small, Date.now());
  expect((await readdir(cache)).filter((name) => name.endsWith(".git"))).toHaveLength(1);
});

test("a server that says when to come back is left alone until then", async () => {
  open();
  const subscriber = asker();
  const shared = await pool.subscribe(repository.httpsUrl, "", subscriber);
  server.https.fault = { type: "status", status: 429, headers: { "retry-after": "3600" } };
  try {
    const failed = await failureOf(shared.resolve(subscriber, Date.now()));
    expect(failed).toMatchObject({ code: "RateLimited", policy: "wait" });
    expect(failed.message).toContain("in 3600 s");
    server.https.requests.length = 0;
    server.https.fault = null;
    for (const pushed of [false, true]) {
      expect((await failureOf(shared.resolve(subscriber, Date.now(), pushed))).code).toBe("RateLimited");
    }
    expect(server.https.requests).toEqual([]);
    const another = asker();
    const elsewhere = await server.createRepository();
    const head = await elsewhere.push({ "a.yaml": "a: 1\n" });
    server.https.fault = { type: "status", status: 429, headers: { "retry-after": "1" } };
    const brief = await pool.subscribe(elsewhere.httpsUrl, "", another);
    expect((await failureOf(brief.resolve(another, Date.now()))).message).toContain("in 1 s");
    server.https.fault = null;
    await waitFor(
      "the second to be over",
      async () => (await failureOf(brief.resolve(another, Date.now()))).code === "none",
    );
    expect((await brief.resolve(another, 0)).commit).toBe(head);
  } finally {
    server.https.fault = null;
  }
});
