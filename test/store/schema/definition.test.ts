import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { getTableColumns } from "drizzle-orm";
import { Client } from "pg";
import type { JsonObject } from "../../../src/core/json.ts";
import { buildResourceRow } from "../../../src/core/resource-row.ts";
import type { ResourceEvent, ResourceRow } from "../../../src/core/row.ts";
import * as vocabulary from "../../../src/core/vocabulary.ts";
import { MIGRATION_STATES } from "../../../src/store/schema/schema-migration.ts";
import { resource } from "../../../src/store/schema/resource.ts";
import type { resourceEvent } from "../../../src/store/schema/resource-event.ts";
import { createTestDatabase, withClient, type TestDatabase } from "../../support/postgres.ts";
import { catalogueOf, STRUCTURE } from "./catalogue.ts";

const root = join(import.meta.dirname, "../../..");

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

async function facts(query: string): Promise<string[]> {
  const { rows } = await client.query<{ fact: string }>(query);
  return rows.map(({ fact }) => fact);
}

/** Tables of ours without the partitions. */
const TABLES = `pg_class c WHERE c.relnamespace = 'fabric_sync'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition`;

describe("the drizzle tables and the migrations", () => {
  test("make the same columns, constraints and indexes", async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(root, "node_modules/drizzle-kit/bin.cjs"), "export", "--config", "drizzle/config.ts", "--sql"],
      { cwd: root, maxBuffer: 10_000_000 },
    );
    const scratch = await createTestDatabase({ empty: true });
    try {
      await withClient(scratch.url, async (other) => {
        // drizzle-kit knows no functions: what indexes are made with comes from the migrations.
        const functions = await facts(
          "SELECT pg_get_functiondef(('fabric_sync.' || name)::regproc) AS fact FROM unnest(ARRAY['port_key', 'port_of']) AS name",
        );
        await other.query(`CREATE SCHEMA fabric_sync; ${functions.join(";")}`);
        await other.query(stdout.replace(/^CREATE SCHEMA .*$/m, ""));
        expect(await catalogueOf(client, STRUCTURE)).toEqual(await catalogueOf(other, STRUCTURE));
      });
    } finally {
      await scratch.drop();
    }
  });

  test("leave drizzle-kit nothing to generate", async () => {
    // A dry run in a copy: drizzle-kit writes into its folder when there is something.
    const { mkdtemp, cp, rm, readdir } = await import("node:fs/promises");
    const copy = await mkdtemp(join(root, "node_modules/.drizzle-check-"));
    try {
      await cp(join(root, "drizzle/meta"), join(copy, "meta"), { recursive: true });
      const tables = "./src/store/schema/tables.ts";
      await promisify(execFile)(
        process.execPath,
        [
          join(root, "node_modules/drizzle-kit/bin.cjs"),
          "generate",
          "--dialect=postgresql",
          `--schema=${tables}`,
          `--out=${copy}`,
        ],
        { cwd: root },
      );
      expect(await readdir(copy)).toEqual(["meta"]);
    } finally {
      await rm(copy, { recursive: true });
    }
  });
});

// Fails to compile when the types differ, in whichever direction.
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
type Plain<T> = { [Column in keyof T]: T[Column] };
const rowTypesAgree: Same<Plain<typeof resource.$inferSelect>, Plain<ResourceRow>> = true;
type StoredEvent = Omit<typeof resourceEvent.$inferSelect, "xid" | "seq">;
const eventTypesAgree: Same<Plain<StoredEvent>, Plain<ResourceEvent>> = true;

describe("the row types", () => {
  test("have the properties of the tables", () => {
    expect([rowTypesAgree, eventTypesAgree]).toEqual([true, true]);
    const key = { fabricId: "f", apiGroup: "", kind: "k", namespace: "", name: "n" };
    expect(Object.keys(buildResourceRow(key, "id", "now")).sort()).toEqual(
      Object.keys(getTableColumns(resource)).sort(),
    );
  });

  test("begin with what the database has as defaults", async () => {
    const key = { fabricId: "6a0f4a3e-0000-4000-8000-000000000001", apiGroup: "", kind: "k", namespace: "", name: "n" };
    await client.query("BEGIN");
    await client.query("INSERT INTO fabric_sync.fabric (id, namespace, name, uid) VALUES ($1, 'ns', 'defaults', 'u')", [
      key.fabricId,
    ]);
    await client.query("INSERT INTO fabric_sync.resource (fabric_id, kind, name) VALUES ($1, 'k', 'n')", [
      key.fabricId,
    ]);
    const { rows } = await client.query<JsonObject>("SELECT * FROM fabric_sync.resource");
    await client.query("ROLLBACK");
    const built: Record<string, unknown> = { ...buildResourceRow(key, "id", "now") };
    const given = ["id", "fabricId", "kind", "name", "firstSeen", "lastStateChange", "updatedAt"];
    for (const [property, column] of Object.entries(getTableColumns(resource))) {
      if (given.includes(property)) continue;
      const stored = rows[0]?.[column.name];
      // pg gives a bigint as text here: the pool's own parsers are not in use.
      expect([property, property === "actualGeneration" ? Number(stored) : stored]).toEqual([
        property,
        built[property],
      ]);
    }
  });
});

describe("the word lists", () => {
  const LISTS: Readonly<Record<string, readonly string[]>> = {
    "resource.resource_state": vocabulary.RESOURCE_STATES,
    "resource.drift_status": vocabulary.DRIFT_STATUSES,
    "resource.drift_severity": vocabulary.DRIFT_SEVERITIES,
    "resource.sync_direction": vocabulary.SYNC_DIRECTIONS,
    "resource.conflict_status": vocabulary.CONFLICT_STATUSES,
    "resource.write_path": vocabulary.WRITE_PATHS,
    "resource_event.event_type": vocabulary.EVENT_TYPES,
    "resource_event.side": vocabulary.SIDES,
    "resource_event.trigger": vocabulary.WRITE_PATHS,
    "resource_event.state_before": vocabulary.RESOURCE_STATES,
    "resource_event.state_after": vocabulary.RESOURCE_STATES,
    "resource_event.drift_before": vocabulary.DRIFT_STATUSES,
    "resource_event.drift_after": vocabulary.DRIFT_STATUSES,
    "resource_event.drift_severity": vocabulary.DRIFT_SEVERITIES,
    "resource_dead_letter.side": vocabulary.SIDES,
    "resource_dead_letter.write_path": vocabulary.WRITE_PATHS,
    "resource_edge.side": vocabulary.SIDES,
    "cursor.source": vocabulary.SOURCES,
    "sync_run.source": vocabulary.SOURCES,
    "sync_run.trigger": vocabulary.WRITE_PATHS,
    "sync_run.result": vocabulary.RUN_RESULTS,
    "device_interface.admin_status": vocabulary.LINK_STATUSES,
    "device_interface.oper_status": vocabulary.LINK_STATUSES,
    "device_neighbor.protocol": vocabulary.NEIGHBOR_PROTOCOLS,
    "device_arp_entry.origin": vocabulary.ENTRY_ORIGINS,
    "device_mac_entry.origin": vocabulary.ENTRY_ORIGINS,
    "device_route.protocol": vocabulary.ROUTE_PROTOCOLS,
    "device_bgp_session.state": vocabulary.BGP_STATES,
    "device_bgp_session.bfd_state": vocabulary.BFD_STATES,
    "link.side": vocabulary.SIDES,
    "schema_migration.state": MIGRATION_STATES,
  };

  test("are those of the catalogue, word for word", async () => {
    const { rows } = await client.query<{ column: string; condition: string }>(`
      SELECT c.relname || '.' || a.attname AS column, pg_get_constraintdef(k.oid) AS condition
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
       WHERE c.relnamespace = 'fabric_sync'::regnamespace AND NOT c.relispartition AND k.conname LIKE '%\\_listed'`);
    const catalogue = rows.map(({ column, condition }) => [
      column,
      [...condition.matchAll(/'([^']+)'/g)].map(([, word]) => word),
    ]);
    expect(Object.fromEntries(catalogue)).toEqual(LISTS);
  });
});

describe("every column", () => {
  test("that is NOT NULL has a default", async () => {
    const without = await facts(`
      SELECT c.relname || '.' || a.attname AS fact FROM pg_attribute a, ${TABLES}
         AND a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull AND NOT a.atthasdef`);
    expect(without).toEqual([]);
  });

  test("and every table and view has a comment", async () => {
    const without = await facts(`
      SELECT c.relname AS fact FROM pg_class c
       WHERE c.relnamespace = 'fabric_sync'::regnamespace AND c.relkind IN ('r', 'p', 'v')
         AND obj_description(c.oid, 'pg_class') IS NULL
      UNION ALL
      SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
       WHERE c.relnamespace = 'fabric_sync'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT a.attisdropped
         AND NOT c.relispartition AND col_description(c.oid, a.attnum) IS NULL`);
    expect(without).toEqual([]);
  });

  test("of a table says in its comment why its default is what it is, and who writes it", async () => {
    const vague = await facts(`
      SELECT c.relname || '.' || a.attname AS fact FROM pg_attribute a, ${TABLES}
         AND a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         AND NOT col_description(c.oid, a.attnum) ~
             (CASE WHEN a.attnotnull THEN '^[^.].* Default: .+\\. Writer: .+\\.$' ELSE '^[^.].* NULL: .+\\. Writer: .+\\.$' END)`);
    expect(vague).toEqual([]);
  });

  test("of text that is part of a key is in byte order", async () => {
    const other = await facts(`
      SELECT DISTINCT c.relname || '.' || a.attname AS fact
        FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = ANY (x.indkey::smallint[]),
             ${TABLES} AND c.oid = x.indrelid AND x.indisunique
         AND a.atttypid = 'text'::regtype AND a.attcollation <> '"C"'::regcollation`);
    expect(other).toEqual([]);
  });
});

describe("the schema can be distributed by fabric", () => {
  /** Reference tables: the same on every node. */
  const REFERENCE = "('fabric', 'schema_migration')";

  test("every primary and unique key of a fabric's table begins with fabric_id", async () => {
    const other = await facts(`
      SELECT x.indexrelid::regclass::text AS fact
        FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0],
             ${TABLES} AND c.oid = x.indrelid AND x.indisunique AND c.relname NOT IN ${REFERENCE} AND a.attname <> 'fabric_id'`);
    expect(other).toEqual([]);
  });

  test("docs/scale.md distributes every table of a fabric", async () => {
    const tables = await facts(`SELECT c.relname AS fact FROM ${TABLES} AND c.relname NOT IN ${REFERENCE} ORDER BY 1`);
    const [, statements = ""] = (await readFile(join(root, "docs/scale.md"), "utf8")).split("create_reference_table");
    const named = [...(statements.split("```")[0] ?? "").matchAll(/\('fabric_sync\.(\w+)'\)/g)].map(([, name]) => name);
    expect(named.filter((name) => name !== "fabric").sort()).toEqual(tables);
  });

  test("every foreign key begins with fabric_id on both sides, or leads to the fabric", async () => {
    const other = await facts(`
      SELECT k.conname AS fact FROM pg_constraint k
        JOIN pg_attribute child ON child.attrelid = k.conrelid AND child.attnum = k.conkey[1]
        JOIN pg_attribute parent ON parent.attrelid = k.confrelid AND parent.attnum = k.confkey[1]
       WHERE k.connamespace = 'fabric_sync'::regnamespace AND k.contype = 'f'
         AND NOT (child.attname = 'fabric_id'
                  AND (parent.attname = 'fabric_id' OR k.confrelid = 'fabric_sync.fabric'::regclass))`);
    expect(other).toEqual([]);
  });
});

describe("every constraint", () => {
  test("has a telling name: its table, its column, and what it asks for", async () => {
    const other = await facts(`
      SELECT k.conname AS fact FROM pg_constraint k, ${TABLES} AND c.oid = k.conrelid AND k.contype <> 'n'
         AND NOT k.conname ~ ('^' || c.relname ||
             '_(pkey|.*(key|fkey|required|listed|length|range|is_object|is_array|not_json_null|finished|accounted|ends_ordered))$')`);
    expect(other).toEqual([]);
  });

  test("that is a foreign key has an index that begins with its columns", async () => {
    const without = await facts(`
      SELECT k.conname AS fact FROM pg_constraint k
       WHERE k.connamespace = 'fabric_sync'::regnamespace AND k.contype = 'f' AND NOT EXISTS (
         SELECT FROM pg_index x WHERE x.indrelid = k.conrelid AND x.indpred IS NULL
            AND (x.indkey::smallint[])[0:cardinality(k.conkey) - 1] @> k.conkey)`);
    expect(without).toEqual([]);
  });

  test("that refuses a value does so by its name", async () => {
    const { rows } = await client.query<{ id: string }>(
      "INSERT INTO fabric_sync.fabric (namespace, name, uid) VALUES ('ns', 'refusals', 'refusals') RETURNING id",
    );
    const base = { fabric_id: rows[0]?.id, kind: "k", name: "n" };
    const refusals: readonly (readonly [string, Record<string, unknown>])[] = [
      ["resource_name_required", { name: "" }],
      ["resource_kind_required", { kind: "" }],
      ["resource_fabric_id_required", { fabric_id: "00000000-0000-0000-0000-000000000000" }],
      ["resource_fabric_fkey", { fabric_id: "00000000-0000-0000-0000-000000000001" }],
      ["resource_drift_status_listed", { drift_status: "fine" }],
      ["resource_labels_is_object", { labels: "[]" }],
      ["resource_external_modifications_is_array", { external_modifications: "{}" }],
      ["resource_actual_spec_not_json_null", { actual_spec: "null" }],
      ["resource_actual_hash_length", { actual_hash: "abc" }],
      ["resource_desired_commit_length", { desired_commit: "abc" }],
      ["resource_drift_score_range", { drift_score: 101 }],
      ["resource_dependency_score_range", { dependency_score: -1 }],
    ];
    for (const [constraint, values] of refusals) {
      const row: Record<string, unknown> = { ...base, ...values };
      const columns = Object.keys(row);
      await expect(
        client.query(
          `INSERT INTO fabric_sync.resource (${columns.join(", ")}) VALUES (${columns.map((_, index) => `$${index + 1}`).join(", ")})`,
          Object.values(row),
        ),
      ).rejects.toMatchObject({ constraint });
    }
  });
});
