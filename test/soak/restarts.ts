import { waitFor } from "../support/wait.ts";
import type { Rig } from "./rig.ts";

/** Changes between two lives of the operator: enough that objects came, changed and went. */
const CHANGES = 200;
const SETTLE_MS = 30_000;

export interface RestartRound {
  /** Streams that began with a list, and those that were resumed. */
  readonly lists: number;
  readonly watches: number;
  /** Events of history since the end of the life before, by `type trigger`, with how often each reason was told. */
  readonly events: Readonly<Record<string, number>>;
  readonly reasons: readonly string[];
  /** Tables in which a row was written, or locked. */
  readonly written: readonly string[];
}

/** Objects come, change and go until there were enough of it. */
export async function changeMuch(rig: Rig, seed: number): Promise<void> {
  const load = rig.load(200, seed);
  load.start();
  await load.reached(CHANGES, 60_000);
  await load.stop();
  if (load.errors.length > 0) throw new Error(`the load failed: ${load.errors[0]}`);
}

/**
 * The operator ends as a rollout ends it; `meanwhile` happens; then another one begins, and the table must be the cluster again.
 * @throws Error when it is not, or the history broke.
 */
export async function restartRound(rig: Rig, meanwhile: () => Promise<void>): Promise<RestartRound> {
  await rig.check(SETTLE_MS);
  // What follows from the rows is judged after they are there.
  await waitFor("Ready", async () => (await rig.condition("Ready")).startsWith("True"), { timeoutMs: SETTLE_MS });
  await rig.operator().process.stop("SIGTERM");
  const before = await fingerprints(rig);
  const [last] = await rig.sql<{ seq: string }>(
    "SELECT coalesce(max(seq), 0)::text AS seq FROM fabric_sync.resource_event",
  );
  await meanwhile();
  await rig.start();
  await rig.operator().ready(60_000);
  const { streams, findings, unchecked } = await rig.check(SETTLE_MS);
  const operator = rig.operator();
  await waitFor("all streams to watch", async () => {
    return (await operator.metric("fabric_sync_streams", { state: "watching" })) === streams;
  });
  const broken = await rig.brokenHistory();
  if (findings.length > 0 || unchecked.length > 0 || broken.length > 0) {
    throw new Error(
      `${findings.length} rows wrong, such as ${JSON.stringify(findings[0] ?? null)}; ${unchecked.length} not compared; ${broken.join("; ")}`,
    );
  }
  const starts = (mode: string) => operator.metric("fabric_sync_stream_starts_total", { mode });
  const told = await rig.sql<{ event: string; reason: string; times: number }>(
    `SELECT event_type || ' ' || trigger AS event, reason, count(*)::int AS times
       FROM fabric_sync.resource_event WHERE seq > ${last?.seq ?? 0} GROUP BY 1, 2`,
  );
  const events: Record<string, number> = {};
  for (const { event, times } of told) events[event] = (events[event] ?? 0) + times;
  const after = await fingerprints(rig);
  return {
    lists: (await starts("watchlist")) + (await starts("list")),
    watches: await starts("watch"),
    events,
    reasons: [...new Set(told.map(({ reason }) => reason))],
    written: [...after].filter(([table, text]) => before.get(table) !== text).map(([table]) => table),
  };
}

/**
 * Each table's rows by place and version: any write or lock of any row changes it. Without the Fabric's own row, in which each life notes
 * its fence, and the cursors, which a bookmark moves at any time.
 */
async function fingerprints(rig: Rig): Promise<Map<string, string>> {
  const tables = await rig.sql<{ name: string }>(
    `SELECT oid::regclass::text AS name FROM pg_class
      WHERE relnamespace = 'fabric_sync'::regnamespace AND relkind = 'r' AND relname NOT IN ('fabric', 'cursor')`,
  );
  const found = new Map<string, string>();
  for (const { name } of tables) {
    const [rows] = await rig.sql<{ text: string }>(
      `SELECT coalesce(md5(string_agg(concat_ws(' ', ctid, xmin, xmax), ',' ORDER BY ctid)), '') AS text FROM ${name}`,
    );
    found.set(name, rows?.text ?? "");
  }
  return found;
}
