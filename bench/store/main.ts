/**
 * Measures the writer beside its baselines, all on one PostgreSQL in one run, and writes `bench/reports/store.md`.
 *
 *   node bench/store/main.ts [--objects 10000] [--rounds 5] [--seconds 30] [--rows 500000] [--database-url URL | --postgres BIN_DIRECTORY]
 *
 * Without `--database-url` it starts a PostgreSQL, that of the tests or the one of `--postgres`, with durability on (fsync, synchronous_commit,
 * full_page_writes). A rate is the median of the rounds; in each round every contender has its turn, after a pass that warms up.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import pg from "pg";
import { migrate } from "../../src/store/migrate.ts";
import { createPool } from "../../src/store/pool.ts";
import { createStore } from "../../src/store/store.ts";
import { givenPostgres, startPostgres } from "../../test/support/postgres.ts";
import { contend } from "./contention.ts";
import { meterOf } from "./cpu.ts";
import { askQuestions, fillResources, timeCounts } from "./queries.ts";
import { copies, drizzles, eventBytes, medianOf, ours, type Contender, type Rates } from "./rates.ts";
import { renderReport, type Measured } from "./report.ts";
import { secondPass } from "./second-pass.ts";
import { anAgent, aSwitch, plain } from "./workload.ts";

const { values: options } = parseArgs({
  options: {
    objects: { type: "string", default: "10000" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "30" },
    rows: { type: "string", default: "500000" },
    "database-url": { type: "string" },
    postgres: { type: "string" },
  },
});
const objects = Number(options.objects);
/** An Agent is ten times as large as the other objects, and writes two hundred rows. */
const AGENTS_SHARE = 20;
/** Objects of the pass that warms up: the first batches pay for the compiler and for empty caches. */
const WARM_UP = 1_000;

const own =
  options["database-url"] === undefined
    ? await startPostgres({
        settings: {
          fsync: "on",
          synchronous_commit: "on",
          full_page_writes: "on",
          shared_buffers: "512MB",
          max_wal_size: "4GB",
          shared_preload_libraries: "",
        },
        ...(options.postgres === undefined ? {} : { binDirectory: options.postgres }),
      })
    : null;
const server = own ?? givenPostgres(options["database-url"] ?? "");
const database = await server.createDatabase();
const pool = createPool({
  connection: { connectionString: database.url },
  onConnectionError: (error) => console.error(error.message),
});
/** For COPY, which pg takes no part of where statements are sent before the answer to others. */
const plainPool = new pg.Pool({ connectionString: database.url });
const say = (text: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);
const scalar = async <T>(text: string): Promise<T | undefined> =>
  (await pool.query<{ value: T }>(`SELECT ${text} AS value`)).rows[0]?.value;
try {
  await migrate(database.url);
  const store = createStore(pool);
  const meter = meterOf(own?.pid ?? null);
  const contenders: readonly Contender[] = [
    { name: "ours, one writer", measure: ours(store, meter, 1, plain) },
    { name: "ours, two writers (a fabric's)", measure: ours(store, meter, 2, plain) },
    { name: "ours, four writers (two fabrics')", measure: ours(store, meter, 4, plain) },
    { name: "drizzle's batch upsert, no history", measure: drizzles(pool, store, meter) },
    { name: "COPY and merge, no history", measure: copies(plainPool, store, meter) },
    {
      name: "ours, two writers, objects that Git declares too",
      measure: ours(store, meter, 2, plain, { declared: true }),
    },
    { name: "ours, two writers, switches: a device each", measure: ours(store, meter, 2, aSwitch) },
    {
      name: "ours, two writers, agents: 64 ports each",
      measure: (count, uid) => ours(store, meter, 2, anAgent, { batch: 50 })(Math.ceil(count / AGENTS_SHARE), uid),
    },
  ];
  for (const { name, measure } of contenders) await measure(Math.min(objects, WARM_UP), `warm-up ${name}`);
  const rounds = contenders.map((): Rates[] => []);
  for (let round = 0; round < Number(options.rounds); round += 1) {
    await pool.query("CHECKPOINT");
    for (const turn of contenders.keys()) {
      // Another one begins each time.
      const index = (turn + round) % contenders.length;
      const contender = contenders[index];
      if (contender === undefined) continue;
      const rates = await contender.measure(objects, `${contender.name} ${round}`);
      rounds[index]?.push(rates);
      say(`${contender.name}: ${Math.round(rates.inserts)} new/s, ${Math.round(rates.updates)} changed/s`);
    }
  }
  const measured: Measured = {
    objects,
    rounds: Number(options.rounds),
    processor: `${cpus().length} × ${cpus()[0]?.model ?? "?"}`,
    server: (await scalar<string>("version()")) ?? "?",
    compression:
      (await scalar<string>(
        "(SELECT CASE WHEN 'lz4' = ANY (enumvals) THEN 'lz4' ELSE 'pglz' END FROM pg_settings WHERE name = 'default_toast_compression')",
      )) ?? "?",
    rates: contenders.map(({ name }, index) => [name, medianOf(rounds[index] ?? [])]),
    history: await eventBytes(pool),
    second: await secondPass(pool, store, objects * 2),
    contention: await contend(pool, Number(options.seconds)),
    ...(await questions(Number(options.rows))),
  };
  const command = `node bench/store/main.ts ${process.argv.slice(2).join(" ")}`.trim();
  const report = renderReport(measured, command);
  console.log(`\n${report}`);
  const directory = join(import.meta.dirname, "../reports");
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "store.md"), report);

  async function questions(rows: number): Promise<Pick<Measured, "rows" | "queries" | "counting">> {
    const { id } = await store.registerFabric({ namespace: "bench", name: "queries", uid: "queries" });
    await fillResources(pool, id, rows);
    return { rows, queries: await askQuestions(pool, id), counting: await timeCounts(store, id) };
  }
} finally {
  await Promise.all([pool.end(), plainPool.end()]);
  await database.drop();
  await server.stop();
}
