import { timesACommit, type Speed } from "./calibration.ts";
import { agent, connections, observed, PORTS } from "./fabric.ts";
import { quantile, timed, told, type Tell } from "./report.ts";
import type { Rig, Subject } from "./rig.ts";
import { byQueries } from "./row-by-row.ts";

const range = (count: number): number[] => [...Array(count).keys()];
/** Ports of a switch in the large fabric: 1,000 × 40 ends are 20,000 links. */
const LARGE_PORTS = 40;
/** Drawings of which the median counts. */
const DRAWINGS = 5;

/** From an interface that goes down, or up, to the verdicts on the links of its switch. */
export async function measureFlaps(
  rig: Rig,
  main: Subject,
  { switches, flaps }: { readonly switches: number; readonly flaps: number },
  speed: Speed,
  tell: Tell,
): Promise<void> {
  const verdicts: number[] = [];
  const written: number[] = [];
  for (const flap of range(flaps)) {
    const index = flap % switches;
    const down = flap % 2 === 0 ? new Set([(flap % PORTS) + 1]) : new Set<number>();
    const seen = observed(agent(index, switches, PORTS, down), main.id, 10 + flap);
    const write = await timed(() => main.apply([seen]));
    const read = await timed(() =>
      rig.query("SELECT verdict FROM fabric_sync.links WHERE fabric_id = $1 AND device_a = $2 AND declared", [
        main.id,
        seen.key.name,
      ]),
    );
    written.push(write);
    verdicts.push(write + read);
  }
  const p95 = quantile(verdicts, 0.95);
  tell({
    what: `interface flap, observation to verdicts read, p95 of ${flaps} (written after ${quantile(written, 0.5).toFixed(0)} ms, median)`,
    measured: told(verdicts),
    ratio: timesACommit(quantile(verdicts, 0.5), speed),
    goal: "≤ 100 ms",
    held: p95 <= 100,
  });
}

/** The whole map by one question, and by a query a row. */
export async function measureMap(rig: Rig, main: Subject, tell: Tell): Promise<void> {
  const map = await main.readTopology();
  const drawings: number[] = [];
  for (let count = 0; count < DRAWINGS; count += 1) drawings.push(await timed(() => main.readTopology()));
  const drawn = quantile(drawings, 0.5);
  let queries = 0;
  const rowByRow = await timed(async () => (queries = await byQueries(rig.pool, main.id)));
  const matching = map.links.filter(({ verdict }) => verdict === "match").length;
  tell({
    what: `map of ${map.devices.length} devices and ${map.links.length} links with verdicts (${matching} match), median of ${DRAWINGS}; against ${queries} queries, one a row: ${(rowByRow / 1_000).toFixed(1)} s`,
    measured: `${drawn.toFixed(0)} ms`,
    ratio: `${(rowByRow / drawn).toFixed(0)}× faster than a query a row`,
    goal: "≥ 50×",
    held: rowByRow >= 50 * drawn,
  });
}

const IMPACT = `
  SELECT h.device, count(*) FILTER (WHERE $2 IN (l.device_a, l.device_b)) AS lost, count(*) FILTER (WHERE $2 NOT IN (l.device_a, l.device_b)) AS left_over
    FROM (SELECT device_b AS device FROM fabric_sync.link WHERE fabric_id = $1 AND device_a = $2
          UNION SELECT device_a FROM fabric_sync.link WHERE fabric_id = $1 AND device_b = $2) h
   CROSS JOIN LATERAL (SELECT device_a, device_b FROM fabric_sync.link WHERE fabric_id = $1 AND device_a = h.device
                       UNION ALL SELECT device_a, device_b FROM fabric_sync.link WHERE fabric_id = $1 AND device_b = h.device) l
   GROUP BY h.device`;

/** What breaks if a device goes, in a fabric that is as large as they get. */
export async function measureImpact(
  rig: Rig,
  large: Subject,
  devices: number,
  speed: Speed,
  tell: Tell,
): Promise<void> {
  await large.load(
    range(devices).flatMap((index) => connections(index, devices, LARGE_PORTS)),
    1,
  );
  await rig.query("VACUUM ANALYZE");
  const breaks: number[] = [];
  for (const index of range(50)) {
    breaks.push(await timed(() => rig.query(IMPACT, [large.id, `leaf-${String(index * 7).padStart(4, "0")}`])));
  }
  const [cables] = await rig.query<{ n: number }>(
    "SELECT count(*)::integer AS n FROM fabric_sync.link WHERE fabric_id = $1",
    [large.id],
  );
  const p95 = quantile(breaks, 0.95);
  tell({
    what: `what breaks if a device goes, ${devices} devices, ${cables?.n} links, p95`,
    measured: `${p95.toFixed(1)} ms`,
    ratio: timesACommit(p95, speed),
    goal: "≤ 50 ms",
    held: p95 <= 50,
  });
}
