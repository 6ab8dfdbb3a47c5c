import { randomBytes } from "node:crypto";
import { normaliseActual } from "../../../src/core/normalise.ts";
import { controlPlane } from "../../support/shared-control-plane.ts";
import type { TestNamespace } from "../../support/control-plane.ts";
import { waitFor } from "../../support/wait.ts";
import { MemoryTable } from "./memory-table.ts";
import { crd, startMirror } from "./mirror.ts";
import type { Mirror, MirrorOptions } from "./mirror.ts";

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

describe("a cluster source on a real API server", () => {
  let namespace: TestNamespace;
  let maps: string;
  const mirrors: Mirror[] = [];
  const crds: string[] = [];

  beforeEach(async () => {
    namespace = await controlPlane.createNamespace();
    maps = `/api/v1/namespaces/${namespace.name}/configmaps`;
  });
  afterEach(async () => {
    await Promise.all(mirrors.splice(0).map((mirror) => mirror.stop()));
    await Promise.all(
      crds.splice(0).map((name) => controlPlane.request("DELETE", `${CRDS}/${name}`).catch(() => null)),
    );
    await namespace.remove();
  });

  const mirror = (options: Partial<MirrorOptions> = {}): Mirror => {
    const selections = [{ group: "", kinds: ["ConfigMap"], namespaces: [namespace.name] }];
    const started = startMirror({ kubeconfig: controlPlane.adminKubeconfig.path, selections, ...options });
    mirrors.push(started);
    return started;
  };
  const create = (name: string, value = "1", labels: Record<string, string> = {}) =>
    controlPlane.request("POST", maps, { body: { metadata: { name, labels }, data: { value } } });
  const change = (name: string, value: string) =>
    controlPlane.request("PATCH", `${maps}/${name}`, {
      body: { data: { value } },
      headers: { "content-type": "application/merge-patch+json" },
    });
  const remove = (name: string) => controlPlane.request("DELETE", `${maps}/${name}`);
  const valueOf = (m: Mirror, name: string) => {
    const spec = m.table.row(name)?.content.spec;
    return (spec as { data?: { value?: string } } | undefined)?.data?.value;
  };
  const establish = async (group: string, kind: string): Promise<string> => {
    crds.push(`${kind.toLowerCase()}s.${group}`);
    await controlPlane.request("POST", CRDS, { body: crd(group, kind) });
    return `/apis/${group}/v1/namespaces/${namespace.name}/${kind.toLowerCase()}s`;
  };
  const uniqueGroup = () => `g${randomBytes(4).toString("hex")}.example.dev`;

  test("takes in what is there, then what is added, changed and deleted", async () => {
    await Promise.all(["a", "b", "c"].map((name) => create(name)));
    const m = mirror();
    await m.watching("ConfigMap");
    await waitFor("three rows", () => m.table.names.join() === "a,b,c");
    expect(m.table.row("a")).toMatchObject({ writePath: "list", apiVersion: "v1", key: { kind: "ConfigMap" } });
    await create("d");
    await change("a", "2");
    await remove("b");
    await waitFor("the changes", () => m.table.names.join() === "a,c,d" && valueOf(m, "a") === "2");
    expect(m.table.row("d")?.writePath).toBe("watch");
    expect(m.table.deletions.map(({ key, reason }) => [key.name, reason])).toEqual([["b", "deleted in the cluster"]]);
    expect(m.started).toEqual({ watchlist: 1, list: 0, watch: 0 });
    expect(m.status("ConfigMap")?.completeAt).toBeGreaterThan(Date.now() - 60_000);
  });

  test("restarts from its cursor: no list and no write where nothing changed, and what was missed where something did", async () => {
    await Promise.all(["a", "b"].map((name) => create(name)));
    const before = mirror();
    await before.watching("ConfigMap");
    await create("c");
    await waitFor("three rows", () => before.table.names.length === 3);
    await before.stop();

    const same = mirror({ table: new MemoryTable(before.table) });
    await same.watching("ConfigMap");
    await change("a", "9");
    await waitFor("the change", () => valueOf(same, "a") === "9");
    expect(same.started).toEqual({ watchlist: 0, list: 0, watch: 1 });
    expect(same.table.writes).toBe(1);
    await same.stop();

    await change("b", "3");
    await remove("a");
    const later = mirror({ table: new MemoryTable(same.table) });
    await waitFor("what was missed", () => later.table.names.join() === "b,c" && valueOf(later, "b") === "3");
    expect(later.started).toEqual({ watchlist: 0, list: 0, watch: 1 });
    expect(later.table.writes).toBe(2);
  });

  test("a list finds what was deleted while nobody watched, and only in its own scope", async () => {
    const other = await controlPlane.createNamespace();
    await controlPlane.request("POST", `/api/v1/namespaces/${other.name}/configmaps`, {
      body: { metadata: { name: "x" } },
    });
    await Promise.all(["a", "b"].map((name) => create(name)));
    const both = [{ group: "", kinds: ["ConfigMap"], namespaces: [namespace.name, other.name] }];
    const before = mirror({ selections: both });
    await waitFor("three rows", () => before.table.names.length === 3);
    await before.stop();
    await remove("a");
    const table = new MemoryTable(before.table);
    for (const scope of table.cursors.keys()) if (scope.endsWith(`@${namespace.name}`)) table.cursors.delete(scope);
    const after = mirror({ selections: both, table });
    await waitFor("the sweep", () => after.table.names.join() === "b,x");
    expect(after.table.deletions).toMatchObject([{ key: { name: "a" }, writePath: "list" }]);
    expect(after.table.deletions[0]?.reason).toContain("not in a complete list");
    await other.remove();
  });

  test("a label selector bounds the stream: an object that leaves it ends, one that enters begins", async () => {
    await create("in", "1", { role: "leaf" });
    await create("out", "1", { role: "spine" });
    const m = mirror({
      selections: [{ group: "", kinds: ["ConfigMap"], namespaces: [namespace.name], labelSelector: "role=leaf" }],
    });
    await waitFor("the selected row", () => m.table.names.join() === "in");
    await m.watching("ConfigMap");
    await controlPlane.kubectl(["-n", namespace.name, "label", "--overwrite", "cm/in", "role=spine"]);
    await controlPlane.kubectl(["-n", namespace.name, "label", "--overwrite", "cm/out", "role=leaf"]);
    await waitFor("the exchange", () => m.table.names.join() === "out");
    expect(m.table.deletions[0]?.reason).toContain("no longer match");
  });

  test("syncOnce lists, sweeps and commits everything, and does not write what has not changed", async () => {
    await Promise.all(["a", "b"].map((name) => create(name)));
    const m = mirror();
    await expect(m.source.syncOnce()).resolves.toEqual({ complete: 1, failed: [] });
    expect(m.table.names).toEqual(["a", "b"]);
    const writes = m.table.writes;
    await expect(m.source.syncOnce()).resolves.toEqual({ complete: 1, failed: [] });
    expect(m.table.writes).toBe(writes);
    await create("c");
    await waitFor("the watch to go on", () => m.table.names.length === 3);
  });

  test("a kind is watched when its CRD comes, and its rows stay while nobody saw the CRD go", async () => {
    const group = uniqueGroup();
    const m = mirror({
      selections: [
        { group: "*.example.dev", kinds: ["*"] },
        { group, kinds: ["*"] },
      ],
    });
    await waitFor("discovery", () => m.status("*"));
    expect(m.status("*")).toMatchObject({ state: "gone", reason: "NotServed" });
    const path = await establish(group, "Gadget");
    await controlPlane.kubectl(["wait", "--for=condition=Established", `crd/gadgets.${group}`, "--timeout=40s"]);
    // Without the watch on CRDs it would be minutes.
    await m.watching("Gadget");
    await controlPlane.request("POST", path, {
      body: { apiVersion: `${group}/v1`, kind: "Gadget", metadata: { name: "g" } },
    });
    await waitFor("its object", () => m.table.names.join() === "g");
    const headers = { "content-type": "application/json-patch+json" };
    const body = [{ op: "replace", path: "/spec/versions/0/served", value: false }];
    await controlPlane.request("PATCH", `${CRDS}/gadgets.${group}`, { body, headers });
    await waitFor("the kind to be gone", () => m.status("Gadget")?.state === "gone");
    expect(m.status("Gadget")?.message).toContain("rows are kept");
    expect([m.table.names, m.table.deletions]).toEqual([["g"], []]);
    await m.stop();
    const later = mirror({ selections: [{ group, kinds: ["*"] }], table: new MemoryTable(m.table) });
    await waitFor("the next process to know", () => later.status("Gadget")?.state === "gone");
    expect(later.table.names).toEqual(["g"]);
    await waitFor("CRDs to be followed", () => later.source.followsCrds);
    await controlPlane.request("DELETE", `${CRDS}/gadgets.${group}`);
    await waitFor("the end of the row", () => later.table.names.length === 0);
    expect(later.table.deletions.map(({ reason }) => reason)).toEqual(["its CustomResourceDefinition was deleted"]);
    await waitFor("its cursor to go", () => later.table.cursors.size === 0);
  });

  test("what a CRD that is deleted leaves behind in the table ends with it", async () => {
    const group = uniqueGroup();
    const path = await establish(group, "Gizmo");
    const m = mirror({ selections: [{ group, kinds: ["Gizmo"] }] });
    await m.watching("Gizmo");
    const object = (name: string) => ({ apiVersion: `${group}/v1`, kind: "Gizmo", metadata: { name } });
    await controlPlane.request("POST", path, { body: object("real") });
    const missed = normaliseActual(object("missed"), { fabricId: "f", writePath: "watch", observedAt: 1 });
    await m.pump.lane("test").offer(missed);
    await waitFor("both rows", () => m.table.names.join() === "missed,real");
    await controlPlane.request("DELETE", `${CRDS}/gizmos.${group}`);
    await waitFor("the end of both", () => m.table.names.length === 0);
    const told = m.table.deletions.map(({ key, reason }) => `${key.name}: ${reason}`);
    expect(told).toHaveLength(2);
    expect(told).toContain("missed: its CustomResourceDefinition was deleted");
  });

  test("a version that is not served any more is read in the other one; its rows stay", async () => {
    const group = uniqueGroup();
    const path = await establish(group, "Model");
    const m = mirror({ selections: [{ group, kinds: ["Model"] }] });
    await m.watching("Model");
    await controlPlane.request("POST", path, {
      body: { apiVersion: `${group}/v1`, kind: "Model", metadata: { name: "a" } },
    });
    await waitFor("the row", () => m.table.names.join() === "a");
    const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
    const versions = [
      { name: "v1", served: false, storage: true, schema },
      { name: "v2", served: true, storage: false, schema },
    ];
    const headers = { "content-type": "application/merge-patch+json" };
    await controlPlane.request("PATCH", `${CRDS}/models.${group}`, { body: { spec: { versions } }, headers });
    await waitFor("the row in v2", () => m.table.row("a")?.apiVersion === `${group}/v2`, { timeoutMs: 40_000 });
    expect(m.table.deletions).toEqual([]);
    await waitFor("one cursor", () => [...m.table.cursors.keys()].join().includes(`${group}/v2/models`));
  });

  test("a kind that comes back is listed anew", async () => {
    const group = uniqueGroup();
    const path = await establish(group, "Widget");
    const body = (name: string) => ({ apiVersion: `${group}/v1`, kind: "Widget", metadata: { name } });
    const m = mirror({ selections: [{ group, kinds: ["Widget"] }] });
    await m.watching("Widget");
    await controlPlane.request("POST", path, { body: body("old") });
    await waitFor("the object", () => m.table.names.join() === "old");
    await controlPlane.request("DELETE", `${CRDS}/widgets.${group}`);
    await waitFor("the kind to be gone", () => m.status("Widget")?.state === "gone");
    await establish(group, "Widget");
    await waitFor("the new kind", () => controlPlane.request("POST", path, { body: body("new") }));
    await waitFor("the new object alone", () => m.table.names.join() === "new");
    expect(m.started.watchlist).toBeGreaterThanOrEqual(2); // nothing was resumed from the old kind
  });

  test("what is no longer selected ends with that reason, its cursor too", async () => {
    await create("a");
    const config = { group: "", kinds: ["ConfigMap"], namespaces: [namespace.name] };
    const accounts = { group: "", kinds: ["ServiceAccount"], namespaces: [namespace.name] };
    const m = mirror({ selections: [config, accounts] });
    await m.watching("ConfigMap", "ServiceAccount");
    await waitFor("both rows", () => m.table.names.join() === "a,default");
    await m.source.updateSelection([accounts]);
    await waitFor("the end of the ConfigMap", () => m.table.names.join() === "default" && m.table.cursors.size === 1);
    expect(m.table.deletions.map(({ reason }) => reason)).toEqual(["no longer selected by the Fabric"]);
    expect(m.source.statuses().map(({ kind }) => kind)).toEqual(["ServiceAccount"]);
    await m.source.updateSelection([config, accounts]);
    await waitFor("its return", () => m.table.names.join() === "a,default");
  });

  test("a selection that changed while nothing ran is followed at the next start", async () => {
    await create("a");
    const config = { group: "", kinds: ["ConfigMap"], namespaces: [namespace.name] };
    const before = mirror({ selections: [config] });
    await before.watching("ConfigMap");
    await waitFor("the row", () => before.table.names.join() === "a");
    await before.stop();
    const accounts = { group: "", kinds: ["ServiceAccount"], namespaces: [namespace.name] };
    const after = mirror({ selections: [accounts], table: new MemoryTable(before.table) });
    await waitFor("the exchange", () => after.table.names.join() === "default" && after.table.cursors.size === 1);
    expect(after.table.deletions.map(({ reason }) => reason)).toEqual(["no longer selected by the Fabric"]);
  });

  test("a kind that may not be listed names the missing rule, the others go on, and a rule that is given, or given back, is used", async () => {
    const user = await controlPlane.serviceAccountKubeconfig(namespace.name, "mirror");
    const bind = (name: string, resource: string) =>
      controlPlane.kubectl(["apply", "-f", "-"], roleFor(namespace.name, name, resource));
    await bind("accounts", "serviceaccounts");
    // The API server's authorizer follows a moment later.
    const asked = ["auth", "can-i", "list", "serviceaccounts", "-n", namespace.name];
    const as = ["--as", `system:serviceaccount:${namespace.name}:mirror`];
    await waitFor("the rights", () => controlPlane.kubectl([...asked, ...as]));
    const selections = [{ group: "", kinds: ["ConfigMap", "ServiceAccount"], namespaces: [namespace.name] }];
    // A watch that is open stays so when its permission goes; the next one is refused.
    const m = mirror({ kubeconfig: user.path, selections, timing: { watchSeconds: 1, minStreamMs: 0 } });
    await m.watching("ServiceAccount");
    await waitFor("its rows", () => m.table.names.join() === "default,mirror");
    await waitFor("the refusal", () => m.status("ConfigMap")?.state === "forbidden");
    expect(m.status("ConfigMap")?.message).toContain(
      `a Role in namespace ${namespace.name} with the rule {apiGroups: [""], resources: [configmaps], verbs: [list, watch]}`,
    );
    await controlPlane.kubectl(["delete", "rolebinding", "accounts", "-n", namespace.name]);
    await waitFor("the permission to be missed", () => m.status("ServiceAccount")?.state === "forbidden");
    expect([m.table.names, m.table.deletions]).toEqual([["default", "mirror"], []]);
    await create("a");
    await bind("maps", "configmaps");
    await bind("accounts", "serviceaccounts");
    await waitFor("the permission to be used", () => m.table.row("a"), { timeoutMs: 60_000 });
    await waitFor("the other one too", () => m.status("ServiceAccount")?.state === "watching", { timeoutMs: 60_000 });
    expect([m.table.names, m.table.deletions]).toEqual([["a", "default", "mirror"], []]);
  }, 180_000);

  test("impersonates the Fabric's ServiceAccount", async () => {
    await create("a");
    const impersonate = `system:serviceaccount:${namespace.name}:default`;
    const m = mirror({ impersonate });
    await waitFor("the refusal", () => m.status("ConfigMap")?.state === "forbidden");
    expect(m.status("ConfigMap")?.message).toContain(impersonate);
    expect(m.table.names).toEqual([]);
  });

  test("an object of 1.5 MB and integers beyond 2^53 arrive as they are", async () => {
    const group = uniqueGroup();
    const path = await establish(group, "Blob");
    const text = "é".repeat(750_000);
    const raw = `{"apiVersion":"${group}/v1","kind":"Blob","metadata":{"name":"big"},"spec":{"text":"${text}","n":9007199254740993}}`;
    const m = mirror({ selections: [{ group, kinds: ["Blob"] }] });
    await m.watching("Blob");
    await m.client.request("POST", path, { body: raw });
    const row = await waitFor("the object", () => m.table.row("big"));
    expect(JSON.stringify(row.content.spec)).toBe(`{"n":9007199254740993,"text":"${text}"}`);
  });
});

function roleFor(namespace: string, name: string, resource: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "List",
    items: [
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "Role",
        metadata: { name, namespace },
        rules: [{ apiGroups: [""], resources: [resource], verbs: ["list", "watch"] }],
      },
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        metadata: { name, namespace },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
        subjects: [{ kind: "ServiceAccount", name: "mirror", namespace }],
      },
    ],
  });
}
