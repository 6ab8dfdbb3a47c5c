/**
 * Loads custom resources into a real control plane and measures, process start to last row committed with history, against a bare
 * WatchList client in the same run: `node bench/watch/main.ts [OBJECTS] [KINDS] [ROUNDS]`, default 10,000 of 3 KB over 10 kinds.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import type { JsonObject } from "../../src/core/json.ts";
import { KubeClient } from "../../src/sources/cluster/client.ts";
import { loadKubeConfig } from "../../src/sources/cluster/kubeconfig.ts";
import { startControlPlane } from "../../test/support/control-plane.ts";
import { startPostgres, withClient } from "../../test/support/postgres.ts";
import { createTemplate } from "../../test/support/postgres-template.ts";
import { waitFor } from "../../test/support/wait.ts";

const GROUP = "bench.example.dev";
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const OBJECT_BYTES = 3_000;
const objects = Number(process.argv[2] ?? 10_000);
const kinds = Number(process.argv[3] ?? 10);
const rounds = Number(process.argv[4] ?? 3);
const run = promisify(execFile);
const report = async (file: string, args: string[]): Promise<unknown> =>
  JSON.parse((await run(process.execPath, ["--max-semi-space-size=4", file, ...args])).stdout) as unknown;

const directory = await mkdtemp(join(tmpdir(), "bench-watch-"));
const plane = await startControlPlane();
const postgres = await startPostgres();
try {
  const paths = Array.from({ length: kinds }, (_, kind) => `/apis/${GROUP}/v1/thing${kind}s`);
  await load(paths);
  const ca = join(directory, "ca.pem");
  await writeFile(ca, plane.ca);
  const bundle = async (name: string): Promise<string> => {
    const outfile = join(directory, `${name}.mjs`);
    const banner = { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" };
    const entryPoints = [join(import.meta.dirname, `${name}.ts`)];
    await build({
      entryPoints,
      outfile,
      banner,
      bundle: true,
      platform: "node",
      format: "esm",
      logLevel: "error",
      external: ["pg-native"],
    });
    return outfile;
  };
  const [bare, mirror, informer] = [await bundle("bare"), await bundle("mirror"), await bundle("informer")];
  const template = await createTemplate(postgres);
  for (let round = 0; round < rounds; round++) {
    console.log("bare  ", await report(bare, [plane.url, ca, plane.adminToken, ...paths]));
    for (const writers of ["1", "2"]) {
      const database = await postgres.createDatabase({ template });
      const args = [plane.adminKubeconfig.path, database.url, GROUP, String(kinds), writers];
      console.log(`mirror, writers: ${writers}`, await report(mirror, args));
      console.log("again ", await report(mirror, args));
      console.log("rows  ", await rows(database.url));
      await database.drop();
    }
    const database = await postgres.createDatabase({ template });
    const upserts = [plane.adminKubeconfig.path, database.url, GROUP, String(kinds), String(objects)];
    console.log("informer and upserts", await report(informer, upserts));
    await database.drop();
  }
} finally {
  await plane.stop();
  await postgres.stop();
  await rm(directory, { recursive: true });
}

async function rows(url: string): Promise<unknown> {
  const text = `SELECT (SELECT count(*)::int FROM fabric_sync.resource WHERE actual_spec IS NOT NULL) AS rows,
                       (SELECT count(*)::int FROM fabric_sync.resource_event) AS events`;
  return withClient(url, async (client) => (await client.query(text)).rows[0] as unknown);
}

async function load(paths: readonly string[]): Promise<void> {
  const client = new KubeClient(loadKubeConfig({ from: "file", path: plane.adminKubeconfig.path }));
  const begun = performance.now();
  for (const [kind] of paths.entries()) await client.request("POST", CRDS, { body: crd(kind) });
  for (const path of paths) await waitFor(path, () => client.request("GET", path));
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < objects; i = next++) {
      const path = (paths[i % kinds] ?? "").replace("/v1/", "/v1/namespaces/default/");
      await client.request("POST", path, { body: thing(i % kinds, i) });
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
  await client.close();
  console.log(`loaded ${objects} objects of ${kinds} kinds in ${((performance.now() - begun) / 1_000).toFixed(1)} s`);
}

function thing(kind: number, index: number): JsonObject {
  const ports = Array.from({ length: 30 }, (_, port) => ({
    name: `E1/${port}`,
    speed: "25G",
    peer: `leaf-${index}/E1/${port}`,
  }));
  const filler = "x".repeat(Math.max(0, OBJECT_BYTES - JSON.stringify(ports).length - 500));
  return {
    apiVersion: `${GROUP}/v1`,
    kind: `Thing${kind}`,
    metadata: { name: `thing-${index}`, labels: { index: String(index) } },
    spec: { ports, filler },
    status: { phase: "Ready" },
  };
}

function crd(kind: number): JsonObject {
  const names = {
    kind: `Thing${kind}`,
    plural: `thing${kind}s`,
    singular: `thing${kind}`,
    listKind: `Thing${kind}List`,
  };
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${names.plural}.${GROUP}` },
    spec: { group: GROUP, scope: "Namespaced", names, versions: [{ name: "v1", served: true, storage: true, schema }] },
  };
}
