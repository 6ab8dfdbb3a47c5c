import { Client } from "pg";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(`
    INSERT INTO fabric_sync.fabric (id, namespace, name, uid) VALUES ('6a0f4a3e-0000-4000-8000-000000000001', 'lab', 'one', 'u1');
    INSERT INTO fabric_sync.resource (fabric_id, id, api_group, kind, namespace, name, resource_state, drift_status, drift_since, actual_spec)
    VALUES ('6a0f4a3e-0000-4000-8000-000000000001', '6a0f4a3e-0000-4000-8000-0000000000a1', 'g', 'Switch', 'default', 'leaf-1', 'synced', 'in_sync', NULL, '{}'),
           ('6a0f4a3e-0000-4000-8000-000000000001', '6a0f4a3e-0000-4000-8000-0000000000a2', 'g', 'Switch', 'default', 'leaf-2', 'drifted', 'drifted', now() - interval '1 hour', '{}'),
           ('6a0f4a3e-0000-4000-8000-000000000001', '6a0f4a3e-0000-4000-8000-0000000000a3', 'h', 'Server', 'default', 'srv-1', 'orphaned', 'untracked', NULL, '{}');
    INSERT INTO fabric_sync.cursor (fabric_id, source, scope, kind, complete_at)
    VALUES ('6a0f4a3e-0000-4000-8000-000000000001', 'cluster', 'g/v1/switches@one', 'Switch', now() - interval '1 minute'),
           ('6a0f4a3e-0000-4000-8000-000000000001', 'cluster', 'g/v1/switches@two', 'Switch', now() - interval '2 minutes'),
           ('6a0f4a3e-0000-4000-8000-000000000001', 'cluster', 'g/v1/others', 'Other', now() - interval '4 minutes'),
           ('6a0f4a3e-0000-4000-8000-000000000001', 'cluster', 'h/v1/servers', 'Server', NULL),
           ('6a0f4a3e-0000-4000-8000-000000000001', 'cluster', 'old/v1/things', '', now() - interval '5 minutes'),
           ('6a0f4a3e-0000-4000-8000-000000000001', 'git', 'https://example.com/r.git main .', '', now() - interval '3 minutes');
    INSERT INTO fabric_sync.git_file (fabric_id, path, documents, rejections, parsed)
    VALUES ('6a0f4a3e-0000-4000-8000-000000000001', 'bad.yaml', 1, '[{"line": 3, "column": 7, "code": "YamlSyntax", "message": "no"}]', true);
    INSERT INTO fabric_sync.resource_dead_letter (fabric_id, api_group, kind, namespace, name, side, sqlstate, message, payload)
    VALUES ('6a0f4a3e-0000-4000-8000-000000000001', 'g', 'Switch', 'default', 'nul', 'actual', '22P05', 'refused', '{"text": "\\u0000 \\ud800"}');
    INSERT INTO fabric_sync.device (fabric_id, name, resource_id) VALUES
      ('6a0f4a3e-0000-4000-8000-000000000001', 'leaf-1', '6a0f4a3e-0000-4000-8000-0000000000a1');
    INSERT INTO fabric_sync.device_interface (fabric_id, device, name, resource_id) VALUES ('6a0f4a3e-0000-4000-8000-000000000001', 'leaf-1', 'E1/1', '6a0f4a3e-0000-4000-8000-0000000000a1');
    INSERT INTO fabric_sync.device_ip_address (fabric_id, device, address, interface, resource_id)
    VALUES ('6a0f4a3e-0000-4000-8000-000000000001', 'leaf-1', '10.0.0.1/31', 'E1/1', '6a0f4a3e-0000-4000-8000-0000000000a1');
    INSERT INTO fabric_sync.device_neighbor (fabric_id, device, interface, protocol, remote_name, resource_id)
    VALUES ('6a0f4a3e-0000-4000-8000-000000000001', 'leaf-1', 'E1/1', 'lldp', 'spine-1', '6a0f4a3e-0000-4000-8000-0000000000a1');
    INSERT INTO fabric_sync.link (fabric_id, device_a, interface_a, device_b, interface_b, resource_id)
    VALUES ('6a0f4a3e-0000-4000-8000-000000000001', 'leaf-1', 'E1/1', 'spine-1', 'E1/1', '6a0f4a3e-0000-4000-8000-0000000000a1');
  `);
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

async function column(query: string): Promise<unknown[]> {
  const { rows } = await client.query<unknown[]>({ text: query, rowMode: "array" });
  return rows.map(([value]) => value);
}

test("each view shows what its name says", async () => {
  expect(await column("SELECT name FROM fabric_sync.resources ORDER BY 1")).toEqual(["leaf-1", "leaf-2", "srv-1"]);
  expect(await column("SELECT name FROM fabric_sync.drifts")).toEqual(["leaf-2"]);
  const { rows } = await client.query(
    "SELECT in_sync::int, drifted::int, untracked::int, unknown::int, not_compared::int, actual_complete_at FROM fabric_sync.fabrics",
  );
  // One of its streams was never complete.
  expect(rows).toEqual([
    { in_sync: 1, drifted: 1, untracked: 1, unknown: 0, not_compared: 0, actual_complete_at: null },
  ]);
  expect(await column("SELECT name FROM fabric_sync.orphans")).toEqual(["srv-1"]);
  expect(await column("SELECT name FROM fabric_sync.devices")).toEqual(["leaf-1"]);
  expect(await column("SELECT addresses::text FROM fabric_sync.interfaces")).toEqual(["{10.0.0.1/31}"]);
  expect(await column("SELECT remote_name FROM fabric_sync.neighbors")).toEqual(["spine-1"]);
  expect(await column("SELECT device_b FROM fabric_sync.links")).toEqual(["spine-1"]);
  expect(await column("SELECT code FROM fabric_sync.rejections ORDER BY 1")).toEqual(["22P05", "YamlSyntax"]);
});

test("freshness is that of the kind's oldest stream, and unknown while one was never complete", async () => {
  const ages = (view: string) =>
    column(`SELECT concat_ws(' ', api_group, kind, extract(epoch FROM age)::integer / 60) FROM ${view} ORDER BY 1`);
  expect(await ages("fabric_sync.kinds")).toEqual(["g Other 4", "g Switch 2", "h Server", "old  5"]);
  const resources = `
    SELECT concat_ws(' ', name, extract(epoch FROM actual_age)::integer / 60, extract(epoch FROM now() - desired_complete_at)::integer / 60)
      FROM fabric_sync.resources ORDER BY name`;
  expect(await column(resources)).toEqual(["leaf-1 2 3", "leaf-2 2 3", "srv-1 3"]);
  // Of a cursor that an older release wrote nobody knows the kind: its group's age is all there is.
  await client.query("BEGIN");
  await client.query("UPDATE fabric_sync.cursor SET kind = '' WHERE scope LIKE 'g/%'");
  expect(await column(resources)).toEqual(["leaf-1 4 3", "leaf-2 4 3", "srv-1 3"]);
  await client.query("ROLLBACK");
});

test("a dead letter whose payload no text function can hold does not break the view", async () => {
  expect(await column("SELECT message FROM fabric_sync.rejections WHERE source = 'cluster'")).toEqual(["refused"]);
});

describe("the reader role", () => {
  const READER = "SET LOCAL ROLE fabric_sync_reader";
  const relations = (kind: string) => `
    SELECT c.oid::regclass::text AS name FROM pg_class c
     WHERE c.relnamespace = 'fabric_sync'::regnamespace AND c.relkind IN (${kind}) ORDER BY 1`;

  async function asReader(statement: string): Promise<void> {
    await client.query("BEGIN");
    try {
      await client.query(`${READER}; ${statement}`);
    } finally {
      await client.query("ROLLBACK");
    }
  }

  test("reads every view", async () => {
    const { rows } = await client.query<{ name: string }>(relations("'v'"));
    expect(rows.length).toBeGreaterThanOrEqual(8);
    for (const { name } of rows) await asReader(`SELECT * FROM ${name}`);
    // A server that is given may have a just-in-time compiler, which takes seconds for each of the large views.
  }, 180_000);

  test("reads no table and no sequence", async () => {
    const { rows } = await client.query<{ name: string }>(relations("'r', 'p', 'S'"));
    expect(rows.length).toBeGreaterThan(20);
    for (const { name } of rows) {
      await expect(asReader(`SELECT * FROM ${name}`)).rejects.toMatchObject({ code: "42501" });
    }
  });

  test("writes nothing, through no view and no table, and makes nothing", async () => {
    const writes = [
      "DELETE FROM fabric_sync.links",
      "UPDATE fabric_sync.drifts SET drift_score = 0",
      "INSERT INTO fabric_sync.cursor DEFAULT VALUES",
      "TRUNCATE fabric_sync.resource",
      "CREATE TABLE fabric_sync.mine (a int)",
      "SELECT nextval('fabric_sync.resource_event_seq')",
    ];
    for (const statement of writes) {
      await expect(asReader(statement)).rejects.toMatchObject({
        code: expect.stringMatching(/^(42501|55000)$/) as string,
      });
    }
  });
});

test("the views cannot be written by anybody", async () => {
  const { rows } = await client.query(
    "SELECT table_name FROM information_schema.views WHERE table_schema = 'fabric_sync' AND (is_updatable = 'YES' OR is_insertable_into = 'YES')",
  );
  expect(rows).toEqual([]);
});
