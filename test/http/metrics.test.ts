import { readFileSync } from "node:fs";
import { Metrics } from "../../src/http/metrics.ts";
import type { FabricReport } from "../../src/http/reports.ts";

const labels = { namespace: "lab", fabric: "one" };
const stream = (kind: string, state: FabricReport["streams"][number]["state"], completeAt: number | null) => ({
  scope: `${kind}/v1`,
  apiGroup: "vpc.githedgehog.com",
  kind,
  plural: `${kind.toLowerCase()}s`,
  state,
  reason: "Watching",
  message: "",
  completeAt,
  lastEventAt: null,
});

function metricsOf(fabrics: readonly FabricReport[] = []): Metrics {
  return new Metrics({
    version: "1.2.3",
    fabrics: () => fabrics,
    loops: () => [{ loop: "lease", withinMs: 1, silentMs: 1_500 }],
  });
}

/** `name{a="b"} value` lines by name and labels; a line that is not of the text format fails. */
async function exposition(metrics: Metrics): Promise<Map<string, number>> {
  const series = new Map<string, number>();
  for (const line of (await metrics.registry.metrics()).split("\n")) {
    if (line === "" || /^# (HELP|TYPE) [a-zA-Z_:][\w:]* .+$/.test(line)) continue;
    const match = /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*",?)*\})? (\S+)$/.exec(line);
    if (!match) throw new Error(`not of the text format: ${line}`);
    series.set(`${match[1]}${match[2] ?? ""}`, Number(match[3]));
  }
  return series;
}

test("what the parts tell becomes series", async () => {
  const metrics = metricsOf();
  const batch = { changed: 2, unchanged: 1, refreshed: 0, stale: 0, deadLettered: 1, durationMs: 12 };
  metrics.batchApplied({ ...labels, source: "git" }, batch);
  metrics.writeRetried(labels, "40001");
  metrics.streamEvents({ ...labels, kind: "VPC", type: "ADDED" }, 40);
  metrics.streamStarted({ ...labels, kind: "VPC", mode: "watchlist" });
  metrics.gitOperation(labels, "fetch", "ok", 250);
  metrics.webhook("accepted");
  const series = await exposition(metrics);
  const fabric = 'namespace="lab",fabric="one"';
  expect(Object.fromEntries(series)).toMatchObject({
    [`fabric_sync_observations_total{${fabric},source="git",outcome="changed"}`]: 2,
    [`fabric_sync_observations_total{${fabric},source="git",outcome="dead_lettered"}`]: 1,
    [`fabric_sync_write_seconds_sum{${fabric},source="git"}`]: 0.012,
    [`fabric_sync_write_retries_total{${fabric},sqlstate="40001"}`]: 1,
    [`fabric_sync_stream_events_total{${fabric},kind="VPC",type="ADDED"}`]: 40,
    [`fabric_sync_stream_starts_total{${fabric},kind="VPC",mode="watchlist"}`]: 1,
    [`fabric_sync_git_seconds_count{${fabric},operation="fetch",result="ok"}`]: 1,
    'fabric_sync_webhooks_total{result="accepted"}': 1,
    'fabric_sync_build_info{version="1.2.3"}': 1,
    'fabric_sync_loop_silent_seconds{loop="lease"}': 1.5,
  });
});

test("the gauges of a Fabric are its facts at the moment of the scrape, and go with it", async () => {
  const fabrics: FabricReport[] = [
    {
      namespace: "lab",
      name: "one",
      conditions: [{ type: "Ready", status: "False", reason: "X", message: "" }],
      streams: [
        stream("VPC", "watching", 5_000),
        stream("VPC", "watching", 4_000),
        stream("Agent", "listing", null),
        stream("Agent", "retrying", 1_000),
        { ...stream("Switch", "watching", null), loss: { foundAt: 8_000, repaired: true } },
        { ...stream("Switch", "watching", null), loss: { foundAt: 7_000, repaired: true } },
      ],
      git: {
        revision: "main@sha1:00",
        lastAttemptedRevision: "",
        lastFetchedAt: 9_000,
        files: 1,
        documents: 1,
        invalidDocuments: 0,
        rejections: [],
        warnings: [],
        error: null,
      },
      counts: {
        objects: 3,
        desired: 2,
        byState: { synced: 2, drifted: 1 },
        byDrift: { drifted: 1 },
        unknown: [],
        bySeverity: { medium: 1 },
        driftScore: 40,
        rejections: 4,
        deadLetters: 5,
      },
    },
  ];
  const metrics = metricsOf(fabrics);
  const fabric = 'namespace="lab",fabric="one"';
  const series = await exposition(metrics);
  expect(Object.fromEntries(series)).toMatchObject({
    [`fabric_sync_fabric_condition{${fabric},type="Ready",status="False"}`]: 1,
    [`fabric_sync_fabric_resources{${fabric},state="synced"}`]: 2,
    [`fabric_sync_fabric_drift{${fabric},drift="drifted"}`]: 1,
    [`fabric_sync_fabric_drift_severity{${fabric},severity="medium"}`]: 1,
    [`fabric_sync_fabric_drift_severity{${fabric},severity="critical"}`]: 0,
    [`fabric_sync_fabric_rejections{${fabric}}`]: 4,
    [`fabric_sync_fabric_dead_letters{${fabric}}`]: 5,
    [`fabric_sync_stream_complete_timestamp_seconds{${fabric},kind="VPC.vpc.githedgehog.com"}`]: 4,
    [`fabric_sync_streams{${fabric},state="watching"}`]: 4,
    [`fabric_sync_stream_loss_timestamp_seconds{${fabric},kind="Switch.vpc.githedgehog.com"}`]: 8,
    [`fabric_sync_git_fetched_timestamp_seconds{${fabric}}`]: 9,
  });
  expect([...series.keys()].filter((name) => name.includes('kind="Agent'))).toEqual([]);
  fabrics.length = 0;
  const after = await exposition(metrics);
  expect([...after.keys()].filter((name) => name.includes('fabric="one"'))).toEqual([]);
});

test("two registries live side by side", async () => {
  const [first, second] = [metricsOf(), metricsOf()];
  first.webhook("refused");
  expect((await exposition(second)).has('fabric_sync_webhooks_total{result="refused"}')).toBe(false);
});

test("docs/metrics.md lists exactly the metrics of the registry", async () => {
  const text = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8");
  const documented = [...text.matchAll(/^\| `(fabric_sync_\w+)`\s*\| (\w+)\s*\| ([^|]*) \| ([^|]*) \|$/gm)].map(
    ([, name, type, series, help]) => ({ name, type, labels: series?.replaceAll("`", "").trim(), help: help?.trim() }),
  );
  const metrics = metricsOf().registry.getMetricsAsArray() as unknown as {
    name: string;
    help: string;
    labelNames: string[];
    constructor: { name: string };
  }[];
  const registered = metrics
    .filter(({ name }) => name.startsWith("fabric_sync_"))
    .map(({ name, help, labelNames, constructor }) => ({
      name,
      type: constructor.name.toLowerCase(),
      labels: labelNames.filter((label) => label !== "le").join(", ") || "none",
      help,
    }));
  const byName = (a: { name?: string | undefined }, b: { name?: string | undefined }) =>
    (a.name ?? "") < (b.name ?? "") ? -1 : 1;
  expect(documented.sort(byName)).toEqual(registered.sort(byName));
});
