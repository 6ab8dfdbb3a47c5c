/**
 * Measures projections and the questions over them on one PostgreSQL in one run, and writes `bench/reports/topology.md`.
 *
 *   node bench/topology/main.ts [--switches 200] [--devices 1000] [--flaps 100] [--refusals 500] [--macs 2000]
 */
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { PoolClient } from "pg";
import type { JsonObject } from "../../src/core/json.ts";
import type { Observation } from "../../src/core/observation.ts";
import type { Topology } from "../../src/core/ports.ts";
import { migrate } from "../../src/store/migrate.ts";
import { createPool } from "../../src/store/pool.ts";
import { createStore } from "../../src/store/store.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import { agent, collected, connections, observed, PORTS, profile, wiring } from "./fabric.ts";
import { measureForwarding } from "./forwarding.ts";
import { byQueries } from "./row-by-row.ts";

const { values: options } = parseArgs({
  options: {
    switches: { type: "string", default: "200" },
    devices: { type: "string", default: "1000" },
    flaps: { type: "string", default: "100" },
    refusals: { type: "string", default: "500" },
    macs: { type: "string", default: "2000" },
  },
});
const [switches, devices, flaps, refusals, macs] = [
  options.switches,
  options.devices,
  options.flaps,
  options.refusals,
  options.macs,
].map(Number) as [number, number, number, number, number];
/** Observations a batch: what the pump would take at once. */
const BATCH = 50;
/** Ports of a switch in the large fabric: 1,000 × 40 ends are 20,000 links. */
const LARGE_PORTS = 40;

const POLICY = { driftMode: "local", reportExtra: true, direction: "observe", ignore: [], hasGit: false } as const;
const server = await startPostgres({
  settings: {
    fsync: "on",
    synchronous_commit: "on",
    full_page_writes: "on",
    shared_buffers: "512MB",
    max_wal_size: "4GB",
  },
});
const database = await server.createDatabase();
const pool = createPool({
  connection: { connectionString: database.url },
  onConnectionError: (error) => console.error(error.message),
});
let statements = 0;
const connect = pool.connect.bind(pool) as (...args: unknown[]) => unknown;
// Statements of transactions alone: a query of the pool itself connects with a callback.
pool.connect = ((...args: unknown[]) => (args.length > 0 ? connect(...args) : countedClient())) as typeof pool.connect;
async function countedClient(): Promise<PoolClient> {
  const client = (await connect()) as PoolClient;
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  const release = client.release.bind(client);
  client.query = ((...args: unknown[]) => {
    statements += 1;
    return query(...args);
  }) as typeof client.query;
  client.release = (error) => {
    client.query = query as typeof client.query;
    release(error);
  };
  return client;
}

const range = (count: number): number[] => [...Array(count).keys()];
const rows: string[] = [];
const tell = (what: string, measured: string, goal: string, held: boolean): void => {
  rows.push(`| ${what} | ${measured} | ${goal} | ${held ? "yes" : "**no**"} |`);
  console.log(`${what}: ${measured} (${goal}: ${held ? "held" : "NOT held"})`);
};
const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};
const p95 = (figures: readonly number[]): number =>
  figures.toSorted((a, b) => a - b)[Math.ceil(figures.length * 0.95) - 1] ?? 0;

try {
  await migrate(database.url);
  const store = createStore(pool);
  const fabricOf = async (name: string) => {
    const { id } = await store.registerFabric({ namespace: "bench", name, uid: name });
    const fence = await store.acquireFence(id, "bench");
    const apply = (observations: readonly Observation[]) =>
      store.apply({ fence, policy: POLICY, observations, cursors: [] });
    const load = async (objects: readonly JsonObject[], version: number): Promise<void> => {
      for (let from = 0; from < objects.length; from += BATCH) {
        await apply(objects.slice(from, from + BATCH).map((object) => observed(object, id, version)));
      }
    };
    return { id, apply, load };
  };

  const main = await fabricOf("main");
  await main.load(
    [profile(), ...range(switches).flatMap((index) => [wiring(index), ...connections(index, switches, PORTS)])],
    1,
  );
  const agents = range(switches).map((index) => agent(index, switches, PORTS));
  const before = statements;
  const first = await timed(() => main.load(agents, 1));
  const perBatch = (statements - before) / Math.ceil(switches / BATCH);
  const count = async (table: string): Promise<number> =>
    (
      await pool.query<{ n: number }>(`SELECT count(*)::integer AS n FROM fabric_sync.${table} WHERE fabric_id = $1`, [
        main.id,
      ])
    ).rows[0]?.n ?? 0;
  const [interfaces, neighbors] = [await count("device_interface"), await count("device_neighbor")];
  tell(
    `${switches} switches × ${PORTS} ports (${interfaces} interfaces, ${neighbors} neighbours), rows, history and projections`,
    `${(first / 1_000).toFixed(2)} s`,
    "≤ 5 s",
    first <= 5_000,
  );
  tell("statements a batch, BEGIN, COMMIT and snapshots among them", perBatch.toFixed(1), "≤ 8", perBatch <= 8);
  await pool.query("VACUUM ANALYZE");

  const written = async (): Promise<number> =>
    Number(
      (
        await pool.query<{ n: string }>(
          `SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) AS n FROM pg_stat_user_tables
            WHERE relname ~ '^(device|link|resource_edge|profile_port|vpc_subnet|dhcp_lease)' AND relname <> 'device_snapshot'`,
        )
      ).rows[0]?.n ?? 0,
    );
  const settle = async (): Promise<number> => {
    await Promise.all(range(10).map(() => pool.query("SELECT pg_stat_force_next_flush()")));
    let seen = -1;
    for (;;) {
      const now = await written();
      if (now === seen) return now;
      seen = now;
      await new Promise((resolve) => setTimeout(resolve, 1_200));
    }
  };
  const quiet = await settle();
  await main.apply([observed(agent(7, switches, PORTS, new Set(), 15_000), main.id, 2)]);
  const beat = (await settle()) - quiet;
  tell("projection rows written by a heartbeat", String(beat), "0", beat === 0);

  const verdicts: number[] = [];
  for (const flap of range(flaps)) {
    const index = flap % switches;
    const down = flap % 2 === 0 ? new Set([(flap % PORTS) + 1]) : new Set<number>();
    const seen = observed(agent(index, switches, PORTS, down), main.id, 10 + flap);
    verdicts.push(
      await timed(async () => {
        await main.apply([seen]);
        const device = seen.key.name;
        await pool.query("SELECT verdict FROM fabric_sync.links WHERE fabric_id = $1 AND device_a = $2 AND declared", [
          main.id,
          device,
        ]);
      }),
    );
  }
  tell(
    `interface flap, observation to verdicts read, p95 of ${flaps}`,
    `${p95(verdicts).toFixed(0)} ms`,
    "≤ 100 ms",
    p95(verdicts) <= 100,
  );

  const draw = (): Promise<Topology> => store.readTopology(main.id);
  const map = await draw();
  const drawings: number[] = [];
  for (let count = 0; count < 5; count += 1) drawings.push(await timed(draw));
  const drawn = drawings.toSorted((a, b) => a - b)[2] ?? 0;
  let queries = 0;
  const rowByRow = await timed(async () => (queries = await byQueries(pool, main.id)));
  const matching = map.links.filter(({ verdict }) => verdict === "match").length;
  tell(
    `map of ${map.devices.length} devices and ${map.links.length} links with verdicts (${matching} match), median of 5: ${drawn.toFixed(0)} ms; against ${queries} queries, one a row: ${(rowByRow / 1_000).toFixed(1)} s`,
    `${(rowByRow / drawn).toFixed(0)}×`,
    "≥ 50×",
    rowByRow >= 50 * drawn,
  );

  const large = await fabricOf("large");
  await large.load(
    range(devices).flatMap((index) => connections(index, devices, LARGE_PORTS)),
    1,
  );
  await pool.query("VACUUM ANALYZE");
  const impact = `
    SELECT h.device, count(*) FILTER (WHERE $2 IN (l.device_a, l.device_b)) AS lost, count(*) FILTER (WHERE $2 NOT IN (l.device_a, l.device_b)) AS left_over
      FROM (SELECT device_b AS device FROM fabric_sync.link WHERE fabric_id = $1 AND device_a = $2
            UNION SELECT device_a FROM fabric_sync.link WHERE fabric_id = $1 AND device_b = $2) h
     CROSS JOIN LATERAL (SELECT device_a, device_b FROM fabric_sync.link WHERE fabric_id = $1 AND device_a = h.device
                         UNION ALL SELECT device_a, device_b FROM fabric_sync.link WHERE fabric_id = $1 AND device_b = h.device) l
     GROUP BY h.device`;
  const breaks: number[] = [];
  for (const index of range(50)) {
    breaks.push(await timed(() => pool.query(impact, [large.id, `leaf-${String(index * 7).padStart(4, "0")}`])));
  }
  const cables = (
    await pool.query<{ n: number }>("SELECT count(*)::integer AS n FROM fabric_sync.link WHERE fabric_id = $1", [
      large.id,
    ])
  ).rows[0]?.n;
  tell(
    `what breaks if a device goes, ${devices} devices, ${cables} links, p95`,
    `${p95(breaks).toFixed(1)} ms`,
    "≤ 50 ms",
    p95(breaks) <= 50,
  );

  const forwarding = await fabricOf("forwarding");
  await measureForwarding(
    {
      ...forwarding,
      query: (text, values) => pool.query(text, values),
      readTopology: () => store.readTopology(forwarding.id),
    },
    { switches, macs, flaps },
    { tell, timed, p95 },
  );

  const refusing = await fabricOf("refusing");
  const bad = range(refusals).map((index) => collected(index));
  const refused = await timed(() => refusing.load(bad, 1));
  const [{ letters, children } = { letters: 0, children: 0 }] = (
    await pool.query<{ letters: number; children: number }>(
      `SELECT (SELECT count(DISTINCT (name, part, message)) FROM fabric_sync.resource_dead_letter WHERE fabric_id = $1)::integer AS letters,
              (SELECT count(*) FROM fabric_sync.device_interface WHERE fabric_id = $1)::integer AS children`,
      [refusing.id],
    )
  ).rows;
  tell(
    `${refusals} DeviceStates with one bad child each: reasons named, children stored (${refused.toFixed(0)} ms)`,
    `${letters}, ${children}`,
    `${refusals}, ${refusals * 3}`,
    letters === refusals && children === refusals * 3,
  );
} finally {
  await pool.end();
  await server.stop();
}
const report = [
  "# Topology",
  "",
  `Made by \`node bench/topology/main.ts\` on ${cpus()[0]?.model ?? "?"} × ${cpus().length}, client and server on the same machine, durability on.`,
  "",
  "| what | measured | goal | held |",
  "| --- | --- | --- | --- |",
  ...rows,
  "",
].join("\n");
const reports = join(import.meta.dirname, "../reports");
await mkdir(reports, { recursive: true });
await writeFile(join(reports, "topology.md"), report);
