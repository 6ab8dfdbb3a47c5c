import { migrate } from "../../src/store/migrate.ts";
import { startPostgres, type OwnPostgresServer } from "../support/postgres.ts";
import { actualVpc, clusterCursor, COMMIT_1, desiredVpc, openStore, type StoreFixture } from "./fixture.ts";

const OBJECTS = 1_200;

describe("a second pass over unchanged input", () => {
  // A server of its own: WAL is counted for the whole server.
  let server: OwnPostgresServer;
  let at: StoreFixture;
  beforeAll(async () => {
    server = await startPostgres({ settings: { autovacuum: "off" } });
  });
  beforeEach(async () => {
    const database = await server.createDatabase();
    await migrate(database.url);
    at = await openStore(database);
  });
  afterEach(async () => {
    await at[Symbol.asyncDispose]();
  });
  afterAll(async () => {
    await server.stop();
  });

  test("writes no row, no event, no cursor, and next to no WAL", async () => {
    const names = Array.from({ length: OBJECTS }, (_, index) => `vpc-${index}`);
    const desired = names.map((name) => desiredVpc(at, name, COMMIT_1));
    const actual = names.map((name) => actualVpc(at, name, { rv: "10" }));
    const file = { path: "a.yaml", blob: "c".repeat(40), documents: 1, keys: [], rejections: [], parsed: true };
    const pass = async () => [
      await at.apply(desired, { gitFiles: { upserts: [file], removed: ["b.yaml"] } }),
      await at.apply(actual, { cursors: [clusterCursor("10", 1_700_000_000_000)] }),
    ];
    await pass();
    // Tables that have settled: what follows is the pass's own doing.
    await at.sql("VACUUM ANALYZE fabric_sync.resource");
    const before = await versions(at);
    const lsn = await at.sql<{ lsn: string }>("SELECT pg_current_wal_insert_lsn()::text AS lsn");

    const results = await pass();

    expect(results).toMatchObject([{ unchanged: OBJECTS }, { unchanged: OBJECTS }]);
    expect(await versions(at)).toEqual(before);
    const [wal] = await at.sql<{ bytes: number }>(
      "SELECT (pg_current_wal_insert_lsn() - $1::pg_lsn)::float8 AS bytes",
      [lsn[0]?.lsn],
    );
    // One lock on the fence a transaction. A lock on each row alone would be over 60 kB, a new version of each over 1 MB.
    expect(wal?.bytes).toBeLessThan(10_000);
  });

  test("does not even lock the rows that it reads", async () => {
    const observation = actualVpc(at, "vpc-1", { rv: "10" });
    await at.apply([observation]);
    const holder = await at.pool.connect();
    await holder.query("BEGIN; SELECT FROM fabric_sync.resource FOR UPDATE");
    expect((await at.apply([observation])).unchanged).toBe(1);
    await holder.query("ROLLBACK");
    holder.release();
  });
});

/** xmin of every row: each update by anybody changes it. */
async function versions(at: StoreFixture): Promise<unknown> {
  return at.sql(
    `SELECT 'resource' AS in, id::text AS of, xmin, xmax FROM fabric_sync.resource
     UNION ALL SELECT 'event', seq::text, xmin, xmax FROM fabric_sync.resource_event
     UNION ALL SELECT 'cursor', scope, xmin, xmax FROM fabric_sync.cursor
     UNION ALL SELECT 'file', path, xmin, xmax FROM fabric_sync.git_file
     ORDER BY 1, 2`,
  );
}
