import { normaliseActual } from "../../src/core/normalise.ts";
import { openStore, type StoreFixture } from "./fixture.ts";

/** A fabric of a hundred switches, each of which reports every 15 s. */
const AGENTS = 100;
const BEAT_MS = 15_000;

describe("heartbeats", () => {
  let at: StoreFixture;
  let beats = 0;
  beforeAll(async () => {
    at = await openStore();
    await beat();
  });
  afterAll(() => at[Symbol.asyncDispose]());

  /** What the API server tells when every agent reports: counters, readings and times moved. */
  async function beat() {
    beats += 1;
    const time = new Date(1_790_000_000_000 + beats * BEAT_MS).toISOString();
    const observations = Array.from({ length: AGENTS }, (_, agent) =>
      normaliseActual(
        {
          apiVersion: "agent.githedgehog.com/v1beta1",
          kind: "Agent",
          metadata: {
            name: `switch-${agent}`,
            namespace: "fab",
            uid: `uid-${agent}`,
            generation: 1,
            resourceVersion: String(1_000 * beats + agent),
            managedFields: [{ manager: "agent", operation: "Update", time, fieldsV1: {} }],
          },
          spec: { role: "leaf" },
          status: {
            lastHeartbeat: time,
            lastAppliedTime: time,
            state: {
              nos: { uptime: `${beats * 15}s`, hwskuVersion: "1" },
              interfaces: { "E1/1": { adminStatus: "up", counters: { inBits: beats * 1_000 + agent } } },
              platform: { temps: { cpu: { temp: 40 + (beats % 5) } } },
            },
          },
        },
        { fabricId: at.fabricId, writePath: "watch", observedAt: Date.now() },
      ),
    );
    return at.apply(observations);
  }
  const history = async () =>
    (await at.sql<{ n: number }>("SELECT count(*)::int AS n FROM fabric_sync.resource_event"))[0]?.n;
  const versions = async () =>
    (await at.sql<{ xmin: string }>("SELECT xmin::text FROM fabric_sync.resource ORDER BY name")).map(
      ({ xmin }) => xmin,
    );

  test("of a hundred switches make no history, and within a minute no write of a row", async () => {
    const before = await versions();
    for (let i = 0; i < 4; i++) expect(await beat()).toMatchObject({ unchanged: AGENTS, changed: 0, refreshed: 0 });
    expect(await versions()).toEqual(before);
    expect(await history()).toBe(AGENTS);
  });

  test("touch a row that is a minute old, once", async () => {
    await at.sql("UPDATE fabric_sync.resource SET actual_updated = actual_updated - interval '61 s'");
    expect(await beat()).toMatchObject({ refreshed: AGENTS, changed: 0 });
    expect(await beat()).toMatchObject({ unchanged: AGENTS });
    expect(await history()).toBe(AGENTS);
    const [fresh] = await at.sql<{ uptime: string }>(
      "SELECT actual_status #>> '{state,nos,uptime}' AS uptime FROM fabric_sync.resource LIMIT 1",
    );
    expect(fresh?.uptime).toBe(`${(beats - 1) * 15}s`);
  });

  test("do not hide a change that counts", async () => {
    const changed = normaliseActual(
      {
        apiVersion: "agent.githedgehog.com/v1beta1",
        kind: "Agent",
        metadata: { name: "switch-0", namespace: "fab", uid: "uid-0", generation: 1, resourceVersion: "999999" },
        spec: { role: "leaf" },
        status: { state: { interfaces: { "E1/1": { adminStatus: "down" } } } },
      },
      { fabricId: at.fabricId, writePath: "watch", observedAt: Date.now() },
    );
    expect(await at.apply([changed])).toMatchObject({ changed: 1 });
    expect(await history()).toBe(AGENTS + 1);
  });
});
