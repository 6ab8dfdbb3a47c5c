import { leastWithout, profile } from "./cpu.ts";
import { loadOnce, startAgain } from "./loading.ts";
import type { Loading } from "./loading.ts";
import { allOf, GROUP } from "./objects.ts";
import { held, median, seconds, table } from "./report.ts";
import type { Section } from "./report.ts";
import type { Rig } from "./rig.ts";

interface Told {
  readonly seconds: number;
  readonly rssMiB: number;
}

/** Empty table to last row, beside a client that only reads and beside what people write today, in turn in each round. */
export async function initialLoad(rig: Rig, objects: number, kinds: number, rounds: number): Promise<Section> {
  const bare: Told[] = [];
  const informers = { awaited: [] as Told[], pooled: [] as Told[] };
  const loads: Loading[] = [];
  const again: Awaited<ReturnType<typeof startAgain>>[] = [];
  const paths = Array.from({ length: kinds }, (_, kind) => allOf(kind));
  for (let round = 0; round < rounds; round++) {
    bare.push(await rig.program("bare", [rig.plane.url, rig.caFile, rig.plane.adminToken, "http2", ...paths]));
    for (const [list, connections] of [
      [informers.awaited, 1],
      [informers.pooled, 10],
    ] as const) {
      const database = await rig.database();
      const args = [rig.plane.adminKubeconfig.path, database.url, GROUP, kinds, objects, connections].map(String);
      list.push(await rig.program("informer", args));
      await database.drop();
    }
    const database = await rig.database();
    loads.push(await loadOnce(rig, database.url, kinds));
    again.push(await startAgain(rig, database.url));
    await database.drop();
  }
  const of = (list: readonly Told[]) => ({
    ms: median(list.map((one) => one.seconds)) * 1_000,
    rss: Math.max(...list.map((one) => one.rssMiB)),
  });
  const [base, awaited, pooled] = [of(bare), of(informers.awaited), of(informers.pooled)];
  const ms = median(loads.map((one) => one.ms));
  const first = median(loads.map((one) => one.firstRowMs));
  const rss = Math.max(...loads.map((one) => one.peakRssMiB));
  const restart = { ms: median(again.map((one) => one.ms)), rss: Math.max(...again.map((one) => one.peakRssMiB)) };
  const writes = Math.max(...again.map((one) => one.writes));
  const row = (what: string, time: number, memory: number): string[] => [
    what,
    seconds(time),
    memory.toFixed(0),
    (time / base.ms).toFixed(2),
  ];
  const middle = loads.toSorted((a, b) => a.ms - b.ms)[loads.length >> 1];
  const text = [
    table(
      ["what", "seconds", "peak RSS MiB", "ratio to bare"],
      [
        row("bare WatchList client over HTTP/2: parses and counts", base.ms, base.rss),
        row("client-node's informer, one upsert a row, one after the other, no history", awaited.ms, awaited.rss),
        row("the same, ten upserts at once, nobody waits for them", pooled.ms, pooled.rss),
        row("the operator: start of the process to last row, with history", ms, rss),
        row("the operator started again, nothing changed, until ready", restart.ms, restart.rss),
      ],
    ),
    table(
      ["goal", "measured", "held"],
      [
        ["at most 1.4 × a bare WatchList client", (ms / base.ms).toFixed(2), held(ms <= 1.4 * base.ms)],
        ["at most 1/5 of informer and upsert a row", (ms / awaited.ms).toFixed(2), held(ms <= awaited.ms / 5)],
        ["first row within 1 s", seconds(first), held(first <= 1_000)],
        ["peak RSS at most 150 MiB", rss.toFixed(0), held(rss <= 150)],
        [
          "restart within 2 s, 0 rows written",
          `${seconds(restart.ms)} s, ${writes}`,
          held(restart.ms <= 2_000 && writes === 0),
        ],
      ],
    ),
    table(
      ["from the start of the process", "ms"],
      (middle?.timeline ?? []).map(({ what, ms: at }) => [what, at.toFixed(0)]),
    ),
    ...(middle === undefined ? [] : [profile(middle.spent, { count: middle.rows, unit: "an object", ms: middle.ms })]),
    ...(middle === undefined ? [] : [boundText(middle, base.ms, awaited.ms)]),
    `Median of ${rounds} rounds, largest RSS. PostgreSQL as it is delivered: a commit waits for the disk. Rows ${middle?.rows}, events ${middle?.events}.`,
  ].join("\n\n");
  return { title: `Initial load: ${objects} objects of ${kinds} kinds`, text };
}

/** What a reader of a missed goal asks: would a faster operator have held it? */
function boundText({ ms, spent }: Loading, bareMs: number, informerMs: number): string {
  const least = leastWithout(spent);
  const ratio = (of: number): string => (least / of).toFixed(2);
  return (
    `An operator that took no CPU at all would need ${seconds(least)} s on this machine, which is what the others take of its cores: ` +
    `${ratio(bareMs)} of the bare client, ${ratio(informerMs)} of the informer. ${seconds(ms)} s were needed.`
  );
}

/** The same streams over one HTTP/2 connection and over a connection each. */
export async function protocols(rig: Rig, kinds: number, rounds: number): Promise<Section> {
  const paths = Array.from({ length: kinds }, (_, kind) => allOf(kind));
  const told: Record<string, Told[]> = { http1: [], http2: [] };
  for (let round = 0; round < rounds; round++) {
    for (const [protocol, list] of Object.entries(told)) {
      list.push(await rig.program("bare", [rig.plane.url, rig.caFile, rig.plane.adminToken, protocol, ...paths]));
    }
  }
  const rows = Object.entries(told).map(([protocol, list]) => [
    protocol === "http1" ? "HTTP/1.1, a connection a stream" : "HTTP/2, one connection",
    median(list.map((one) => one.seconds)).toFixed(2),
    Math.max(...list.map((one) => one.rssMiB)),
  ]);
  return {
    title: "HTTP/2 and HTTP/1.1",
    text: `A bare WatchList client over undici, ${kinds} kinds, median of ${rounds} rounds.\n\n${table(["protocol", "seconds", "peak RSS MiB"], rows)}`,
  };
}
