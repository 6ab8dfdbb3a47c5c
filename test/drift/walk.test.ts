/**
 * Every reachable change of `resource_state` and of `conflict_status`, on a real control plane with a real Git server and the program as it is
 * shipped; and that one and the same fabric has the same numbers wherever it is looked at.
 */
import { waitFor } from "../support/wait.ts";
import { everyChangeIsTold } from "./walk/history.ts";
import { sameLandings, sameNumbers } from "./walk/numbers.ts";
import { fileOf, manifestOf, Objects } from "./walk/objects.ts";
import { crd, NAMESPACE, WalkRig } from "./walk/rig.ts";
import { STORIES } from "./walk/stories.ts";
import { Surfaces } from "./walk/surfaces.ts";
import { TELLERS } from "./walk/tellers.ts";

let rig: WalkRig;
let started = false;
let objects: Objects;
const commits = new Set<string>();

// The control plane may have to be built first.
beforeAll(async () => {
  rig = await WalkRig.start();
  objects = new Objects(rig.plane);
  started = true;
}, 600_000);
// One that does not start takes itself down.
afterAll(() => (started ? rig.stop() : undefined), 60_000);

/** Made anew while nobody looks: they were terminating, and are another object now. */
const ANEW = { "anew-synced": "v1", "anew-asked": "v2", "anew-orphaned": "v1", "generated-anew": "v1" };

async function declare(values: Readonly<Record<string, string | null>>): Promise<void> {
  const files = Object.entries(values).map(([name, value]): [string, string | null] => [
    fileOf(name),
    value === null ? null : manifestOf(name, value),
  ]);
  commits.add(await rig.push(Object.fromEntries(files)));
}

async function conflictOf(name: string): Promise<string> {
  const [row] = await rig.sql<{ told: string }>(
    `SELECT conflict_status || coalesce(' ' || (conflict_details ->> 'resolvedBy'), '') AS told
       FROM fabric_sync.resource WHERE name = $1`,
    [name],
  );
  return row?.told ?? "";
}

describe("the states of resources", () => {
  test("before Git is read everything is pending; afterwards each is what both sides make of it", async () => {
    for (const name of ["early-1", "early-2", "early-3", "early-4"]) await objects.do(name, "create v1");
    await objects.do("early-5", "create v1 held");
    await declare({ "early-1": "v1", "early-2": "v2", "early-5": "v1" });
    rig.git.https.fault = { type: "status", status: 503 };
    await rig.startOperator();
    const names = ["early-1", "early-2", "early-3", "early-4", "early-5"];
    await rig.untilStates(Object.fromEntries(names.map((name) => [name, "pending"])));
    await objects.do("early-4", "delete");
    await objects.do("early-5", "delete");
    await rig.untilStates({ "early-4": "deleted", "early-5": "terminating" });
    await objects.do("early-4", "create v1");
    await rig.untilStates({ "early-4": "pending" });
    rig.git.https.fault = null;
    await rig.sync();
    await rig.untilStates({ "early-1": "synced", "early-2": "drifted", "early-3": "orphaned", "early-4": "orphaned" });
    await objects.do("early-5", "release");
    await rig.untilStates({ "early-5": "committed" });
  }, 180_000);

  const rounds = Math.max(...Object.values(STORIES).map((steps) => steps.length));
  test.each(Array.from({ length: rounds }, (_, round) => round))(
    "round %i",
    async (round) => {
      const steps = Object.entries(STORIES).flatMap(([name, story]) => {
        const step = story[round];
        return step === undefined ? [] : [{ name, ...step }];
      });
      const declared = steps.flatMap(({ name, git }) => (git === undefined ? [] : [[name, git] as const]));
      if (declared.length > 0) {
        await declare(Object.fromEntries(declared));
        await rig.sync();
      }
      for (const { name, cluster } of steps) if (cluster !== undefined) await objects.do(name, cluster);
      await rig.untilStates(Object.fromEntries(steps.map(({ name, state }) => [name, state])));
    },
    120_000,
  );

  test("a conflict says what became of it", async () => {
    const told = async (name: string): Promise<[string, string]> => [name, await conflictOf(`conflict-${name}`)];
    const names = ["git", "cluster", "both", "lost", "dropped", "open", "again"];
    expect(Object.fromEntries(await Promise.all(names.map(told)))).toEqual({
      git: "resolved desired",
      cluster: "resolved actual",
      both: "resolved both",
      lost: "resolved actual",
      dropped: "resolved desired",
      open: "detected",
      // Resolved in between: the round in which Git came round said so.
      again: "detected",
    });
    const [details] = await rig.sql<{ desired: object; actual: object }>(
      `SELECT conflict_details -> 'desired' AS desired, conflict_details -> 'actual' AS actual
         FROM fabric_sync.resource WHERE name = 'conflict-open'`,
    );
    expect(details).toMatchObject({
      desired: { commit: expect.stringMatching(/^[0-9a-f]{40}$/), paths: ["/spec/value"] },
      actual: { manager: "by-hand", paths: ["/spec/value"] },
    });
  });

  test("without drift detection both sides are pending, until it is back", async () => {
    await rig.patch({ spec: { drift: { mode: "Disabled" } } });
    await rig.untilStates({
      ...{ "both-1": "pending", "both-2": "pending", "both-3": "pending", "both-held": "pending", e: "pending" },
    });
    await objects.do("both-held", "delete");
    await objects.do("both-2", "delete");
    await declare({ "both-3": null });
    await rig.sync();
    await rig.untilStates({ "both-held": "terminating", "both-2": "committed", "both-3": "orphaned" });
    // Where nobody is asked a verdict does not wait.
    await rig.patch({ spec: { drift: { mode: "Local" } } });
    await rig.untilStates({ "both-1": "synced", e: "drifted" });
    await objects.do("both-2", "create v2");
    await rig.untilStates({ "both-2": "drifted" });
    await rig.patch({ spec: { drift: { mode: "ServerSide" } } });
    await rig.untilStates({ "both-1": "synced", "both-2": "drifted", e: "drifted" });
  }, 120_000);

  test("without Git nothing is an orphan, and what only Git had is deleted, until it is back", async () => {
    const { spec } = await rig.plane.request<{ spec: { git: object } }>(
      "GET",
      `/apis/fabricsync.dev/v1alpha1/namespaces/${NAMESPACE}/fabrics/walk`,
    );
    await rig.patch({ spec: { git: null } });
    await rig.untilStates({ "both-1": "external", "both-3": "external", e: "external", "git-1": "deleted" });
    await objects.do("late", "create v1");
    await rig.untilStates({ late: "external" });
    await declare({ late: "v2" });
    await rig.patch({ spec: { git: spec.git } });
    await rig.untilStates({ "both-1": "synced", "both-3": "orphaned", e: "drifted", "git-1": "committed" });
    await rig.untilStates({ late: "drifted" });
  }, 120_000);

  test("what happened while nobody looked is seen: a deletion that waits, an object made anew, and another schema", async () => {
    await rig.untilStatus("Ready", ({ conditions = [] }) =>
      conditions.some(({ type, status }) => type === "Ready" && status === "True"),
    );
    expect((await rig.rows()).find(({ name }) => name === "pruned")).toMatchObject({ drift: "in_sync" });
    await rig.stopOperator();
    await objects.do("git-1", "create v1 held");
    await objects.do("git-1", "delete");
    await objects.do("d", "create v1 held");
    await objects.do("d", "delete");
    for (const [name, value] of Object.entries(ANEW)) await objects.anew(name, value);
    // From now on the server keeps `note`, and the cluster's object has none.
    const schema = { value: { type: "string" }, size: { type: "string" }, note: { type: "string" } };
    await rig.plane.kubectl(["apply", "-f", "-"], JSON.stringify(crd(schema)));
    await waitFor("the schema", async () =>
      JSON.stringify(await rig.plane.request("GET", "/openapi/v3/apis/walk.example.com/v1")).includes('"note"'),
    );
    // Else a watch that is resumed would tell of each step by itself.
    await rig.plane.forgetHistory();
    await rig.startOperator();
    await rig.untilStates({ "git-1": "terminating", pruned: "drifted", d: "terminating" });
    await rig.untilStates({
      ...{
        "anew-synced": "synced",
        "anew-asked": "drifted",
        "anew-orphaned": "orphaned",
        "generated-anew": "external",
      },
    });
    for (const name of ["git-1", "d"]) await objects.do(name, "release");
    await rig.untilStates({ "git-1": "committed", d: "deleted" });
  }, 180_000);

  test("the same where the API server is not asked: what was made anew is drifted at once", async () => {
    await rig.stopOperator();
    await rig.patch({ spec: { drift: { mode: "Local" } } });
    await objects.anew("anew-drifted", "v2");
    await rig.plane.forgetHistory();
    await rig.startOperator();
    await rig.untilStates({ "anew-drifted": "drifted" });
    await rig.patch({ spec: { drift: { mode: "ServerSide" } } });
    await rig.untilStates({ "anew-drifted": "drifted", "anew-synced": "synced" });
  }, 180_000);

  test("each change was an event with its trigger, its actor and its commit, and none was left out", async () => {
    await expect(everyChangeIsTold(rig, commits)).resolves.toBeUndefined();
  });
});

describe("the numbers of one fabric", () => {
  test("are the same in the view, the status, the metrics, the events, and what explain says", async () => {
    await expect(sameNumbers(rig)).resolves.toBeUndefined();
  }, 120_000);

  test("and so is whether a commit has landed", async () => {
    await expect(sameLandings(rig)).resolves.toBeUndefined();
  }, 120_000);
});

describe("in sync, unknown, not compared yet and never taken in are told apart", () => {
  let surfaces: Surfaces;
  beforeAll(async () => {
    surfaces = new Surfaces(rig);
    await surfaces.prepare();
  }, 120_000);

  test.each(Object.entries(TELLERS))(
    "%s",
    async (_name, tell) => {
      const { inSync, unknown, notCompared, never } = await tell(surfaces);
      const told = [inSync, unknown, notCompared, ...(never === null ? [] : [never])];
      expect(told).not.toContain("");
      expect(new Set(told).size).toBe(told.length);
    },
    60_000,
  );
});
