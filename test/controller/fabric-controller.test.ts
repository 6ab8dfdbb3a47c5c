import { FINALIZER, RECONCILE_AT } from "../../src/api/fabric.ts";
import { FabricSyncError } from "../../src/core/errors.ts";
import { normaliseActual, normaliseDesired } from "../../src/core/normalise.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { controlPlane } from "../support/shared-control-plane.ts";
import { waitFor } from "../support/wait.ts";
import { OPERATOR_VERBS } from "../deploy/verbs.ts";
import { Rig } from "./support/rig.ts";

const URL = "https://git.example.com/org/fabric.git";
const SWITCH = { apiVersion: "wiring.githedgehog.com/v1beta1", kind: "Switch" };

let rig: Rig;
/** While set, what the controller asks of Postgres fails with it; rows of the pumps still go through. */
let outage: FabricSyncError | null = null;
beforeAll(async () => {
  rig = await Rig.start((store) => ({
    registerFabric: (fabric) => (outage === null ? store.registerFabric(fabric) : Promise.reject(outage)),
    retireFabric: (id, policy) => (outage === null ? store.retireFabric(id, policy) : Promise.reject(outage)),
    counts: (id) => (outage === null ? store.counts(id) : Promise.reject(outage)),
  }));
  rig.run();
});
afterEach(() => {
  outage = null;
});
afterAll(() => rig.dispose());

const fabricRow = (uid: string) => rig.rows("SELECT * FROM fabric_sync.fabric WHERE uid = $1", [uid]);

test("a new Fabric becomes Ready when both sides were taken in, as kubectl wait sees it", async () => {
  const made = await rig.create("new", { git: { url: URL } });
  const progressing = await rig.untilCondition("new", "Ready", "Unknown Progressing");
  expect(progressing.metadata.finalizers).toEqual([FINALIZER]);
  expect(rig.condition(progressing, "Reconciling")).toBe("True Progressing");
  const [row] = await fabricRow(made.metadata.uid);
  expect(row).toMatchObject({ writer_holder: "test", detached_at: null });

  const waiting = controlPlane.kubectl([
    ...["wait", "--for=condition=Ready", "fab/new", "-n", rig.namespace, "--timeout=40s"],
  ]);
  (await rig.cluster("new")).follow();
  (await rig.git("new")).take();
  expect(await waiting).toContain("condition met");
  const ready = await rig.untilCondition("new", "Ready", "True Succeeded");
  expect(rig.condition(ready, "Reconciling")).toBe("absent");
  expect(ready.status.observedGeneration).toBe(ready.metadata.generation);
  expect(ready.status.cluster?.freshness).toEqual([
    { group: "wiring.githedgehog.com", kind: "Switch", completeAt: ready.status.cluster?.completeAt },
  ]);
  expect(ready.status.conditions?.find(({ type }) => type === "Ready")?.message).toBe(
    "1 kind watched, 0 objects, revision main@sha1:0123456789ab",
  );
  const reasons = async () => (await rig.eventsOf(made.metadata.uid)).map(({ reason }) => reason).sort();
  // Each is written by itself, in the order in which it happened.
  await waitFor("the events", async () => (await reasons()).length >= 3);
  expect(await reasons()).toEqual(["Connected", "RevisionTaken", "Watching"]);
});

test("a change of the spec restarts what it concerns, and no more", async () => {
  await rig.create("changing", { git: { url: URL } });
  const cluster = await rig.cluster("changing");
  const git = await rig.git("changing");
  cluster.follow();
  git.take();
  await rig.untilCondition("changing", "Ready", "True Succeeded");

  await rig.patch("changing", { spec: { git: { path: "dc1" } } });
  const second = await rig.git("changing", 2);
  expect([git.stopped, second.started, cluster.stopped]).toEqual([1, 1, 0]);
  expect(second.request.spec.path).toBe("dc1");
  await rig.untilCondition("changing", "GitReady", "Unknown Fetching");
  second.take();
  const ready = await rig.untilCondition("changing", "Ready", "True Succeeded");
  expect(ready.status.observedGeneration).toBe(2);

  await rig.patch("changing", { spec: { resources: [{ group: "", kinds: ["ConfigMap"] }] } });
  await waitFor("the selection", () => cluster.selections[0]?.kinds[0] === "ConfigMap");
  expect([second.stopped, cluster.stopped]).toEqual([0, 0]);

  await rig.patch("changing", { spec: { serviceAccountName: "reader" } });
  const third = await rig.cluster("changing", 2);
  expect([cluster.stopped, third.request.impersonate]).toEqual([1, `system:serviceaccount:${rig.namespace}:reader`]);

  await rig.patch("changing", { spec: { cluster: { volatilePaths: [{ paths: ["/status/beat"] }] } } });
  const fourth = await rig.cluster("changing", 3);
  expect([third.stopped, fourth.request.volatile]).toEqual([1, [{ paths: ["/status/beat"], volatile: true }]]);
});

test("suspend stops both sides and says so; without it they go on", async () => {
  await rig.create("suspended", { git: { url: URL } });
  const cluster = await rig.cluster("suspended");
  const git = await rig.git("suspended");
  cluster.follow();
  git.take();
  await rig.untilCondition("suspended", "Ready", "True Succeeded");
  await rig.patch("suspended", { spec: { suspend: true } });
  const suspended = await rig.untilCondition("suspended", "Ready", "Unknown Suspended");
  expect([cluster.stopped, git.stopped]).toEqual([1, 1]);
  expect(suspended.status.observedGeneration).toBe(2);
  expect(rig.condition(suspended, "Reconciling")).toBe("absent");
  await rig.patch("suspended", { spec: { suspend: false } });
  (await rig.cluster("suspended", 2)).follow();
  (await rig.git("suspended", 2)).take();
  await rig.untilCondition("suspended", "Ready", "True Succeeded");
});

test("reconcile-at asks both sides once, and is answered when they are done", async () => {
  await rig.create("asked", { git: { url: URL } });
  const cluster = await rig.cluster("asked");
  const git = await rig.git("asked");
  cluster.follow();
  git.take();
  await rig.untilCondition("asked", "Ready", "True Succeeded");
  await rig.patch("asked", { metadata: { annotations: { [RECONCILE_AT]: "2026-03-01T12:00:00Z" } } });
  const answered = await rig.until(
    "asked",
    "the answer",
    ({ status }) => status.lastHandledReconcileAt === "2026-03-01T12:00:00Z",
  );
  expect([cluster.syncs, git.syncs]).toEqual([1, 1]);
  expect(answered.status.observedGeneration).toBe(1);
});

test("a forbidden kind is a condition with the rule to add, and the end of it is told", async () => {
  await rig.create("forbidden");
  const cluster = await rig.cluster("forbidden");
  cluster.follow({}, { plural: "servers", kind: "Server", state: "forbidden", completeAt: null });
  const told = await rig.untilCondition("forbidden", "ClusterReady", "False KindForbidden");
  const message = told.status.conditions?.find(({ type }) => type === "ClusterReady")?.message;
  expect(message).toContain(
    '{apiGroups: ["wiring.githedgehog.com"], resources: ["servers"], verbs: ["list", "watch"]}',
  );
  expect(rig.condition(told, "Ready")).toBe("False KindForbidden");
  expect(rig.condition(told, "GitReady")).toBe("absent");
  cluster.follow({}, { plural: "servers", kind: "Server" });
  await rig.untilCondition("forbidden", "Ready", "True Succeeded");
  await waitFor("the events", async () => {
    const events = await rig.eventsOf(told.metadata.uid);
    return (
      events.some(({ reason, type }) => reason === "KindForbidden" && type === "Warning") &&
      events.some(({ reason }) => reason === "Watching")
    );
  });
});

test("credentials are read when they are needed, so a rotated Secret is used at once", async () => {
  const secrets = `/api/v1/namespaces/${rig.namespace}/secrets`;
  const secret = (password: string): JsonObject => ({
    metadata: { name: "rotating" },
    stringData: { username: "git", password },
  });
  await rig.create("rotating", { git: { url: URL, secretRef: { name: "rotating" } } });
  const { credentials } = (await rig.git("rotating")).request;
  const signal = AbortSignal.timeout(5_000);
  await expect(credentials(signal)).rejects.toMatchObject({ code: "SecretNotFound" });
  await controlPlane.request("POST", secrets, { body: secret("one") });
  expect(await credentials(signal)).toEqual({ username: "git", password: "one" });
  await controlPlane.request("PATCH", `${secrets}/rotating`, {
    body: secret("two"),
    headers: { "content-type": "application/merge-patch+json" },
  });
  expect(await credentials(signal)).toEqual({ username: "git", password: "two" });
});

test("a kubeconfig that cannot be read is said, and used once it is there", async () => {
  await rig.create("remote", { cluster: { kubeConfig: { secretRef: { name: "dc1" } } } });
  const told = await rig.untilCondition("remote", "ClusterReady", "False SecretNotFound");
  expect(rig.parts.clusters.get("remote")).toBeUndefined();
  expect(rig.condition(told, "Stalled")).toBe("absent");
  const body = { metadata: { name: "dc1" }, stringData: { value: "kubeconfig text" } };
  await controlPlane.request("POST", `/api/v1/namespaces/${rig.namespace}/secrets`, { body });
  const { request } = await rig.cluster("remote");
  expect(request.kubeConfig).toBe("kubeconfig text");
});

describe("deletion", () => {
  test("removes the rows, whoever is away", async () => {
    const made = await rig.create("deleted", { git: { url: URL } });
    const cluster = await rig.cluster("deleted");
    const git = await rig.git("deleted");
    await row(cluster.request.fabric.id, "deleted");
    // Neither source comes to rest: the mirrored cluster and Git do not answer.
    cluster.stopping = new Promise(() => undefined);
    git.stopping = new Promise(() => undefined);
    await rig.remove("deleted");
    await rig.untilGone("deleted");
    expect(await fabricRow(made.metadata.uid)).toEqual([]);
    expect(
      await rig.rows("SELECT 1 FROM fabric_sync.resource WHERE fabric_id = $1", [cluster.request.fabric.id]),
    ).toEqual([]);
    await waitFor("the event", async () =>
      (await rig.eventsOf(made.metadata.uid)).some(({ reason }) => reason === "RowsDeleted"),
    );
  });

  test("keeps the rows where the Fabric says so", async () => {
    const made = await rig.create("kept", { deletionPolicy: "Retain" });
    const cluster = await rig.cluster("kept");
    await row(cluster.request.fabric.id, "kept");
    await rig.remove("kept");
    await rig.untilGone("kept");
    const [record] = await fabricRow(made.metadata.uid);
    expect(record?.["detached_at"]).not.toBeNull();
    expect(
      await rig.rows("SELECT 1 FROM fabric_sync.resource WHERE fabric_id = $1", [cluster.request.fabric.id]),
    ).toHaveLength(1);
  });

  test("waits for Postgres, and says so", async () => {
    const made = await rig.create("waiting");
    (await rig.cluster("waiting")).follow();
    await rig.untilCondition("waiting", "Ready", "True Succeeded");
    outage = new FabricSyncError("StoreUnavailable", "wait", "Postgres is away");
    await rig.remove("waiting");
    await rig.untilCondition("waiting", "StoreReady", "False StoreUnavailable");
    outage = null;
    await rig.untilGone("waiting");
    expect(await fabricRow(made.metadata.uid)).toEqual([]);
  });

  test("of a Fabric that nobody has ever worked on goes through, too", async () => {
    await rig.halt();
    await rig.create("never");
    await rig.remove("never");
    rig.run();
    await rig.untilGone("never");
  });

  /** One row of each Fabric, so that there is something to delete. */
  async function row(fabricId: string, name: string): Promise<void> {
    const object = { ...SWITCH, metadata: { name, namespace: "default", uid: "1", resourceVersion: "1" }, spec: {} };
    const { cluster } = { cluster: await rig.cluster(name) };
    const lane = cluster.request.pump.lane("test");
    await lane.offer(normaliseActual(object, { fabricId, writePath: "watch", observedAt: Date.now() }));
    await lane.drained();
    lane.close();
  }
});

test("a fence that was lost while we lead is taken back, and writing goes on", async () => {
  await rig.create("fenced");
  const cluster = await rig.cluster("fenced");
  cluster.follow();
  await rig.untilCondition("fenced", "Ready", "True Succeeded");
  const { id: fabricId } = cluster.request.fabric;
  const stranger = await rig.store.acquireFence(fabricId, "stranger");
  const object = { ...SWITCH, metadata: { name: "a", namespace: "default", uid: "1", resourceVersion: "1" }, spec: {} };
  const lane = cluster.request.pump.lane("test");
  await lane.offer(normaliseActual(object, { fabricId, writePath: "watch", observedAt: Date.now() }));
  const next = await rig.cluster("fenced", 2);
  expect(next.request.fence().epoch).toBeGreaterThan(stranger.epoch);
  next.follow();
  const again = next.request.pump.lane("test");
  await again.offer(normaliseActual(object, { fabricId, writePath: "watch", observedAt: Date.now() }));
  await again.drained();
  again.close();
  await rig.until("fenced", "the object to be counted", ({ status }) => status.cluster?.objects === 1);
});

test("a fence that is found lost by anything else than the pump is taken back, too", async () => {
  await rig.create("judging");
  const cluster = await rig.cluster("judging");
  cluster.follow();
  await rig.untilCondition("judging", "Ready", "True Succeeded");
  const { id: fabricId } = cluster.request.fabric;
  const object = { ...SWITCH, metadata: { name: "a", namespace: "default", uid: "1", resourceVersion: "1" }, spec: {} };
  const lane = cluster.request.pump.lane("test");
  await lane.offer(normaliseActual(object, { fabricId, writePath: "watch", observedAt: Date.now() }));
  await lane.drained();
  lane.close();
  await rig.store.acquireFence(fabricId, "stranger");
  // Judging the row anew is the next thing that is written.
  await rig.patch("judging", { spec: { drift: { mode: "Disabled" } } });
  (await rig.cluster("judging", 2)).follow();
  await rig.until("judging", "the new verdict", ({ status }) => status.drift?.unknown === 1);
});

test("Postgres that is away is said in the condition, and its return too", async () => {
  outage = new FabricSyncError("StoreUnavailable", "wait", "Postgres is away");
  await rig.create("early");
  const told = await rig.untilCondition("early", "StoreReady", "False StoreUnavailable");
  expect(rig.condition(told, "Ready")).toBe("False StoreUnavailable");
  expect(told.status.observedGeneration).not.toBe(told.metadata.generation);
  outage = null;
  (await rig.cluster("early")).follow();
  await rig.untilCondition("early", "Ready", "True Succeeded");
});

test("commits that Postgres lost are told until they are there again, and told even when that took no time", async () => {
  const made = await rig.create("behind");
  const cluster = await rig.cluster("behind");
  cluster.follow();
  await rig.untilCondition("behind", "Ready", "True Succeeded");
  const foundAt = Date.now();
  cluster.follow({ loss: { foundAt, repaired: false } });
  const told = await rig.untilCondition("behind", "StoreReady", "False CursorsLost");
  expect(rig.condition(told, "Ready")).toBe("False CursorsLost");
  cluster.streams = cluster.streams.map((one) => ({ ...one, loss: { foundAt, repaired: true } }));
  // Nobody says so: a cursor was committed.
  await rig.untilCondition("behind", "Ready", "True Succeeded");

  cluster.follow({ loss: { foundAt: Date.now(), repaired: true } });
  const notes = async () => {
    const events = await rig.eventsOf(made.metadata.uid);
    return events.filter(({ reason }) => reason === "CursorsLost").map(({ note }) => note);
  };
  await waitFor("both to be told", async () => (await notes()).length === 2);
  expect(await notes()).toEqual(
    expect.arrayContaining([
      expect.stringContaining("1 stream went back to where it stands; 1 of them"),
      expect.stringContaining("1 stream went back to where it stands; all of it is there again"),
    ]),
  );
  await rig.untilCondition("behind", "Ready", "True Succeeded");
});

test("rows are judged anew when the policy changes, and when the repository is taken away", async () => {
  await rig.create("judged", { git: { url: URL } });
  const cluster = await rig.cluster("judged");
  const git = await rig.git("judged");
  const { id: fabricId } = cluster.request.fabric;
  const metadata = { name: "leaf-1", namespace: "default" };
  const seen = { fabricId, observedAt: Date.now() };
  const origin = { commit: "a".repeat(40), author: "A", filePath: "a.yaml", line: 1, fileHash: "b".repeat(40) };
  const declared = normaliseDesired({ ...SWITCH, metadata, spec: { role: "leaf" } }, origin, {
    ...seen,
    writePath: "git_poll",
  });
  const { apiGroup, kind, namespace, name } = declared.key;
  await git.request.pump.revisions.commit({
    observations: [declared],
    cursor: { source: "git", scope: URL, position: "a".repeat(40), completeAt: Date.now() },
    gitFiles: {
      upserts: [
        {
          ...{ path: "a.yaml", blob: "b".repeat(40), documents: 1, parsed: true, rejections: [] },
          keys: [{ apiGroup, kind, namespace, name, line: 1 }],
        },
      ],
      removed: [],
    },
  });
  const lane = cluster.request.pump.lane("test");
  const object = { ...SWITCH, metadata: { ...metadata, uid: "1", resourceVersion: "1" }, spec: { role: "spine" } };
  await lane.offer(normaliseActual(object, { ...seen, writePath: "watch" }));
  await lane.drained();
  lane.close();
  cluster.follow();
  git.take();
  await rig.until("judged", "drift", ({ status }) => status.drift?.drifted === 1);
  await rig.patch("judged", { spec: { drift: { ignore: [{ paths: ["/spec/role"] }] } } });
  const ignoring = await rig.until("judged", "no drift", ({ status }) => status.drift?.inSync === 1);
  expect(ignoring.status.drift?.drifted).toBe(0);
  expect(cluster.stopped).toBe(0);

  await rig.patch("judged", { spec: { git: null } });
  await rig.until("judged", "nothing declared", ({ status }) => status.drift?.untracked === 1);
  const [left] = await rig.rows("SELECT desired_spec, actual_spec FROM fabric_sync.resource WHERE fabric_id = $1", [
    fabricId,
  ]);
  expect(left).toEqual({ desired_spec: null, actual_spec: { role: "spine" } });
  expect(await rig.store.readCursors(fabricId)).toEqual([]);
  expect(git.stopped).toBe(1);
});

test("a restart that finds everything as it was leaves no trace in the status", async () => {
  await rig.create("quiet");
  (await rig.cluster("quiet")).follow();
  const ready = await rig.untilCondition("quiet", "Ready", "True Succeeded");
  await rig.halt();
  expect(rig.parts.clusters.get("quiet")?.[0]?.stopped).toBe(1);
  rig.run();
  const again = await rig.cluster("quiet", 2);
  again.follow({ completeAt: Date.parse(ready.status.cluster?.completeAt ?? "") });
  // A sync that is asked for now is answered after everything that the restart had to say.
  await rig.patch("quiet", { metadata: { annotations: { [RECONCILE_AT]: "now" } } });
  const after = await rig.until("quiet", "the answer", ({ status }) => status.lastHandledReconcileAt === "now");
  const { lastHandledReconcileAt: _handled, ...rest } = after.status;
  expect(rest).toEqual(ready.status);
});

test("nothing was asked of the API server that deploy/ does not grant, and every grant of the controller was used", () => {
  const used = new Set(rig.client.seen.map(({ verb, group, resource }) => `${verb} ${resource}.${group}`));
  const granted = OPERATOR_VERBS.filter(({ file }) => file.startsWith("src/controller/"));
  const listed = granted
    .filter(({ resource }) => resource !== "leases")
    .map(({ verb, group, resource }) => `${verb} ${resource}.${group}`);
  // A repeated event is not made here: events.test.ts does.
  used.add("patch events.events.k8s.io");
  expect([...used].sort()).toEqual([...new Set(listed)].sort());
});
