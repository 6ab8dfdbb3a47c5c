import type { JsonObject } from "../../src/core/json.ts";
import { normaliseDesired } from "../../src/core/normalise.ts";
import type { DesiredUpsert, Observation } from "../../src/core/observation.ts";
import { fabricSync } from "../cli/support/program.ts";
import { COMMIT_1, COMMIT_2 } from "../store/fixture.ts";
import { objectNamed } from "./example.ts";
import { made, openLab, type Lab } from "./lab.ts";
import { dump, versions } from "./tables.ts";

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
});
beforeEach(async () => lab.put(...lab.objects));
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

test("references are told on both sides, and those that lead nowhere are found", async () => {
  const lost = objectNamed(lab.objects, "VPCAttachment", "data-db--server-04");
  (lost["spec"] as JsonObject)["connection"] = "nowhere";
  await lab.put(lost);
  expect(
    await lab.at.sql(
      `SELECT kind, name, path, target_kind, target_name FROM fabric_sync."references" WHERE dangling AND kind = 'VPCAttachment'`,
    ),
  ).toEqual([
    {
      kind: "VPCAttachment",
      name: "data-db--server-04",
      path: "/spec/connection",
      target_kind: "Connection",
      target_name: "nowhere",
    },
  ]);
  const [used] = await lab.at.sql(
    `SELECT array_agg(DISTINCT kind ORDER BY kind) AS kinds FROM fabric_sync."references" WHERE target_kind = 'Switch' AND target_name = 'leaf-04'`,
  );
  expect(used).toEqual({ kinds: ["Agent", "Connection"] });
});

/** What Git declares of an object, in a file of its own. */
const declared = (object: JsonObject, commit: string, line = 7): DesiredUpsert =>
  normaliseDesired(
    object,
    { commit, author: "ada", filePath: "fabric/racks.yaml", line, fileHash: commit },
    { fabricId: lab.at.fabricId, writePath: "git_poll", observedAt: 1_700_000_000_000, namespace: "default" },
  );

test("a reference may be there before its target: it leads nowhere until then, and nothing is written for it", async () => {
  const [attachment] = await lab.list(
    "SELECT id::text AS text FROM fabric_sync.resource WHERE kind = 'VPCAttachment' AND name = 'data-db--server-04'",
  );
  const dangling = (): Promise<string[]> =>
    lab.list(
      `SELECT DISTINCT target_kind || '/' || target_name AS text FROM fabric_sync."references" WHERE dangling AND resource_id = '${attachment}'`,
    );
  const edges = (): Promise<string[]> =>
    lab.list(
      `SELECT xmin::text || path AS text FROM fabric_sync.resource_edge WHERE resource_id = '${attachment}' ORDER BY 1`,
    );
  await lab.at.sql(
    "DELETE FROM fabric_sync.resource WHERE kind = 'Connection' AND name = 'server-04--unbundled--leaf-03'",
  );
  expect(await dangling()).toEqual(["Connection/server-04--unbundled--leaf-03"]);
  const before = await edges();
  await lab.put(objectNamed(lab.objects, "Connection", "server-04--unbundled--leaf-03"));
  expect(await dangling()).toEqual([]);
  expect(await edges()).toEqual(before);
});

test("owner references that Git declares are kept beside the cluster's, those that lead nowhere with file and line", async () => {
  const owner = (name: string): JsonObject => ({
    apiVersion: "example.com/v1",
    kind: "Rack",
    name,
    uid: `uid-${name}`,
  });
  const box = (...owners: JsonObject[]): JsonObject => ({
    apiVersion: "example.com/v1",
    kind: "Box",
    metadata: { name: "box", ...(owners.length === 0 ? {} : { ownerReferences: owners }) },
    spec: { height: 1 },
  });
  const edges = () =>
    lab.list(
      `SELECT concat_ws(' ', side, path, relation, target_kind || '.' || target_api_group || '/' || target_namespace || '/' || target_name,
              CASE WHEN dangling THEN 'dangling' END, nullif(file_path, '') || ':' || line) AS text
         FROM fabric_sync."references" WHERE kind = 'Box' ORDER BY 1`,
    );
  const seen = async (...observations: Observation[]): Promise<void> => {
    expect(await lab.at.apply(observations)).toMatchObject({ deadLettered: [] });
  };
  await lab.put(made("example.com/v1", "Rack", "r1", { spec: {} }));
  await seen(declared(box(owner("r1"), owner("r2")), COMMIT_1));
  expect(await edges()).toEqual([
    "desired /metadata/ownerReferences/0 owner Rack.example.com/default/r1 fabric/racks.yaml:7",
    "desired /metadata/ownerReferences/1 owner Rack.example.com/default/r2 dangling fabric/racks.yaml:7",
  ]);
  const again = await versions(lab.at);
  await seen(declared(box(owner("r1"), owner("r2")), COMMIT_1));
  expect(await versions(lab.at)).toEqual(again);

  // The cluster's own stay apart from them, whichever side changes or goes.
  await lab.put(box(owner("r1")));
  expect(await edges()).toHaveLength(3);
  expect((await edges())[0]).toBe("actual /metadata/ownerReferences/0 owner Rack.example.com/default/r1");
  await seen(declared(box(owner("r3")), COMMIT_2, 9));
  expect(await edges()).toEqual([
    "actual /metadata/ownerReferences/0 owner Rack.example.com/default/r1",
    "desired /metadata/ownerReferences/0 owner Rack.example.com/default/r3 dangling fabric/racks.yaml:9",
  ]);

  const kept = await dump(lab.at);
  await lab.at.sql("DELETE FROM fabric_sync.resource_edge WHERE relation = 'owner'");
  await lab.at.store.rebuildProjections(lab.at.fence, new AbortController().signal);
  expect(await dump(lab.at)).toEqual(kept);

  const environment = { DATABASE_URL: lab.at.database.url };
  const { stdout: from } = await fabricSync(["explain", "netops/lab", "Box/box"], environment);
  expect(from).toMatch(
    /^Rack\/default\/r3 +owner +git +\/metadata\/ownerReferences\/0 fabric\/racks.yaml:9 +leads nowhere$/m,
  );
  await seen(declared(box(owner("r1")), COMMIT_1, 3));
  const { stdout: to } = await fabricSync(["explain", "netops/lab", "Rack/r1"], environment);
  expect(to).toMatch(
    /^Box\/default\/box +owner +cluster, git +\/metadata\/ownerReferences\/0 fabric\/racks.yaml:3 *$/m,
  );
  const [scored] = await lab.list(
    "SELECT dependency_score::text AS text FROM fabric_sync.resources WHERE kind = 'Rack'",
  );
  expect(scored).toBe("1");

  await seen(declared(box(), COMMIT_2, 3));
  expect(await edges()).toEqual(["actual /metadata/ownerReferences/0 owner Rack.example.com/default/r1"]);
});

test("how much hangs on a resource is how many others refer to it, on either side, each once", async () => {
  const score = async (kind: string, name: string): Promise<unknown> =>
    (
      await lab.at.sql<{ score: number }>(
        "SELECT dependency_score AS score FROM fabric_sync.resources WHERE kind = $1 AND name = $2",
        [kind, name],
      )
    )[0]?.score;
  const [others] = await lab.at.sql<{ n: number }>(
    `SELECT count(DISTINCT resource_id)::integer AS n FROM fabric_sync."references" WHERE target_kind = 'Switch' AND target_name = 'leaf-04'`,
  );
  expect(others?.n).toBeGreaterThan(3);
  expect([await score("Switch", "leaf-04"), await score("VPCAttachment", "data-db--server-04")]).toEqual([
    others?.n,
    0,
  ]);
});

test("a Fabric names reference fields of kinds that are not known; what was there is made anew, once", async () => {
  const widget = (name: string, backends: string[]): JsonObject => ({
    apiVersion: "example.com/v1",
    kind: "Widget",
    metadata: { name },
    spec: { backends: backends.map((target) => ({ name: target })) },
  });
  await lab.put(widget("one", ["two", "nowhere"]), widget("two", []));
  const edges = () =>
    lab.at.sql(
      `SELECT name, path, target_name, dangling FROM fabric_sync."references" WHERE kind = 'Widget' ORDER BY path`,
    );
  expect(await edges()).toEqual([]);
  const rule = {
    group: "example.com",
    kind: "Widget",
    path: "/spec/backends/*/name",
    targetGroup: "example.com",
    targetKind: "Widget",
    relation: "backend",
  };
  const fabric = { namespace: "netops", name: "lab", uid: await uidOf() };
  const fence = await lab.at.store.currentFence(lab.at.fabricId);
  const { signal } = new AbortController();
  await lab.at.store.registerFabric({ ...fabric, references: [rule] });
  expect(await lab.at.store.refreshProjections(fence, signal)).toMatchObject({ writes: 2 });
  expect(await lab.at.store.refreshProjections(fence, signal)).toBeNull();
  expect(await edges()).toEqual([
    { name: "one", path: "/spec/backends/0/name", target_name: "two", dangling: false },
    { name: "one", path: "/spec/backends/1/name", target_name: "nowhere", dangling: true },
  ]);
  await lab.put(widget("one", ["two"]));
  expect(await edges()).toHaveLength(1);
  await lab.at.store.registerFabric({ ...fabric, references: [] });
  expect(await lab.at.store.refreshProjections(fence, signal)).toMatchObject({ writes: 1 });
  expect(await edges()).toEqual([]);
});

async function uidOf(): Promise<string> {
  const [fabric] = await lab.at.sql<{ uid: string }>("SELECT uid FROM fabric_sync.fabric WHERE id = $1", [
    lab.at.fabricId,
  ]);
  return fabric?.uid ?? "";
}
