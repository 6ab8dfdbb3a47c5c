import { readFile } from "node:fs/promises";
import type { JsonObject } from "../../src/core/json.ts";
import { isJsonObject } from "../../src/core/json.ts";
import type { ReducePolicy } from "../../src/core/policy.ts";
import { KubeClient } from "../../src/sources/cluster/client.ts";
import { DiscoveryReader } from "../../src/sources/cluster/discovery.ts";
import type { Discovery } from "../../src/sources/cluster/discovery.ts";
import { SchemaReader } from "../../src/sources/cluster/drift/schema-reader.ts";
import { loadKubeConfig } from "../../src/sources/cluster/kubeconfig.ts";
import { controlPlane } from "../support/shared-control-plane.ts";
import type { TestNamespace } from "../support/control-plane.ts";
import { waitFor } from "../support/wait.ts";
import { QUIET } from "./quiet.ts";
import { APPLIERS, collectionOf } from "./suite/appliers.ts";
import type { Applier } from "./suite/appliers.ts";
import { dryRunAlone, lastApplied } from "./suite/baselines.ts";
import type { BaselineVerdict } from "./suite/baselines.ts";
import type { DriftCase } from "./suite/case.ts";
import { judgeOn, told } from "./suite/judging.ts";
import { NATIVE_CASES } from "./suite/native-cases.ts";
import { SAMPLE_CASES } from "./suite/sample-cases.ts";
import { startWebhooks } from "./suite/webhooks.ts";
import type { Webhooks } from "./suite/webhooks.ts";

const CASES = [...SAMPLE_CASES, ...NATIVE_CASES];
const NEVER = new AbortController().signal;

let webhooks: Webhooks;
let client: KubeClient;
let discovery: Discovery;
let policy: ReducePolicy;
const namespaces: TestNamespace[] = [];

beforeAll(async () => {
  const crd = await readFile(new URL("suite/sample-crd.yaml", import.meta.url), "utf8");
  await controlPlane.kubectl(["apply", "-f", "-"], crd);
  webhooks = await startWebhooks(controlPlane);
  client = new KubeClient(loadKubeConfig({ from: "file", path: controlPlane.adminKubeconfig.path }));
  const schemas = new SchemaReader(client, QUIET);
  const versions = new Set(CASES.map(({ apiVersion }) => apiVersion));
  await waitFor("the schema of the samples", async () => {
    const set = await schemas.read(versions, NEVER);
    policy = {
      driftMode: "server_side",
      schemas: set,
      reportExtra: false,
      direction: "observe",
      ignore: [],
      hasGit: true,
    };
    return set.of("drift.example.com/v1", "Sample")?.root.fields.get("spec")?.form === "struct";
  });
  discovery = await new DiscoveryReader(client).read(NEVER);
}, 120_000);

afterAll(async () => {
  await webhooks.stop();
  await client.close();
  await Promise.all(namespaces.map((namespace) => namespace.remove()));
  await controlPlane.kubectl(["delete", "crd", "samples.drift.example.com", "--wait=false"]);
}, 60_000);

/** What the truth, and each way of telling it, says of one case. */
interface Row {
  readonly title: string;
  readonly expected: string | readonly string[];
  readonly ours: string | readonly string[];
  readonly asked: boolean;
  readonly lastApplied: BaselineVerdict;
  readonly dryRunAlone: BaselineVerdict;
}

async function runSuite(applier: Applier): Promise<Row[]> {
  const namespace = await controlPlane.createNamespace("drift", { "drift-suite": "yes" });
  namespaces.push(namespace);
  const named = (one: DriftCase, index: number, body: JsonObject): JsonObject => ({
    ...body,
    apiVersion: one.apiVersion,
    kind: one.kind,
    metadata: {
      ...(isJsonObject(body["metadata"]) ? body["metadata"] : {}),
      name: `case-${index}`,
      namespace: namespace.name,
    },
  });
  const first = CASES.map((one, index) => named(one, index, one.applied ?? one.git));
  await applier.apply(controlPlane, first, new Map());
  const again = CASES.flatMap((one, index) => (one.reapplied === true ? [named(one, index, one.git)] : []));
  const nameOf = (object: JsonObject): string =>
    isJsonObject(object["metadata"]) ? String(object["metadata"]["name"]) : "";
  await applier.apply(controlPlane, again, new Map(first.map((object) => [nameOf(object), object])));

  const rows: Row[] = [];
  for (const [index, one] of CASES.entries()) {
    const git = named(one, index, one.git);
    const path = `${collectionOf(git)}/case-${index}`;
    if (one.edits !== undefined) {
      await controlPlane.request("PATCH", `${path}?fieldManager=kubectl-edit`, {
        body: one.edits,
        headers: { "content-type": "application/json-patch+json" },
      });
    }
    const live = await controlPlane.request<JsonObject>("GET", path);
    const revisions = one.revised === true ? [named(one, index, one.applied ?? {}), git] : [git];
    const judged = await judgeOn(revisions, live, policy, { client, discovery, now: Date.now, signal: NEVER });
    rows.push({
      title: one.title,
      expected: expectedOf(one, applier),
      ours: told(judged),
      asked: judged.asked,
      lastApplied: lastApplied(git, live),
      dryRunAlone: await dryRunAlone(controlPlane, git, live),
    });
  }
  return rows;
}

function expectedOf({ expect, expectBy }: DriftCase, { name }: Applier): string | readonly string[] {
  const expected = expectBy?.[name] ?? expect;
  if (typeof expected === "string") return expected;
  return expected.length === 0 ? "in_sync" : [...expected].sort();
}

/** False: in sync, and called drifted. Missed: drifted, and called in sync. */
function score(rows: readonly Row[], verdictOf: (row: Row) => string | readonly string[]) {
  const told = (row: Row) => (typeof verdictOf(row) === "string" ? verdictOf(row) : "drifted");
  const inSync = rows.filter(({ expected }) => expected === "in_sync");
  const drifted = rows.filter(({ expected }) => Array.isArray(expected));
  const invalid = rows.filter(({ expected }) => expected === "invalid");
  return {
    false: `${inSync.filter((row) => told(row) === "drifted").length}/${inSync.length}`,
    missed: `${drifted.filter((row) => told(row) === "in_sync").length}/${drifted.length}`,
    errors: rows.filter((row) => told(row) === "error" || told(row) === "unknown").length,
    invalid: `${invalid.filter((row) => told(row) === "invalid").length}/${invalid.length}`,
  };
}

it("has 120 cases and more", () => {
  expect(CASES.length).toBeGreaterThanOrEqual(120);
  expect(new Set(CASES.map(({ title }) => title)).size).toBe(CASES.length);
});

describe.each(APPLIERS.map((applier) => [applier.name, applier] as const))("applied by %s", (name, applier) => {
  it("every case is told as it is, path by path", async () => {
    const rows = await runSuite(applier);
    const table = {
      "fabric-sync": score(rows, ({ ours }) => ours),
      "last applied, three ways": score(rows, (row) => row.lastApplied),
      "dry run alone": score(rows, (row) => row.dryRunAlone),
    };
    const asked = rows.filter((row) => row.asked).length;
    process.stderr.write(`${name}: ${rows.length} cases, ${asked} asked about\n${JSON.stringify(table, null, 2)}\n`);
    const wrong = rows.filter(({ expected, ours }) => JSON.stringify(expected) !== JSON.stringify(ours));
    expect(wrong.map(({ title, expected, ours }) => ({ title, expected, ours }))).toEqual([]);
  }, 240_000);
});
