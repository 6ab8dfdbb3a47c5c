/**
 * Pushes what a person who means harm would push, one thing at a time into a repository of 20 good files, one of which changes with each push,
 * and measures what the program spends on it once it is fetched; and what a stream of watch events feels of it. Writes
 * `bench/reports/git-hostile.md`.
 *
 *   node bench/git/hostile.ts [--large-mb 500] [--healthy-ms N]
 *
 * A machine that others use at the same time takes more CPU for the same work: a fixed loop runs before each thing, and what it took is told beside
 * it. Figures are scaled to `--healthy-ms` of that loop, or to the fastest of this run.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { FabricSyncError } from "../../src/core/errors.ts";
import { RULES, openSourceBench } from "../../test/sources/git/source-bench.ts";
import type { SourceBench } from "../../test/sources/git/source-bench.ts";
import { migrate } from "../../src/store/migrate.ts";
import { takeRevision } from "../../src/sources/git/take.ts";
import type { Taken } from "../../src/sources/git/take.ts";
import { ManifestParser } from "../../src/sources/git/reading/parser.ts";
import type { GitRepository } from "../../src/sources/git/repository/repository.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import { Forge } from "./hostile-trees.ts";
import type { Entry } from "./hostile-trees.ts";
import { hostileCorpus } from "./hostile-corpus.ts";
import { renderHostile } from "./hostile-report.ts";
import type { HostileResult } from "./hostile-report.ts";
import { EventStream } from "./event-stream.ts";
import { bundle } from "./bundle.ts";
import { calibrate } from "./calibration.ts";
import { manifest } from "./workload.ts";

const { values: options } = parseArgs({
  options: { "large-mb": { type: "string", default: "500" }, "healthy-ms": { type: "string" } },
});
/** The most that a Fabric may allow of each, so that files reach the parser. */
const LIMITS = { maxFiles: 20_000, maxFileBytes: 16_777_216, maxTotalBytes: 268_435_456, maxDocuments: 50_000 };
/** Takes of a harmless push, before and after: what is normal, and the watch's latency without anything hostile. */
const HARMLESS = 15;
/** Runs of the fixed loop until it is compiled. */
const WARM_LOOPS = 5;
/** ms for which the stream is watched alone. */
const STREAM_ALONE_MS = 3_000;

const server = await startPostgres();
const database = await server.createDatabase();
const directory = await mkdtemp(join(tmpdir(), "fabric-sync-hostile-"));
/** With the thread as it is shipped: what TypeScript takes to begin is none of this. */
const parser = new ManifestParser({
  workerUrl: pathToFileURL(await bundle("src/sources/git/reading/parse-worker.ts", directory)),
});
try {
  await migrate(database.url);
  const bench = await openSourceBench(database);
  try {
    const results = await measure(bench);
    const command = `node bench/git/hostile.ts ${process.argv.slice(2).join(" ")}`.trim();
    const machine = `${cpus().length} × ${cpus()[0]?.model ?? "?"}, load average ${(loadavg()[0] ?? 0).toFixed(1)}`;
    const report = renderHostile(results, { command, machine });
    console.log(`\n${report}`);
    await writeFile(join(import.meta.dirname, "../reports/git-hostile.md"), report);
  } finally {
    await bench[Symbol.asyncDispose]();
  }
} finally {
  await parser.close();
  await server.stop();
  await rm(directory, { recursive: true, force: true });
}

async function measure(bench: SourceBench): Promise<HostileResult> {
  const repository = await bench.server.createRepository();
  const forge = new Forge(repository.bareDirectory);
  const push = async (entries: readonly Entry[], generation: number, parent: string): Promise<string> => {
    const files = Array.from({ length: 20 }, (_, index) => manifest(index, index === 0 ? generation : 0));
    const good = await Promise.all(files.map((text, index) => forge.file(`leaf-${index}.yaml`, text)));
    return forge.commit(await forge.tree([...entries, await forge.folder("good", good)]), parent);
  };
  const base = await push([], 0, "");
  const subscriber = {
    ref: { branch: "main" },
    timeoutMs: 120_000,
    maxTransferBytes: 4_000_000_000,
    credentials: () => Promise.resolve({ caCrt: bench.server.https.ca }),
    onMoved: () => undefined,
    onExchange: () => undefined,
  };
  const fetched = await bench.pool.subscribe(repository.httpsUrl, "", subscriber);
  await fetched.resolve(subscriber, Date.now());
  const before = await take(bench, fetched, base, "", new Map());
  if (before instanceof FabricSyncError) throw before;

  await using stream = new EventStream(bench.fixture);
  const spent = async <T>(work: () => Promise<T>): Promise<{ cpu: number; events: number; value: T }> => {
    const [begun, since] = [await cpuMs(), stream.events];
    const value = await work();
    return { cpu: (await cpuMs()) - begun, events: stream.events - since, value };
  };
  const alone = await stream.during("quiet", () => spent(() => setTimeout(STREAM_ALONE_MS)));
  /** What an event of the stream takes: it goes on beside what is measured, for longer where the machine is busy. */
  const perEvent = alone.cpu / Math.max(1, alone.events);
  const spend = async (
    when: "quiet" | "hostile",
    commit: string,
  ): Promise<{ cpuMs: number; loopMs: number; outcome: Taken | FabricSyncError }> => {
    await fetched.resolve(subscriber, Date.now());
    const loopMs = calibrate();
    // What making and pushing the file left behind in this process, up to 500 MB of it, is not the program's.
    collect();
    return stream.during(when, async () => {
      const { cpu, events, value } = await spent(() => take(bench, fetched, commit, base, before.files));
      return { cpuMs: Math.max(0, cpu - perEvent * events), loopMs, outcome: value };
    });
  };
  for (let round = 0; round < WARM_LOOPS; round += 1) calibrate();
  const normal: HostileResult["normal"][number][] = [];
  for (let round = 1; round <= HARMLESS; round += 1) normal.push(await spend("quiet", await push([], round, base)));
  const cases: HostileResult["cases"][number][] = [];
  for (const [index, hostile] of hostileCorpus(Number(options["large-mb"])).entries()) {
    const commit = await push(await hostile.make(forge), 100 + index, base);
    await forge.filters(hostile.unfiltered !== true);
    const seen = stream.latencies.hostile.length;
    const { outcome, ...cost } = await spend("hostile", commit);
    const slowest = Math.max(0, ...stream.latencies.hostile.slice(seen));
    const one = { what: hostile.what, refused: hostile.refused, ...cost, ...verdict(outcome, hostile.refused) };
    cases.push(one);
    console.log(
      `${one.held ? "ok " : "NOT"} ${hostile.what}: ${one.became}, ${Math.round(cost.cpuMs)} ms; slowest event beside it ${Math.round(slowest)} ms`,
    );
  }
  return { normal, cases, healthyMs: Number(options["healthy-ms"] ?? 0), latency: stream.latencies };
}

function take(
  bench: SourceBench,
  { bare }: GitRepository,
  commit: string,
  since: string,
  stored: Taken["files"],
): Promise<Taken | FabricSyncError> {
  return takeRevision({
    fabricId: bench.fabricId(),
    repository: bare,
    parser,
    scopes: { scopeOf: () => "namespaced" },
    rules: { ...RULES, limits: LIMITS },
    commit,
    since,
    stored,
    writePath: "git_webhook",
    now: Date.now(),
    sizes: new Map(),
  }).catch((error: unknown) => {
    if (error instanceof FabricSyncError) return error;
    throw error;
  });
}

/** Whether what is hostile was refused as it should be, and what is good was taken in. */
function verdict(outcome: Taken | FabricSyncError, refused: string): { became: string; held: boolean } {
  if (outcome instanceof FabricSyncError)
    return { became: `${outcome.code}, rows kept`, held: outcome.code === refused };
  const codes = new Set([...outcome.files.values()].flatMap(({ rejections }) => rejections.map(({ code }) => code)));
  const good = outcome.observations.some(({ key, type }) => key.name === "leaf-0" && type === "upsert");
  const became = codes.size === 0 ? "taken" : [...codes].join(", ");
  return { became: good ? `${became}; the rest taken in` : became, held: good && became === refused };
}

/** Collects all garbage, now. */
function collect(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

/** CPU of this process with its threads, and of the git processes that answer it. */
async function cpuMs(): Promise<number> {
  const { user, system } = process.cpuUsage();
  let ticks = 0;
  for (const id of await readdir("/proc")) {
    if (!/^\d+$/.test(id)) continue;
    const text = await readFile(`/proc/${id}/stat`, "utf8").catch(() => "");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    if (Number(fields[1]) === process.pid && text.includes("(git)")) ticks += Number(fields[11]) + Number(fields[12]);
  }
  // 100 ticks a second on every Linux that we know of.
  return (user + system) / 1_000 + ticks * 10;
}
