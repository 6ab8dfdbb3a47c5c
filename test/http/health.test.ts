import { livenessChecks, probeAnswer, readinessChecks, SchemaProbe } from "../../src/http/health.ts";
import type { ReadinessFacts } from "../../src/http/health.ts";
import { Loops } from "../../src/http/loops.ts";
import type { ConditionReport, FabricReport } from "../../src/http/reports.ts";

const condition = (type: string, status: ConditionReport["status"], reason = "Reason"): ConditionReport => ({
  type,
  status,
  reason,
  message: `${type} message`,
});

const fabric = (...conditions: ConditionReport[]): FabricReport => ({
  namespace: "lab",
  name: "one",
  conditions,
  streams: [],
  git: null,
  counts: null,
});

const well: ReadinessFacts = {
  schema: { applied: 3, needed: 3 },
  error: "",
  role: "leading",
  listed: true,
  fabrics: [fabric(condition("ClusterReady", "True"), condition("GitReady", "True"), condition("Ready", "True"))],
};

const failing = (facts: ReadinessFacts): string[] =>
  readinessChecks(facts)
    .filter((check) => !check.ok)
    .map(({ name, message }) => `${name}: ${message}`);

test("ready: database migrated, Fabrics listed, each source taken in", () => {
  expect(failing(well)).toEqual([]);
  expect(probeAnswer(readinessChecks(well)).status).toBe(200);
});

test.each<[string, Partial<ReadinessFacts>, string[]]>([
  ["the database was not asked", { schema: null }, ["database: not asked yet"]],
  ["the database is away", { schema: null, error: "ECONNREFUSED" }, ["database: ECONNREFUSED"]],
  [
    "the database is older",
    { schema: { applied: 2, needed: 3 } },
    ["database: at migration 2, this fabric-sync needs 3: run fabric-sync db migrate"],
  ],
  [
    "the database is newer",
    { schema: { applied: 4, needed: 3 } },
    ["database: at migration 4, this fabric-sync needs 3: this fabric-sync is too old for it"],
  ],
  ["the lease was not read", { role: null }, ["fabrics: the lease was not read yet"]],
  ["the Fabrics were not listed", { listed: false }, ["fabrics: not listed yet"]],
  ["a Fabric has no condition yet", { fabrics: [fabric()] }, ["fabric lab/one: not started yet"]],
  [
    "a source was not taken in yet",
    { fabrics: [fabric(condition("ClusterReady", "Unknown", "Listing"), condition("GitReady", "True"))] },
    ["fabric lab/one: ClusterReady Unknown: ClusterReady message"],
  ],
])("not ready: %s", (_why, facts, expected) => {
  expect(failing({ ...well, ...facts })).toEqual(expected);
  expect(probeAnswer(readinessChecks({ ...well, ...facts })).status).toBe(503);
});

test.each<[string, Partial<ReadinessFacts>]>([
  ["another replica leads", { role: "standby", listed: false, fabrics: [] }],
  ["there is no Fabric", { fabrics: [] }],
  ["a condition says why a source was not taken in", { fabrics: [fabric(condition("ClusterReady", "False"))] }],
  [
    "the Fabric is suspended",
    {
      fabrics: [fabric(condition("ClusterReady", "Unknown", "Suspended"), condition("Ready", "Unknown", "Suspended"))],
    },
  ],
  ["a person must act", { fabrics: [fabric(condition("Stalled", "True"), condition("ClusterReady", "Unknown"))] }],
])("ready all the same: %s", (_why, facts) => {
  expect(failing({ ...well, ...facts })).toEqual([]);
});

test("live while every loop beats in its time, and no longer", () => {
  let now = 0;
  const loops = new Loops(() => now);
  const slow = loops.register("slow", 10_000);
  const fast = loops.register("fast", 1_000);
  now = 1_000;
  expect(probeAnswer(livenessChecks(loops.report())).status).toBe(200);
  now = 1_001;
  expect(livenessChecks(loops.report())).toEqual([
    { name: "fast", ok: false, message: "no progress for 1.0 s, at most 1.0 s are normal" },
  ]);
  expect(probeAnswer(livenessChecks(loops.report())).status).toBe(503);
  fast.beat();
  expect(probeAnswer(livenessChecks(loops.report())).status).toBe(200);
  now = 20_000;
  fast.end();
  slow.end();
  expect(probeAnswer(livenessChecks(loops.report())).status).toBe(200);
});

test("two loops of one name are two loops", () => {
  let now = 0;
  const loops = new Loops(() => now);
  loops.register("watch", 10).beat();
  const second = loops.register("watch", 10);
  now = 11;
  second.beat();
  expect(loops.report().map(({ silentMs }) => silentMs)).toEqual([11, 0]);
});

describe("the database probe", () => {
  test("asks once however many probes come at once", async () => {
    let asked = 0;
    const probe = new SchemaProbe(async () => {
      asked += 1;
      return { applied: 1, needed: 1 };
    });
    await Promise.all(Array.from({ length: 50 }, () => probe.answer()));
    expect(asked).toBe(1);
  });

  test("says that the database is away, without credentials", async () => {
    const probe = new SchemaProbe(async () => {
      throw new Error("cannot connect to postgres://anna:canary@db/fabric");
    });
    const answer = await probe.answer();
    expect(answer.schema).toBeNull();
    expect(answer.error).toContain("cannot connect to postgres://");
    expect(answer.error).not.toContain("canary");
  });

  test("does not wait for a database that does not answer", async () => {
    const probe = new SchemaProbe(() => new Promise(() => {}), 20);
    expect(await probe.answer()).toEqual({ schema: null, error: "the database did not answer in time" });
  });
});
