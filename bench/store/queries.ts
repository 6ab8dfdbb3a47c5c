import pg from "pg";
import type { Store } from "../../src/store/store.ts";

/** The questions people ask of a large table, each with values that the rows have. */
const QUESTIONS: Readonly<Record<string, { text: string; value: (turn: number) => unknown[] }>> = {
  "by label": {
    text: "SELECT kind, namespace, name, drift_status FROM fabric_sync.resource WHERE fabric_id = $1 AND labels @> $2 LIMIT 100",
    value: (turn) => [JSON.stringify({ serial: `s-${turn * 37}` })],
  },
  "by a label of 250 objects": {
    text: "SELECT kind, namespace, name, drift_status FROM fabric_sync.resource WHERE fabric_id = $1 AND labels @> $2 LIMIT 100",
    value: (turn) => [JSON.stringify({ team: `team-${turn % 2_000}` })],
  },
  "by owner": {
    text: `SELECT kind, namespace, name, drift_status FROM fabric_sync.resource
            WHERE fabric_id = $1 AND relationship_metadata ? 'owners' AND relationship_metadata @> $2 LIMIT 100`,
    value: (turn) => [JSON.stringify({ owners: [{ uid: `u-${turn * 41}` }] })],
  },
  "by name prefix": {
    text: "SELECT kind, namespace, name FROM fabric_sync.resource WHERE fabric_id = $1 AND name LIKE $2 ORDER BY name LIMIT 100",
    value: (turn) => [`leaf-${String(turn * 13).padStart(5, "0")}%`],
  },
  "by kind and drift": {
    text: `SELECT namespace, name, drift_severity, drift_since FROM fabric_sync.resource
            WHERE fabric_id = $1 AND kind = $2 AND drift_status = 'drifted' LIMIT 100`,
    value: (turn) => [`Kind${turn % 20}`],
  },
  "by state": {
    text: "SELECT kind, namespace, name FROM fabric_sync.resource WHERE fabric_id = $1 AND resource_state = $2 LIMIT 100",
    value: (turn) => [["drifted", "orphaned", "committed", "terminating"][turn % 4]],
  },
};

/** Turns a question; the p95 of 200 is its eleventh slowest. */
const TURNS = 200;

/** Fills the table with `count` rows over 20 kinds: 1 in 50 drifted, 1 in 100 orphaned. */
export async function fillResources(pool: pg.Pool, fabricId: string, count: number): Promise<void> {
  for (let first = 1; first <= count; first += SLICE)
    await fillSlice(pool, fabricId, first, Math.min(count, first + SLICE - 1));
  // Over a connection without time-outs: a slow disk takes its time.
  const client = new pg.Client({ ...pool.options, query_timeout: 0 });
  await client.connect();
  try {
    await client.query("VACUUM ANALYZE fabric_sync.resource");
  } finally {
    await client.end();
  }
}

/** Rows a statement, well within the pool's time for an answer. */
const SLICE = 20_000;

async function fillSlice(pool: pg.Pool, fabricId: string, first: number, last: number): Promise<void> {
  await pool.query(
    `INSERT INTO fabric_sync.resource
       (fabric_id, api_group, api_version, kind, namespace, name, labels, relationship_metadata, actual_spec, actual_hash, resource_state, drift_status)
     SELECT $1, 'wiring.githedgehog.com', 'wiring.githedgehog.com/v1beta1', 'Kind' || n % 20, 'ns-' || n % 10,
            'leaf-' || lpad(n::text, 7, '0'),
            jsonb_build_object('team', 'team-' || n % 2000, 'serial', 's-' || n, 'rack', 'rack-' || n % 500),
            CASE WHEN n % 2 = 0 THEN jsonb_build_object('owners', jsonb_build_array(jsonb_build_object('uid', 'u-' || n % 20000))) ELSE '{}' END,
            jsonb_build_object('role', 'server-leaf', 'asn', n, 'description', repeat('port of a switch ', 20)),
            repeat('a', 64),
            CASE WHEN n % 50 = 0 THEN 'drifted' WHEN n % 100 = 1 THEN 'orphaned' WHEN n % 1000 = 3 THEN 'terminating'
                 WHEN n % 1000 = 7 THEN 'committed' ELSE 'synced' END,
            CASE WHEN n % 50 = 0 THEN 'drifted' WHEN n % 100 = 1 THEN 'extra' ELSE 'in_sync' END
       FROM generate_series($2::int, $3::int) AS n`,
    [fabricId, first, last],
  );
}

/** Milliseconds at the 95th percentile of each question, measured at the client. */
export async function askQuestions(pool: pg.Pool, fabricId: string): Promise<Record<string, number>> {
  const slowest: Record<string, number> = {};
  for (const [name, { text, value }] of Object.entries(QUESTIONS)) {
    const times: number[] = [];
    for (let turn = 0; turn < TURNS; turn += 1) {
      const started = performance.now();
      await pool.query(text, [fabricId, ...value(turn)]);
      times.push(performance.now() - started);
    }
    slowest[name] = times.sort((a, b) => a - b)[Math.floor(TURNS * 0.95)] ?? Number.NaN;
  }
  return slowest;
}

/** Median milliseconds of counting a fabric by state, drift and side. */
export async function timeCounts(store: Store, fabricId: string): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < 15; turn += 1) {
    const started = performance.now();
    await store.counts(fabricId);
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[7] ?? Number.NaN;
}
