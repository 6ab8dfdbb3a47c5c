import { outcomeOf, syncOnce } from "../../src/controller/once.ts";
import type { FabricStatus } from "../../src/api/status.ts";
import { Rig } from "./support/rig.ts";

const status = (conditions: Record<string, string>): FabricStatus => ({
  conditions: Object.entries(conditions).map(([type, text]) => {
    const [value = "", reason = ""] = text.split(" ");
    const given = { status: value as "True" | "False" | "Unknown", reason, message: "m" };
    return { type, ...given, lastTransitionTime: "2026-03-01T12:00:00Z" };
  }),
});

describe("how a pass ended", () => {
  test.each<[string, FabricStatus | null, string]>([
    ["all is well", status({ Ready: "True Succeeded" }), "well"],
    ["documents were refused", status({ Ready: "True InvalidDocuments" }), "partial"],
    ["Postgres refused some", status({ Ready: "True DeadLetters" }), "partial"],
    [
      "a kind is forbidden",
      status({ Ready: "False KindForbidden", ClusterReady: "False KindForbidden", StoreReady: "True Connected" }),
      "partial",
    ],
    [
      "Git is away",
      status({ Ready: "False X", ClusterReady: "True Watching", GitReady: "False X", StoreReady: "True Connected" }),
      "partial",
    ],
    [
      "both are away",
      status({ Ready: "False X", ClusterReady: "False Y", GitReady: "False X", StoreReady: "True Connected" }),
      "failed",
    ],
    [
      "there is only a cluster, and it is away",
      status({ Ready: "False Y", ClusterReady: "False Y", StoreReady: "True Connected" }),
      "failed",
    ],
    ["Postgres is away", status({ Ready: "False Z", ClusterReady: "True Watching", StoreReady: "False Z" }), "failed"],
    [
      "it was not done in time",
      status({ Ready: "Unknown Progressing", ClusterReady: "Unknown Listing", StoreReady: "True Connected" }),
      "failed",
    ],
    ["it is suspended", status({ Ready: "Unknown Suspended" }), "skipped"],
    ["it was being deleted", null, "well"],
  ])("%s", (_name, given, expected) => {
    expect(outcomeOf(given).outcome).toBe(expected);
  });
});

describe("a pass over real Fabrics", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await Rig.start();
  });
  afterAll(() => rig.dispose());
  const signal = () => AbortSignal.timeout(50_000);

  test("takes each in, writes its status, and leaves nothing running", async () => {
    await rig.create("one", { git: { url: "https://git.example.com/a.git" } });
    await rig.create("two", { suspend: true });
    const passing = syncOnce({ ...rig.options, deadlineMs: 40_000 }, signal());
    const cluster = await rig.cluster("one");
    const git = await rig.git("one");
    cluster.follow();
    git.take();
    expect((await passing).map(({ name, outcome }) => [name, outcome])).toEqual([
      ["one", "well"],
      ["two", "skipped"],
    ]);
    expect([cluster.syncs, git.syncs, cluster.stopped, git.stopped]).toEqual([1, 1, 1, 1]);
    const fabric = await rig.get("one");
    expect(rig.condition(fabric, "Ready")).toBe("True Succeeded");
    expect(fabric.status.observedGeneration).toBe(fabric.metadata.generation);
  });

  test("over the one that is named", async () => {
    await expect(
      syncOnce({ ...rig.options, fabric: `${rig.namespace}/none`, deadlineMs: 40_000 }, signal()),
    ).rejects.toMatchObject({
      code: "FabricNotFound",
    });
    const results = await syncOnce({ ...rig.options, fabric: `${rig.namespace}/two`, deadlineMs: 40_000 }, signal());
    expect(results.map(({ name }) => name)).toEqual(["two"]);
  });

  test("ends at its deadline when a source does not", async () => {
    await rig.create("slow", {});
    // Time enough to begin, also on a busy machine.
    const results = await syncOnce({ ...rig.options, fabric: `${rig.namespace}/slow`, deadlineMs: 4_000 }, signal());
    expect(results[0]?.outcome).toBe("failed");
    expect(rig.parts.clusters.get("slow")?.[0]?.stopped).toBe(1);
  });

  test("lets a deleted Fabric go, so that cron alone is enough", async () => {
    await rig.create("going", {});
    const pass = () => syncOnce({ ...rig.options, fabric: `${rig.namespace}/going`, deadlineMs: 40_000 }, signal());
    const first = pass();
    (await rig.cluster("going")).follow();
    await first;
    await rig.remove("going");
    const [result] = await pass();
    expect(result).toMatchObject({ outcome: "well", reason: "Deleted" });
    await rig.untilGone("going");
  });
});
