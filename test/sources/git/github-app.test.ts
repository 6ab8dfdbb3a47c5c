import { generateKeyPairSync, verify } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "../../../src/core/telemetry.ts";
import { credentialsFromSecret } from "../../../src/sources/git/repository/credentials.ts";
import { RepositoryPool } from "../../../src/sources/git/repository/repository-pool.ts";
import { type GitServer, startGitServer, type TestRepository } from "../../support/git-server.ts";

const logged: string[] = [];
const note = (keys: object): void => void logged.push(JSON.stringify(keys));
const log: Logger = { debug: note, info: note, warn: note, error: note, child: () => log };

const APP = "12345";
const INSTALLATION = "67890";
const rsa = () => generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = (pair: ReturnType<typeof rsa>): string =>
  pair.privateKey.export({ type: "pkcs1", format: "pem" }).toString();

/** A fake of GitHub's API, as its documentation describes this one request; the Git server behind the token is a real one. */
interface FakeGitHub {
  readonly server: Server;
  readonly url: string;
  key: ReturnType<typeof rsa>;
  /** Tokens that were given, the newest last. */
  readonly tokens: string[];
  readonly asked: { readonly path: string; readonly body: string }[];
  answer: { status: number; headers?: Record<string, string> } | null;
  /** What its clock says, ms since the epoch. */
  now: number;
}

async function startFakeGitHub(git: GitServer): Promise<FakeGitHub> {
  const { cert, key } = git.https.authority.issue(["127.0.0.1"]);
  const server = createServer({ cert, key }, (request, response) => {
    let body = "";
    request.on("data", (piece: Buffer) => (body += piece.toString()));
    request.on("end", () => {
      self.asked.push({ path: `${request.method} ${request.url}`, body });
      if (self.answer) return response.writeHead(self.answer.status, self.answer.headers).end("{}");
      const [head = "", claims = "", signature = ""] = (request.headers.authorization ?? "")
        .replace("Bearer ", "")
        .split(".");
      const signed = Buffer.from(`${head}.${claims}`);
      const { iat, exp, iss } = JSON.parse(Buffer.from(claims, "base64url").toString()) as Record<string, number>;
      const seconds = self.now / 1_000;
      const good =
        verify("RSA-SHA256", signed, self.key.publicKey, Buffer.from(signature, "base64url")) &&
        String(iss) === APP &&
        Number(iat) <= seconds &&
        Number(exp) > seconds &&
        Number(exp) - Number(iat) <= 600;
      if (!good) return response.writeHead(401).end('{"message":"Bad credentials"}');
      if (!request.url?.includes(`/${INSTALLATION}/`)) return response.writeHead(404).end("{}");
      const token = `ghs_canary${self.tokens.length}${"x".repeat(30)}`;
      self.tokens.push(token);
      git.https.access = { basic: { username: "x-access-token", password: token } };
      const expires = new Date(self.now + 3_600_000).toISOString();
      return response
        .writeHead(201)
        .end(JSON.stringify({ token, expires_at: expires, permissions: { contents: "read" } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/api/v3`;
  const self: FakeGitHub = { server, url, key: rsa(), tokens: [], asked: [], answer: null, now: Date.now() };
  return self;
}

let git: GitServer;
let github: FakeGitHub;
let cache: string;
let pool: RepositoryPool;
let repository: TestRepository;
let head: string;
let secret: Record<string, string>;

beforeAll(async () => {
  git = await startGitServer();
  github = await startFakeGitHub(git);
});
afterAll(async () => {
  github.server.closeAllConnections();
  await new Promise((resolve) => github.server.close(resolve));
  await git.stop();
});
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "fabric-sync-git-cache-"));
  const options = { cacheDirectory: cache, path: process.env["PATH"] ?? "", httpsProxy: "", noProxy: "", logger: log };
  pool = new RepositoryPool({ ...options, now: () => github.now });
  git.https.access = null;
  repository = await git.createRepository();
  head = await repository.push({ "a.yaml": "a: 1\n" });
  // Nobody is let in before a token was given.
  git.https.access = { basic: { username: "x-access-token", password: "none" } };
  Object.assign(github, { key: rsa(), answer: null });
  for (const list of [github.tokens, github.asked, logged]) list.length = 0;
  secret = {
    githubAppID: APP,
    githubAppInstallationID: INSTALLATION,
    githubAppPrivateKey: pem(github.key),
    githubAppBaseURL: github.url,
    "ca.crt": git.https.ca,
  };
});
afterEach(async () => {
  await pool.close();
  await rm(cache, { recursive: true, force: true });
});

async function ask(url = repository.httpsUrl): Promise<string> {
  const asker = {
    ref: { branch: "main" },
    timeoutMs: 20_000,
    maxTransferBytes: 1 << 28,
    credentials: () => Promise.resolve(credentialsFromSecret(secret)),
    onMoved: () => undefined,
    onExchange: () => undefined,
  };
  const shared = await pool.subscribe(url, "", asker);
  try {
    return (await shared.resolve(asker, Date.now())).commit;
  } catch (error) {
    const { code, policy, message } = error as Record<string, string>;
    return `${code} ${policy}: ${message}`;
  } finally {
    pool.unsubscribe(shared, asker);
  }
}

test("the app's key becomes a token that may read contents; it is kept until shortly before its end", async () => {
  expect(await ask()).toBe(head);
  expect(await ask()).toBe(head);
  expect(github.asked).toEqual([
    {
      path: `POST /api/v3/app/installations/${INSTALLATION}/access_tokens`,
      body: '{"permissions":{"contents":"read"}}',
    },
  ]);
  github.now += 46 * 60_000;
  expect(await ask()).toBe(head);
  expect(github.tokens).toHaveLength(2);
});

test("a rotated key asks anew; a token that the server refuses is not used twice", async () => {
  expect(await ask()).toBe(head);
  github.key = rsa();
  secret["githubAppPrivateKey"] = github.key.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  expect(await ask()).toBe(head);
  expect(github.tokens).toHaveLength(2);
  git.https.access = { basic: { username: "x-access-token", password: "another" } };
  expect(await ask()).toContain("AuthFailed stall");
  expect(await ask()).toBe(head);
  expect(github.tokens).toHaveLength(3);
});

test("neither token nor key is in the cache, in a log or in an error", async () => {
  expect(await ask()).toBe(head);
  github.answer = { status: 500 };
  github.now += 3_600_000;
  const said = `${await ask()} ${logged.join(" ")}`;
  expect(said).toContain("ServerError wait: the GitHub API failed (500)");
  const key = (secret["githubAppPrivateKey"] ?? "").split("\n")[1] ?? "";
  for (const text of ["ghs_canary", key]) expect(said).not.toContain(text);
  for (const file of await readdir(cache, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const bytes = await readFile(join(file.parentPath, file.name));
    for (const text of ["ghs_canary", key]) expect(bytes.includes(text)).toBe(false);
  }
});

test.each<[number, Record<string, string>, string]>([
  [401, {}, "AuthFailed stall: GitHub refused the app's key"],
  [403, {}, "AuthFailed stall: GitHub forbids the app"],
  [404, {}, "AuthFailed stall: GitHub knows no such installation"],
  [422, {}, "AuthFailed stall: the GitHub App may not read contents"],
  [429, { "retry-after": "7" }, "RateLimited wait: the GitHub API asks us to come back later"],
  [302, { location: "https://127.0.0.1:1/" }, "TransportFailed retry: the GitHub API answered 302"],
  [201, {}, "TransportFailed retry: the GitHub API's answer holds no token"],
])("%i is told in words", async (status, headers, words) => {
  github.answer = { status, headers };
  expect(await ask()).toContain(words);
});

test.each<[string, Record<string, string>, string]>([
  ["no key", { githubAppPrivateKey: "" }, "needs githubAppPrivateKey"],
  ["a key that is none", { githubAppPrivateKey: "hello" }, "is no private key in PEM"],
  ["no installation", { githubAppInstallationID: "" }, "needs githubAppInstallationID"],
  ["a path for an installation", { githubAppInstallationID: "1/../../x" }, "needs githubAppInstallationID"],
  ["no app", { githubAppID: "" }, "needs githubAppID"],
  ["a token beside it", { bearerToken: "x" }, "leave one of them out"],
  ["an API without TLS", { githubAppBaseURL: "http://127.0.0.1/" }, "githubAppBaseURL must be an https:// address"],
  ["another host's API", { githubAppBaseURL: "" }, "is not sent to another host"],
])("%s is told in words, and nothing is asked", async (_name, change, words) => {
  Object.assign(secret, change);
  expect(await ask()).toContain("InvalidCredentials stall: ");
  expect(await ask()).toContain(words);
  expect(github.asked).toEqual([]);
});
