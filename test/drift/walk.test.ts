/**
 * Every reachable change of `resource_state` and of `conflict_status`, on a real control plane with a real Git server and the program as it is
 * shipped; and that one and the same fabric has the same numbers wherever it is looked at.
 */
import { fabricSync } from "../cli/support/program.ts";
import { sumOfSeries } from "../support/operator.ts";
import { waitFor } from "../support/wait.ts";
import { fileOf, manifestOf, Objects } from "./walk/objects.ts";
import { countedIn, figuresOf, sorted } from "./walk/numbers.ts";
import { crd, NAMESPACE, WalkRig } from "./walk/rig.ts";
import { STORIES, TRANSITIONS } from "./walk/stories.ts";

let rig: WalkRig;
let started = false;
let objects: Objects;
const commits = new Set<string>();
const FABRIC = `${NAMESPACE}/walk`;

// The control plane may have to be built first.
beforeAll(async () => {
  rig = await WalkRig.start();
  objects = new Objects(rig.plane);
  started = true;
}, 600_000);
// One that does not start takes itself down.
afterAll(() => (started ? rig.stop() : undefined), 60_000);

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
    rig.git.https.fault = null;
    await rig.sync();
    await rig.untilStates({ "early-1": "synced", "early-2": "drifted", "early-3": "orphaned" });
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
    const names = ["git", "cluster", "both", "lost", "dropped", "open"];
    expect(Object.fromEntries(await Promise.all(names.map(told)))).toEqual({
      git: "resolved desired",
      cluster: "resolved actual",
      both: "resolved both",
      lost: "resolved actual",
      dropped: "resolved desired",
      open: "detected",
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

  test("what happened while nobody looked is seen: a deletion that waits, and another schema", async () => {
    await rig.untilStatus("Ready", ({ conditions = [] }) =>
      conditions.some(({ type, status }) => type === "Ready" && status === "True"),
    );
    expect((await rig.rows()).find(({ name }) => name === "pruned")).toMatchObject({ drift: "in_sync" });
    await rig.stopOperator();
    await objects.do("git-1", "create v1 held");
    await objects.do("git-1", "delete");
    // From now on the server keeps `note`, and the cluster's object has none.
    const schema = { value: { type: "string" }, size: { type: "string" }, note: { type: "string" } };
    await rig.plane.kubectl(["apply", "-f", "-"], JSON.stringify(crd(schema)));
    await waitFor("the schema", async () =>
      JSON.stringify(await rig.plane.request("GET", "/openapi/v3/apis/walk.example.com/v1")).includes('"note"'),
    );
    await rig.startOperator();
    await rig.untilStates({ "git-1": "terminating", pruned: "drifted" });
    await objects.do("git-1", "release");
    await rig.untilStates({ "git-1": "committed" });
  }, 180_000);

  test("each change was an event with its trigger, its actor and its commit, and none was left out", async () => {
    const events = await rig.sql<{
      name: string;
      was: string;
      is: string;
      type: string;
      side: string;
      trigger: string;
      actor: string;
      commit: string;
      version: string;
      reason: string;
    }>(
      `SELECT name, state_before AS was, state_after AS is, event_type AS type, side, trigger, actor, commit, resource_version AS version, reason
         FROM fabric_sync.resource_event WHERE state_before <> state_after ORDER BY xid, seq`,
    );
    const walked = new Set(events.map(({ was, is }) => `${was} → ${is}`));
    expect([...walked].sort()).toEqual([...TRANSITIONS].sort());
    // Of a repository that is read from its beginning the history at hand may not tell who wrote a file.
    const again = events.findIndex(({ reason }) => reason === "spec.git was removed");
    for (const [index, event] of events.entries()) {
      const { name, type, side, trigger, actor, commit, version, reason } = event;
      if (type === "reclassified") expect([name, reason]).not.toEqual([name, ""]);
      else if (side === "desired") {
        expect([name, trigger, commits.has(commit)]).toEqual([name, "git_poll", true]);
        if (index < again) expect([name, actor]).toEqual([name, "Ada <ada@example.com>"]);
      } else {
        expect(["watch", "list"]).toContain(trigger);
        expect(version).toMatch(/^\d+$/);
        if (type !== "deleted") expect(["maker", "by-hand"]).toContain(actor);
      }
    }
    const left = await rig.sql(
      `SELECT name, state_before, previous FROM (
         SELECT name, state_before, lag(state_after) OVER (PARTITION BY resource_id ORDER BY xid, seq) AS previous
           FROM fabric_sync.resource_event) chain
        WHERE previous <> state_before
        UNION ALL
       SELECT r.name, r.resource_state, e.state_after
         FROM fabric_sync.resource r
         LEFT JOIN LATERAL (SELECT state_after FROM fabric_sync.resource_event
                             WHERE resource_id = r.id ORDER BY xid DESC, seq DESC LIMIT 1) e ON true
        WHERE r.resource_state IS DISTINCT FROM e.state_after`,
    );
    expect(left).toEqual([]);
  });
});

describe("the numbers of one fabric", () => {
  test("are the same in the view, the status, the metrics, the events, and what explain says", async () => {
    // Nothing moves any more, and the status has caught up with the table.
    const table = await countedIn(rig);
    await rig.untilStatus("the figures", (status) => {
      const told = figuresOf(status);
      return sorted(told.drift) === sorted(table.drift) && sorted(told.severity) === sorted(table.severity);
    });
    expect(await countedIn(rig)).toEqual(table);
    expect(table.drift["drifted"]).toBeGreaterThan(2);

    const exposition = await (await rig.operator.get("/metrics")).text();
    for (const [drift, count] of Object.entries(table.drift)) {
      expect([drift, sumOfSeries(exposition, "fabric_sync_fabric_drift", { drift })]).toEqual([drift, count]);
    }
    for (const severity of ["low", "medium", "high", "critical"]) {
      const told = sumOfSeries(exposition, "fabric_sync_fabric_drift_severity", { severity });
      expect([severity, told]).toEqual([severity, table.severity[severity] ?? 0]);
    }

    const drifts = await rig.sql<{ name: string; status: string; severity: string; score: number; last: string }>(
      `SELECT d.name, d.drift_status AS status, d.drift_severity AS severity, d.drift_score AS score,
              (SELECT e.drift_after FROM fabric_sync.resource_event e
                WHERE e.resource_id = d.resource_id ORDER BY e.xid DESC, e.seq DESC LIMIT 1) AS last
         FROM fabric_sync.drifts d ORDER BY d.name`,
    );
    for (const { name, status, last } of drifts) expect([name, last]).toEqual([name, status]);
    // Each is a process of its own.
    const some = new Map(drifts.map((one) => [`${one.status} ${one.severity}`, one]));
    for (const { name, status, severity, score } of some.values()) {
      const { stdout } = await fabricSync(["explain", FABRIC, `Thing/${name}`, "--json"], {
        DATABASE_URL: rig.databaseUrl,
      });
      const { row, events } = JSON.parse(stdout) as {
        row: { driftStatus: string; driftSeverity: string; driftScore: number };
        events: { driftAfter: string }[];
      };
      expect([name, row.driftStatus, row.driftSeverity, row.driftScore]).toEqual([name, status, severity, score]);
      expect([name, events[0]?.driftAfter]).toEqual([name, status]);
    }
  }, 120_000);

  test("and so is whether a commit has landed", async () => {
    const [revision] = await rig.sql<{ yes: number; no: number; unknown: number; open: string }>(
      `SELECT count(*) FILTER (WHERE in_cluster = 'yes')::int AS yes, count(*) FILTER (WHERE in_cluster = 'no')::int AS no,
              count(*) FILTER (WHERE in_cluster = 'unknown')::int AS unknown,
              min(commit) FILTER (WHERE in_cluster = 'no') AS open
         FROM fabric_sync.applied a JOIN fabric_sync.resource r ON r.id = a.resource_id
        WHERE r.desired_spec IS NOT NULL OR r.actual_spec IS NOT NULL`,
    );
    const { no = 0, open = "" } = revision ?? {};
    const status = await rig.untilStatus("Landed", ({ conditions = [] }) =>
      conditions.some(
        ({ type, status: is, message }) => type === "Landed" && is === "False" && message.includes(`${no} not`),
      ),
    );
    expect(status.conditions?.find(({ type }) => type === "Landed")).toMatchObject({ reason: "NotInCluster" });
    const { code, stdout } = await fabricSync(["landed", FABRIC, open, "--json"], { DATABASE_URL: rig.databaseUrl });
    expect(code).toBe(1);
    const told = JSON.parse(stdout) as { landed: boolean; objects: { name: string; inCluster: string }[] };
    const seen = await rig.sql<{ name: string; inCluster: string }>(
      `SELECT name, in_cluster AS "inCluster" FROM fabric_sync.landings WHERE commit = $1 ORDER BY name`,
      [open],
    );
    expect(told.landed).toBe(false);
    expect(told.objects.map(({ name, inCluster }) => ({ name, inCluster }))).toEqual(seen);
  }, 120_000);
});
