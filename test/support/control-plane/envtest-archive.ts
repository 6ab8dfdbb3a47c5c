import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { arch, platform } from "node:os";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { parse } from "yaml";
import { NotPossible } from "./go-build.ts";
import { type Progress, withProgress } from "./progress.ts";
import { KUBERNETES_VERSION } from "./versions.ts";

/** The index that Kubernetes' own setup-envtest reads: archive name → SHA-512 and address. */
const INDEX = "https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml";

/** Where archives come from, and how long a server may say nothing, ms, before the next way is tried: many networks swallow what they forbid. */
export interface EnvtestSource {
  readonly index: string;
  readonly silenceMs: number;
}
const RELEASES: EnvtestSource = { index: INDEX, silenceMs: 10_000 };

interface Archive {
  readonly name: string;
  readonly hash: string;
  readonly selfLink: string;
}

/**
 * Fetches the newest patch release of our minor version into `outputDirectory`: kube-apiserver, etcd, kubectl.
 * @throws NotPossible when it cannot be had; Error when what was sent is not what the index says.
 */
export async function fetchEnvtest(
  outputDirectory: string,
  progress: Progress,
  source: EnvtestSource = RELEASES,
): Promise<void> {
  const archive = await withProgress(progress, "control plane: asking for the envtest release index", () =>
    findArchive(source),
  );
  await withProgress(progress, `control plane: fetching ${archive.name}`, async () => {
    const directory = await mkdtemp(`${outputDirectory}-`);
    try {
      const file = join(directory, archive.name);
      const hash = await download(archive.selfLink, file, source.silenceMs);
      if (hash !== archive.hash) throw new Error(`${archive.name}: SHA-512 is ${hash}, the index says ${archive.hash}`);
      await promisify(execFile)("tar", ["-xzf", file, "-C", directory]);
      for (const binary of ["kube-apiserver", "etcd", "kubectl"]) {
        await rename(join(directory, "controller-tools/envtest", binary), join(outputDirectory, binary));
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
}

async function findArchive({ index, silenceMs }: EnvtestSource): Promise<Archive> {
  const body = await get(index, silenceMs, (response) => response.text());
  return chooseArchive(body, KUBERNETES_VERSION, TARGET);
}

/** This machine as the archives name it: `linux-amd64`. */
export const TARGET = `${platform()}-${arch() === "x64" ? "amd64" : arch()}`;

/**
 * The newest release of `version`'s minor in the index for `target` (`linux-amd64`).
 * @throws NotPossible when the index has none.
 */
export function chooseArchive(index: string, version: string, target: string): Archive {
  const minor = version.split(".").slice(0, 2).join(".");
  const { releases = {} } = parse(index) as {
    releases?: Record<string, Record<string, { hash: string; selfLink: string }>>;
  };
  const patch = (release: string) => Number(/^v\d+\.\d+\.(\d+)$/.exec(release)?.[1] ?? -1);
  const candidates = Object.keys(releases)
    .filter((release) => release.startsWith(`${minor}.`) && patch(release) >= 0)
    .sort((a, b) => patch(b) - patch(a));
  for (const release of candidates) {
    const name = `envtest-${release}-${target}.tar.gz`;
    const entry = releases[release]?.[name];
    if (entry !== undefined) return { name, ...entry };
  }
  throw new NotPossible(`the envtest index has no ${minor} for ${target}`);
}

/** Returns the SHA-512 in hex of what was written. */
async function download(url: string, file: string, silenceMs: number): Promise<string> {
  const hash = createHash("sha512");
  await get(url, silenceMs, async (response, alive) => {
    if (response.body === null) throw new NotPossible(`${url}: no body`);
    const hashing = new Transform({
      transform(chunk: Buffer, _encoding, next) {
        alive();
        hash.update(chunk);
        next(null, chunk);
      },
    });
    await pipeline(Readable.fromWeb(response.body), hashing, createWriteStream(file));
  });
  return hash.digest("hex");
}

/** A GET that is given up when the server is silent for too long; `alive` is to be called whenever it is not. */
async function get<T>(
  url: string,
  silenceMs: number,
  use: (response: Response, alive: () => void) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), silenceMs);
  try {
    const response = await fetch(url, { signal: controller.signal });
    if (!response.ok) throw new NotPossible(`${url}: HTTP ${response.status}`);
    return await use(response, () => void timer.refresh());
  } catch (error) {
    if (error instanceof NotPossible) throw error;
    const reason = controller.signal.aborted ? `no answer for ${silenceMs / 1000} s` : describe(error);
    throw new NotPossible(`${url}: ${reason}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
