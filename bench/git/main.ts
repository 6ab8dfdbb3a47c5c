/**
 * Measures the Git side beside a clone and beside bare git, all against one server and one PostgreSQL in one run, and writes
 * `bench/reports/git.md`.
 *
 *   node bench/git/main.ts [--files 5000] [--pushes 20]
 */
import type { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { RevisionSink } from "../../src/core/streams.ts";
import { ManifestParser } from "../../src/sources/git/reading/parser.ts";
import { migrate } from "../../src/store/migrate.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import { openSourceBench } from "../../test/sources/git/source-bench.ts";
import type { SourceBench } from "../../test/sources/git/source-bench.ts";
import { cloneAndParse, GitFloor } from "./baselines.ts";
import type { TestRepository } from "../../test/support/git-server.ts";
import { manyFabrics } from "./many-fabrics.ts";
import { percentile, renderReport } from "./report.ts";
import type { FirstTake, Measurement } from "./report.ts";
import { change, fill } from "./workload.ts";

const { values: options } = parseArgs({
  options: { files: { type: "string", default: "5000" }, pushes: { type: "string", default: "20" } },
});
/** Fresh takes, each beside a fresh clone. */
const FIRST_TAKES = 3;
const FABRICS = 200;
/** The kind is served, as it would be. */
const KIND = ["wiring.example.net/Port", "namespaced"] as const;
/** Arguments of every process that was started, ours and those of the server that we ask. */
const started: string[][] = [];
subscribe("child_process", (message) => {
  const { process: child } = message as { process: ChildProcess };
  // Told before it has its arguments.
  setImmediate(() => started.push([...(child.spawnargs ?? [])]));
});
const files = Number(options.files);
const pushes = Number(options.pushes);
const say = (text: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);

const server = await startPostgres({ settings: { fsync: "on", synchronous_commit: "on", full_page_writes: "on" } });
const database = await server.createDatabase();
try {
  await migrate(database.url);
  const bench = await openSourceBench(database);
  try {
    const report = renderReport(
      await measure(bench),
      `node bench/git/main.ts ${process.argv.slice(2).join(" ")}`.trim(),
    );
    console.log(`\n${report}`);
    const directory = join(import.meta.dirname, "../reports");
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "git.md"), report);
  } finally {
    await bench[Symbol.asyncDispose]();
  }
} finally {
  await server.stop();
}

/** A take with nothing of it here: no cache on disk, no thread, no rows. */
async function firstTake(bench: SourceBench, repository: TestRepository, round: number): Promise<FirstTake> {
  await bench.reset();
  bench.served.set(...KIND);
  const parser = new ManifestParser();
  const steps = new Map<string, number>();
  const telemetry = {
    gitOperation: (_labels: unknown, operation: string, _result: string, ms: number): void =>
      void steps.set(operation, ms),
  };
  const sink: RevisionSink = {
    async commit(revision) {
      const begun = performance.now();
      const result = await bench.sink.commit(revision);
      steps.set("commit", performance.now() - begun);
      return result;
    },
  };
  const begun = performance.now();
  const { source, stop } = bench.start(repository, { telemetry, sink, parser, credentialsId: `first-${round}` });
  await source.trigger("git_poll");
  const total = performance.now() - begun;
  await stop();
  await parser.close();
  await bench.reset();
  const step = (name: string): number => steps.get(name) ?? 0;
  const commit = step("commit");
  return { total, lsRemote: step("ls-remote"), fetch: step("fetch"), read: step("take") - commit, commit };
}

async function measure(bench: SourceBench): Promise<Measurement> {
  const repository = await bench.server.createRepository();
  await fill(repository, files);
  const { caFile, directory } = bench.server;
  const baseline = { url: repository.httpsUrl, caFile, directory };
  bench.served.set(...KIND);
  const steps = { fetch: [] as number[], take: [] as number[] };
  const telemetry = {
    gitOperation: (_labels: unknown, operation: string, _result: string, ms: number): void => {
      if (operation === "fetch" || operation === "take") steps[operation].push(ms);
    },
  };

  const clones: number[] = [];
  const firstTakes: FirstTake[] = [];
  for (let round = 0; round < FIRST_TAKES; round += 1) {
    clones.push(await cloneAndParse(baseline));
    const taken = await firstTake(bench, repository, round);
    firstTakes.push(taken);
    say(
      `first take of ${files} files: ${Math.round(taken.total)} ms; clone and parse: ${Math.round(clones.at(-1) ?? 0)} ms`,
    );
  }
  bench.served.set(...KIND);
  const { source } = bench.start(repository, { telemetry });
  await source.trigger("git_poll");

  const floor = new GitFloor(baseline);
  await floor.clone();
  const ours: number[] = [];
  const bare: number[] = [];
  const processes: number[] = [];
  for (let generation = 1; generation <= pushes + 1; generation += 1) {
    await change(repository, files, generation);
    started.length = 0;
    const begun = performance.now();
    await source.trigger("git_webhook");
    const took = performance.now() - begun;
    const spawned = started.filter((args) => !args.includes("http-backend")).length;
    const least = await floor.follow();
    // The first one compiles what the others use.
    if (generation === 1) {
      steps.fetch.length = steps.take.length = 0;
      continue;
    }
    ours.push(took);
    processes.push(spawned);
    bare.push(least);
    say(
      `push ${generation}: ${Math.round(took)} ms (fetch ${Math.round(steps.fetch.at(-1) ?? 0)}, take ${Math.round(steps.take.at(-1) ?? 0)}); floor ${Math.round(least)} ms`,
    );
  }
  const requests = bench.server.https.requests;
  const count = (command: "ls-refs" | "fetch"): number => bench.server.https.count(command);
  requests.length = 0;
  const before = bench.revisions.length;
  await source.trigger("git_poll");
  const poll = { lists: count("ls-refs"), fetches: count("fetch"), commits: bench.revisions.length - before };
  const many = await manyFabrics(bench, FABRICS);
  say(`${FABRICS} Fabrics: ${Math.round(many.ms)} ms`);
  return {
    files,
    processor: `${cpus().length} × ${cpus()[0]?.model ?? "?"}`,
    load: loadavg()[0] ?? 0,
    ours,
    floor: bare,
    clones,
    fetch: percentile(steps.fetch, 0.5),
    take: percentile(steps.take, 0.5),
    processes,
    firstTakes,
    poll,
    many,
  };
}
