import { hasLanded } from "../../src/core/landed.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { normaliseActual } from "../../src/core/normalise.ts";
import type { ActualUpsert, Observation } from "../../src/core/observation.ts";
import {
  actualGone,
  actualVpc,
  clusterCursor,
  COMMIT_1,
  COMMIT_2,
  desiredGone,
  desiredVpc,
  openStore,
  POLICY,
} from "../store/fixture.ts";
import type { StoreFixture } from "../store/fixture.ts";
import { fabricSync } from "../cli/support/program.ts";
import { waitFor } from "../support/wait.ts";

const SPEC = { subnets: { default: { subnet: "10.0.1.0/24", vlan: 1001 } } };
const OTHER = { subnets: { default: { subnet: "10.0.1.0/24", vlan: 1002 } } };
const T0 = 1_700_000_000_000;

let fixture: StoreFixture;
beforeAll(async () => {
  fixture = await openStore();
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(async () => {
  await fixture.sql("DELETE FROM fabric_sync.resource_event");
  await fixture.sql("DELETE FROM fabric_sync.resource");
  await fixture.sql("DELETE FROM fabric_sync.cursor");
  await fixture.sql("DELETE FROM fabric_sync.resource_dead_letter");
});

const git = (spec: JsonObject = SPEC, commit = COMMIT_1, observedAt = T0) =>
  desiredVpc({ fabricId: fixture.fabricId, observedAt }, "one", commit, { spec });
const cluster = (spec: JsonObject = SPEC, rv = "1", observedAt = T0) =>
  actualVpc({ fabricId: fixture.fabricId, observedAt }, "one", { rv }, { spec });
const gone = () => actualGone(fixture, "one", { rv: "9" });
/** A switch's agent with this copy of the VPC; its generation is 1. */
const agent = (name: string, copy: JsonObject | null, applied: number, observedAt = T0): ActualUpsert =>
  normaliseActual(
    {
      ...{ apiVersion: "agent.githedgehog.com/v1beta1", kind: "Agent" },
      metadata: { name, namespace: "default", uid: name, resourceVersion: "1", generation: 1 },
      spec: { role: "server-leaf", vpcs: copy === null ? {} : { one: copy } },
      status: { lastAppliedGen: applied },
    },
    { fabricId: fixture.fabricId, writePath: "watch", observedAt },
  );
const landings = async (commit = COMMIT_1) => {
  const { commits, objects } = await fixture.store.commitLandings(fixture.fabricId, commit.slice(0, 9));
  expect(commits).toEqual([commit]);
  return objects;
};

it.each<[string, () => Observation[], [cluster: string, device: string]]>([
  ["the cluster has it, and every agent applied it", () => [git(), cluster(), agent("a", SPEC, 1)], ["yes", "yes"]],
  ["an agent was handed it and has not applied it", () => [git(), cluster(), agent("a", SPEC, 0)], ["yes", "no"]],
  [
    "an agent was not handed it yet",
    () => [git(), cluster(), agent("a", SPEC, 1), agent("b", OTHER, 1)],
    ["yes", "no"],
  ],
  ["an agent applied something else", () => [git(), cluster(), agent("a", null, 1)], ["yes", "unknown"]],
  ["no agent is known", () => [git(), cluster()], ["yes", "unknown"]],
  ["the cluster has something else", () => [git(), cluster(OTHER), agent("a", OTHER, 1)], ["no", "no"]],
  ["the cluster does not have it", () => [git(), agent("a", SPEC, 1)], ["no", "no"]],
  [
    "the agent was not heard of since",
    () => [git(SPEC, COMMIT_1, T0 + 1_000), cluster(SPEC, "1", T0 + 2_000), agent("a", SPEC, 1)],
    ["yes", "unknown"],
  ],
])("%s", async (_why, observations, [inCluster, onDevice]) => {
  await fixture.apply(observations());
  const objects = await landings();
  expect(objects).toMatchObject([{ kind: "VPC", name: "one", takenIn: "yes", inCluster, onDevice }]);
  expect(hasLanded(objects)).toBe(inCluster === "yes" && onDevice === "yes");
  // The revision is told by the same view.
  const { objects: all, ...counted } = await fixture.store.landings(fixture.fabricId);
  expect([all, counted.inCluster[inCluster as "yes"], counted.onDevice[onDevice as "yes"]]).toEqual([1, 1, 1]);
});

it("what was seen before the commit was taken in proves nothing, until the cluster is heard of again", async () => {
  await fixture.apply([cluster(), agent("a", SPEC, 1), git(SPEC, COMMIT_1, T0 + 1_000)]);
  expect(await landings()).toMatchObject([
    { inCluster: "unknown", reason: "the cluster was not heard of since it was taken in" },
  ]);
  await fixture.apply([], { cursors: [clusterCursor("5", T0 + 2_000)] });
  expect(await landings()).toMatchObject([{ inCluster: "yes", onDevice: "unknown" }]);
});

it("a kind that is not heard of leaves the others of its API group as fresh as they are", async () => {
  const peerings = { ...clusterCursor("3", T0), scope: "vpc.githedgehog.com/v1beta1/vpcpeerings", kind: "VPCPeering" };
  const vpcs = { ...clusterCursor("5", T0 + 2_000), kind: "VPC" };
  await fixture.apply([cluster(), git(SPEC, COMMIT_1, T0 + 1_000)], { cursors: [peerings, vpcs] });
  expect(await landings()).toMatchObject([{ inCluster: "yes" }]);
  // Nor does a lively neighbour make a silent kind look fresh.
  await fixture.sql("DELETE FROM fabric_sync.cursor");
  const swapped = [
    { ...peerings, completeAt: vpcs.completeAt },
    { ...vpcs, completeAt: peerings.completeAt },
  ];
  await fixture.apply([], { cursors: swapped });
  expect(await landings()).toMatchObject([
    { inCluster: "unknown", reason: "the cluster was not heard of since it was taken in" },
  ]);
});

it("what Git dropped has landed when it is gone, from the devices, too", async () => {
  const drop = desiredGone(fixture, "one", COMMIT_2);
  await fixture.apply([git(), cluster(), agent("a", SPEC, 1)]);
  await fixture.apply([drop]);
  expect(await landings(COMMIT_2)).toMatchObject([{ inCluster: "no", onDevice: "no" }]);
  expect(await landings(COMMIT_1)).toMatchObject([{ inCluster: "superseded", onDevice: "superseded" }]);
  await fixture.apply([gone()]);
  expect(await landings(COMMIT_2)).toMatchObject([
    { inCluster: "yes", onDevice: "no", reason: "still in the configuration of a" },
  ]);
  const without = agent("a", null, 0);
  await fixture.apply([{ ...without, resourceVersion: "2" }]);
  expect(await landings(COMMIT_2)).toMatchObject([
    { inCluster: "yes", onDevice: "no", reason: "not applied yet by a" },
  ]);
  await fixture.apply([{ ...agent("a", null, 1), resourceVersion: "3" }]);
  const objects = await landings(COMMIT_2);
  expect(objects).toMatchObject([{ inCluster: "yes", onDevice: "yes" }]);
  expect(hasLanded(objects)).toBe(true);
});

it("what was not compared is unknown, and a kind that no device is configured by has no devices", async () => {
  await fixture.apply([git(), cluster()], { policy: { ...POLICY, driftMode: "disabled" } });
  expect(await landings()).toMatchObject([{ inCluster: "unknown", onDevice: "unknown" }]);
  const plain = { ...git(), key: { ...git().key, apiGroup: "", kind: "ConfigMap" } };
  await fixture.apply([plain, { ...cluster(), key: plain.key }]);
  const objects = await landings();
  expect(objects.find(({ kind }) => kind === "ConfigMap")).toMatchObject({
    inCluster: "yes",
    onDevice: "not_applicable",
  });
});

it("what the database refused is not taken in, and no yes is said of it", async () => {
  const refused = git();
  const spec = { subnets: { default: { subnet: "10.0.1.0/24", vlan: "\u0000" } } };
  await fixture.apply([{ ...refused, content: { ...refused.content, spec } }]);
  const objects = await landings();
  expect(objects).toMatchObject([{ name: "one", takenIn: "no", inCluster: "unknown", onDevice: "unknown" }]);
  expect(hasLanded(objects)).toBe(false);
});

it("a commit that nobody knows has no landings, and nothing is no proof", async () => {
  await fixture.apply([git()]);
  expect(await fixture.store.commitLandings(fixture.fabricId, "abcdef1")).toEqual({ commits: [], objects: [] });
  expect(hasLanded([])).toBe(false);
});

it("of many agents the first are named, and the others counted", async () => {
  const agents = Array.from({ length: 7 }, (_, index) => agent(`leaf-${index}`, SPEC, 1));
  await fixture.apply([git(), cluster(), ...agents]);
  expect(await landings()).toMatchObject([
    { onDevice: "yes", reason: "applied by leaf-0, leaf-1, leaf-2, leaf-3, leaf-4 and 2 more" },
  ]);
});

describe("fabric-sync landed", () => {
  const landed = (commit: string, ...more: string[]) =>
    fabricSync(["landed", "netops/lab", commit, "--json", ...more], { DATABASE_URL: fixture.database.url });

  it("waits until the commit has landed, and ends with 0 then", async () => {
    await fixture.apply([git(), cluster(), agent("a", SPEC, 0)]);
    const [begun] = await fixture.sql<{ at: string }>("SELECT clock_timestamp()::text AS at");
    const waiting = landed(COMMIT_1.slice(0, 7), "--wait", "120");
    await waitFor("its first look", async () => {
      const asked = "query LIKE '%FROM fabric_sync.landings%' AND query_start > $1 AND state = 'idle'";
      const looks = await fixture.sql(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND ${asked}`,
        [begun?.at],
      );
      return looks.length > 0;
    });
    await fixture.apply([{ ...agent("a", SPEC, 1), resourceVersion: "2" }]);
    const { code, stdout } = await waiting;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ commit: COMMIT_1, landed: true, objects: [{ onDevice: "yes" }] });
  });

  it("ends with 1 when it has not by then, and with 2 for a commit that nobody knows", async () => {
    await fixture.apply([git(), cluster(), agent("a", SPEC, 0)]);
    const { code, stdout } = await landed(COMMIT_1, "--wait", "1");
    expect([code, JSON.parse(stdout)]).toMatchObject([1, { landed: false, objects: [{ onDevice: "no" }] }]);
    const unknown = await landed("abcdef1");
    expect([unknown.code, unknown.stdout]).toEqual([2, ""]);
    expect(unknown.stderr).toContain("it may not be taken in yet");
  });
});
