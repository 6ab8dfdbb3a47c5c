/**
 * Records the statements of the present writer, for `previous-writer.test.ts`: they must go on working on every later schema, because
 * during an upgrade the old program writes to the new schema. Run by hand when a release is made:
 * `node test/store/schema/record-writer.ts test/store/schema/writer-NNNN.json`, NNNN being the newest migration.
 */
import { writeFile } from "node:fs/promises";
import pg from "pg";
import { format } from "prettier";
import type { Observation } from "../../../src/core/observation.ts";
import { migrate } from "../../../src/store/migrate.ts";
import { createPool } from "../../../src/store/pool.ts";
import { createStore } from "../../../src/store/store.ts";
import { minimalObservations } from "../../../src/store/upkeep/samples.ts";
import { startPostgres } from "../../support/postgres.ts";

interface Recorded {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Binary parameters are kept as `{"base64": …}`. */
const jsonValue = (value: unknown): unknown => (Buffer.isBuffer(value) ? { base64: value.toString("base64") } : value);

/** Ids that the database would make are given, so that the recording can be replayed. */
const FABRIC_ID = "5e1f7e57-0000-4000-8000-000000000001";
const REGISTER =
  "INSERT INTO fabric_sync.fabric (id, namespace, name, uid, writer_epoch) VALUES ($1, 'netops', 'lab', 'uid', 1)";
const AT = new Date("2025-06-15T12:00:00Z");

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error("give the file to write");
const server = await startPostgres();
const database = await server.createDatabase();
await migrate(database.url);
const pool = createPool({ connection: { connectionString: database.url }, onConnectionError: () => undefined });
const recorded: Recorded[] = [{ text: REGISTER, values: [FABRIC_ID] }];
await pool.query(REGISTER, [FABRIC_ID]);
const query = pg.Client.prototype.query as (this: pg.Client, ...given: unknown[]) => unknown;
pg.Client.prototype.query = function record(this: pg.Client, ...given: unknown[]): unknown {
  const [first, values] = given;
  const config =
    typeof first === "string"
      ? { text: first, values: values as unknown[] }
      : (first as { text: string; values?: unknown[] });
  recorded.push({ text: config.text, values: (config.values ?? []).map(jsonValue) });
  return query.apply(this, given);
} as typeof pg.Client.prototype.query;

const store = createStore(pool);
await store.apply({
  fence: { fabricId: FABRIC_ID, epoch: 1 },
  policy: { driftMode: "local", reportExtra: true, direction: "observe", ignore: [], hasGit: true },
  observations: minimalObservations(FABRIC_ID, AT),
  cursors: [
    { source: "cluster", scope: "selftest.fabricsync.dev/v1alpha1/selftests", position: "7", completeAt: AT.getTime() },
  ],
  gitFiles: {
    upserts: [{ path: "selftest.yaml", blob: "", documents: 0, keys: [], rejections: [], parsed: true }],
    removed: ["gone.yaml"],
  },
});
// The same objects again, changed: updates are another path through the writer than inserts. And the end of one of them.
const changed = minimalObservations(FABRIC_ID, new Date(AT.getTime() + 60_000)).map((observation): Observation => {
  if (observation.type === "delete") return observation;
  const content = { ...observation.content, spec: { changed: true }, hash: "c".repeat(64) };
  return observation.side === "actual"
    ? { ...observation, content, resourceVersion: "9", generation: 2 }
    : { ...observation, content };
});
const write = (observations: readonly Observation[], position: string): Promise<unknown> =>
  store.apply({
    fence: { fabricId: FABRIC_ID, epoch: 1 },
    policy: { driftMode: "local", reportExtra: true, direction: "observe", ignore: [], hasGit: true },
    observations,
    cursors: [{ source: "cluster", scope: "selftest.fabricsync.dev/v1alpha1/selftests", position, completeAt: null }],
  });
await write(changed, "9");
const gone = changed.flatMap((observation): Observation[] => {
  if (observation.side !== "actual" || observation.type !== "upsert") return [];
  const { key, writePath, observedAt, uid } = observation;
  return [{ side: "actual", type: "delete", key, writePath, observedAt, uid, resourceVersion: "10", reason: "gone" }];
});
await write(gone, "10");
await store.recordDelivery({ fabricId: FABRIC_ID, provider: "github", deliveryId: "1", waits: false });
await store.beginRun({ fabricId: FABRIC_ID, source: "git", trigger: "git_poll", target: "main" });
pg.Client.prototype.query = query as typeof pg.Client.prototype.query;
await pool.end();
await server.stop();
// The fence, the transactions' limits and the pool's own statements are part of it: all of them must go on working.
await writeFile(path, await format(JSON.stringify(recorded, null, 2), { parser: "json", printWidth: 120 }));
