import { setTimeout as delay } from "node:timers/promises";
import { withClient } from "../../test/support/postgres.ts";
import { waitFor } from "../../test/support/wait.ts";
import { added, churn } from "./churn.ts";
import { between, profile } from "./cpu.ts";
import { GROUP } from "./objects.ts";
import { held, percentile, table } from "./report.ts";
import type { Section } from "./report.ts";
import type { Rig } from "./rig.ts";
import { watched } from "./standing.ts";

const ms = (value: number): string => `${value.toFixed(1)} ms`;
/** As `Rig.objects` makes them: one after the other of the kinds. */
const targetsOf = (objects: number, kinds: number) =>
  Array.from({ length: objects }, (_, index) => ({ kind: index % kinds, index }));

/** From the moment in which a bare watcher has a change parsed to the commit of its row and event. */
export async function latency(rig: Rig, kinds: number, objects: number, seconds: number): Promise<Section> {
  return watched(rig, kinds, async ({ databaseUrl, operator }) => {
    const before = rig.meter(operator.process.pid);
    const begun = Date.now();
    const run = await churn(rig, { databaseUrl, targets: targetsOf(objects, kinds), perSecond: 100, seconds });
    const spent = between(before, rig.meter(operator.process.pid));
    const took = { count: run.changes.length, unit: "a change", ms: Date.now() - begun };
    const commits = await commitTimes(databaseUrl);
    const late = run.changes.map(added);
    const [p50, p99] = [percentile(late, 0.5), percentile(late, 0.99)];
    const rows = [
      ["p50 at most 3 ms", ms(p50), held(p50 <= 3)],
      ["p99 at most 30 ms", ms(p99), held(p99 <= 30)],
    ];
    const text = `${run.changes.length} changes over ${seconds} s, ${run.madePerSecond.toFixed(0)} a second, on ${kinds} kinds.\n\n`;
    const bound = `A transaction of one row by a client that does nothing else, on the same server afterwards: p50 ${ms(percentile(commits, 0.5))}, p99 ${ms(percentile(commits, 0.99))}, most of which is the disk. A change takes one that reads, locks, writes and tells.`;
    const parts = [table(["goal", "measured", "held"], rows), profile(spent, took), bound];
    return { title: "Latency added to a bare watch", text: text + parts.join("\n\n") };
  });
}

/** Enough for a p99 (times), and apart as changes are at 100 a second (ms). */
const COMMITS = 300;
const APART_MS = 10;

/** How long a bare client waits for a transaction of one row. */
async function commitTimes(databaseUrl: string): Promise<number[]> {
  return withClient(databaseUrl, async (sql) => {
    await sql.query("CREATE TABLE public.bench_commit (id integer, said text)");
    const times: number[] = [];
    for (let id = 0; id < COMMITS; id++) {
      const begun = performance.now();
      await sql.query("INSERT INTO public.bench_commit VALUES ($1, $2)", [id, "x".repeat(1_000)]);
      times.push(performance.now() - begun);
      await delay(APART_MS);
    }
    return times;
  });
}

/** As many changes as the API server takes, on objects that are changed again and again. */
export async function rate(rig: Rig, kinds: number, objects: number, seconds: number): Promise<Section> {
  return watched(rig, kinds, async ({ databaseUrl, operator }) => {
    const before = rig.meter(operator.process.pid);
    const begun = Date.now();
    const run = await churn(rig, { databaseUrl, targets: targetsOf(objects, kinds), perSecond: 0, seconds });
    const spent = between(before, rig.meter(operator.process.pid));
    const took = { count: run.changes.length, unit: "a change", ms: Date.now() - begun };
    const third = Math.floor(run.changes.length / 3);
    const [early, late] = [run.changes.slice(0, third), run.changes.slice(-third)].map((part) =>
      percentile(part.map(added), 0.5),
    );
    const last = run.changes.at(-1);
    const end = last === undefined ? NaN : Math.max(...run.changes.map(({ committedAt }) => committedAt)) - last.seenAt;
    const grows = (late ?? 0) > 2 * (early ?? 0) + 50;
    const rows = [
      ["changes that the API server took, a second", run.madePerSecond.toFixed(0)],
      ["changes that a bare watcher saw", run.changes.length + run.folded],
      ["of them in history", run.changes.length],
      ["folded into a newer change of the same object, before they were written", run.folded],
      ["added latency, p50 of the first third", ms(early ?? NaN)],
      ["added latency, p50 of the last third", ms(late ?? NaN)],
      ["the last row after the last change was seen", ms(end)],
    ];
    const told = grows
      ? "the lag grows: the table does not keep up"
      : "the lag does not grow: what bounds the rate is the API server";
    const goal = [
      ["2,000 changes a second, or the API server's limit", told, held(!grows || run.madePerSecond >= 2_000)],
    ];
    const text = [
      table(["what", "measured"], rows),
      table(["goal", "measured", "held"], goal),
      profile(spent, took),
    ].join("\n\n");
    return { title: "Sustained changes a second", text };
  });
}

const READ = `SELECT scope FROM fabric_sync.cursor WHERE scope LIKE '%/thing0s' AND complete_at IS NOT NULL`;

/** Changes of one kind while another one, of many objects, is read for the first time, against the same changes afterwards. */
export async function fairness(rig: Rig, flood: number, bytes: number, seconds: number): Promise<Section> {
  const quiet = { targets: targetsOf(40, 2).filter(({ kind }) => kind === 1), perSecond: 20, seconds };
  // Object i is of kind i mod kinds: twenty of kind 1 among forty of both, and the flood is of kind 0 alone.
  await rig.objects(0, 40, 2, bytes);
  await rig.objects(40, 40 + flood, 1, bytes);
  const database = await rig.database();
  const operator = await rig.operator(database.url);
  const during = await churn(rig, { ...quiet, databaseUrl: database.url });
  const isRead = async (): Promise<boolean> =>
    !operator.process.running() || (await rig.query(database.url, READ)).rows.length > 0;
  await waitFor("the large kind to be read", isRead, {
    timeoutMs: 900_000,
    intervalMs: 250,
  });
  if (!operator.process.running()) throw new Error(`the operator ended:\n${await operator.process.logTail()}`);
  // The same on the same machine with nothing else to do: what is left of the difference is what the large kind costs.
  const after = await churn(rig, { ...quiet, databaseUrl: database.url });
  // From the end of the small kind's own list to the end of the large one's.
  const edge = async (of: "min" | "max", kind: string): Promise<number> => {
    const text = `SELECT extract(epoch FROM ${of}(pg_xact_commit_timestamp(xmin)))::float * 1000 AS at
        FROM fabric_sync.resource_event WHERE kind = '${kind}'`;
    return (await rig.query<{ at: number }>(database.url, text)).rows[0]?.at ?? 0;
  };
  const [listed, loaded] = [await edge("min", "Thing1"), await edge("max", "Thing0")];
  const busy = during.changes.filter(({ seenAt }) => seenAt > listed && seenAt < loaded).map(added);
  const calm = after.changes.map(added);
  await operator.process.stop("SIGTERM");
  await database.drop();
  const [busyP95, calmP95] = [percentile(busy, 0.95), percentile(calm, 0.95)];
  const delay = busyP95 - calmP95;
  const text = table(
    ["changes of a small kind", "count", "p50", "p95", "largest"],
    [
      [
        `while ${flood} objects of another kind are listed`,
        busy.length,
        ms(percentile(busy, 0.5)),
        ms(busyP95),
        ms(Math.max(...busy)),
      ],
      ["afterwards", calm.length, ms(percentile(calm, 0.5)), ms(calmP95), ms(Math.max(...calm))],
    ],
  );
  const goal = table(
    ["goal", "measured", "held"],
    [["a delay of at most 250 ms at p95", ms(delay), held(delay <= 250)]],
  );
  return { title: `Fairness: ${GROUP} with one large kind`, text: `${text}\n\n${goal}` };
}
