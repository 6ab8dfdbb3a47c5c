/** The operator's cluster side as a process of its own: `node mirror.ts KUBECONFIG DATABASE_URL GROUP KINDS [WRITERS]`. Ends when every kind watches. */
import type { Logger } from "../../src/core/telemetry.ts";
import { Pump } from "../../src/pump/pump.ts";
import { KubeClient } from "../../src/sources/cluster/client.ts";
import { ClusterSource } from "../../src/sources/cluster/cluster-source.ts";
import { loadKubeConfig } from "../../src/sources/cluster/kubeconfig.ts";
import { createPool } from "../../src/store/pool.ts";
import { createStore } from "../../src/store/store.ts";

const [path = "", connectionString = "", group = "", kinds = "0", writers = ""] = process.argv.slice(2);
const logger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (keys, message) => console.error(message, keys),
  error: (keys, message) => console.error(message, keys),
  child: () => logger,
};
const { signal } = new AbortController();
const pool = createPool({
  connection: { connectionString },
  onConnectionError: (error) => console.error(error.message),
});
const store = createStore(pool);
const { id } = await store.registerFabric({ namespace: "bench", name: "watch", uid: "bench" });
const fence = await store.acquireFence(id, "bench");
let firstRow = 0;
let batches = 0;
let writing = 0;
const pump = new Pump({
  labels: { namespace: "bench", fabric: "watch" },
  store,
  fence: () => fence,
  policy: () => ({ driftMode: "local", reportExtra: false, direction: "observe", ignore: [], hasGit: false }),
  telemetry: { batchApplied: () => undefined, writeRetried: (_, state) => console.error("retried", state) },
  logger,
  signal,
  ...(writers === "" ? {} : { limits: { writers: Number(writers) } }),
  onApplied: (_, { durationMs, changed }) => {
    if (changed > 0) firstRow ||= performance.now();
    batches += 1;
    writing += durationMs;
  },
});
const client = new KubeClient(loadKubeConfig({ from: "file", path }));
let lists = 0;
const source = new ClusterSource({
  fabric: { id, namespace: "bench", name: "watch" },
  client,
  pump,
  store,
  fence: () => fence,
  selections: [{ group, kinds: ["*"] }],
  telemetry: { streamStarted: ({ mode }) => void (mode === "watch" ? 0 : lists++), streamEvents: () => undefined },
  heartbeats: { register: () => ({ beat: () => undefined, end: () => undefined }) },
  logger,
  signal,
  onChange: () => void finish(),
});
source.start();

let finished = false;
async function finish(): Promise<void> {
  const watching = source.statuses().filter(({ state }) => state === "watching");
  if (finished || watching.length < Number(kinds)) return;
  finished = true;
  await source.stop();
  await pump.drain(60_000);
  const rss = process.resourceUsage().maxRSS / 1024;
  const seconds = (ms: number): number => Math.round(ms) / 1_000;
  console.log(
    JSON.stringify({
      seconds: seconds(performance.now()),
      firstRow: seconds(firstRow),
      rssMiB: Math.round(rss),
      cpuSeconds: seconds((process.cpuUsage().user + process.cpuUsage().system) / 1_000),
      batches,
      writing: seconds(writing),
      lists,
    }),
  );
  await client.close();
  await pool.end();
}
