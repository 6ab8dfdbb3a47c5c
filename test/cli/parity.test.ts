import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "pg";
import { startControlPlane } from "../support/control-plane.ts";
import { withClient } from "../support/postgres.ts";
import { waitFor } from "../support/wait.ts";
import type { ServerProcess } from "../support/workspace.ts";
import { killedMidway } from "./parity/hold.ts";
import { COLLECTED, DECLARED, manyConnections, MAXIMAL, MAXIMAL_STATUS, MINIMAL } from "./parity/objects.ts";
import { exampleDocuments, EXAMPLES, startRig } from "./parity/rig.ts";
import type { Installation, Rig } from "./parity/rig.ts";
import { differences, tablesOf } from "./parity/tables.ts";
import type { Tables } from "./parity/tables.ts";

/** Columns that stay as the database makes them, also in the row of the most that an object can carry. */
const NOT_FILLED = [
  // Users' own.
  "custom_field_data",
  // The view resources computes it.
  "dependency_score",
  // Nothing but Postgres is written.
  "sync_direction",
  // Nothing was refused.
  "last_sync_error",
  // Its sides never agreed, so neither has left the other.
  ...["last_synced_commit", "last_reconciliation", "conflict_status", "conflict_details"],
  // It was there before it was looked at, or was not edited since.
  "external_modifications",
];

/**
 * Whole programs fill databases of their own from one cluster and one repository, each by another way: the tables are the same, to the byte.
 */
const WAYS = ["before", "watched", "killed", "listed", "killed-list", "once", "killed-once"] as const;

// Outside of the hooks, whose time is bounded: the first run on a machine may have to build it.
const plane = await startControlPlane();
let rig: Rig<(typeof WAYS)[number]>;
let at: Readonly<Record<(typeof WAYS)[number], Installation>>;

beforeAll(async () => {
  rig = await startRig(plane, WAYS);
  at = rig.installations;
}, 180_000);
afterAll(async () => {
  await rig?.stop();
  await plane.stop();
});

/** Waits until the tables are those; tells what differs when they do not become so. */
async function settles({ database }: Installation, expected: Tables): Promise<void> {
  const different = async () => differences(await tablesOf(database.url), expected);
  const equal = async (): Promise<boolean> => Object.keys(await different()).length === 0;
  await waitFor("the tables", equal, { timeoutMs: 90_000, intervalMs: 100 }).catch(async () => {
    expect(await different()).toEqual({});
  });
}

/** How many rows have a side. */
async function count(installation: Installation, side: "actual" | "desired"): Promise<number> {
  return withClient(installation.database.url, async (client) => {
    const { rows } = await client.query<{ n: number }>(
      `SELECT count(*)::integer AS n FROM fabric_sync.resource WHERE ${side}_hash <> ''`,
    );
    return rows[0]?.n ?? 0;
  });
}

/** How often an operator has begun with a list. */
async function lists(installation: Installation): Promise<number> {
  const starts = (mode: string) => installation.operator().metric("fabric_sync_stream_starts_total", { mode });
  return (await starts("watchlist")) + (await starts("list"));
}

/** Both sides change, and so does what devices report. */
async function changeMuch(): Promise<void> {
  const kubectl = (...args: string[]) => plane.kubectl(["-n", "default", ...args]);
  await kubectl("patch", "vpc", "web", "--type=merge", "-p", '{"spec":{"subnets":{"front":{"vlan":1999}}}}');
  await kubectl(
    "delete",
    "servers.wiring.githedgehog.com/server-06",
    "connections.wiring.githedgehog.com/many-0--unbundled--leaf-03",
  );
  await rig.apply(manyConnections(201).slice(200));
  const reported = [
    { op: "remove", path: "/status/state/interfaces/E1~11" },
    { op: "replace", path: "/status/state/bgpNeighbors", value: {} },
  ];
  await kubectl("patch", "agent", "leaf-03", "--subresource=status", "--type=json", "-p", JSON.stringify(reported));
  const servers = await readFile(join(EXAMPLES, "fabric/servers.yaml"), "utf8");
  await rig.repository.push({
    "fabric/servers.yaml": servers.replace("backup, one link to leaf-04", "backup and archive"),
    "fabric/peerings.yaml": null,
  });
}

test("watched from empty, also when killed in between, is what one pass finds afterwards", async () => {
  const { watched, killed, before } = at;
  await Promise.all([watched.start(), killed.start()]);
  await Promise.all([watched.operator().ready(60_000), killed.operator().ready(60_000)]);
  expect(await count(watched, "actual")).toBe(0);

  const platform = ["agents", "catalog", "dhcp", "profiles"].map((name) => `platform/${name}.yaml`);
  await rig.apply(await exampleDocuments(...platform, "device-state.yaml"));
  const reported = ["agents", "dhcp"].flatMap((name) => ["-f", join(EXAMPLES, `platform/${name}.yaml`)]);
  await plane.kubectl(["apply", "--server-side", "--subresource=status", ...reported]);
  await rig.apply([MINIMAL, MAXIMAL, COLLECTED]);
  await waitFor("the first half", async () => (await count(killed, "actual")) > 10, { timeoutMs: 60_000 });
  await killedMidway(
    { databaseUrl: killed.database.url, table: "resource" },
    async () => {
      await plane.kubectl(["apply", "--server-side", "--recursive", "-f", join(EXAMPLES, "fabric")]);
      await rig.apply(manyConnections(200));
    },
    () => killed.operator().process.stop("SIGKILL"),
  );
  const maximal = "/apis/wiring.githedgehog.com/v1beta1/namespaces/default/switches/maximal";
  await plane.kubectl(
    ["apply", "--server-side", "--subresource=status", "-f", "-"],
    JSON.stringify({ ...MAXIMAL, status: MAXIMAL_STATUS }),
  );
  await plane.request("DELETE", maximal);
  await killed.start();
  // Then the push is the next news of Git, and nothing but the webhook tells of it.
  await killed.reconcile();

  const files = { "fabric/minimal.yaml": JSON.stringify(MINIMAL), "fabric/maximal.yaml": JSON.stringify(DECLARED) };
  await rig.repository.push(files, "The least and the most");
  await Promise.all([watched.reconcile(), killed.hook()]);

  await before.run("sync", "--once");
  const expected = await tablesOf(before.database.url);
  expect(Object.keys(expected)).toEqual(
    expect.arrayContaining(["resource", "device", "device_snapshot", "link", "resource_edge"]),
  );
  expect(Object.keys(expected).filter((table) => expected[table]?.length === 0)).toEqual([]);
  // Of the one that is in the cluster, and of the two that Git declares.
  expect(expected["resource_edge"]?.filter((edge) => edge.includes("ownerReferences"))).toHaveLength(3);
  await settles(watched, expected);
  await settles(killed, expected);
}, 180_000);

test("the least and the most that an object can carry fill every column, by whichever path they came", async () => {
  const paths: [Installation, string[]][] = [
    [at.watched, ["actual watch", "desired git_poll"]],
    [at.killed, ["actual watch", "desired git_webhook"]],
    [at.before, ["actual list", "desired git_poll"]],
  ];
  for (const [{ database }, expected] of paths) {
    await withClient(database.url, async (client) => {
      for (const name of ["minimal", "maximal"]) {
        const { rows } = await client.query<{ path: string }>(
          `SELECT DISTINCT side || ' ' || trigger AS path FROM fabric_sync.resource_event WHERE name = $1 AND event_type = 'added' ORDER BY 1`,
          [name],
        );
        expect(rows.map(({ path }) => path)).toEqual(expected);
      }
      expect(await columnsAsMade(client, "maximal")).toEqual(NOT_FILLED);
    });
  }
});

/** Columns of a row that are null, or what the database puts there when nobody says anything. */
async function columnsAsMade(client: Client, name: string): Promise<string[]> {
  const { rows: columns } = await client.query<{ name: string; made: string }>(
    `SELECT column_name AS name, coalesce(column_default, 'NULL::text') AS made
       FROM information_schema.columns WHERE table_schema = 'fabric_sync' AND table_name = 'resource' ORDER BY ordinal_position`,
  );
  const tests = columns.map(
    ({ name: column, made }) =>
      `CASE WHEN coalesce(to_jsonb(${column}), 'null') IN ('null', to_jsonb(${made})) THEN '${column}' END`,
  );
  const { rows } = await client.query<{ made: string[] }>(
    `SELECT array_remove(ARRAY[${tests.join(", ")}], NULL) AS made FROM fabric_sync.resource WHERE name = $1`,
    [name],
  );
  return rows[0]?.made ?? [];
}

test("what changes while nobody looks is found by the watch that goes on, by a list, and from empty", async () => {
  const { watched, killed, listed, "killed-list": listedKilled, once, "killed-once": onceKilled } = at;
  let command: ServerProcess;
  await Promise.all([watched, killed].map((one) => one.operator().process.stop("SIGTERM")));
  await changeMuch();

  await watched.start();
  await once.run("sync", "--once");
  const expected = await tablesOf(once.database.url);
  await settles(watched, expected);
  expect(await watched.operator().metric("fabric_sync_stream_starts_total", { mode: "watch" })).toBeGreaterThan(0);
  expect(await lists(watched)).toBe(0);

  await plane.forgetHistory();
  await killed.start();
  await listed.start();
  await killedMidway(
    { databaseUrl: listedKilled.database.url, table: "resource" },
    () => listedKilled.start(),
    () => listedKilled.operator().process.stop("SIGKILL"),
  );
  await listedKilled.start();
  await killedMidway(
    { databaseUrl: onceKilled.database.url, table: "resource" },
    async () => (command = await onceKilled.begin("sync", "--once")),
    () => command.stop("SIGKILL"),
  );
  await onceKilled.freeLease();
  await onceKilled.run("sync", "--once");
  expect(differences(await tablesOf(onceKilled.database.url), expected)).toEqual({});
  for (const one of [killed, listed, listedKilled]) await settles(one, expected);
  expect(await lists(killed)).toBeGreaterThan(0);
}, 180_000);

test("projections that are made anew of damage, and of nothing by who was killed in between, are the same", async () => {
  const { once, "killed-once": onceKilled } = at;
  const expected = await tablesOf(once.database.url);
  await withClient(once.database.url, (client) =>
    client.query(`DELETE FROM fabric_sync.device_neighbor; DELETE FROM fabric_sync.device WHERE name LIKE 'leaf-%'; DELETE FROM fabric_sync.link WHERE side = 'actual';
      DELETE FROM fabric_sync.resource_edge WHERE relation = 'switch'; UPDATE fabric_sync.device_interface SET mtu = 1; UPDATE fabric_sync.link SET kind = 'other';
      INSERT INTO fabric_sync.device (fabric_id, name, resource_id) SELECT fabric_id, 'ghost', id FROM fabric_sync.resource WHERE kind = 'Agent'`),
  );
  expect(Object.keys(differences(await tablesOf(once.database.url), expected)).length).toBeGreaterThan(4);
  await once.run("db", "rebuild-projections");
  expect(differences(await tablesOf(once.database.url), expected)).toEqual({});

  const projections = Object.keys(expected).filter((table) => table !== "resource");
  await withClient(onceKilled.database.url, (client) =>
    client.query(`TRUNCATE ${projections.map((table) => `fabric_sync.${table}`).join(", ")} CASCADE`),
  );
  let command: ServerProcess;
  await killedMidway(
    { databaseUrl: onceKilled.database.url, table: "link" },
    async () => (command = await onceKilled.begin("db", "rebuild-projections")),
    () => command.stop("SIGKILL"),
  );
  const half = await tablesOf(onceKilled.database.url);
  expect(half["link"]?.length).toBeGreaterThan(0);
  expect(half["link"]?.length).toBeLessThan(expected["link"]?.length ?? 0);
  await onceKilled.run("db", "rebuild-projections");
  expect(differences(await tablesOf(onceKilled.database.url), expected)).toEqual({});
});
