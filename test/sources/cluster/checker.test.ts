import { checkFabric } from "../../../src/sources/cluster/checker.ts";
import type { CheckReport } from "../../../src/sources/cluster/checker.ts";
import { chooseVolatile } from "../../../src/core/volatile-choice.ts";
import type { VolatileRule } from "../../../src/core/volatile-choice.ts";
import type { ResourceSelection } from "../../../src/sources/cluster/selection.ts";
import { controlPlane } from "../../support/shared-control-plane.ts";
import type { TestNamespace } from "../../support/control-plane.ts";
import { openStore } from "../../store/fixture.ts";
import type { StoreFixture } from "../../store/fixture.ts";
import { startMirror } from "./mirror.ts";
import type { Mirror } from "./mirror.ts";

describe("the checker, on a real API server and real Postgres", () => {
  let fixture: StoreFixture;
  let namespace: TestNamespace;
  let m: Mirror;
  let selections: ResourceSelection[];

  beforeEach(async () => {
    fixture = await openStore();
    namespace = await controlPlane.createNamespace();
    selections = [
      { group: "", kinds: ["ConfigMap", "Secret"], namespaces: [namespace.name] },
      { group: "coordination.k8s.io", kinds: ["Lease"], namespaces: [namespace.name] },
    ];
    await create("configmaps", { metadata: { name: "a", labels: { role: "leaf" } }, data: { n: "1" } });
    await create("configmaps", { metadata: { name: "b" }, data: { n: "1" } });
    await create("secrets", { metadata: { name: "s" }, stringData: { password: "geheim" } });
    await lease("POST", "", { metadata: { name: "l" }, spec: { holderIdentity: "x", renewTime: time(0) } });
    m = startMirror({ kubeconfig: controlPlane.adminKubeconfig.path, selections, real: fixture });
    await m.source.syncOnce();
  });
  afterEach(async () => {
    await m.stop();
    await fixture[Symbol.asyncDispose]();
    await namespace.remove();
  });

  const time = (second: number) => `2026-01-01T00:00:0${second}.000000Z`;
  const create = (plural: string, body: object) =>
    controlPlane.request("POST", `/api/v1/namespaces/${namespace.name}/${plural}`, { body });
  const lease = (method: string, path: string, body: object) =>
    controlPlane.request(method, `/apis/coordination.k8s.io/v1/namespaces/${namespace.name}/leases${path}`, {
      body,
      ...(method === "PATCH" ? { headers: { "content-type": "application/merge-patch+json" } } : {}),
    });
  const check = (settleMs = 0, rules: readonly VolatileRule[] = []): Promise<CheckReport> =>
    checkFabric({
      volatile: chooseVolatile(rules),
      ...{ fabricId: fixture.fabricId, client: m.client, store: fixture.store, selections, settleMs },
      signal: new AbortController().signal,
    });
  const told = ({ findings }: CheckReport) =>
    findings.map(({ problem, kind, name, fields }) => [problem, kind, name, ...fields].join(" ")).sort();
  /** With the mirror stopped, nobody repairs. */
  const breakRows = async (sql: string): Promise<void> => {
    await m.stop();
    await fixture.sql(`UPDATE fabric_sync.resource SET ${sql}`);
  };

  test("finds nothing in a table that is the cluster, secrets redacted alike", async () => {
    expect(await check(5_000)).toEqual({ streams: 3, objects: 4, lagging: 0, findings: [], unchecked: [] });
  });

  test("lets a row be behind in volatile fields, and in nothing else", async () => {
    await lease("PATCH", "/l", { spec: { renewTime: time(5) } });
    await m.watching("Lease");
    expect(await check(5_000)).toMatchObject({ lagging: 1, findings: [] });
    await m.stop();
    await lease("PATCH", "/l", { spec: { holderIdentity: "y" } });
    expect(told(await check())).toEqual(["differs Lease l spec"]);
  });

  test("and in the Fabric's own, in a kind without spec too", async () => {
    await m.stop();
    const map = `/api/v1/namespaces/${namespace.name}/configmaps/a`;
    const headers = { "content-type": "application/merge-patch+json" };
    await controlPlane.request("PATCH", map, { body: { data: { n: "2" } }, headers });
    expect(told(await check())).toEqual(["differs ConfigMap a spec"]);
    const rule = { group: "", kind: "ConfigMap", paths: ["/data/n"], volatile: true };
    expect(await check(0, [rule])).toMatchObject({ lagging: 1, findings: [] });
  });

  test.each([
    ['actual_spec = \'{"data": {"n": "2"}}\'', "spec"],
    ["actual_status = '{}'", "status"],
    ["actual_uid = 'other'", "uid"],
    ["labels = '{}'", "labels"],
    ['annotations = \'{"x": "y"}\'', "annotations"],
    ["api_version = 'v2'", "apiVersion"],
    ["actual_resource_version = actual_resource_version || '0'", "resourceVersion"],
    ["deletion_requested_at = now()", "deletionRequestedAt"],
  ])("finds a row with a wrong %s", async (change, field) => {
    await breakRows(`${change} WHERE name = 'a'`);
    expect(told(await check())).toEqual([`differs ConfigMap a ${field}`]);
  });

  test("finds what is missing, what is not there any more, and rows of a kind that nobody selects", async () => {
    await breakRows("kind = 'Pod' WHERE name = 'a'");
    await controlPlane.request("DELETE", `/api/v1/namespaces/${namespace.name}/configmaps/b`);
    expect(told(await check())).toEqual(["ghost ConfigMap b", "ghost Pod a", "missing ConfigMap a"]);
  });

  test("waits for a row that follows, and says what it could not read", async () => {
    const checked = check(10_000);
    await create("configmaps", { metadata: { name: "late" } });
    expect(told(await checked)).toEqual([]);
    selections = [...selections, { group: "", kinds: ["Pod"], namespaces: [namespace.name] }];
    const user = await controlPlane.serviceAccountKubeconfig(namespace.name, "nobody");
    const nobody = startMirror({ kubeconfig: user.path, selections: [], real: fixture });
    const report = await checkFabric({
      ...{ fabricId: fixture.fabricId, client: nobody.client, store: fixture.store, selections, settleMs: 0 },
      signal: new AbortController().signal,
    });
    await nobody.stop();
    expect(report.findings).toEqual([]);
    expect(report.unchecked.map(({ reason }) => reason)).toEqual(Array.from({ length: 4 }, () => "KubeForbidden"));
  });
});
