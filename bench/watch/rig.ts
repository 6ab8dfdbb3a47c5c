import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { bundleInto } from "../../scripts/bundle.ts";
import { KubeClient } from "../../src/sources/cluster/client.ts";
import { loadKubeConfig } from "../../src/sources/cluster/kubeconfig.ts";
import { startControlPlane } from "../../test/support/control-plane.ts";
import type { ControlPlane } from "../../test/support/control-plane.ts";
import { applyOperatorManifests, OPERATOR_NAMESPACE } from "../../test/support/installation.ts";
import { startOperator } from "../../test/support/operator.ts";
import type { Operator } from "../../test/support/operator.ts";
import { createTemplate } from "../../test/support/postgres-template.ts";
import { startPostgres, withClient } from "../../test/support/postgres.ts";
import type { OwnPostgresServer, TestDatabase } from "../../test/support/postgres.ts";
import { waitFor } from "../../test/support/wait.ts";
import { createWorkspace } from "../../test/support/workspace.ts";
import { meterOf } from "./cpu.ts";
import type { Meter } from "./cpu.ts";
import { allOf, definition, GROUP, NAMESPACE } from "./objects.ts";
import { storeObjects } from "./storing.ts";

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** A real control plane, a real PostgreSQL, and the artefact built from this checkout. */
export interface Rig {
  readonly plane: ControlPlane;
  readonly postgres: OwnPostgresServer;
  readonly client: KubeClient;
  readonly caFile: string;
  readonly meter: Meter;
  /** Makes CRDs until there are `count`. */
  kinds(count: number): Promise<void>;
  /** Makes objects `from` to `to - 1`, one after the other of `kinds` kinds. */
  objects(from: number, to: number, kinds: number, bytes: number): Promise<void>;
  /** Selects every kind of ours. */
  fabric(name: string): Promise<void>;
  dropFabric(name: string): Promise<void>;
  /** An empty database with our schema. */
  database(): Promise<TestDatabase>;
  /** The shipped program; `arguments_` go to Node. */
  operator(databaseUrl: string): Promise<Operator>;
  /** One of the programs of this folder as a bundle in a process of its own; gives what it prints as JSON. */
  program<Answer>(name: string, args: readonly string[]): Promise<Answer>;
  /** One statement over a connection of its own. */
  query<Row extends object>(databaseUrl: string, text: string): Promise<{ readonly rows: Row[] }>;
  stop(): Promise<void>;
}

export async function startRig(): Promise<Rig> {
  const workspace = await createWorkspace("bench-watch");
  const [plane, postgres] = await Promise.all([
    startControlPlane(),
    // As every server is delivered: a commit waits for the disk. Commit times are what rows are dated by.
    startPostgres({
      settings: { fsync: "on", full_page_writes: "on", track_commit_timestamp: "on", max_wal_size: "4GB" },
    }),
  ]);
  const client = new KubeClient(loadKubeConfig({ from: "file", path: plane.adminKubeconfig.path }));
  const template = await createTemplate(postgres);
  const dist = join(workspace.directory, "dist");
  await bundleInto(dist);
  await applyOperatorManifests(plane);
  await plane.kubectl(["create", "namespace", NAMESPACE]);
  await mkdir(join(workspace.directory, "cache"));
  const caFile = join(workspace.directory, "ca.pem");
  await writeFile(caFile, plane.ca);
  const programs = new Map<string, Promise<string>>();
  let definitions = 0;
  let started = 0;
  return {
    ...{ plane, postgres, client, caFile, meter: meterOf(postgres.pid) },
    async kinds(count) {
      for (; definitions < count; definitions++) {
        await client.request("POST", CRDS, { body: definition(definitions) });
        await waitFor(allOf(definitions), () => client.request("GET", allOf(definitions)), { timeoutMs: 60_000 });
      }
    },
    async objects(from, to, kinds, bytes) {
      await storeObjects(plane.etcdUrl, client, { from, to, kinds, bytes });
    },
    async fabric(name) {
      await client.request("POST", `/apis/fabricsync.dev/v1alpha1/namespaces/${NAMESPACE}/fabrics`, {
        body: {
          apiVersion: "fabricsync.dev/v1alpha1",
          kind: "Fabric",
          metadata: { name, namespace: NAMESPACE },
          spec: { resources: [{ group: GROUP, kinds: ["*"] }] },
        },
      });
    },
    async dropFabric(name) {
      const path = `/apis/fabricsync.dev/v1alpha1/namespaces/${NAMESPACE}/fabrics/${name}`;
      const contentType = "application/merge-patch+json";
      await client.request("PATCH", path, { contentType, body: { metadata: { finalizers: null } } });
      await client.request("DELETE", path);
    },
    database: () => postgres.createDatabase({ template }),
    operator: (databaseUrl) =>
      startOperator(workspace, {
        bundle: join(dist, "fabric-sync.mjs"),
        name: `operator-${++started}`,
        databaseUrl,
        kubeconfig: plane.adminKubeconfig.path,
        namespaces: [NAMESPACE],
        leaseNamespace: OPERATOR_NAMESPACE,
        cacheDirectory: join(workspace.directory, "cache"),
      }),
    async program<Answer>(name: string, args: readonly string[]) {
      const bundle = programs.get(name) ?? bundled(name, workspace.directory);
      programs.set(name, bundle);
      const limits = { maxBuffer: 1 << 28 };
      const { stdout } = await promisify(execFile)(process.execPath, [await bundle, ...args], limits);
      return JSON.parse(stdout) as Answer;
    },
    query: <Row extends object>(databaseUrl: string, text: string) =>
      withClient(databaseUrl, (connection) => connection.query<Row>(text)),
    async stop() {
      await client.close();
      await Promise.all([plane.stop(), postgres.stop()]);
      await workspace.dispose();
    },
  };
}

async function bundled(name: string, directory: string): Promise<string> {
  const outfile = join(directory, `${name}.mjs`);
  const banner = { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" };
  const entryPoints = [join(import.meta.dirname, `${name}.ts`)];
  const external = ["pg-native"];
  await build({ ...{ entryPoints, outfile, banner, external }, bundle: true, platform: "node", format: "esm" });
  return outfile;
}

/** What the kernel says of a process. */
export interface Usage {
  readonly rssMiB: number;
  readonly peakRssMiB: number;
  /** User and system, since its start. */
  readonly cpuSeconds: number;
}

/** Clock ticks a second of /proc: 100 on every Linux that Node runs on. */
const TICKS = 100;

export function usageOf(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kib = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { rssMiB: kib("VmRSS") / 1024, peakRssMiB: kib("VmHWM") / 1024, cpuSeconds: ticks / TICKS };
}

/** Messages of the operator's log with their times (ms since the epoch). */
export async function logOf(operator: Operator): Promise<{ readonly at: number; readonly message: string }[]> {
  const text = await readFile(operator.process.logFile, "utf8");
  return text.split("\n").flatMap((line) => {
    if (!line.startsWith("{")) return [];
    const { time, message } = JSON.parse(line) as { time: string; message: string };
    return [{ at: Date.parse(time), message }];
  });
}
