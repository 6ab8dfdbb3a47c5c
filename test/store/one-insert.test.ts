import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { getTableColumns } from "drizzle-orm";
import { agent, collected, observed, wiring } from "../../bench/topology/fabric.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Observation } from "../../src/core/observation.ts";
import type { Batch } from "../../src/core/ports.ts";
import { PUMP_LIMITS } from "../../src/pump/limits.ts";
import { approximateBytes } from "../../src/pump/size.ts";
import { chunksOf, subjectsOf } from "../../src/store/subject.ts";
import { resource } from "../../src/store/schema/resource.ts";
import {
  actualVpc,
  clusterCursor,
  COMMIT_1,
  COMMIT_2,
  desiredVpc,
  openStore,
  POLICY,
  type StoreFixture,
} from "./fixture.ts";

/** `INSERT INTO …resource`, the table itself and not one whose name begins so, drizzle's builder included. */
const INSERTS = [/INSERT\s+INTO\s+(?:"?fabric_sync"?\.)?"?resource"?[\s(]/gi, /\.insert\(\s*resource\s*\)/g];

test("one statement of the source inserts into resource", async () => {
  const root = join(import.meta.dirname, "../../src");
  const places: string[] = [];
  for (const file of await readdir(root, { recursive: true })) {
    if (!file.endsWith(".ts")) continue;
    const text = await readFile(join(root, file), "utf8");
    for (const pattern of INSERTS) for (const _ of text.matchAll(pattern)) places.push(file);
  }
  expect(places).toEqual(["store/write-rows.ts"]);
});

interface Sent {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Every statement that a fixture's transactions send from now on, with its parameters. */
function spyOn(at: StoreFixture): Sent[] {
  const seen: Sent[] = [];
  at.pool.on("acquire", (client) => {
    const { query } = Object.getPrototypeOf(client) as { query: (...given: unknown[]) => unknown };
    const spy = (...given: unknown[]): unknown => {
      const [first, values = []] = given;
      const sent = (typeof first === "string" ? { text: first, values } : first) as Partial<Sent>;
      seen.push({ text: sent.text ?? "", values: [...(sent.values ?? [])] });
      return query.apply(client, given);
    };
    Object.assign(client, { query: spy });
  });
  return seen;
}

test("a batch is one statement that reads and one that writes, whatever follows from its kinds", async () => {
  await using at = await openStore();
  const seen = spyOn(at);
  const statements = async (observations: readonly Observation[], more: Partial<Batch> = {}): Promise<string[]> => {
    seen.length = 0;
    expect(await at.apply(observations, more)).toMatchObject({ stale: 0, deadLettered: [] });
    return seen.map(
      ({ text }) => /^\s*(BEGIN|COMMIT|WITH held|WITH\s+\w+ AS)/.exec(text)?.[1]?.replace(/\s+/, " ") ?? text,
    );
  };
  const both = ["BEGIN", "WITH held", "WITH same AS", "COMMIT"];
  const all = (make: (index: number) => JsonObject, version: number): Observation[] =>
    Array.from({ length: 8 }, (_, index) => observed(make(index), at.fabricId, version));
  const kinds: Readonly<Record<string, (revision: number) => (index: number) => JsonObject>> = {
    plain: (revision) => (index) => ({ ...wiring(index), kind: "Rack", spec: { revision } }),
    switches: (revision) => (index) => ({ ...wiring(index), spec: { role: `role-${revision}` } }),
    "agents with 64 ports": (revision) => (index) => agent(index, 100, 64, new Set([revision])),
    "DeviceStates, each with a child that is refused": (revision) => (index) => ({
      ...collected(index),
      spec: { ...(collected(index)["spec"] as JsonObject), vendor: `vendor-${revision}` },
    }),
  };
  for (const [kind, make] of Object.entries(kinds)) {
    const cursors = (version: number) => ({ cursors: [clusterCursor(String(version))] });
    expect([kind, await statements(all(make(1), 1), cursors(1))]).toEqual([kind, both]);
    expect([kind, await statements(all(make(2), 2), cursors(2))]).toEqual([kind, both]);
    expect([kind, await statements(all(make(2), 2))]).toEqual([kind, ["BEGIN", "WITH held", "COMMIT"]]);
  }
  // A port that goes down costs its set alone.
  await statements(all((index) => agent(index, 100, 64, new Set([3])), 3));
  expect(seen.filter(({ text }) => text.includes("device_interface"))).toHaveLength(1);
  expect(seen.filter(({ text }) => /up_device_neighbor|up_device /.test(text))).toEqual([]);
  // What was refused is right now, and is no dead letter any more.
  const letters = "SELECT count(*)::integer AS n FROM fabric_sync.resource_dead_letter";
  expect(await at.sql(letters)).toEqual([{ n: 8 }]);
  expect(await statements(all((index) => ({ ...collected(index), spec: { interfaces: [] } }), 3))).toEqual(both);
  expect(await at.sql(letters)).toEqual([{ n: 0 }]);
  // A heartbeat keeps the raw observation for longer; nothing else is written, and the row is not even locked.
  const beats = all((index) => agent(index, 100, 64, new Set([3]), 15_000), 4);
  expect(await statements(beats)).toEqual(["BEGIN", "WITH held", "WITH beat AS", "COMMIT"]);

  const files = ["a.yaml", "b.yaml"].map((path) => ({
    path,
    blob: "c".repeat(40),
    documents: 1,
    keys: [],
    rejections: [],
    parsed: true,
  }));
  const position = { source: "git", scope: "main", position: COMMIT_1, completeAt: 1_700_000_000_000 } as const;
  const revision = { gitFiles: { upserts: files, removed: ["gone.yaml"] }, cursors: [position] };
  expect(await statements([desiredVpc(at, "vpc-1", COMMIT_1), desiredVpc(at, "vpc-2", COMMIT_1)], revision)).toEqual(
    both,
  );
});

test("a change or a few have statements with kept plans, the same for two as for eight; more have none", async () => {
  await using at = await openStore();
  const batch = (count: number, version: number): Observation[] =>
    Array.from({ length: count }, (_, index) =>
      actualVpc(at, `vpc-${index}`, { rv: String(version) }, { spec: { version, odd: index % 2 === 1 } }),
    );
  const cursors = (version: number) => ({ cursors: [clusterCursor(String(version))] });
  expect(await at.apply(batch(9, 1), cursors(1))).toMatchObject({ changed: 9 });
  const named = async (): Promise<unknown> => {
    const text = "SELECT count(*)::int AS names, sum(generic_plans)::int AS kept FROM pg_prepared_statements";
    return (await at.sql(text))[0];
  };
  expect(await named()).toMatchObject({ names: 0 });
  for (const [version, count] of [1, 1, 1, 2, 5, 8].entries()) {
    expect(await at.apply(batch(count, version + 2), cursors(version + 2))).toMatchObject({ changed: count });
  }
  // What reads, what writes one, what writes a few.
  expect(await named()).toEqual({ names: 3, kept: 12 });
  expect(await at.apply(batch(9, 9), cursors(9))).toMatchObject({ changed: 9 });
  expect(await at.apply(batch(1, 10), cursors(10))).toMatchObject({ changed: 1 });
  expect(await named()).toEqual({ names: 3, kept: 14 });
  expect(at.retries).toEqual([]);
});

test("what the pump takes at once is one chunk", () => {
  const batch = (text: string): Observation[] => {
    const made: Observation[] = [];
    let bytes = 0;
    while (made.length < PUMP_LIMITS.maxBatch && bytes <= PUMP_LIMITS.maxBatchBytes) {
      const one = actualVpc({ fabricId: "f" }, `vpc-${made.length}`, { rv: "1" }, { spec: { text } });
      bytes += approximateBytes(one);
      made.push(one);
    }
    return made;
  };
  for (const length of [0, 4_000, 5_500, 100_000, 1_000_000]) {
    expect([...chunksOf(subjectsOf(batch("x".repeat(length))))]).toHaveLength(1);
  }
});

test("its column list is the table's", async () => {
  await using at = await openStore();
  await at.sql("ALTER TABLE fabric_sync.resource ADD COLUMN added_behind_our_back text NOT NULL DEFAULT ''");
  const seen = spyOn(at);
  const result = await at.apply([actualVpc(at, "vpc-1", { rv: "10" })], { cursors: [clusterCursor("10")] });
  expect(result.changed).toBe(1);
  const [list] = seen.flatMap(({ text }) => /INSERT INTO fabric_sync\.resource \(([^)]*)\)/.exec(text)?.[1] ?? []);
  const columns = Object.values(getTableColumns(resource)).map(({ name }) => `"${name}"`);
  expect(list?.split(", ")).toEqual(columns);
});

test("content that no row of a batch changes is not sent again, and stays as it is beside new rows", async () => {
  await using at = await openStore();
  const declared = { spec: { words: "what Git says" } };
  const names = ["vpc-1", "vpc-2"];
  await at.apply(names.map((name) => desiredVpc(at, name, COMMIT_1, declared)));
  const seen = spyOn(at);
  const sent = (): string => {
    const buffers = seen.splice(0).flatMap(({ values }) => values.filter((value) => Buffer.isBuffer(value)));
    return Buffer.concat(buffers).toString();
  };
  const running = { spec: { words: "what runs" } };
  // What differs is told in drift_details, both sides of it.
  const quiet = { policy: { ...POLICY, driftMode: "disabled" as const } };
  const result = await at.apply(
    ["vpc-1", "vpc-2", "vpc-3"].map((name) => actualVpc(at, name, { rv: "10" }, running)),
    quiet,
  );
  expect(result.changed).toBe(3);
  expect(sent()).toContain("what runs");
  const later = { spec: { words: "what runs now" } };
  await at.apply(
    names.map((name) => actualVpc(at, name, { rv: "11" }, later)),
    quiet,
  );
  expect(sent()).not.toContain("what Git says");
  // One that changes, and it is sent for all.
  await at.apply([
    actualVpc(at, "vpc-1", { rv: "12" }, running),
    desiredVpc(at, "vpc-2", COMMIT_2, { spec: { words: "what Git says now" } }),
  ]);
  expect(sent()).toContain("what Git says now");
  const rows = await at.sql(
    `SELECT name, desired_spec ->> 'words' AS desired, actual_spec ->> 'words' AS actual, external_modifications AS more
       FROM fabric_sync.resource ORDER BY name`,
  );
  expect(rows).toMatchObject([
    { name: "vpc-1", desired: "what Git says", actual: "what runs" },
    { name: "vpc-2", desired: "what Git says now", actual: "what runs now" },
    { name: "vpc-3", desired: null, actual: "what runs" },
  ]);
  const [events] = await at.sql<{ images: (string | null)[] }>(
    "SELECT array_agg(image -> 'spec' ->> 'words' ORDER BY xid, seq) AS images FROM fabric_sync.resource_event",
  );
  expect(events?.images.slice(-2)).toEqual(["what runs", "what Git says now"]);
});

test("the server has seen no other insert into resource (pg_stat_statements, where it is loaded)", async () => {
  await using at = await openStore();
  const loaded = await at.sql<{ libraries: string }>("SELECT current_setting('shared_preload_libraries') AS libraries");
  await at.apply([actualVpc(at, "vpc-1", { rv: "10" }), actualVpc(at, "bad", { rv: "11" }, { spec: { a: "\0" } })]);
  await at.apply([actualVpc(at, "vpc-1", { rv: "12" }, { spec: { vlan: 3 } })], { cursors: [clusterCursor("12")] });
  // A server that was given by TEST_DATABASE_URL may lack the module; the two tests above hold there all the same.
  if (loaded[0]?.libraries.includes("pg_stat_statements") !== true) return;
  await at.sql("CREATE EXTENSION pg_stat_statements");
  const statements = await at.sql<{ query: string }>(
    `SELECT query FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
      WHERE d.datname = current_database() AND query ~* 'insert into "?fabric_sync"?\\."?resource"?[ (]'`,
  );
  expect(statements.length).toBeGreaterThan(0);
  for (const { query } of statements) expect(query).toMatch(/^\s*WITH\s+same AS/);
});
