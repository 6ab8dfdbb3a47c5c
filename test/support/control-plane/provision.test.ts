import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describePlace } from "../stale-workspaces.ts";
import { withBuildLock } from "./build-lock.ts";
import { chooseArchive, fetchEnvtest, TARGET } from "./envtest-archive.ts";
import { NotPossible } from "./go-build.ts";
import { KUBERNETES_VERSION, MODULE_DIRECTORY } from "./versions.ts";

const quiet = (): void => undefined;
let directory: string;
beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), "fabric-sync-provision-"))));
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("the envtest archive", () => {
  let server: Server;
  let index: string;
  let archive: Buffer;
  let hash: string;
  const MINOR = KUBERNETES_VERSION.replace(/\.\d+$/, "");
  const NAME = `envtest-${MINOR}.0-${TARGET}.tar.gz`;

  beforeEach(async () => {
    const tree = join(directory, "tree/controller-tools/envtest");
    await mkdir(tree, { recursive: true });
    for (const name of ["kube-apiserver", "etcd", "kubectl"])
      await writeFile(join(tree, name), `a ${name}`, { mode: 0o755 });
    await promisify(execFile)("tar", [
      "-czf",
      join(directory, "archive"),
      "-C",
      join(directory, "tree"),
      "controller-tools",
    ]);
    archive = await readFile(join(directory, "archive"));
    hash = createHash("sha512").update(archive).digest("hex");
    server = createServer((request, response) => {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      if (request.url === "/index") {
        response.end(
          JSON.stringify({ releases: { [`${MINOR}.0`]: { [NAME]: { hash, selfLink: `${url}/archive` } } } }),
        );
      } else if (request.url === "/archive") response.end(archive);
      else if (request.url === "/missing") response.writeHead(404).end();
      // Anything else is never answered.
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    index = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach((done) => {
    server.closeAllConnections();
    server.close(done);
  });

  it("is unpacked when it is what the index says", async () => {
    const output = join(directory, "output");
    await mkdir(output);
    await fetchEnvtest(output, quiet, { index: `${index}/index`, silenceMs: 5_000 });
    expect(await readFile(join(output, "etcd"), "utf8")).toBe("a etcd");
  });

  it("is refused when it is not", async () => {
    hash = hash.replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
    const fetching = fetchEnvtest(join(directory, "output"), quiet, { index: `${index}/index`, silenceMs: 5_000 });
    await expect(fetching).rejects.toThrow(/SHA-512/);
    await expect(fetching).rejects.not.toBeInstanceOf(NotPossible);
  });

  it.each([
    ["/missing", /HTTP 404/],
    ["/silent", /no answer for 0.2 s/],
  ])("gives way to the next source when the index is %s", async (path, words) => {
    const fetching = fetchEnvtest(join(directory, "output"), quiet, { index: index + path, silenceMs: 200 });
    await expect(fetching).rejects.toThrow(words);
    await expect(fetching).rejects.toBeInstanceOf(NotPossible);
  });

  it("is of our minor version and the newest of it", () => {
    const entry = (release: string) => ({ [`envtest-${release}-${TARGET}.tar.gz`]: { hash: release, selfLink: "" } });
    const releases = Object.fromEntries(["v1.36.2", "v1.36.10", "v1.36.11-rc.1", "v1.37.0"].map((r) => [r, entry(r)]));
    expect(chooseArchive(JSON.stringify({ releases }), "v1.36.3", TARGET).hash).toBe("v1.36.10");
    expect(() => chooseArchive(JSON.stringify({ releases }), "v1.35.0", TARGET)).toThrow(NotPossible);
  });
});

describe("several that want to build at once", () => {
  it("build once", async () => {
    let built = 0;
    const build = () =>
      withBuildLock(
        join(directory, "lock"),
        quiet,
        () => Promise.resolve(built > 0),
        async () => {
          await new Promise((resolve) => setImmediate(resolve));
          built++;
        },
      );
    await Promise.all([build(), build(), build()]);
    expect(built).toBe(1);
  });

  it("take over from one that died, and not from one that fails", async () => {
    // No process can have this id: it is above the largest that Linux or macOS give out.
    await writeFile(join(directory, "lock"), JSON.stringify({ ...(await describePlace()), pid: 2 ** 30 }));
    const never = () => Promise.resolve(false);
    const failing = withBuildLock(join(directory, "lock"), quiet, never, () =>
      Promise.reject(new Error("no compiler")),
    );
    await expect(failing).rejects.toThrow("no compiler");
    await expect(readFile(join(directory, "lock"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});

it("the module requires the release that we speak of", async () => {
  const module = await readFile(join(MODULE_DIRECTORY, "go.mod"), "utf8");
  expect(module).toContain(`k8s.io/kubernetes ${KUBERNETES_VERSION}\n`);
});
