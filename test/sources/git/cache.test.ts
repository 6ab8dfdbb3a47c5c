import { mkdtemp, readdir, rm, stat, utimes } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "../../../src/core/telemetry.ts";
import { RepositoryPool } from "../../../src/sources/git/repository/repository-pool.ts";
import type { PoolOptions } from "../../../src/sources/git/repository/repository-pool.ts";
import type { Subscriber } from "../../../src/sources/git/repository/subscriber.ts";
import { type GitServer, startGitServer, type TestRepository } from "../../support/git-server.ts";
import { waitFor } from "../../support/wait.ts";

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
  await repository.push({ "a.yaml": "a: 0\n" });
});
afterEach(async () => {
  await pool.close();
  await rm(cache, { recursive: true, force: true });
});

function open(change: Partial<PoolOptions> = {}): RepositoryPool {
  pool = new RepositoryPool({
    cacheDirectory: cache,
    path: process.env["PATH"] ?? "",
    httpsProxy: "",
    noProxy: "",
    logger: quiet,
    ...change,
  });
  return pool;
}

function subscriber(): Subscriber {
  return {
    ref: { branch: "main" },
    timeoutMs: 20_000,
    maxTransferBytes: 1 << 28,
    credentials: () => Promise.resolve({ caCrt: server.https.ca }),
    onMoved: () => undefined,
    onExchange: () => undefined,
  };
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

test("who reads while the objects are packed anew is answered, whenever that ends", async () => {
  const shared = await open().subscribe(repository.httpsUrl, "", subscriber());
  const asker = subscriber();
  await pool.subscribe(repository.httpsUrl, "", asker);
  const { commit } = await shared.resolve(asker, Date.now());
  const asked = await shared.bare.contents();
  const headers = await shared.bare.headers();
  // Asked in the turn in which the reader is replaced, and before its process has seen the question.
  const answers = [asked.read(`${commit}:a.yaml`), headers.read(commit)];
  asked.retire();
  headers.retire();
  expect((await answers[0])?.content.toString()).toBe("a: 0\n");
  expect((await answers[1])?.type).toBe("commit");
  // Whoever still has it in hand is answered as well.
  expect((await asked.read(`${commit}:a.yaml`))?.type).toBe("blob");
  let packing = true;
  const reading = Array.from({ length: 4 }, async () => {
    while (packing) expect((await (await shared.bare.contents()).read(`${commit}:a.yaml`))?.type).toBe("blob");
  });
  for (let round = 0; round < 5; round += 1) expect(await shared.bare.collect()).toBe(true);
  packing = false;
  await Promise.all(reading);
  expect(await shared.bare.contents()).not.toBe(asked);
});

test("after some fetches the objects are packed anew, and reading goes on", async () => {
  const asker = subscriber();
  const shared = await open({ fetchesPerGc: 2 }).subscribe(repository.httpsUrl, "", asker);
  await shared.resolve(asker, Date.now());
  await repository.push({ "a.yaml": "a: 1\n" });
  const { commit } = await shared.resolve(asker, Date.now());
  // Each fetch brought a pack of its own.
  const packs = async (): Promise<string[]> =>
    (await readdir(join(shared.bare.directory, "objects", "pack"))).filter((name) => name.endsWith(".pack"));
  await waitFor("the packs to become one", async () => (await packs()).length === 1);
  const object = await (await shared.bare.contents()).read(`${commit}:a.yaml`);
  expect(object?.content.toString("utf8")).toBe("a: 1\n");
  const next = await repository.push({ "a.yaml": "a: 2\n" });
  expect((await shared.resolve(asker, Date.now(), true)).commit).toBe(next);
});

test("a damaged cache is thrown away and fetched again, whoever finds it", async () => {
  const asker = subscriber();
  const warnings: object[] = [];
  const logger = { ...quiet, warn: (keys: object) => void warnings.push(keys) };
  const shared = await open({ fetchesPerGc: 2, logger }).subscribe(repository.httpsUrl, "", asker);
  const { commit: first } = await shared.resolve(asker, Date.now());
  const packs = join(shared.bare.directory, "objects", "pack");
  for (const name of await readdir(packs)) await rm(join(packs, name));
  expect(first).not.toBe("");
  shared.bare.close();
  const next = await repository.push({ "a.yaml": "a: 1\n" }, "Begin again", { amend: true });
  await shared.resolve(asker, Date.now()).catch(() => undefined);
  await shared.resolve(asker, Date.now()).catch(() => undefined);
  expect((await shared.resolve(asker, Date.now())).commit).toBe(next);
  const object = await (await shared.bare.contents()).read(`${next}:a.yaml`);
  expect(object?.content.toString("utf8")).toBe("a: 1\n");
});

test("a cache that no Fabric names any more is removed after a while, and kept when one comes back in time", async () => {
  const asker = subscriber();
  const shared = await open({ unusedMs: 50 }).subscribe(repository.httpsUrl, "", asker);
  await shared.resolve(asker, Date.now());
  const { directory } = shared.bare;
  pool.unsubscribe(shared, asker);
  expect(await pool.subscribe(repository.httpsUrl, "", asker)).toBe(shared);
  expect(await exists(directory)).toBe(true);
  pool.unsubscribe(shared, asker);
  await waitFor("the cache to be removed", async () => !(await exists(directory)));
  const again = await pool.subscribe(repository.httpsUrl, "", asker);
  expect(again).not.toBe(shared);
  expect((await again.resolve(asker, Date.now())).commit).toMatch(/^[0-9a-f]{40}$/);
});

test("what an earlier process left, and nobody has opened for a week, is removed at the start; credentials at once", async () => {
  const asker = subscriber();
  const shared = await open().subscribe(repository.httpsUrl, "", asker);
  await shared.resolve(asker, Date.now());
  await pool.close();
  const weekAgo = new Date(Date.now() - 8 * 24 * 3_600_000);
  await utimes(shared.bare.directory, weekAgo, weekAgo);
  await mkdtemp(join(cache, "credentials-"));
  await open().subscribe("https://127.0.0.1:1/other.git", "", asker);
  expect((await readdir(cache)).filter((name) => name !== "home")).toEqual([]);
});

describe("through a proxy", () => {
  let proxy: Server;
  let tunnels: string[];
  let url: string;
  beforeEach(async () => {
    tunnels = [];
    proxy = createServer();
    proxy.on("connect", (request, socket, head: Buffer) => {
      tunnels.push(request.url ?? "");
      const upstream = connect(server.https.port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
        upstream.write(head);
        upstream.pipe(socket).pipe(upstream);
      });
      upstream.on("error", () => socket.destroy());
      socket.on("error", () => upstream.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
  });

  test("https goes through HTTPS_PROXY, and hosts in NO_PROXY do not", async () => {
    const asker = subscriber();
    const shared = await open({ httpsProxy: url }).subscribe(repository.httpsUrl, "", asker);
    await shared.resolve(asker, Date.now());
    expect(new Set(tunnels)).toEqual(new Set([`127.0.0.1:${server.https.port}`]));
    await pool.close();
    tunnels.length = 0;
    const direct = await open({ httpsProxy: url, noProxy: "127.0.0.1" }).subscribe(repository.httpsUrl, "", asker);
    await direct.resolve(asker, Date.now());
    expect(tunnels).toEqual([]);
  });

  test("why an exchange failed is asked through the proxy as well", async () => {
    server.https.fault = { type: "status", status: 404 };
    try {
      const asker = subscriber();
      const shared = await open({ httpsProxy: url }).subscribe(repository.httpsUrl, "", asker);
      await expect(shared.resolve(asker, Date.now())).rejects.toMatchObject({ code: "RepositoryNotFound" });
      // git's own exchange, and the question why it failed.
      expect(tunnels).toHaveLength(2);
    } finally {
      server.https.fault = null;
    }
  });
});
