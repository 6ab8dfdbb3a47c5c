import { readFile } from "node:fs/promises";
import type { Check } from "../../src/core/check.ts";
import { questionOf } from "../../src/core/drift.ts";
import type { ReducePolicy } from "../../src/core/policy.ts";
import { rowKey } from "../../src/core/row.ts";
import type { ResourceRow } from "../../src/core/row.ts";
import { actualVpc, COMMIT_1, COMMIT_2, desiredVpc, openStore, POLICY } from "../store/fixture.ts";
import type { StoreFixture } from "../store/fixture.ts";

const SERVER: ReducePolicy = { ...POLICY, driftMode: "server_side" };
const LATER = "2099-01-01T00:00:00.000Z";
const vlan = (vlan: number) => ({ spec: { subnets: { default: { subnet: "10.0.1.0/24", vlan } } } });
const VLAN = ["spec", "subnets", "default", "vlan"];

let fixture: StoreFixture;
beforeEach(async () => {
  fixture = await openStore();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const write = (...observations: Parameters<StoreFixture["apply"]>[0]) =>
  fixture.apply(observations, { policy: SERVER });
const suspects = () => fixture.store.suspects({ fabricId: fixture.fabricId, now: new Date().toISOString(), limit: 10 });
const stored = async (name = "one"): Promise<ResourceRow> => {
  const [row] = await fixture.store.findResources({ fabricId: fixture.fabricId, kind: "VPC", name });
  if (row === undefined) throw new Error(`there is no ${name}`);
  return row;
};
const answer = (row: ResourceRow, outcome: Check["outcome"], more: Partial<Check> = {}) => ({
  key: rowKey(row),
  check: {
    ...{ key: questionOf(row, SERVER), outcome, code: "", message: "", at: row.updatedAt, again: "" },
    paths: outcome === "differs" ? [{ path: VLAN, actualPath: VLAN }] : [],
    ...more,
  },
});
const settle = (...answers: ReturnType<typeof answer>[]) => fixture.store.settle(fixture.fence, SERVER, answers);
const verdict = ({ driftStatus, resourceState }: ResourceRow) => [driftStatus, resourceState];
const events = () =>
  fixture.sql<{ was: string; is: string; type: string }>(
    `SELECT drift_before AS was, drift_after AS is, event_type AS type FROM fabric_sync.resource_event
      WHERE drift_before <> drift_after ORDER BY at, xid, seq`,
  );

/** Both sides, which differ in one path. */
async function suspect(): Promise<ResourceRow> {
  await write(desiredVpc(fixture, "one", COMMIT_1), actualVpc(fixture, "one", { rv: "1" }));
  await write(actualVpc(fixture, "one", { rv: "2" }, vlan(1002)));
  const [row] = await suspects();
  if (row === undefined) throw new Error("there is no suspect");
  return row;
}

it("a row that differs is a suspect, unknown, and nothing else is asked about", async () => {
  await write(desiredVpc(fixture, "same", COMMIT_1), actualVpc(fixture, "same", { rv: "1" }));
  const row = await suspect();
  expect(row.name).toBe("one");
  expect(verdict(row)).toEqual(["unknown", "pending"]);
  expect(row.driftDetails).toMatchObject({ code: "AwaitingServer", awaiting: "server" });
  expect(await suspects()).toHaveLength(1);
});

it("an answer that finds a difference makes it drifted, with an event, and it is not asked about again", async () => {
  expect(await settle(answer(await suspect(), "differs"))).toEqual({ changed: 1, refreshed: 0, stale: 0 });
  const row = await stored();
  expect(verdict(row)).toEqual(["drifted", "drifted"]);
  expect(row.driftDetails["paths"]).toMatchObject([
    { path: "/spec/subnets/default/vlan", desired: 1001, actual: 1002, file: "vpcs/one.yaml", commit: COMMIT_1 },
  ]);
  expect(await events()).toMatchObject([
    { was: "unknown", is: "missing", type: "added" },
    { was: "missing", is: "in_sync", type: "added" },
    { was: "in_sync", is: "unknown", type: "modified" },
    { was: "unknown", is: "drifted", type: "reclassified" },
  ]);
  expect(await suspects()).toEqual([]);
});

it("an answer that finds none makes it in sync, and holds as long as both sides stay", async () => {
  await settle(answer(await suspect(), "accepted"));
  expect(verdict(await stored())).toEqual(["in_sync", "synced"]);
  // Another status is the same question.
  await write(actualVpc(fixture, "one", { rv: "3" }, { ...vlan(1002), status: { seen: true } }));
  expect([verdict(await stored()), await suspects()]).toEqual([["in_sync", "synced"], []]);
  await write(actualVpc(fixture, "one", { rv: "4" }, vlan(1003)));
  expect([verdict(await stored()), (await suspects()).length]).toEqual([["unknown", "pending"], 1]);
});

it("only drift columns move: neither side is written", async () => {
  const before = await suspect();
  await settle(answer(before, "differs"));
  const after = await stored();
  const sides = ({
    desiredSpec,
    desiredHash,
    desiredUpdated,
    actualSpec,
    actualHash,
    actualResourceVersion,
    actualUpdated,
  }: ResourceRow) => ({
    desiredSpec,
    desiredHash,
    desiredUpdated,
    actualSpec,
    actualHash,
    actualResourceVersion,
    actualUpdated,
  });
  expect(sides(after)).toEqual(sides(before));
  expect(after.writePath).toBe(before.writePath);
});

it("an answer to a question of before is stale, and is not written", async () => {
  const row = await suspect();
  await write(actualVpc(fixture, "one", { rv: "3" }, vlan(1003)));
  expect(await settle(answer(row, "differs"))).toEqual({ changed: 0, refreshed: 0, stale: 1 });
  expect(verdict(await stored())).toEqual(["unknown", "pending"]);
});

it("without the fence nothing is written", async () => {
  const row = await suspect();
  await fixture.store.acquireFence(fixture.fabricId, "another");
  await expect(settle(answer(row, "differs"))).rejects.toMatchObject({ code: "FenceLost", policy: "fatal" });
  expect(verdict(await stored())).toEqual(["unknown", "pending"]);
});

it("what would be refused is invalid, with the server's words; what nobody knows is unknown, with the reason", async () => {
  const row = await suspect();
  await settle(answer(row, "refused", { code: "KubeInvalid", message: "vlan: must be below 4095", again: LATER }));
  expect(await stored()).toMatchObject({
    ...{ driftStatus: "invalid", resourceState: "drifted", driftSeverity: "critical" },
    driftDetails: { code: "KubeInvalid", reason: "vlan: must be below 4095" },
  });
  await write(actualVpc(fixture, "one", { rv: "3" }, vlan(1003)));
  const [next] = await suspects();
  if (next === undefined) throw new Error("there is no suspect");
  await settle(
    answer(next, "unanswered", {
      code: "DryRunUnavailable",
      message: "a webhook is away",
      again: "2020-01-01T00:00:00.000Z",
    }),
  );
  expect(await stored()).toMatchObject({
    ...{ driftStatus: "unknown", resourceState: "pending" },
    driftDetails: { code: "DryRunUnavailable", reason: "a webhook is away" },
  });
  // Its time has come.
  expect((await suspects()).map(({ name }) => name)).toEqual(["one"]);
});

it("an object that is missing is asked about, too: it may be missing because it would be refused", async () => {
  await write(desiredVpc(fixture, "lost", COMMIT_1), desiredVpc(fixture, "bad", COMMIT_1));
  expect((await suspects()).map(({ name, driftStatus }) => [name, driftStatus]).sort()).toEqual([
    ["bad", "missing"],
    ["lost", "missing"],
  ]);
  const [lost, bad] = [await stored("lost"), await stored("bad")];
  await settle(answer(lost, "accepted"), answer(bad, "refused", { code: "KubeInvalid", message: "no" }));
  expect((await stored("lost")).driftDetails).toEqual({});
  expect([verdict(await stored("lost")), verdict(await stored("bad"))]).toEqual([
    ["missing", "committed"],
    ["invalid", "committed"],
  ]);
  expect(await suspects()).toEqual([]);
});

it("a drift that stays keeps its age while the server is asked again", async () => {
  await settle(answer(await suspect(), "differs"));
  const { driftSince } = await stored();
  await write(actualVpc(fixture, "one", { rv: "3" }, vlan(1003)));
  const [again] = await suspects();
  if (again === undefined) throw new Error("there is no suspect");
  expect(again.driftSince).toBeNull();
  await settle(answer(again, "differs"));
  expect((await stored()).driftSince).toBe(driftSince);
});

it("both sides changed: a conflict, once the server has said that they differ, and resolved when one comes round", async () => {
  await write(desiredVpc(fixture, "one", COMMIT_1), actualVpc(fixture, "one", { rv: "1" }));
  await write(actualVpc(fixture, "one", { rv: "2" }, vlan(1002)));
  await write(desiredVpc(fixture, "one", COMMIT_2, vlan(1009)));
  expect((await stored()).conflictStatus).toBe("none");
  await settle(answer(await stored(), "differs"));
  expect(await stored()).toMatchObject({
    conflictStatus: "detected",
    conflictDetails: {
      desired: { commit: COMMIT_2, paths: ["/spec/subnets/default/vlan"] },
      actual: { resourceVersion: "2", paths: ["/spec/subnets/default/vlan"] },
    },
    externalModifications: [{ resourceVersion: "2" }],
  });
  await write(actualVpc(fixture, "one", { rv: "3" }, vlan(1009)));
  expect(await stored()).toMatchObject({
    ...{ driftStatus: "in_sync", conflictStatus: "resolved" },
    conflictDetails: { resolvedBy: "actual" },
  });
});

it("counts, views and rows tell the same numbers", async () => {
  await write(desiredVpc(fixture, "same", COMMIT_1), actualVpc(fixture, "same", { rv: "1" }));
  await write(
    desiredVpc(fixture, "lost", COMMIT_1),
    desiredVpc(fixture, "bad", COMMIT_1),
    desiredVpc(fixture, "asked", COMMIT_1),
  );
  await write(actualVpc(fixture, "asked", { rv: "1" }, vlan(1002)), actualVpc(fixture, "extra", { rv: "1" }));
  await suspect();
  await settle(answer(await stored(), "differs"));
  const [lost, bad] = [await stored("lost"), await stored("bad")];
  await settle(answer(lost, "accepted"), answer(bad, "refused", { code: "KubeInvalid", message: "no" }));

  // That the API server is still asked is no verdict, and is counted apart from what could not be determined.
  const expected = { in_sync: 1, drifted: 1, missing: 1, invalid: 1, extra: 1, not_compared: 1 };
  const { byDrift } = await fixture.store.counts(fixture.fabricId);
  expect(byDrift).toEqual(expected);
  const [summary] = await fixture.store.summarise();
  expect(summary?.counts.byDrift).toEqual(expected);
  const tally = async (view: string) =>
    Object.fromEntries(
      (
        await fixture.sql<{ word: string; rows: number }>(
          `SELECT drift_status AS word, count(*)::int AS rows FROM fabric_sync.${view} GROUP BY 1`,
        )
      ).map(({ word, rows }) => [word, rows]),
    );
  const { not_compared: _open, ...told } = expected;
  expect(await tally("resources")).toEqual({ ...told, unknown: 1 });
  const { in_sync: _inSync, ...drifts } = told;
  expect(await tally("drifts")).toEqual(drifts);
  // Nothing that is not known to be so is counted as in sync, and nothing is counted twice.
  expect(Object.values(byDrift).reduce((sum, rows) => sum + rows, 0)).toBe(6);
});

it("what a rule hid is listed, of rows in sync as well, by the query that the documents give", async () => {
  const documents = await readFile(new URL("../../docs/drift.md", import.meta.url), "utf8");
  const query = /SELECT kind, name, drift_details.*;/.exec(documents)?.[0] ?? "";
  const policy = { ...SERVER, ignore: [{ kind: "VPC", paths: [`/${VLAN.join("/")}`] }] };
  await fixture.apply([desiredVpc(fixture, "one", COMMIT_1), actualVpc(fixture, "one", { rv: "1" }, vlan(1002))], {
    policy,
  });
  expect((await stored()).driftStatus).toBe("in_sync");
  expect((await fixture.sql<object>(query)).map((row) => Object.values(row))).toEqual([
    ["VPC", "one", ["/spec/subnets/default/vlan"]],
  ]);
});
