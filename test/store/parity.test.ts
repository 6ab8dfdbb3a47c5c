import type { JsonObject } from "../../src/core/json.ts";
import { normaliseActual, normaliseDesired } from "../../src/core/normalise.ts";
import { reduce } from "../../src/core/reduce.ts";
import { WRITE_PATHS, type WritePath } from "../../src/core/vocabulary.ts";
import { COMMIT_1, openStore, POLICY, type StoreFixture } from "./fixture.ts";

const MINIMAL: JsonObject = {
  apiVersion: "wiring.githedgehog.com/v1beta1",
  kind: "Switch",
  metadata: { name: "leaf" },
};
const MAXIMAL: JsonObject = {
  apiVersion: "wiring.githedgehog.com/v1beta1",
  kind: "Switch",
  metadata: {
    name: "leaf",
    namespace: "default",
    labels: { rack: "r1", owner: "ops" },
    annotations: { note: "by hand" },
    uid: "uid-1",
    resourceVersion: "42",
    generation: 3,
    deletionTimestamp: "2026-01-01T00:00:00Z",
    ownerReferences: [{ apiVersion: "v1", kind: "Rack", name: "r1", uid: "uid-r" }],
    managedFields: [{ manager: "kubectl", operation: "Update", time: "2026-01-01T00:00:00Z" }],
  },
  spec: { role: "server-leaf", ports: [{ name: "E1/1", mtu: 9100 }, null], big: 1.5 },
  status: { applied: true },
};

/** Columns that tell who wrote and when, and ids: all that may differ between two paths. */
const PROVENANCE = ["id", "fabric_id", "write_path", "first_seen", "updated_at", "last_state_change", "drift_since"];
const TIMES = ["last_drift_check", "last_reconciliation"];

describe("every path into the table", () => {
  let at: StoreFixture;
  beforeAll(async () => {
    at = await openStore();
  });
  afterAll(async () => {
    await at[Symbol.asyncDispose]();
  });

  /** Both sides of `object` through `path`, in a fabric of its own. */
  async function rowBy(path: WritePath, object: JsonObject, size: string): Promise<Record<string, unknown>> {
    const { id: fabricId } = await at.store.registerFabric({ namespace: size, name: path, uid: `${size}-${path}` });
    const fence = await at.store.acquireFence(fabricId, "test");
    const seen = { fabricId, writePath: path, observedAt: 1_700_000_000_000 };
    const origin = { commit: COMMIT_1, author: "ada", filePath: "leaf.yaml", line: 3, fileHash: "b".repeat(40) };
    for (const observation of [normaliseDesired(object, origin, seen), normaliseActual(object, seen)]) {
      const batch = { fence, policy: POLICY, observations: [observation], cursors: [] };
      expect(await at.store.apply(batch)).toMatchObject({ changed: 1, deadLettered: [] });
    }
    const [found] = await at.sql<{ row: Record<string, unknown> }>(
      "SELECT to_jsonb(r) AS row FROM fabric_sync.resource r WHERE fabric_id = $1",
      [fabricId],
    );
    return found?.row ?? {};
  }

  describe.each([
    ["minimal", MINIMAL],
    ["maximal", MAXIMAL],
  ])("%s object", (size, object) => {
    test("fills every column, equal over all paths but for provenance", async () => {
      const columns = await at.sql<{ name: string }>(
        "SELECT attname AS name FROM pg_attribute WHERE attrelid = 'fabric_sync.resource'::regclass AND attnum > 0",
      );
      const rows = [];
      for (const path of WRITE_PATHS) {
        const row = await rowBy(path, object, size);
        expect(Object.keys(row).sort()).toEqual(columns.map(({ name }) => name).sort());
        expect(row["write_path"]).toBe(path);
        rows.push(
          Object.fromEntries(Object.entries(row).filter(([name]) => ![...PROVENANCE, ...TIMES].includes(name))),
        );
      }
      for (const row of rows) expect(row).toEqual(rows[0]);
    });
  });

  test("history holds the image that the reducer made, though the database put it together", async () => {
    const { id: fabricId } = await at.store.registerFabric({ namespace: "image", name: "image", uid: "image" });
    const fence = await at.store.acquireFence(fabricId, "test");
    const seen = { fabricId, writePath: "watch" as const, observedAt: 1_700_000_000_000 };
    const origin = { commit: COMMIT_1, author: "ada", filePath: "leaf.yaml", line: 3, fileHash: "b".repeat(40) };
    const versions = ["43", "44"].map((resourceVersion, index) => ({
      ...MAXIMAL,
      metadata: { ...(MAXIMAL["metadata"] as JsonObject), resourceVersion },
      spec: { index },
    }));
    const observations = [
      normaliseDesired(MAXIMAL, origin, seen),
      normaliseActual(MAXIMAL, seen),
      // Two of one key in one batch: the first image is not the row's.
      ...versions.map((object) => normaliseActual(object, seen)),
      normaliseActual(
        { ...versions[1], status: null, metadata: { ...versions[1]?.metadata, resourceVersion: "45" } },
        seen,
      ),
    ];
    const expected = observations.map((observation) => {
      const reduction = reduce(null, observation, POLICY, { now: "2026-01-01T00:00:00.000Z", newId: () => "x" });
      return reduction.outcome === "changed" ? reduction.event.image : undefined;
    });
    const [first, second, ...rest] = observations;
    for (const batch of [[first], [second], rest.slice(0, 2), rest.slice(2)]) {
      const some = batch.filter((observation) => observation !== undefined);
      await at.store.apply({ fence, policy: POLICY, observations: some, cursors: [] });
    }
    const events = await at.sql<{ image: unknown }>(
      "SELECT image FROM fabric_sync.resource_event WHERE fabric_id = $1 ORDER BY xid, seq",
      [fabricId],
    );
    expect(events.map(({ image }) => image)).toEqual(expected);
  });
});
