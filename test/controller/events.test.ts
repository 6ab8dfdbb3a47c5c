import type { FabricStatus } from "../../src/api/status.ts";
import { EventRecorder } from "../../src/controller/events.ts";
import type { FabricEvent } from "../../src/controller/events.ts";
import { eventsBetween } from "../../src/controller/transitions.ts";
import { KubeClient } from "../../src/sources/cluster/client.ts";
import { loadKubeConfig } from "../../src/sources/cluster/kubeconfig.ts";
import type { TestNamespace } from "../support/control-plane.ts";
import { OPERATOR_ACCOUNT, OPERATOR_NAMESPACE, applyOperatorManifests } from "../support/installation.ts";
import { controlPlane } from "../support/shared-control-plane.ts";
import { SILENT } from "./support/rig.ts";

const FAILED: FabricEvent = { type: "Warning", reason: "FetchFailed", action: "SyncGit", note: "the server is away" };

let kube: KubeClient;
let namespace: TestNamespace;
let now = 0;
beforeAll(async () => {
  await applyOperatorManifests(controlPlane);
  const account = await controlPlane.serviceAccountKubeconfig(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT);
  kube = new KubeClient(loadKubeConfig({ from: "file", path: account.path }));
});
beforeEach(async () => {
  namespace = await controlPlane.createNamespace("events");
  now = Date.now();
});
afterEach(() => namespace.remove());
afterAll(() => kube.close());

const recorder = () => new EventRecorder({ api: kube, instance: "test", log: SILENT, now: () => now });
const fabric = () => ({ namespace: namespace.name, name: "dc1", uid: "11111111-2222-3333-4444-555555555555" });

interface SeenEvent {
  readonly reason: string;
  readonly note: string;
  readonly type: string;
  readonly regarding: { readonly kind: string; readonly name: string };
  readonly series?: { readonly count: number };
}
async function written(): Promise<SeenEvent[]> {
  const path = `/apis/events.k8s.io/v1/namespaces/${namespace.name}/events`;
  return (await controlPlane.request<{ items: SeenEvent[] }>("GET", path)).items;
}

test("what repeats is one Event with a count", async () => {
  const events = recorder();
  for (let times = 0; times < 10; times += 1) {
    events.record(fabric(), FAILED);
    now += 1_000;
  }
  await events.flush();
  const seen = await written();
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({
    reason: "FetchFailed",
    type: "Warning",
    note: "the server is away",
    series: { count: 10 },
  });
  expect(seen[0]?.regarding).toMatchObject({ kind: "Fabric", name: "dc1" });
});

test("kubectl describe and kubectl events show it", async () => {
  const events = recorder();
  events.record(fabric(), FAILED);
  await events.flush();
  const text = await controlPlane.kubectl(["events", "-n", namespace.name, "--for", "fabric.fabricsync.dev/dc1"]);
  expect(text).toMatch(/Warning\s+FetchFailed\s+Fabric\/dc1\s+the server is away/);
});

test("what happens again after a long time is news", async () => {
  const events = recorder();
  events.record(fabric(), FAILED);
  now += 7 * 60_000;
  events.record(fabric(), FAILED);
  await events.flush();
  expect(await written()).toHaveLength(2);
});

test("a Fabric that flaps does not fill etcd", async () => {
  const events = recorder();
  for (let times = 0; times < 200; times += 1) events.record(fabric(), { ...FAILED, note: `failure ${times}` });
  await events.flush();
  expect((await written()).length).toBeLessThanOrEqual(25);
});

test("a note that is too long for the API is cut, and the Event is written", async () => {
  const events = recorder();
  events.record(fabric(), { ...FAILED, note: "ü".repeat(5_000) });
  await events.flush();
  const [seen] = await written();
  expect(seen?.note).toMatch(/^ü{510}…$/);
});

test("an API server that is away costs nothing but the Event", async () => {
  const away = { request: () => Promise.reject(new Error("away")) };
  const said: string[] = [];
  const log = { ...SILENT, warn: (_keys: object, message: string) => void said.push(message) };
  const events = new EventRecorder({ api: away, instance: "test", log });
  for (let times = 0; times < 200; times += 1) events.record({ ...fabric(), uid: String(times) }, FAILED);
  await events.flush();
  // As many as wait at most, and each of the rest is said to be dropped.
  expect(said.filter((message) => message === "event not written")).toHaveLength(100);
  expect(said.filter((message) => message === "event dropped: too many wait")).toHaveLength(100);
});

describe("what happened between two statuses", () => {
  const status = (type: string, value: "True" | "False" | "Unknown", reason: string): FabricStatus => ({
    conditions: [{ type, status: value, reason, message: "m", lastTransitionTime: "2026-03-01T12:00:00Z" }],
  });
  const told = (before: FabricStatus, after: FabricStatus) =>
    eventsBetween(before, after).map(({ type, reason }) => `${type} ${reason}`);

  test.each<[string, FabricStatus, FabricStatus, string[]]>([
    ["nothing", status("GitReady", "True", "A"), status("GitReady", "True", "A"), []],
    ["going wrong", status("GitReady", "True", "A"), status("GitReady", "False", "B"), ["Warning B"]],
    ["another reason", status("GitReady", "False", "A"), status("GitReady", "False", "B"), ["Warning B"]],
    ["getting well", status("ClusterReady", "False", "A"), status("ClusterReady", "True", "B"), ["Normal B"]],
    ["working towards it", status("ClusterReady", "True", "A"), status("ClusterReady", "Unknown", "B"), []],
    ["stalling", {}, status("Stalled", "True", "B"), ["Warning B"]],
    ["refused documents", {}, status("GitReady", "True", "InvalidDocuments"), ["Warning InvalidDocuments"]],
    ["a summary", {}, status("Ready", "False", "B"), []],
    ["a revision", { git: { revision: "a" } }, { git: { revision: "b" } }, ["Normal RevisionTaken"]],
    [
      "a revision that ends a failure",
      status("GitReady", "False", "RefNotFound"),
      { ...status("GitReady", "True", "RevisionTaken"), git: { revision: "b" } },
      ["Normal RevisionTaken"],
    ],
    [
      "what stalls it, by the condition that it comes from",
      {},
      {
        conditions: ["GitReady", "Stalled"].flatMap(
          (type) => status(type, type === "Stalled" ? "True" : "False", "B").conditions ?? [],
        ),
      },
      ["Warning B"],
    ],
    ["a sync", {}, { lastHandledReconcileAt: "now" }, ["Normal SyncedOnRequest"]],
  ])("%s", (_name, before, after, expected) => {
    expect(told(before, after)).toEqual(expected);
  });
});
