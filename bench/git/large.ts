/**
 * Weighs the first take of a large repository in a process of its own, bundled as it is shipped, with the heap of a
 * container of 512 MiB: the most memory that it had. Writes `bench/reports/git-large.md`.
 *
 *   node bench/git/large.ts [--files 50000]
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { migrate } from "../../src/store/migrate.ts";
import { RULES, openSourceBench } from "../../test/sources/git/source-bench.ts";
import type { SourceBench } from "../../test/sources/git/source-bench.ts";
import type { TakeOnce } from "../../test/sources/git/take-once.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import { bundle } from "./bundle.ts";
import { fill } from "./workload.ts";

const { values: options } = parseArgs({ options: { files: { type: "string", default: "50000" } } });
const files = Number(options.files);
/** MiB, the goal: 256 MB. */
const MOST = 244;
/**
 * As it is shipped: the young generation and malloc by the image, how the heap grows by the program, its size by node itself, which takes 256 MB of the 512 MiB
 * that `deploy/base` allows the pod.
 */
const SHIPPED = ["--max-semi-space-size=4", "--heap-growing-percent=60", "--max-old-space-size=256"];
const ENVIRONMENT = { ...process.env, MALLOC_ARENA_MAX: "1" };
const root = join(import.meta.dirname, "../..");

const server = await startPostgres();
const database = await server.createDatabase();
const directory = await mkdtemp(join(tmpdir(), "fabric-sync-large-"));
try {
  await migrate(database.url);
  const bench = await openSourceBench(database);
  try {
    const { peak, seconds } = await weigh(bench, database.url);
    const report = [
      "# Git: a large repository",
      "",
      `Made by \`node bench/git/large.ts ${process.argv.slice(2).join(" ")}\` on ${cpus().length} × ${cpus()[0]?.model ?? "?"}, load average ${(loadavg()[0] ?? 0).toFixed(1)}.`,
      "",
      `First take of ${files} files in a process of its own, with the heap that node takes in a container of 512 MiB: ${seconds.toFixed(1)} s from its start to its end, ${peak} MiB of memory at most, goal ≤ ${MOST} MiB (256 MB), held: ${peak <= MOST ? "yes" : "**no**"}.`,
      "",
    ].join("\n");
    console.log(report);
    await writeFile(join(root, "bench/reports/git-large.md"), report);
  } finally {
    await bench[Symbol.asyncDispose]();
  }
} finally {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
}

async function weigh(bench: SourceBench, databaseUrl: string): Promise<{ peak: number; seconds: number }> {
  const repository = await bench.server.createRepository();
  await fill(repository, files);
  const limits = { maxFiles: files, maxFileBytes: 1_048_576, maxTotalBytes: 1_073_741_824, maxDocuments: files };
  const task: TakeOnce = {
    databaseUrl,
    fabricId: bench.fabricId(),
    url: repository.httpsUrl,
    ca: bench.server.https.ca,
    cacheDirectory: join(directory, "cache"),
    rules: { ...RULES, limits },
  };
  const program = await bundle("test/sources/git/take-once.ts", directory);
  await bundle("src/sources/git/reading/parse-worker.ts", directory);
  const begun = performance.now();
  const { stdout } = await promisify(execFile)(process.execPath, [...SHIPPED, program, JSON.stringify(task)], {
    env: ENVIRONMENT,
  });
  return { peak: Number(stdout.trim().split(" ")[1]), seconds: (performance.now() - begun) / 1_000 };
}
