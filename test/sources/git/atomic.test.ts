import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { waitFor } from "../../support/wait.ts";
import { configMap, openSourceBench, RULES, type SourceBench } from "./source-bench.ts";
import type { TakeOnce } from "./take-once.ts";

/** Files of the revision: all of them must change their row at once. */
const FILES = 5_000;

let bench: SourceBench;

beforeAll(async () => {
  bench = await openSourceBench();
}, 240_000);
afterAll(() => bench[Symbol.asyncDispose]());

function generation(value: string): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: FILES }, (_, index) => [
      `site-${index % 50}/cm-${index}.yaml`,
      configMap(`cm-${index}`, { generation: value }),
    ]),
  );
}

/** Waits until a client, not an autovacuum, has been writing for a while, and does something about it. */
async function inTheMiddle(what = "true"): Promise<void> {
  for (let found = 0; found === 0;) {
    const [row] = await bench.fixture.sql<{ found: number }>(
      `SELECT count(${what})::int AS found FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL
          AND backend_type = 'client backend'
          AND clock_timestamp() - xact_start > '100 ms'`,
    );
    found = row?.found ?? 0;
  }
}

/** Asks, on a connection of its own and without a pause, which generations are visible and in how many rows. */
class Reader {
  readonly seen = new Set<string>();
  reads = 0;
  #stopped = false;
  readonly #done: Promise<void>;

  constructor(url: string, fabricId: string) {
    this.#done = this.#run(url, fabricId);
  }

  async stop(): Promise<ReadonlySet<string>> {
    this.#stopped = true;
    await this.#done;
    return this.seen;
  }

  async #run(url: string, fabricId: string): Promise<void> {
    const client = new Client({ connectionString: url });
    await client.connect();
    for (let last = false; !last;) {
      // Whoever stops it sees what is there then, too.
      last = this.#stopped;
      const { rows } = await client.query<{ generation: string; count: number; commits: number }>(
        `SELECT desired_spec #>> '{data,generation}' AS generation, count(*)::int AS count,
                count(DISTINCT desired_commit)::int AS commits
           FROM fabric_sync.resource WHERE fabric_id = $1 AND desired_spec IS NOT NULL GROUP BY 1 ORDER BY 1`,
        [fabricId],
      );
      this.reads += 1;
      this.seen.add(rows.map((row) => `${row.generation}×${row.count} of ${row.commits}`).join(" and "));
    }
    await client.end();
  }
}

test("5,000 files switch at once for whoever reads, also when the first try is killed in between", async () => {
  const repository = await bench.server.createRepository();
  await repository.push(generation("one"));
  const { source } = bench.start(repository);
  await source.trigger("git_poll");

  const commit = await repository.push(generation("two"));
  const reader = new Reader(bench.fixture.database.url, bench.fabricId());
  const taken = source.trigger("git_webhook");
  // Its backend is ended in the middle of the transaction: what was written of it must never be seen.
  await inTheMiddle("pg_terminate_backend(pid)");
  expect(source.status().revision).not.toContain(commit);
  const during = new Set(reader.seen);
  // The pump repeats the write; should the loss have been told to the source, it is asked again.
  await taken.catch(() => source.trigger("git_poll"));
  expect(source.status().revision).toBe(`main@sha1:${commit}`);
  expect(bench.fixture.retries).not.toEqual([]);
  expect([...during]).toEqual([`one×${FILES} of 1`]);
  const seen = await reader.stop();
  expect([...seen].sort()).toEqual([`one×${FILES} of 1`, `two×${FILES} of 1`]);
  expect(reader.reads).toBeGreaterThan(2);
}, 300_000);

test("5,000 files switch at once also when the process is killed in between, and the next one completes it", async () => {
  await bench.reset();
  const repository = await bench.server.createRepository();
  await repository.push(generation("one"));
  const task: TakeOnce = {
    databaseUrl: bench.fixture.database.url,
    fabricId: bench.fabricId(),
    url: repository.httpsUrl,
    ca: bench.server.https.ca,
    cacheDirectory: await mkdtemp(join(bench.cache, "own-")),
    rules: RULES,
  };
  expect(await revisionOf(takeOnce(task))).toMatch(/^main@sha1:/);

  const commit = await repository.push(generation("two"));
  const reader = new Reader(task.databaseUrl, task.fabricId);
  await waitFor("the first read", () => reader.reads > 0);
  const first = takeOnce(task);
  const ended = once(first, "close");
  await inTheMiddle();
  first.kill("SIGKILL");
  await ended;
  expect([...reader.seen]).toEqual([`one×${FILES} of 1`]);
  expect(await revisionOf(takeOnce(task))).toBe(`main@sha1:${commit}`);
  expect([...(await reader.stop())].sort()).toEqual([`one×${FILES} of 1`, `two×${FILES} of 1`]);
}, 300_000);

function takeOnce(task: TakeOnce): ChildProcess {
  const program = join(import.meta.dirname, "take-once.ts");
  return spawn(process.execPath, [program, JSON.stringify(task)], { stdio: ["ignore", "pipe", "inherit"] });
}

/** What it printed when it ended well. */
async function revisionOf(child: ChildProcess): Promise<string> {
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  const [code] = (await once(child, "close")) as [number | null];
  expect(code).toBe(0);
  return output.split(" ")[0] ?? "";
}
