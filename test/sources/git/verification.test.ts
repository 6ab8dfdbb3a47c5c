import { execFile } from "node:child_process";
import { access, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Logger } from "../../../src/core/telemetry.ts";
import { RepositoryPool } from "../../../src/sources/git/repository/repository-pool.ts";
import type { GitRef } from "../../../src/sources/git/repository/refs.ts";
import { Verifier } from "../../../src/sources/git/signatures/verification.ts";
import type { VerificationMode } from "../../../src/sources/git/signatures/verification.ts";
import { type GitServer, startGitServer, type TestRepository } from "../../support/git-server.ts";

const run = promisify(execFile);
const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
const PATH = process.env["PATH"] ?? "";

let server: GitServer;
let cache: string;
let keys: string;
let pool: RepositoryPool;
let repository: TestRepository;

beforeAll(async () => {
  server = await startGitServer();
  keys = await mkdtemp(join(tmpdir(), "fabric-sync-keys-"));
  for (const who of ["ada", "eve"]) {
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", `${who}@example.com`, "-f", join(keys, who)]);
  }
});
afterAll(async () => {
  await server.stop();
  await rm(keys, { recursive: true, force: true });
});
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "fabric-sync-git-cache-"));
  pool = open(PATH);
  repository = await server.createRepository();
});
afterEach(async () => {
  await pool.close();
  await rm(cache, { recursive: true, force: true });
});

function open(path: string): RepositoryPool {
  return new RepositoryPool({ cacheDirectory: cache, path, httpsProxy: "", noProxy: "", logger: quiet });
}

const publicKey = (who: string): Promise<string> => readFile(join(keys, `${who}.pub`), "utf8");

async function signBySsh(who: string): Promise<void> {
  await repository.git("config", "gpg.format", "ssh");
  await repository.git("config", "user.signingKey", join(keys, who));
  await repository.git("config", "commit.gpgSign", "true");
}

/** '' for a revision that is good, else what the condition would say. */
async function verdict(
  ref: GitRef,
  mode: VerificationMode,
  data: Record<string, string>,
  verifier = new Verifier({ mode, secret: "netops/keys", keys: () => Promise.resolve(data) }),
): Promise<string> {
  const asker = {
    ref,
    timeoutMs: 20_000,
    maxTransferBytes: 1 << 28,
    credentials: () => Promise.resolve({ caCrt: server.https.ca }),
    onMoved: () => undefined,
    onExchange: () => undefined,
  };
  const shared = await pool.subscribe(repository.httpsUrl, "", asker);
  try {
    const resolved = await shared.resolve(asker, Date.now());
    await verifier.check(shared, resolved, new AbortController().signal);
    return "";
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return `${code}: ${message}`;
  } finally {
    pool.unsubscribe(shared, asker);
    // Neither keys nor signatures are left behind.
    expect((await readdir(cache)).filter((name) => name.startsWith("credentials-"))).toEqual([]);
  }
}

describe("by ssh", () => {
  test("a commit is taken when a key of the Secret signed it, and named with its key when another did, or nobody", async () => {
    await signBySsh("ada");
    await repository.push({ "a.yaml": "a: 1\n" });
    const trusted = { ada: await publicKey("ada") };
    expect(await verdict({ branch: "main" }, "HEAD", trusted)).toBe("");
    await signBySsh("eve");
    const foreign = await repository.push({ "a.yaml": "a: 2\n" });
    const refused = await verdict({ branch: "main" }, "HEAD", trusted);
    expect(refused).toContain(`VerificationFailed: commit ${foreign} is signed by ssh key SHA256:`);
    expect(refused).toContain("Secret netops/keys");
    await repository.git("config", "commit.gpgSign", "false");
    const bare = await repository.push({ "a.yaml": "a: 3\n" });
    expect(await verdict({ branch: "main" }, "HEAD", trusted)).toBe(`VerificationFailed: commit ${bare} is not signed`);
  });

  test("keys rotate: the new one counts at once, a withdrawn or revoked one no more, though the revision is the same", async () => {
    await signBySsh("ada");
    await repository.push({ "a.yaml": "a: 1\n" });
    let data: Record<string, string> = { "eve.pub": await publicKey("eve") };
    const verifier = new Verifier({ mode: "HEAD", secret: "netops/keys", keys: () => Promise.resolve(data) });
    const ask = (): Promise<string> => verdict({ branch: "main" }, "HEAD", {}, verifier);
    expect(await ask()).toContain("VerificationFailed");
    data = { "eve.pub": await publicKey("eve"), "ada.pub": await publicKey("ada") };
    expect(await ask()).toBe("");
    data = { ...data, revoked_keys: await publicKey("ada") };
    expect(await ask()).toContain("VerificationFailed");
    data = { allowed_signers: `ada@example.com namespaces="git" ${await publicKey("ada")}` };
    expect(await ask()).toBe("");
    data = { allowed_signers: `ada@example.com valid-before="20200101" ${await publicKey("ada")}` };
    expect(await ask()).toContain("VerificationFailed");
  });

  test("a tag, and both; a tag that is not annotated, that was signed under another name, and no tag at all", async () => {
    await signBySsh("ada");
    await repository.push({ "a.yaml": "a: 1\n" });
    const trusted = { ada: await publicKey("ada") };
    await repository.git("tag", "-s", "v1.0.0", "-m", "signed");
    await repository.git("tag", "v1.1.0");
    const id = await repository.git("rev-parse", "v1.0.0");
    await repository.git("update-ref", "refs/tags/v9.0.0", id);
    await repository.git("config", "commit.gpgSign", "false");
    await repository.push({ "a.yaml": "a: 2\n" });
    await repository.git("tag", "-s", "v2.0.0", "-m", "signed, on a commit that is not");
    await repository.git("push", "--quiet", "--tags");
    expect(await verdict({ tag: "v1.0.0" }, "TagAndHEAD", trusted)).toBe("");
    expect(await verdict({ semver: "2.x" }, "Tag", trusted)).toBe("");
    expect(await verdict({ tag: "v2.0.0" }, "TagAndHEAD", trusted)).toMatch(/commit \w+ is not signed/);
    expect(await verdict({ tag: "v1.1.0" }, "Tag", trusted)).toContain("tag v1.1.0 is not annotated");
    expect(await verdict({ tag: "v9.0.0" }, "Tag", trusted)).toContain("tag v9.0.0 was signed under the name v1.0.0");
    expect(await verdict({ tag: "v1.0.0" }, "Tag", { eve: await publicKey("eve") })).toContain("tag v1.0.0 is signed");
    expect(await verdict({ branch: "main" }, "Tag", trusted)).toContain("needs a tag");
  });

  test("a Secret without a key, and with something else", async () => {
    await signBySsh("ada");
    await repository.push({ "a.yaml": "a: 1\n" });
    expect(await verdict({ branch: "main" }, "HEAD", {})).toContain("InvalidCredentials: Secret netops/keys holds no");
    expect(await verdict({ branch: "main" }, "HEAD", { "x.asc": "hello" })).toContain("x.asc in Secret netops/keys");
  });
});

const hasGpg = (
  await Promise.all(
    PATH.split(":").map((folder) =>
      access(join(folder, "gpg")).then(
        () => true,
        () => false,
      ),
    ),
  )
).includes(true);

/** A key of that day, valid for a day. */
const LONG_AGO = "20240101T120000!";

describe("by OpenPGP", () => {
  let home: string;
  const gpg = async (...args: string[]): Promise<string> =>
    (await run("gpg", ["--homedir", home, "--batch", "--pinentry-mode", "loopback", "--passphrase", "", ...args]))
      .stdout;
  beforeAll(async () => {
    if (!hasGpg) throw new Error("gpg is not installed, as it is in the image: install GnuPG (Debian: gnupg)");
    home = await mkdtemp(join(tmpdir(), "fs-gpg-"));
    for (const who of ["Ada <ada@example.com>", "Eve <eve@example.com>"]) {
      await gpg("--quiet", "--quick-generate-key", who, "ed25519", "sign", "never");
    }
    const old = ["--quick-generate-key", "Old <old@example.com>", "ed25519", "sign", "1d"];
    await gpg("--quiet", "--faked-system-time", LONG_AGO, ...old);
  }, 60_000);
  afterAll(async () => {
    await run("gpgconf", ["--homedir", home, "--kill", "all"]);
    await rm(home, { recursive: true, force: true });
  });
  const exported = (who: string): Promise<string> => gpg("--armor", "--export", `${who}@example.com`);

  async function signByGpg(who: string, ...more: string[]): Promise<void> {
    const program = join(keys, `gpg-${who}`);
    const flags = ["--batch", "--pinentry-mode loopback", "--passphrase ''", ...more].join(" ");
    await writeFile(program, `#!/bin/sh\nexec gpg --homedir '${home}' ${flags} "$@"\n`, { mode: 0o700 });
    await repository.git("config", "gpg.format", "openpgp");
    await repository.git("config", "gpg.program", program);
    await repository.git("config", "user.signingKey", `${who}@example.com`);
    await repository.git("config", "commit.gpgSign", "true");
  }

  test("a commit is taken when a key of the Secret signed it; a stranger's, a revoked and an expired key's are not", async () => {
    await signByGpg("ada");
    const signed = await repository.push({ "a.yaml": "a: 1\n" });
    const ada = { "ada.asc": await exported("ada") };
    expect(await verdict({ branch: "main" }, "HEAD", ada)).toBe("");
    expect(await verdict({ branch: "main" }, "HEAD", { eve: await exported("eve") })).toMatch(
      new RegExp(`VerificationFailed: commit ${signed} is signed by key [0-9A-F]{16,40}, which is not in Secret`),
    );
    // gpg makes the revocation certificate with the key; its first line is made unusable by a colon.
    const [name] = await readdir(join(home, "openpgp-revocs.d")).then(async (names) => {
      const fingerprint = /^fpr:+([0-9A-F]+):/m.exec(await gpg("--with-colons", "--list-keys", "ada@example.com"))?.[1];
      return names.filter((one) => fingerprint !== undefined && one.startsWith(fingerprint));
    });
    const certificate = await readFile(join(home, "openpgp-revocs.d", name ?? ""), "utf8");
    const revoked = join(keys, "revocation.asc");
    await writeFile(revoked, certificate.replace(":-----BEGIN", "-----BEGIN"));
    await gpg("--quiet", "--import", revoked);
    const refused = await verdict({ branch: "main" }, "HEAD", { "ada.asc": await exported("ada") });
    expect(refused).toContain("is signed by the revoked key");
    expect(refused).toContain("(Ada <ada@example.com>)");
  });

  test("an expired key's, a tag's, and a changed commit's", async () => {
    await signByGpg("old", `--faked-system-time ${LONG_AGO}`);
    await repository.push({ "a.yaml": "a: 1\n" });
    expect(await verdict({ branch: "main" }, "HEAD", { old: await exported("old") })).toContain(
      "is signed by the expired key",
    );
    await signByGpg("eve");
    const good = await repository.push({ "a.yaml": "a: 2\n" });
    await repository.git("tag", "-s", "v1.0.0", "-m", "signed");
    await repository.git("push", "--quiet", "--tags");
    const eve = { eve: await exported("eve") };
    expect(await verdict({ tag: "v1.0.0" }, "TagAndHEAD", eve)).toBe("");
    const text = await repository.git("cat-file", "commit", good);
    const forged = join(keys, "forged");
    await writeFile(forged, `${text.replace("Change files", "Changed files")}\n`);
    const id = await repository.git("hash-object", "-t", "commit", "-w", forged);
    await repository.git("push", "--quiet", "--force", "origin", `${id}:refs/heads/main`);
    expect(await verdict({ branch: "main" }, "HEAD", eve)).toContain("was changed after key");
  });

  test("without gpg beside git it is said in words", async () => {
    await signByGpg("eve");
    await repository.push({ "a.yaml": "a: 1\n" });
    await pool.close();
    const tools = await mkdtemp(join(tmpdir(), "fabric-sync-tools-"));
    for (const tool of ["git", "sh", "ssh-keygen"]) {
      const { stdout } = await run("which", [tool]);
      await symlink(stdout.trim(), join(tools, tool));
    }
    pool = open(tools);
    expect(await verdict({ branch: "main" }, "HEAD", { eve: await exported("eve") })).toBe(
      "VerificationUnavailable: OpenPGP signatures are checked by gpg, which is not installed beside git",
    );
    await rm(tools, { recursive: true, force: true });
  });
});
