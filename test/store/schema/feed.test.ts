import { Client } from "pg";
import { createTestDatabase } from "../../support/postgres.ts";
import { waitFor } from "../../support/wait.ts";

const FABRIC = "6a0f4a3e-0000-4000-8000-000000000001";
const INSERT = `INSERT INTO fabric_sync.resource_event (fabric_id, resource_id, kind, name) VALUES ('${FABRIC}', gen_random_uuid(), 'K', $1)`;
/** The reader's question of docs/scale.md. */
const NEXT = `
  SELECT xid::text, seq, name FROM fabric_sync.resource_event
   WHERE fabric_id = '${FABRIC}' AND (xid, seq) > ($1::xid8, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot())
   ORDER BY xid, seq LIMIT 500`;

test("a reader of the history misses no event of a transaction that commits late, and sees none twice", async () => {
  const database = await createTestDatabase();
  const [early, late, reader] = [0, 1, 2].map(() => new Client({ connectionString: database.url }));
  if (early === undefined || late === undefined || reader === undefined) throw new Error("three clients");
  await Promise.all([early.connect(), late.connect(), reader.connect()]);
  let position: [string, string] = ["0", "0"];
  const seen: string[] = [];
  const read = async (): Promise<void> => {
    const { rows } = await reader.query<{ xid: string; seq: string; name: string }>(NEXT, position);
    for (const { xid, seq, name } of rows) {
      seen.push(name);
      position = [xid, seq];
    }
  };
  try {
    await late.query("BEGIN");
    await late.query(INSERT, ["began first, commits last"]);
    await early.query(INSERT, ["commits first"]);
    await read();
    // What has committed waits for what began before it: its place in the order is not known yet.
    expect(seen).toEqual([]);
    await late.query(INSERT, ["of the same transaction"]);
    await late.query("COMMIT");
    // Other suites' transactions hold the horizon back as well: it is the server's, not the database's.
    await waitFor("all three events", async () => {
      await read();
      return seen.length >= 3;
    });
    await read();
    expect(seen).toEqual(["began first, commits last", "of the same transaction", "commits first"]);
  } finally {
    await Promise.all([early.end(), late.end(), reader.end()]);
    await database.drop();
  }
});
