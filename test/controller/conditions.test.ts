import type { Condition, FabricStatus } from "../../src/api/status.ts";
import { kubernetesTime, mergeConditions } from "../../src/controller/conditions.ts";
import { StatusWriter } from "../../src/controller/status-writer.ts";
import type { JsonValue } from "../../src/core/json.ts";

const held: Condition = {
  ...{ type: "Ready", status: "True", reason: "Succeeded", message: "m" },
  lastTransitionTime: "2026-03-01T12:00:00Z",
} as Condition;
const LATER = "2026-03-01T13:00:00Z";

describe("conditions keep their age", () => {
  test("while only reason and message change", () => {
    const [merged] = mergeConditions([held], [{ ...held, reason: "Other", message: "n" }], LATER);
    expect(merged).toMatchObject({ reason: "Other", message: "n", lastTransitionTime: held.lastTransitionTime });
  });
  test("and lose it with the status", () => {
    expect(mergeConditions([held], [{ ...held, status: "False" }], LATER)[0]?.lastTransitionTime).toBe(LATER);
  });
  test("what is not stated any more is gone", () => {
    expect(mergeConditions([held], [], LATER)).toEqual([]);
  });
  test("a message that is too long is cut", () => {
    expect(mergeConditions([], [{ ...held, message: "x".repeat(50_000) }], LATER)[0]?.message).toHaveLength(4_096);
  });
  test("times are whole seconds", () => {
    expect(kubernetesTime(Date.parse("2026-03-01T12:00:00.999Z"))).toBe("2026-03-01T12:00:00Z");
  });
});

describe("the status is written", () => {
  const metadata = { namespace: "a", name: "b", uid: "c" };
  const base: FabricStatus = { conditions: [held], cluster: { objects: 1, completeAt: "2026-03-01T12:00:00Z" } };
  const clock = { now: 1_000_000 };
  const writer = () => {
    const sent: JsonValue[] = [];
    const api = {
      request: async (_method: string, _path: string, options: { body?: JsonValue } = {}): Promise<JsonValue> => {
        sent.push(options.body ?? null);
        return {};
      },
    };
    return { sent, status: new StatusWriter(api, () => clock.now, base) };
  };

  test("not when nothing changed, whatever the order of its fields", () => {
    const reordered: FabricStatus = { cluster: { completeAt: "2026-03-01T12:00:00Z", objects: 1 }, conditions: [held] };
    expect(writer().status.dueIn(reordered)).toBeNull();
  });
  test("at once when something changed, and then not for a second", async () => {
    const { status } = writer();
    const next = { ...base, cluster: { ...base.cluster, objects: 2 } };
    expect(status.dueIn(next)).toBe(0);
    await status.write(metadata, next, AbortSignal.timeout(1_000));
    expect(status.dueIn(next)).toBeNull();
    expect(status.dueIn(base)).toBe(1_000);
    clock.now += 1_000;
    expect(status.dueIn(base)).toBe(0);
  });
  test("once a minute when only times moved", async () => {
    const { status } = writer();
    await status.write(metadata, base, AbortSignal.timeout(1_000));
    const later = { ...base, cluster: { objects: 1, completeAt: "2026-03-01T12:00:30Z" } };
    expect(status.dueIn(later)).toBe(60_000);
    clock.now += 60_000;
    expect(status.dueIn(later)).toBe(0);
  });
  test("not for each bookmark: the times of kinds go with the others once a minute", async () => {
    const { status } = writer();
    const kinds = (a: string, b: string): FabricStatus => ({
      ...base,
      cluster: { freshness: [a, b].map((completeAt, n) => ({ group: "", kind: `Kind${n}`, completeAt })) },
    });
    const [one, two] = ["2026-03-01T12:00:00Z", "2026-03-01T12:00:30Z"];
    await status.write(metadata, kinds(one, one), AbortSignal.timeout(1_000));
    expect([status.dueIn(kinds(one, one)), status.dueIn(kinds(one, two)), status.dueIn(kinds(two, two))]).toEqual([
      null,
      60_000,
      60_000,
    ]);
  });
  test("not by a restart that does not know yet what was known, for its first five seconds", () => {
    const { status } = writer();
    const unknown: FabricStatus = { conditions: [{ ...held, status: "Unknown", reason: "Progressing" }] };
    expect(status.dueIn(unknown)).toBe(5_000);
    expect(status.dueIn({ conditions: [{ ...held, status: "Unknown", reason: "Suspended" }] })).toBe(0);
    expect(status.dueIn({ conditions: [{ ...held, status: "False", reason: "Failed" }] })).toBe(0);
    expect(status.dueIn({ ...unknown, observedGeneration: 2 })).toBe(0);
    clock.now += 5_000;
    expect(status.dueIn(unknown)).toBe(0);
  });
  test("never to a namesake: the uid is tested in the same patch", async () => {
    const { status, sent } = writer();
    await status.write(metadata, base, AbortSignal.timeout(1_000));
    expect(sent[0]).toEqual([
      { op: "test", path: "/metadata/uid", value: "c" },
      { op: "add", path: "/status", value: base },
    ]);
  });
});
