import { normaliseActual } from "../../src/core/normalise.ts";
import type { Observation } from "../../src/core/observation.ts";
import { waitFor } from "../support/wait.ts";
import { openStore, type StoreFixture } from "./fixture.ts";

/** Beyond some 5,000 rows the primary key's index has a level more than that of the ids, and looks dearer where the tables count as empty. */
const ROWS = 8_000;
const BATCH = 500;

/** An object that refers to two others. */
function attachment({ fabricId }: StoreFixture, index: number): Observation {
  const name = `attachment-${index}`;
  const metadata = { name, namespace: "default", uid: `uid-${name}`, resourceVersion: String(index + 1) };
  const spec = { connection: `connection-${index}`, subnet: `vpc-${index}/default` };
  const object = { apiVersion: "vpc.githedgehog.com/v1beta1", kind: "VPCAttachment", metadata, spec };
  return normaliseActual(object, { fabricId, writePath: "watch", observedAt: 1_700_000_000_000 });
}

async function load(at: StoreFixture): Promise<void> {
  for (let from = 0; from < ROWS; from += BATCH) {
    await at.apply(Array.from({ length: BATCH }, (_, index) => attachment(at, from + index)));
  }
}

test("where the statistics say that the tables are empty, a look-up costs no more than it did", async () => {
  await using at = await openStore();
  // Nobody else shall look meanwhile.
  for (const table of ["resource_edge", "resource"]) {
    await at.sql(`ALTER TABLE fabric_sync.${table} SET (autovacuum_enabled = false)`);
  }
  await load(at);
  // As autovacuum leaves it when everything has gone, and something else keeps it from giving the pages back.
  for (const table of ["resource_edge", "resource"]) {
    await at.sql(`DELETE FROM fabric_sync.${table}`);
    await at.sql(`VACUUM (TRUNCATE false, ANALYZE) fabric_sync.${table}`);
  }
  const believed = "SELECT reltuples::int AS rows, relpages > 0 AS pages FROM pg_class WHERE oid = $1::regclass";
  expect(await at.sql(believed, ["fabric_sync.resource"])).toEqual([{ rows: 0, pages: true }]);

  const work = async (): Promise<{ inserted: number; fetched: number }> => {
    const [done] = await at.sql<{ inserted: number; fetched: number }>(
      `SELECT sum(n_tup_ins)::int AS inserted, sum(idx_tup_fetch)::int AS fetched
         FROM pg_stat_user_tables WHERE schemaname = 'fabric_sync' AND relname IN ('resource', 'resource_edge')`,
    );
    return done ?? { inserted: 0, fetched: 0 };
  };
  // One row and two references for each object; sessions tell what they did some seconds later.
  const told = (loads: number) =>
    waitFor("the statistics of the sessions", async () => {
      const done = await work();
      return done.inserted === loads * ROWS * 3 && done;
    });
  const before = await told(1);
  await load(at);
  const { fetched } = await told(2);
  // Through an index that leads to all rows it would be thousands for each object.
  expect((fetched - before.fetched) / ROWS).toBeLessThan(20);
}, 120_000);
