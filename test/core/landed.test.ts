import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { hasLanded, landedOf } from "../../src/core/landed.ts";
import { reduce } from "../../src/core/reduce.ts";
import type { ResourceRow } from "../../src/core/row.ts";
import { actual, actualDelete, AGENT, at, COMMIT_1, COMMIT_2, desired, desiredDelete, POLICY } from "./observations.ts";

const VPC = { apiVersion: "vpc.githedgehog.com/v1beta1", kind: "VPC" };
const SPEC = { mode: "l2vni" };

function rowOf(...observations: Parameters<typeof reduce>[1][]): ResourceRow {
  let row: ResourceRow | null = null;
  for (const [second, observation] of observations.entries()) row = reduce(row, observation, POLICY, at(second)).row;
  if (row === null) throw new Error("there is no row");
  return row;
}
const vpc = (git: JsonValue, cluster: JsonValue | null): ResourceRow =>
  rowOf(desired(git, { type: VPC }), ...(cluster === null ? [] : [actual(cluster, { type: VPC })]));
/** An agent with this copy of the VPC; generation 1. */
const agent = (copy: JsonValue | undefined, applied: number): ResourceRow => {
  const vpcs: JsonObject = copy === undefined ? {} : { one: copy };
  return rowOf(actual({ vpcs }, { type: AGENT, status: { lastAppliedGen: applied } }));
};
const told = (row: ResourceRow, agents: readonly ResourceRow[] = [], commit = COMMIT_1) => {
  const { cluster, device } = landedOf(row, commit, agents);
  return [cluster, device];
};

it.each<[string, ResourceRow, ResourceRow[], string[]]>([
  ["the cluster has it, and every agent applied it", vpc(SPEC, SPEC), [agent(SPEC, 1)], ["yes", "yes"]],
  ["an agent was handed it and has not applied it", vpc(SPEC, SPEC), [agent(SPEC, 0)], ["yes", "no"]],
  ["an agent was not handed it yet", vpc(SPEC, SPEC), [agent(SPEC, 1), agent({ mode: "old" }, 1)], ["yes", "no"]],
  ["an agent applied something else", vpc(SPEC, SPEC), [agent(undefined, 1)], ["yes", "unknown"]],
  ["no agent is known", vpc(SPEC, SPEC), [], ["yes", "unknown"]],
  ["the cluster has something else", vpc(SPEC, { mode: "old" }), [agent({ mode: "old" }, 1)], ["no", "no"]],
  ["the cluster does not have it", vpc(SPEC, null), [agent(SPEC, 1)], ["no", "no"]],
  ["no device is configured by its kind", rowOf(desired(), actual()), [], ["yes", "not_applicable"]],
])("%s", (_why, row, agents, expected) => {
  expect(told(row, agents)).toEqual(expected);
  const done = expected.every((landing) => landing === "yes" || landing === "not_applicable");
  expect(hasLanded([landedOf(row, COMMIT_1, agents)])).toBe(done);
});

it("what Git dropped has landed when it is gone, from the devices, too", () => {
  const type = VPC;
  const both = [desired(SPEC, { type }), actual(SPEC, { type })];
  const dropped = rowOf(...both, desiredDelete(type));
  expect(told(dropped, [agent(SPEC, 1)], COMMIT_2)).toEqual(["no", "no"]);
  const gone = rowOf(...both, desiredDelete(type), actualDelete({ type }));
  expect(told(gone, [agent(SPEC, 1)], COMMIT_2)).toEqual(["yes", "no"]);
  expect(told(gone, [agent(undefined, 1)], COMMIT_2)).toEqual(["yes", "yes"]);
  expect(told(gone, [agent(undefined, 0)], COMMIT_2)).toEqual(["yes", "no"]);
});

it("what was not compared is unknown, and what a later commit changed is superseded", () => {
  const type = VPC;
  let row: ResourceRow | null = null;
  for (const one of [desired(SPEC, { type }), actual(SPEC, { type })]) {
    row = reduce(row, one, { ...POLICY, driftMode: "disabled" }, at(0)).row;
  }
  if (row === null) throw new Error("there is no row");
  expect(told(row)).toEqual(["unknown", "unknown"]);
  const later = rowOf(desired(SPEC, { type }), desired({ mode: "new" }, { type, commit: COMMIT_2 }));
  expect(told(later)).toEqual(["superseded", "superseded"]);
});

it("nothing is no proof", () => {
  expect(hasLanded([])).toBe(false);
});
