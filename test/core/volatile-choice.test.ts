import type { JsonObject } from "../../src/core/json.ts";
import { normaliseActual } from "../../src/core/normalise.ts";
import type { ActualUpsert } from "../../src/core/observation.ts";
import { reduce } from "../../src/core/reduce.ts";
import type { ResourceRow } from "../../src/core/row.ts";
import { chooseVolatile, idleTakeBacks } from "../../src/core/volatile-choice.ts";
import type { VolatileRule } from "../../src/core/volatile-choice.ts";
import { AGENT, at, FABRIC, object, POLICY, WIDGET } from "./observations.ts";

const BEAT: VolatileRule = { group: "example.com", kind: "Widget", paths: ["/status/beat"], volatile: true };
const AGENT_KIND = { group: "agent.githedgehog.com", kind: "Agent" };

function seen(rules: readonly VolatileRule[], parts: JsonObject, rv = "10", type = WIDGET): ActualUpsert {
  const { metadata, ...rest } = parts;
  const known = { uid: "u", resourceVersion: rv, generation: 1, ...(metadata as JsonObject | undefined) };
  const body = { ...object({ type, metadata: known }), ...rest };
  const by = { fabricId: FABRIC, writePath: "watch" as const, observedAt: 1_000, volatile: chooseVolatile(rules) };
  return normaliseActual(body, by);
}
const hash = (rules: readonly VolatileRule[], parts: JsonObject, type = WIDGET) =>
  seen(rules, parts, "10", type).content.hash;

describe("a Fabric's own volatile paths", () => {
  const annotations = (value: string): JsonObject => ({ metadata: { annotations: { "example.com/at": value } } });

  it.each<[string, VolatileRule, JsonObject, JsonObject]>([
    ["of one kind", BEAT, { status: { beat: 1 } }, { status: { beat: 2 } }],
    ["of a group", { ...BEAT, kind: "Widget" }, { status: { beat: 1 } }, { status: { beat: 2 } }],
    ["of every kind", { paths: ["/status/beat"], volatile: true }, { status: { beat: 1 } }, { status: { beat: 2 } }],
    ["of all elements", { ...BEAT, paths: ["/spec/p/*/n"] }, { spec: { p: [{ n: 1 }] } }, { spec: { p: [{ n: 2 }] } }],
    [
      "of an annotation",
      { ...BEAT, paths: ["/metadata/annotations/example.com~1at"] },
      annotations("1"),
      annotations("2"),
    ],
  ])("%s do not count", (_what, rule, one, other) => {
    expect(hash([rule], one)).toBe(hash([rule], other));
    expect(hash([], one)).not.toBe(hash([], other));
    expect(hash([{ ...rule, group: "another.example" }], one)).not.toBe(
      hash([{ ...rule, group: "no.example" }], other),
    );
  });

  it("begin with the top-level field in a kind without spec", () => {
    const type = { apiVersion: "v1", kind: "ConfigMap" };
    const map = (tick: string): ActualUpsert => {
      const body = { ...type, metadata: { name: "a", namespace: "default" }, data: { tick, kept: "x" } };
      const volatile = chooseVolatile([{ kind: "ConfigMap", group: "", paths: ["/data/tick"], volatile: true }]);
      return normaliseActual(body, { fabricId: FABRIC, writePath: "list", observedAt: 1, volatile });
    };
    expect(map("1").content.hash).toBe(map("2").content.hash);
  });

  it("can take a built-in one back, alone or with all below a path; a later rule wins", () => {
    const parts = (at_: string, temp: number): JsonObject => ({
      status: { lastAppliedTime: at_, state: { transceivers: { a: { temp } } } },
    });
    const back = (path: string, volatile = false): VolatileRule => ({ ...AGENT_KIND, paths: [path], volatile });
    const differ = (...rules: VolatileRule[]) => [
      hash(rules, parts("1", 1), AGENT) !== hash(rules, parts("2", 1), AGENT),
      hash(rules, parts("1", 1), AGENT) !== hash(rules, parts("1", 2), AGENT),
    ];
    expect(differ()).toEqual([false, false]);
    expect(differ(back("/status/lastAppliedTime"))).toEqual([true, false]);
    expect(differ(back("/status/state/transceivers"))).toEqual([false, true]);
    expect(differ(back("/status"), back("/status/lastAppliedTime", true))).toEqual([false, true]);
  });

  it("that come to the built-in ones are the built-in ones", () => {
    const same: VolatileRule = { ...AGENT_KIND, paths: ["/status/lastHeartbeat"], volatile: true };
    expect(seen([same], {}, "10", AGENT).volatile).toBeUndefined();
  });

  it("say which were taken back in vain", () => {
    const rules: VolatileRule[] = [
      BEAT,
      { ...BEAT, volatile: false },
      { ...AGENT_KIND, paths: ["/status/lastHeartbeat", "/status/hartbeat"], volatile: false },
      { kind: "Widget", paths: ["/status/lastHeartbeat"], volatile: false },
    ];
    expect(idleTakeBacks(rules)).toEqual([
      "/status/hartbeat (Agent of agent.githedgehog.com)",
      "/status/lastHeartbeat (Widget)",
    ]);
  });
});

describe("a change of the paths", () => {
  const taken = (rules: readonly VolatileRule[], parts: JsonObject): ResourceRow =>
    reduce(null, seen(rules, parts), POLICY, at(0)).row as ResourceRow;
  const outcome = (row: ResourceRow, rules: readonly VolatileRule[], parts: JsonObject, rv = "11", second = 61) =>
    reduce(row, seen(rules, parts, rv), POLICY, at(second));
  const owners = { ownerReferences: [{ kind: "Rack", name: "r" }], labels: { a: "b" } };
  const one = { status: { beat: 1, phase: "Up" }, metadata: owners };
  const two = { status: { beat: 2, phase: "Up" }, metadata: owners };
  const down = { status: { beat: 2, phase: "Down" }, metadata: owners };

  it("is no change of any object: the same one again writes nothing, a beat is refreshed once a minute", () => {
    const row = taken([], one);
    expect(outcome(row, [BEAT], one, "10").outcome).toBe("unchanged");
    expect(outcome(row, [BEAT], two, "11", 59).outcome).toBe("unchanged");
    const fresh = outcome(row, [BEAT], two);
    expect(fresh).toMatchObject({ outcome: "refreshed", row: { actualStatus: { beat: 2 } } });
    expect(outcome(fresh.row as ResourceRow, [BEAT], one, "12", 130).outcome).toBe("refreshed");
  });

  it("is none when they are given up either, though what counts again then does", () => {
    const row = taken([BEAT], one);
    expect(outcome(row, [], one).outcome).toBe("refreshed");
    expect(outcome(row, [], two).outcome).toBe("changed");
    const fresh = outcome(row, [], one).row as ResourceRow;
    expect([fresh.actualHash, fresh.syncMetadata]).toEqual([seen([], one).content.hash, taken([], one).syncMetadata]);
  });

  it("hides no change that came with it", () => {
    expect(outcome(taken([], one), [BEAT], down)).toMatchObject({
      outcome: "changed",
      event: { eventType: "modified" },
    });
    expect(outcome(taken([BEAT], one), [], down).outcome).toBe("changed");
  });

  it("leaves the generation out where a Fabric names paths: fields of a spec move it", () => {
    const at2 = { ...two, metadata: { ...owners, generation: 2 } };
    expect(outcome(taken([BEAT], one), [BEAT], at2)).toMatchObject({
      outcome: "refreshed",
      row: { actualGeneration: 2 },
    });
    expect(outcome(taken([], one), [], { ...one, metadata: { ...owners, generation: 2 } }).outcome).toBe("changed");
  });
});
