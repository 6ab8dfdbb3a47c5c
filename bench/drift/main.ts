/**
 * Drift on a real control plane and a real Postgres: `node bench/drift/main.ts [OBJECTS]`, default 10,000.
 *
 * 1. phase one alone, over that many pairs that agree: objects/s, and the longest the event loop is held
 * 2. that many objects in sync: dry runs that the API server sees, and the CPU of this process
 * 3. one edit by hand: until the row says `drifted` with who did it
 * 4. a revision that makes 1,000 rows suspects at once: until all are told, and what another client's GET takes meanwhile
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { differencesOf } from "../../src/core/differences.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { normaliseActual, normaliseDesired } from "../../src/core/normalise.ts";
import type { DesiredUpsert } from "../../src/core/observation.ts";
import { pause } from "../../src/core/pause.ts";
import type { ReducePolicy } from "../../src/core/policy.ts";
import { reduce } from "../../src/core/reduce.ts";
import type { ResourceRow } from "../../src/core/row.ts";
import type { Logger, Telemetry } from "../../src/core/telemetry.ts";
import { Pump } from "../../src/pump/pump.ts";
import { KubeClient } from "../../src/sources/cluster/client.ts";
import { ClusterSource } from "../../src/sources/cluster/cluster-source.ts";
import { DriftSource } from "../../src/sources/cluster/drift/drift-source.ts";
import { dryRunUser } from "../../src/sources/cluster/drift/identity.ts";
import { loadKubeConfig } from "../../src/sources/cluster/kubeconfig.ts";
import { createPool } from "../../src/store/pool.ts";
import { createStore } from "../../src/store/store.ts";
import { startControlPlane } from "../../test/support/control-plane.ts";
import { applyOperatorManifests, OPERATOR_NAMESPACE } from "../../test/support/installation.ts";
import { migrate } from "../../src/store/migrate.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import { waitFor } from "../../test/support/wait.ts";

const OBJECTS = Number(process.argv[2] ?? 10_000);
const SUSPECTS = Math.min(1_000, OBJECTS);
const EDITS = 60;
/** Long enough for one round of everything that runs on a clock (ms). */
const QUIET_MS = 20_000;
const COLLECTION = "/apis/vpc.githedgehog.com/v1beta1/namespaces/default/vpcs";

const QUIET: Logger = { debug: drop, info: drop, warn: drop, error: drop, child: () => QUIET };
const TELEMETRY: Telemetry = {
  ...{
    batchApplied: drop,
    writeRetried: drop,
    streamEvents: drop,
    streamStarted: drop,
    gitOperation: drop,
    webhook: drop,
  },
};
function drop(): void {
  // Nobody listens.
}

const vpc = (index: number, vlan: number): JsonObject => ({
  apiVersion: "vpc.githedgehog.com/v1beta1",
  kind: "VPC",
  metadata: { name: `v${index}`, namespace: "default", labels: { rack: `r${index % 50}` } },
  spec: {
    ipv4Namespace: "default",
    vlanNamespace: "default",
    subnets: Object.fromEntries(
      Array.from({ length: 8 }, (_, subnet) => [
        `subnet-${subnet}`,
        {
          subnet: `10.${index % 250}.${subnet}.0/24`,
          gateway: `10.${index % 250}.${subnet}.1`,
          vlan: vlan + subnet,
          dhcp: {
            enable: true,
            range: { start: "10.0.0.10", end: "10.0.0.99" },
            options: { dnsServers: ["10.0.0.1", "10.0.0.2"] },
          },
        },
      ]),
    ),
  },
});
const indexes = Array.from({ length: OBJECTS }, (_, index) => index);
const percentile = (values: readonly number[], p: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * p))] ?? NaN;
const results: { what: string; goal: string; measured: string; holds: boolean }[] = [];
const tell = (what: string, goal: string, measured: string, holds: boolean): void => {
  results.push({ what, goal, measured, holds });
  console.error(`${holds ? "holds" : "DOES NOT HOLD"}: ${what}: ${measured} (goal ${goal})`);
};

const plane = await startControlPlane();
const postgres = await startPostgres();
const stop = new AbortController();
const { signal } = stop;
try {
  await applyOperatorManifests(plane);
  await plane.kubectl(["apply", "-f", new URL("../../examples/crds", import.meta.url).pathname]);
  await plane.kubectl(["wait", "--for=condition=Established", "crd", "--all"]);
  const config = loadKubeConfig({ from: "file", path: plane.adminKubeconfig.path });
  const client = new KubeClient(config);
  await Promise.all(
    [0, 1, 2, 3].map(async (lane) => {
      for (const index of indexes) {
        if (index % 4 === lane) await client.request("POST", COLLECTION, { body: vpc(index, 1000) });
      }
    }),
  );

  const database = await postgres.createDatabase();
  await migrate(database.url);
  const pool = createPool({ connection: { connectionString: database.url }, onConnectionError: drop });
  const store = createStore(pool, { signal });
  const fabric = await store.registerFabric({ namespace: "bench", name: "drift", uid: "bench" });
  const fence = await store.acquireFence(fabric.id, "bench");
  const policy = (): ReducePolicy => ({
    ...{ driftMode: "server_side", reportExtra: false, direction: "observe", ignore: [], hasGit: true },
    ...(drift.schemas === null ? {} : { schemas: drift.schemas }),
  });
  const desired = (index: number, vlan: number, commit: string): DesiredUpsert =>
    normaliseDesired(
      vpc(index, vlan),
      { commit, author: "ada", filePath: `vpcs/v${index}.yaml`, line: 1, fileHash: commit },
      { fabricId: fabric.id, writePath: "git_poll", observedAt: Date.now() },
    );
  const heartbeats = { register: () => ({ beat: drop, end: drop }) };
  const pump = new Pump({
    ...{
      labels: { namespace: "bench", fabric: "drift" },
      store,
      fence: () => fence,
      policy,
      telemetry: TELEMETRY,
      signal,
    },
    ...{ logger: QUIET, onApplied: () => drift.kick() },
  });
  const cluster: ClusterSource = new ClusterSource({
    ...{ fabric, client, pump, store, fence: () => fence, telemetry: TELEMETRY, heartbeats, logger: QUIET, signal },
    selections: [{ group: "vpc.githedgehog.com", kinds: ["VPC"] }],
  });
  const drift: DriftSource = new DriftSource({
    ...{ fabric, reader: client, store, fence: () => fence, policy, heartbeats, logger: QUIET, signal },
    dryRuns: new KubeClient(config, { impersonate: dryRunUser(OPERATOR_NAMESPACE) }),
    identityNamespace: OPERATOR_NAMESPACE,
    discovery: () => cluster.discovery,
    kinds: () => new Set(["VPC.vpc.githedgehog.com"]),
    ...{ onSchemas: drop, onSettled: drop },
  });
  cluster.start();
  await cluster.syncOnce();
  drift.start();
  drift.kindsChanged();
  await waitFor("schemas", () => drift.schemas !== null);
  const commit = (digit: number): string => String(digit).repeat(40);
  for (let start = 0; start < OBJECTS; start += 500) {
    const observations = indexes.slice(start, start + 500).map((index) => desired(index, 1000, commit(1)));
    await store.apply({ fence, policy: policy(), observations, cursors: [] });
  }
  const count = async (where: string): Promise<number> =>
    (
      await pool.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM fabric_sync.resource WHERE kind = 'VPC' AND ${where}`,
      )
    ).rows[0]?.n ?? 0;
  await waitFor("everything in sync", async () => (await count("drift_status = 'in_sync'")) === OBJECTS, {
    timeoutMs: 120_000,
  });

  phaseOne(policy(), desired);

  const asked = await dryRuns();
  const cpu = process.cpuUsage();
  await pause(QUIET_MS, signal);
  const used = process.cpuUsage(cpu);
  const share = (used.user + used.system) / 1_000 / QUIET_MS;
  const runs = (await dryRuns()) - asked;
  tell(`${OBJECTS} objects in sync, dry runs in ${QUIET_MS / 1_000} s`, "0", String(runs), runs === 0);
  tell(`${OBJECTS} objects in sync, CPU`, "< 1 % of a core", `${(100 * share).toFixed(2)} %`, share < 0.01);

  const latencies: number[] = [];
  for (let edit = 0; edit < EDITS; edit += 1) {
    const began = performance.now();
    await plane.request("PATCH", `${COLLECTION}/v${edit}?fieldManager=kubectl-edit`, {
      body: { spec: { subnets: { "subnet-0": { vlan: 3000 } } } },
      headers: { "content-type": "application/merge-patch+json" },
    });
    const blamed = `name = 'v${edit}' AND drift_status = 'drifted' AND drift_details #>> '{paths,0,manager}' = 'kubectl-edit'`;
    while ((await count(blamed)) === 0) await pause(2, signal);
    latencies.push(performance.now() - began);
  }
  const p95 = percentile(latencies, 0.95);
  tell(
    "edit by hand → row drifted, with blame, p95",
    "≤ 300 ms",
    `${p95.toFixed(0)} ms (p50 ${percentile(latencies, 0.5).toFixed(0)} ms)`,
    p95 <= 300,
  );

  const before = await gets(() => pause(10_000, signal));
  let took = 0;
  const during = await gets(async () => {
    const began = performance.now();
    for (let start = EDITS; start < EDITS + SUSPECTS; start += 500) {
      const some = indexes.slice(start, Math.min(start + 500, EDITS + SUSPECTS));
      const observations = some.map((index) => desired(index, 2000, commit(2)));
      await store.apply({ fence, policy: policy(), observations, cursors: [] });
    }
    drift.kick();
    const told = `desired_commit = '${commit(2)}' AND drift_status = 'drifted'`;
    // Seldom enough not to be a load of its own.
    while ((await count(told)) < Math.min(SUSPECTS, OBJECTS - EDITS)) await pause(250, signal);
    took = (performance.now() - began) / 1_000;
  });
  tell(`${SUSPECTS} suspects at once, until all are told`, "≤ 20 s", `${took.toFixed(1)} s`, took <= 20);
  const [quiet, busy] = [percentile(before, 0.99), percentile(during, 0.99)];
  tell(
    "p99 of another client's GET meanwhile",
    "≤ 2 ×",
    `${busy.toFixed(1)} ms beside ${quiet.toFixed(1)} ms: ${(busy / quiet).toFixed(2)} ×`,
    busy <= 2 * quiet,
  );

  stop.abort();
  await Promise.all([cluster.stop(), drift.stop()]);
  await Promise.all([client.close(), pool.end()]);
} finally {
  stop.abort();
  await Promise.all([plane.stop(), postgres.stop()]);
}
console.log(
  ["| what | goal | measured | holds |", "|---|---|---|---|"]
    .concat(
      results.map(({ what, goal, measured, holds }) => `| ${what} | ${goal} | ${measured} | ${holds ? "yes" : "no"} |`),
    )
    .join("\n"),
);
process.exit(results.every(({ holds }) => holds) ? 0 : 1);

/** Pairs that agree, with a schema, as the pump hands them over: by the batch. */
function phaseOne(policy: ReducePolicy, desired: (index: number, vlan: number, commit: string) => DesiredUpsert): void {
  const context = { now: new Date().toISOString(), newId: () => "01890000-0000-7000-8000-000000000001" };
  const rows = indexes.map((index): ResourceRow => {
    const git = reduce(null, desired(index, 1000, "1".repeat(40)), policy, context);
    const object = {
      ...vpc(index, 1000),
      metadata: {
        name: `v${index}`,
        namespace: "default",
        labels: { rack: `r${index % 50}` },
        uid: "u",
        resourceVersion: "1",
      },
    };
    const seen = { fabricId: git.row?.fabricId ?? "", writePath: "watch", observedAt: 0 } as const;
    const { row } = reduce(git.row, normaliseActual(object, seen), policy, context);
    if (row === null) throw new Error("there is no row");
    return row;
  });
  // As in a process that has run for a while.
  for (const row of rows.slice(0, 1_000)) differencesOf(row, policy, true);
  let longest = 0;
  let different = 0;
  const began = performance.now();
  for (let start = 0; start < rows.length; start += 500) {
    const held = performance.now();
    for (const row of rows.slice(start, start + 500)) different += differencesOf(row, policy, true).found.length;
    longest = Math.max(longest, performance.now() - held);
  }
  const perSecond = rows.length / ((performance.now() - began) / 1_000);
  tell(
    `phase one, ${OBJECTS} pairs of ${JSON.stringify(vpc(1, 1)).length} bytes`,
    "≥ 20,000/s",
    `${Math.round(perSecond)}/s, ${different} differ`,
    perSecond >= 20_000 && different === 0,
  );
  tell("event loop held by a batch of 500, at most", "≤ 20 ms", `${longest.toFixed(1)} ms`, longest <= 20);
}

/** Requests that the API server counted as dry runs. */
async function dryRuns(): Promise<number> {
  const text = await plane.request<string>("GET", "/metrics");
  const lines = text
    .split("\n")
    .filter((line) => line.startsWith("apiserver_request_total{") && line.includes('dry_run="All"'));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

/** What a GET of one object takes while `work` goes on (ms), asked by a process of its own. */
async function gets(work: () => Promise<void>): Promise<number[]> {
  const program = new URL("gets.ts", import.meta.url).pathname;
  const other = spawn(process.execPath, [program, plane.adminKubeconfig.path, `${COLLECTION}/v0`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let text = "";
  other.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  const ended = once(other, "close");
  await work();
  other.stdin.end();
  await ended;
  return JSON.parse(text) as number[];
}
