import { execFile } from "node:child_process";
import { access, constants, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { arch, homedir, platform } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { withBuildLock } from "./build-lock.ts";
import { fetchEnvtest } from "./envtest-archive.ts";
import { goBuild, NotPossible } from "./go-build.ts";
import { type Progress, progressToStderr } from "./progress.ts";
import { KUBERNETES_VERSION, moduleDigest } from "./versions.ts";

export interface ControlPlaneBinaries {
  readonly kubeApiserver: string;
  readonly etcd: string;
  readonly kubectl: string;
}

/** The oldest kubectl of the system that is used instead of building one: it knows every option that we pass. */
const OLDEST_KUBECTL_MINOR = 30;

/**
 * Finds or makes kube-apiserver, etcd and kubectl, in this order: the directory that KUBEBUILDER_ASSETS names; the user's cache; the
 * envtest archive; `go build` of our module. The last two fill the cache, so a second run starts at once.
 * @throws Error that says what to install when none is possible.
 */
export async function controlPlaneBinaries(progress: Progress = progressToStderr): Promise<ControlPlaneBinaries> {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  if (assets !== undefined && assets !== "") return fromAssets(assets, progress);
  return { ...(await servers(progress)), kubectl: await kubectl(progress) };
}

async function fromAssets(assets: string, progress: Progress): Promise<ControlPlaneBinaries> {
  const found = { kubeApiserver: join(assets, "kube-apiserver"), etcd: join(assets, "etcd") };
  for (const path of Object.values(found)) {
    if (!(await isExecutable(path))) throw new Error(`KUBEBUILDER_ASSETS is ${assets}, but ${path} is not there`);
  }
  const beside = join(assets, "kubectl");
  return { ...found, kubectl: (await isExecutable(beside)) ? beside : await kubectl(progress) };
}

async function servers(progress: Progress): Promise<Omit<ControlPlaneBinaries, "kubectl">> {
  const directory = join(await cacheDirectory(), "servers");
  await fillOnce(directory, progress, async (output) => {
    const refusals: string[] = [];
    for (const way of [fetchEnvtest, (to: string) => goBuild(["kube-apiserver", "etcd"], to, progress)]) {
      try {
        return await way(output, progress);
      } catch (error) {
        if (!(error instanceof NotPossible)) throw error;
        progress(`control plane: ${error.message}`);
        refusals.push(error.message);
      }
    }
    throw new Error(
      [
        `No kube-apiserver and etcd for the tests. Install Go (any version from 1.21 on; it fetches what it needs),`,
        `or set KUBEBUILDER_ASSETS to a directory that holds kube-apiserver and etcd ${KUBERNETES_VERSION}. What was tried:`,
        ...refusals.map((refusal) => `- ${refusal}`),
      ].join("\n"),
    );
  });
  return { kubeApiserver: join(directory, "kube-apiserver"), etcd: join(directory, "etcd") };
}

/** The archive's, else the system's, else one of our own. */
async function kubectl(progress: Progress): Promise<string> {
  const cache = await cacheDirectory();
  const fromArchive = join(cache, "servers", "kubectl");
  if (await isExecutable(fromArchive)) return fromArchive;
  const system = await systemKubectl();
  if (system !== null) return system;
  const directory = join(cache, "kubectl");
  await fillOnce(directory, progress, async (output) => {
    try {
      await goBuild(["kubectl"], output, progress);
    } catch (error) {
      if (!(error instanceof NotPossible)) throw error;
      throw new Error(`No kubectl: install kubectl or Go (${error.message})`, { cause: error });
    }
  });
  return join(directory, "kubectl");
}

async function systemKubectl(): Promise<string | null> {
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(directory, "kubectl");
    if (directory === "" || !(await isExecutable(path))) continue;
    try {
      const { stdout } = await promisify(execFile)(path, ["version", "--client", "--output=json"], { timeout: 10_000 });
      const minor = Number.parseInt(
        (JSON.parse(stdout) as { clientVersion: { minor: string } }).clientVersion.minor,
        10,
      );
      if (minor >= OLDEST_KUBECTL_MINOR) return path;
    } catch {
      // Something else by that name: look on.
    }
  }
  return null;
}

/** Per user, version and machine type: several checkouts share it. */
async function cacheDirectory(): Promise<string> {
  const given = process.env["XDG_CACHE_HOME"];
  const root = given !== undefined && given !== "" ? given : join(homedir(), ".cache");
  const key = `${KUBERNETES_VERSION}-${await moduleDigest()}-${platform()}-${arch()}`;
  return join(root, "fabric-sync", "control-plane", key);
}

/** Makes `directory` by `fill`, whole or not at all, unless it is there. */
async function fillOnce(directory: string, progress: Progress, fill: (output: string) => Promise<void>): Promise<void> {
  const exists = () => isReadable(directory);
  if (await exists()) return;
  await mkdir(dirname(directory), { recursive: true });
  await withBuildLock(`${directory}.lock`, progress, exists, async () => {
    await removePartial(directory);
    const output = await mkdtemp(`${directory}.partial-`);
    try {
      await fill(output);
      await rename(output, directory);
    } finally {
      await rm(output, { recursive: true, force: true });
    }
  });
}

/** What a killed run left; the lock is ours, so nobody is working on it. */
async function removePartial(directory: string): Promise<void> {
  const parent = dirname(directory);
  for (const name of await readdir(parent)) {
    if (name.startsWith(`${basename(directory)}.partial-`))
      await rm(join(parent, name), { recursive: true, force: true });
  }
}

function isReadable(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
