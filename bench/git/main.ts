/**
 * Measures the Git side beside a clone and beside bare git, all against one server and one PostgreSQL in one run, and writes
 * `bench/reports/git.md`.
 *
 *   node bench/git/main.ts [--files 5000] [--pushes 20]
 */
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { migrate } from "../../src/store/migrate.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import { openSourceBench } from "../../test/sources/git/source-bench.ts";
import type { SourceBench } from "../../test/sources/git/source-bench.ts";
import { cloneAndParse, GitFloor } from "./baselines.ts";
import { percentile, renderReport } from "./report.ts";
import type { Measurement } from "./report.ts";
import { change, fill } from "./workload.ts";

const { values: options } = parseArgs({
  options: { files: { type: "string", default: "5000" }, pushes: { type: "string", default: "20" } },
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

async function measure(bench: SourceBench): Promise<Measurement> {
  const repository = await bench.server.createRepository();
  await fill(repository, files);
  const { caFile, directory } = bench.server;
  const baseline = { url: repository.httpsUrl, caFile, directory };
  // The kind is served, as it would be.
  bench.served.set("wiring.example.net/Port", "namespaced");
  const steps = { fetch: [] as number[], take: [] as number[] };
  const telemetry = {
    gitOperation: (_labels: unknown, operation: string, _result: string, ms: number): void => {
      if (operation === "fetch" || operation === "take") steps[operation].push(ms);
    },
  };

  const clones = [await cloneAndParse(baseline)];
  const beganFirst = performance.now();
  const { source } = bench.start(repository, { telemetry });
  await source.trigger("git_poll");
  const firstTake = performance.now() - beganFirst;
  say(`first take of ${files} files: ${Math.round(firstTake)} ms; clone and parse: ${Math.round(clones[0] ?? 0)} ms`);

  const floor = new GitFloor(baseline);
  await floor.clone();
  const ours: number[] = [];
  const bare: number[] = [];
  for (let generation = 1; generation <= pushes + 1; generation += 1) {
    await change(repository, files, generation);
    const begun = performance.now();
    await source.trigger("git_webhook");
    const took = performance.now() - begun;
    const least = await floor.follow();
    // The first one compiles what the others use.
    if (generation === 1) {
      steps.fetch.length = steps.take.length = 0;
      continue;
    }
    ours.push(took);
    bare.push(least);
    say(
      `push ${generation}: ${Math.round(took)} ms (fetch ${Math.round(steps.fetch.at(-1) ?? 0)}, take ${Math.round(steps.take.at(-1) ?? 0)}); floor ${Math.round(least)} ms`,
    );
  }
  for (let again = 0; again < 2; again += 1) clones.push(await cloneAndParse(baseline));

  const requests = bench.server.https.requests;
  const count = (command: "ls-refs" | "fetch"): number => bench.server.https.count(command);
  requests.length = 0;
  const before = bench.revisions.length;
  await source.trigger("git_poll");
  const poll = { lists: count("ls-refs"), fetches: count("fetch"), commits: bench.revisions.length - before };
  return {
    files,
    processor: `${cpus().length} × ${cpus()[0]?.model ?? "?"}`,
    load: loadavg()[0] ?? 0,
    ours,
    floor: bare,
    clones,
    fetch: percentile(steps.fetch, 0.5),
    take: percentile(steps.take, 0.5),
    firstTake,
    poll,
  };
}
