import { fabricSync } from "../../cli/support/program.ts";
import { sumOfSeries } from "../../support/operator.ts";
import type { FabricStatus } from "../../../src/api/status.ts";
import { waitFor } from "../../support/wait.ts";
import { NAMESPACE } from "./rig.ts";
import type { WalkRig } from "./rig.ts";

const FABRIC = `${NAMESPACE}/walk`;

/** Resources by drift status, and those that drift by severity; words without any are left out. */
export interface Numbers {
  readonly drift: Readonly<Record<string, number>>;
  readonly severity: Readonly<Record<string, number>>;
  /** Of the heaviest. */
  readonly score: number;
}

/** As the views have them. */
async function countedIn(rig: WalkRig): Promise<Numbers> {
  const [counts] = await rig.sql<Numbers>(
    `SELECT (SELECT json_object_agg(drift_status, n) FROM
              (SELECT drift_status, count(*)::int AS n FROM fabric_sync.resources WHERE resource_state <> 'deleted' GROUP BY 1) d) AS drift,
            (SELECT json_object_agg(drift_severity, n) FROM
              (SELECT drift_severity, count(*)::int AS n FROM fabric_sync.drifts GROUP BY 1) s) AS severity,
            (SELECT coalesce(max(drift_score), 0) FROM fabric_sync.drifts) AS score`,
  );
  return counts ?? { drift: {}, severity: {}, score: 0 };
}

/** As the Fabric's status has them. */
function figuresOf({ drift }: FabricStatus): Numbers {
  const { inSync, drifted, missing, extra, untracked, invalid, unknown, notCompared } = drift ?? {};
  return {
    drift: some({ in_sync: inSync, drifted, missing, extra, untracked, invalid, unknown, not_compared: notCompared }),
    severity: some(drift?.bySeverity ?? {}),
    score: drift?.score ?? 0,
  };
}

/** In an order, for comparisons. */
function sorted(counts: Readonly<Record<string, number>>): string {
  return JSON.stringify(Object.entries(counts).sort());
}

function some(counts: Readonly<Record<string, number | undefined>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counts).filter((entry): entry is [string, number] => entry[1] !== undefined && entry[1] !== 0),
  );
}

interface Drift {
  readonly status: string;
  readonly severity: string;
  readonly score: number;
}

/** What Kubernetes' events tell of drift. */
async function notesOf(rig: WalkRig): Promise<string[]> {
  const { items } = await rig.plane.request<{ items: { reason: string; note: string }[] }>(
    "GET",
    `/apis/events.k8s.io/v1/namespaces/${NAMESPACE}/events`,
  );
  return items.filter(({ reason }) => reason === "Drifted").map(({ note }) => note);
}

/** The numbers of the table when every row was compared and the status has caught up with it. */
async function whenNothingMoves(rig: WalkRig): Promise<Numbers> {
  let table = await countedIn(rig);
  await waitFor(
    "the figures",
    async () => {
      table = await countedIn(rig);
      const told = figuresOf(await rig.status());
      return (
        sorted(told.drift) === sorted(table.drift) &&
        sorted(told.severity) === sorted(table.severity) &&
        told.score === table.score
      );
    },
    { timeoutMs: 90_000 },
  );
  return table;
}

/** Table, views, status, metrics, history, Kubernetes events and `explain` say the same of drift: words, severities, scores. */
export async function sameNumbers(rig: WalkRig): Promise<void> {
  const table = await whenNothingMoves(rig);
  expect(table.drift["drifted"]).toBeGreaterThan(2);

  await waitFor("the metrics, which follow the status", async () => {
    const exposition = await (await rig.operator.get("/metrics")).text();
    const told = (series: string, labels: Record<string, string>): number => sumOfSeries(exposition, series, labels);
    return (
      Object.entries(table.drift).every(([drift, count]) => told("fabric_sync_fabric_drift", { drift }) === count) &&
      ["low", "medium", "high", "critical"].every(
        (severity) => told("fabric_sync_fabric_drift_severity", { severity }) === (table.severity[severity] ?? 0),
      )
    );
  });

  const { severity: bySeverity, drift: byDrift, score: heaviest } = table;
  const list = (words: readonly string[], counts: Readonly<Record<string, number>>): string =>
    words.flatMap((word) => (counts[word] === undefined ? [] : [`${counts[word]} ${word}`])).join(", ");
  const note = `${list(["drifted", "missing", "extra", "invalid"], byDrift)} (${list(["critical", "high", "medium", "low"], bySeverity)}, score ${heaviest})`;
  await waitFor(`the event ${note}`, async () => (await notesOf(rig)).includes(note));

  const drifts = await rig.sql<Drift & { name: string; last: Drift }>(
    `SELECT d.name, d.drift_status AS status, d.drift_severity AS severity, d.drift_score AS score,
            (SELECT json_build_object('status', e.drift_after, 'severity', e.drift_severity, 'score', e.drift_score)
               FROM fabric_sync.resource_event e
              WHERE e.resource_id = d.resource_id ORDER BY e.xid DESC, e.seq DESC LIMIT 1) AS last
       FROM fabric_sync.drifts d ORDER BY d.name`,
  );
  for (const { name, last, ...now } of drifts) expect([name, last]).toEqual([name, now]);
  // Each is a process of its own.
  const some = new Map(drifts.map((one) => [`${one.status} ${one.severity}`, one]));
  for (const { name, status, severity, score } of some.values()) {
    const { stdout } = await fabricSync(["explain", FABRIC, `Thing/${name}`, "--json"], {
      DATABASE_URL: rig.databaseUrl,
    });
    const { row, events } = JSON.parse(stdout) as {
      row: { driftStatus: string; driftSeverity: string; driftScore: number };
      events: { driftAfter: string; driftSeverity: string; driftScore: number }[];
    };
    const [event] = events;
    expect([name, row.driftStatus, row.driftSeverity, row.driftScore]).toEqual([name, status, severity, score]);
    expect([name, event?.driftAfter, event?.driftSeverity, event?.driftScore]).toEqual([name, status, severity, score]);
  }
}

/** The view, the condition and the command say the same of what has landed. */
export async function sameLandings(rig: WalkRig): Promise<void> {
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
}
