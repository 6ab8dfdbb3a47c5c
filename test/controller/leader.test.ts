import { LeaderElection } from "../../src/controller/leader.ts";
import type { LeaderTimes } from "../../src/controller/leader.ts";
import { LeaseObject } from "../../src/controller/lease.ts";
import type { KubeApi } from "../../src/controller/kube-api.ts";
import { KubeClient } from "../../src/sources/cluster/client.ts";
import { loadKubeConfig } from "../../src/sources/cluster/kubeconfig.ts";
import type { TestNamespace } from "../support/control-plane.ts";
import { controlPlane } from "../support/shared-control-plane.ts";
import { waitFor } from "../support/wait.ts";
import { SILENT } from "./support/rig.ts";

/** Asked often; a lease is never lost, and never runs out while a test waits, because a busy machine is slow. */
const TIMES: LeaderTimes = { leaseMs: 40_000, renewDeadlineMs: 30_000, retryMs: 100 };
/** For leases that shall run out; whole seconds as the API has them. */
const SHORT: LeaderTimes = { leaseMs: 4_000, renewDeadlineMs: 2_000, retryMs: 100 };

let kube: KubeClient;
let namespace: TestNamespace;
let count = 0;
beforeAll(async () => {
  namespace = await controlPlane.createNamespace("lease");
  kube = new KubeClient(loadKubeConfig({ from: "file", path: controlPlane.adminKubeconfig.path }));
});
afterAll(async () => {
  await namespace.remove();
  await kube.close();
});

const newLease = (): string => `lease-${(count += 1)}`;
const candidate = (identity: string, lease: string, api: KubeApi = kube, times = TIMES): LeaderElection =>
  new LeaderElection({
    lease: new LeaseObject(api, namespace.name, lease),
    identity,
    log: SILENT,
    heartbeat: { beat: () => undefined, end: () => undefined },
    times,
  });

/** A client whose connection the test can cut. */
function fragile(): KubeApi & { cut: boolean } {
  const api = {
    cut: false,
    request: (...args: Parameters<KubeApi["request"]>): ReturnType<KubeApi["request"]> =>
      api.cut ? Promise.reject(new Error("the connection was cut by the test")) : kube.request(...args),
  };
  return api;
}

/** Takes part, and says what it did and when. */
function takePart(election: LeaderElection, order: string[] = []) {
  const stop = new AbortController();
  const log: { what: "begins" | "ends"; at: number }[] = [];
  const done = election.run(stop.signal, async (leading) => {
    order.push("begins");
    log.push({ what: "begins", at: Date.now() });
    await new Promise<void>((resolve) => leading.addEventListener("abort", () => resolve(), { once: true }));
    order.push("ends");
    log.push({ what: "ends", at: Date.now() });
  });
  return {
    log,
    begun: () => waitFor("leading", () => log.length > 0),
    leave: async () => {
      stop.abort();
      await done;
    },
  };
}

test("one leads; the other takes over at once when the lease is given back", async () => {
  const lease = newLease();
  const one = takePart(candidate("one", lease));
  await one.begun();
  const second = candidate("two", lease);
  const two = takePart(second);
  await waitFor("two to see one", () => second.holder === "one");
  expect(two.log).toEqual([]);
  await one.leave();
  // Long before the lease would have run out.
  await two.begun();
  expect(two.log[0]?.at).toBeGreaterThanOrEqual(one.log[1]?.at ?? Infinity);
  await two.leave();
  expect(await new LeaseObject(kube, namespace.name, lease).read(AbortSignal.timeout(40_000))).toMatchObject({
    holder: "",
    transitions: 1,
  });
});

test("a leader that cannot renew has stopped before another may begin, and takes part again", async () => {
  const lease = newLease();
  const api = fragile();
  const one = takePart(candidate("one", lease, api, SHORT));
  await one.begun();
  api.cut = true;
  const two = takePart(candidate("two", lease, kube, SHORT));
  await two.begun();
  const [began, ended] = one.log.slice(-2);
  expect([began?.what, ended?.what]).toEqual(["begins", "ends"]);
  expect(ended?.at).toBeLessThan(two.log[0]?.at ?? 0);
  api.cut = false;
  const before = one.log.length;
  await two.leave();
  await waitFor("one to lead again", () => one.log.length > before);
  await one.leave();
});

test("a leader whose lease was taken stops at its next renewal", async () => {
  const lease = newLease();
  const one = takePart(candidate("one", lease));
  await one.begun();
  await controlPlane.kubectl([
    ...["patch", "lease", lease, "-n", namespace.name, "--type=merge"],
    ...["-p", JSON.stringify({ spec: { holderIdentity: "thief" } })],
  ]);
  await waitFor("the end", () => one.log[1]?.what === "ends");
  await one.leave();
  expect((await new LeaseObject(kube, namespace.name, lease).read(AbortSignal.timeout(40_000)))?.holder).toBe("thief");
});

test("of many that start together one leads at a time", async () => {
  const lease = newLease();
  const order: string[] = [];
  const all = ["a", "b", "c", "d"].map((identity) => takePart(candidate(identity, lease), order));
  for (const _turn of all) {
    const leading = await waitFor("a leader", () => all.find(({ log }) => log.length === 1));
    await leading.leave();
  }
  expect(order).toEqual(all.flatMap(() => ["begins", "ends"]));
});

describe("for one pass", () => {
  const once = (election: LeaderElection) => election.runOnce(AbortSignal.timeout(40_000), async () => "done");

  test("refuses in words while another leads", async () => {
    const lease = newLease();
    const one = takePart(candidate("operator-7d9", lease));
    await one.begun();
    await expect(once(candidate("cron", lease))).rejects.toMatchObject({
      code: "LeaseHeld",
      message: expect.stringMatching(/^operator-7d9 holds the lease .*reconcile-at, or stop it first$/),
    });
    await one.leave();
    expect(await once(candidate("cron", lease))).toBe("done");
  });

  test("two at once: one is refused", async () => {
    const lease = newLease();
    const outcomes = await Promise.allSettled([once(candidate("a", lease)), once(candidate("b", lease))]);
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).not.toEqual([]);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: "LeaseHeld" });
  });

  test("goes on after a holder that was killed, once its lease has run out", async () => {
    const lease = newLease();
    const past = new Date(Date.now() - 10_000).toISOString().replace("Z", "000Z");
    const record = { holder: "dead", durationSeconds: 2, transitions: 0, acquireTime: past, renewTime: past };
    await new LeaseObject(kube, namespace.name, lease).write(
      { ...record, resourceVersion: "" },
      AbortSignal.timeout(40_000),
    );
    expect(await once(candidate("cron", lease))).toBe("done");
  });

  test("gives the lease back when the pass fails", async () => {
    const lease = newLease();
    const failing = candidate("cron", lease).runOnce(AbortSignal.timeout(40_000), () =>
      Promise.reject(new Error("no")),
    );
    await expect(failing).rejects.toThrow("no");
    expect(await once(candidate("next", lease))).toBe("done");
  });
});

test("times that would let two lead are refused", () => {
  const options = { lease: new LeaseObject(kube, "a", "b"), identity: "a", log: SILENT };
  const heartbeat = { beat: () => undefined, end: () => undefined };
  const times = { leaseMs: 1_000, renewDeadlineMs: 1_000, retryMs: 100 };
  expect(() => new LeaderElection({ ...options, heartbeat, times })).toThrow("renewDeadlineMs must be less");
});
