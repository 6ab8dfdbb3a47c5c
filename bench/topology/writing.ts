import { agent, collected, connections, observed, PORTS, profile, wiring } from "./fabric.ts";
import { timed, type Tell } from "./report.ts";
import { BATCH, type Rig, type Subject } from "./rig.ts";

const range = (count: number): number[] => [...Array(count).keys()];

/** The first projection of a fabric of switches, and one heartbeat. */
export async function measureProjection(rig: Rig, main: Subject, switches: number, tell: Tell): Promise<void> {
  await main.load(
    [profile(), ...range(switches).flatMap((index) => [wiring(index), ...connections(index, switches, PORTS)])],
    1,
  );
  const agents = range(switches).map((index) => agent(index, switches, PORTS));
  const before = rig.statements();
  const first = await timed(() => main.load(agents, 1));
  const perBatch = (rig.statements() - before) / Math.ceil(switches / BATCH);
  const count = async (table: string): Promise<number> =>
    (
      await rig.query<{ n: number }>(`SELECT count(*)::integer AS n FROM fabric_sync.${table} WHERE fabric_id = $1`, [
        main.id,
      ])
    )[0]?.n ?? 0;
  const [interfaces, neighbors] = [await count("device_interface"), await count("device_neighbor")];
  const bare = await timed(() => copied(rig, main.id));
  tell({
    what: `${switches} switches × ${PORTS} ports (${interfaces} interfaces, ${neighbors} neighbours), rows, history and projections`,
    measured: `${(first / 1_000).toFixed(2)} s`,
    ratio: `${(first / bare).toFixed(1)}× one INSERT … SELECT of the same interfaces and neighbours into tables with the same indexes`,
    goal: "≤ 5 s",
    held: first <= 5_000,
  });
  tell({
    what: "statements a batch, BEGIN, COMMIT and snapshots among them",
    measured: perBatch.toFixed(1),
    goal: "≤ 8",
    held: perBatch <= 8,
  });
  await rig.query("VACUUM ANALYZE");
  const quiet = await settled(rig);
  await main.apply([observed(agent(7, switches, PORTS, new Set(), 15_000), main.id, 2)]);
  const beat = (await settled(rig)) - quiet;
  tell({ what: "projection rows written by a heartbeat", measured: String(beat), goal: "0", held: beat === 0 });
}

/** The baseline of the first projection: what PostgreSQL alone takes for the rows. */
async function copied(rig: Rig, fabricId: string): Promise<void> {
  for (const table of ["device_interface", "device_neighbor"]) {
    await rig.query(`CREATE TABLE public.${table} (LIKE fabric_sync.${table} INCLUDING ALL)`);
    await rig.query(`INSERT INTO public.${table} SELECT * FROM fabric_sync.${table} WHERE fabric_id = $1`, [fabricId]);
    await rig.query(`DROP TABLE public.${table}`);
  }
}

/** Rows of projections written so far, once PostgreSQL's counters stand still. */
async function settled({ query }: Rig): Promise<number> {
  const written = async (): Promise<number> =>
    Number(
      (
        await query<{ n: string }>(
          `SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) AS n FROM pg_stat_user_tables
            WHERE relname ~ '^(device|link|resource_edge|profile_port|vpc_subnet|dhcp_lease)' AND relname <> 'device_snapshot'`,
        )
      )[0]?.n ?? 0,
    );
  await Promise.all(range(10).map(() => query("SELECT pg_stat_force_next_flush()")));
  let seen = -1;
  for (;;) {
    const now = await written();
    if (now === seen) return now;
    seen = now;
    // Longer than the second after which sessions flush their counters.
    await new Promise((resolve) => setTimeout(resolve, 1_200));
  }
}

/** DeviceStates with one child each that cannot be taken in. */
export async function measureRefusals(rig: Rig, refusing: Subject, refusals: number, tell: Tell): Promise<void> {
  const refused = await timed(() =>
    refusing.load(
      range(refusals).map((index) => collected(index)),
      1,
    ),
  );
  const [{ letters, children } = { letters: 0, children: 0 }] = await rig.query<{ letters: number; children: number }>(
    `SELECT (SELECT count(DISTINCT (name, part, message)) FROM fabric_sync.resource_dead_letter WHERE fabric_id = $1)::integer AS letters,
            (SELECT count(*) FROM fabric_sync.device_interface WHERE fabric_id = $1)::integer AS children`,
    [refusing.id],
  );
  tell({
    what: `${refusals} DeviceStates with one bad child each: reasons named, children stored (${refused.toFixed(0)} ms)`,
    measured: `${letters}, ${children}`,
    goal: `${refusals}, ${refusals * 3}`,
    held: letters === refusals && children === refusals * 3,
  });
}
