/**
 * Measures the writer beside its baselines, all on one PostgreSQL in one run, and writes `bench/reports/store.md`.
 *
 *   node bench/store/main.ts [--objects 20000] [--seconds 30] [--rows 500000] [--database-url URL]
 *
 * Without `--database-url` it starts the PostgreSQL that the tests use, with durability on (fsync, synchronous_commit,
 * full_page_writes).
 */
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { migrate } from "../../src/store/migrate.ts";
import { createPool } from "../../src/store/pool.ts";
import { createStore } from "../../src/store/store.ts";
import { givenPostgres, startPostgres } from "../../test/support/postgres.ts";
import { contend } from "./contention.ts";
import { askQuestions, fillResources } from "./queries.ts";
import { copyRates, drizzleRates, eventBytes, ourRates, type Rates } from "./rates.ts";
import { renderReport, type Measurement } from "./report.ts";
import { secondPass } from "./second-pass.ts";
import { manifest } from "./workload.ts";

const { values: options } = parseArgs({
  options: {
    objects: { type: "string", default: "20000" },
    seconds: { type: "string", default: "30" },
    rows: { type: "string", default: "500000" },
    "database-url": { type: "string" },
  },
});
const objects = Number(options.objects);

const server =
  options["database-url"] === undefined
    ? await startPostgres({
        settings: {
          fsync: "on",
          synchronous_commit: "on",
          full_page_writes: "on",
          shared_buffers: "512MB",
          max_wal_size: "4GB",
        },
      })
    : givenPostgres(options["database-url"]);
const database = await server.createDatabase();
const pool = createPool({
  connection: { connectionString: database.url },
  onConnectionError: (error) => console.error(error.message),
});
try {
  await migrate(database.url);
  const store = createStore(pool);
  const fabric = async (name: string): Promise<string> =>
    (await store.registerFabric({ namespace: "baseline", name, uid: name })).id;
  const say = (text: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);
  const shown = async (name: string, measuring: Promise<Rates>): Promise<Rates> => {
    const rates = await measuring;
    say(`${name}: ${Math.round(rates.inserts)} new/s, ${Math.round(rates.updates)} changed/s`);
    return rates;
  };

  say(`objects of ${JSON.stringify(manifest(7, 0, 7)).length} bytes, ${objects} a measurement`);
  // The first batches pay for the compiler and for empty caches; nobody's measurement shall.
  await ourRates(store, 1_000, 1, "warm-up");
  await drizzleRates(pool, 1_000, await fabric("warm-up-drizzle"));
  const measurement: Measurement = {
    objects,
    processor: `${cpus().length} × ${cpus()[0]?.model ?? "?"}`,
    server: (await pool.query<{ version: string }>("SELECT version()")).rows[0]?.version ?? "?",
    ours: await shown("ours, one writer", ourRates(store, objects, 1, "ours-1")),
    oursTwo: await shown("ours, two writers", ourRates(store, objects, 2, "ours-2")),
    drizzle: await shown("drizzle upsert", drizzleRates(pool, objects, await fabric("drizzle"))),
    copy: await shown("COPY and merge", copyRates(pool, objects, await fabric("copy"))),
    history: await eventBytes(pool),
    second: await secondPass(pool, store, objects),
    contention: await contend(pool, Number(options.seconds)),
    rows: Number(options.rows),
    queries: await (async () => {
      const id = await fabric("queries");
      await fillResources(pool, id, Number(options.rows));
      return askQuestions(pool, id);
    })(),
  };
  const command = `node bench/store/main.ts ${process.argv.slice(2).join(" ")}`.trim();
  const report = renderReport(measurement, command);
  console.log(`\n${report}`);
  const directory = join(import.meta.dirname, "../reports");
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "store.md"), report);
} finally {
  await pool.end();
  await database.drop();
  await server.stop();
}
