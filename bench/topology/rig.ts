import type { PoolClient } from "pg";
import type pg from "pg";
import type { JsonObject } from "../../src/core/json.ts";
import type { Observation } from "../../src/core/observation.ts";
import type { Topology } from "../../src/core/ports.ts";
import { migrate } from "../../src/store/migrate.ts";
import { createPool } from "../../src/store/pool.ts";
import { createStore } from "../../src/store/store.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import { observed } from "./fabric.ts";

/** Observations a batch: what the pump would take at once. */
export const BATCH = 50;

const POLICY = { driftMode: "local", reportExtra: true, direction: "observe", ignore: [], hasGit: false } as const;

/** A fabric of its own, and what is done to it. */
export interface Subject {
  readonly id: string;
  apply(observations: readonly Observation[]): Promise<unknown>;
  /** Observes objects in batches, all of them in one version. */
  load(objects: readonly JsonObject[], version: number, batch?: number): Promise<void>;
  readTopology(): Promise<Topology>;
}

export interface Rig extends AsyncDisposable {
  readonly pool: pg.Pool;
  fabric(name: string): Promise<Subject>;
  /** Statements of transactions so far. */
  statements(): number;
  query<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
}

/** A PostgreSQL of the tests with durability on, and a store over it that counts its statements. */
export async function startRig(): Promise<Rig> {
  const server = await startPostgres({
    settings: {
      fsync: "on",
      synchronous_commit: "on",
      full_page_writes: "on",
      shared_buffers: "512MB",
      max_wal_size: "4GB",
    },
  });
  const database = await server.createDatabase();
  const pool = createPool({
    connection: { connectionString: database.url },
    onConnectionError: (error) => console.error(error.message),
  });
  const statements = counted(pool);
  await migrate(database.url);
  const store = createStore(pool);
  return {
    pool,
    statements,
    async query<Row extends object>(text: string, values: unknown[] = []) {
      return (await pool.query<Row>(text, values)).rows;
    },
    async fabric(name) {
      const { id } = await store.registerFabric({ namespace: "bench", name, uid: name });
      const fence = await store.acquireFence(id, "bench");
      const apply = (observations: readonly Observation[]) =>
        store.apply({ fence, policy: POLICY, observations, cursors: [] });
      return {
        id,
        apply,
        async load(objects, version, batch = BATCH) {
          for (let from = 0; from < objects.length; from += batch) {
            await apply(objects.slice(from, from + batch).map((object) => observed(object, id, version)));
          }
        },
        readTopology: () => store.readTopology(id),
      };
    },
    async [Symbol.asyncDispose]() {
      await pool.end();
      await server.stop();
    },
  };
}

/** Counts the statements of transactions alone: a query of the pool itself connects with a callback. */
function counted(pool: pg.Pool): () => number {
  let statements = 0;
  const connect = pool.connect.bind(pool) as (...args: unknown[]) => unknown;
  pool.connect = ((...args: unknown[]) => (args.length > 0 ? connect(...args) : client())) as typeof pool.connect;
  async function client(): Promise<PoolClient> {
    const found = (await connect()) as PoolClient;
    const query = found.query.bind(found) as (...args: unknown[]) => unknown;
    const release = found.release.bind(found);
    found.query = ((...args: unknown[]) => {
      statements += 1;
      return query(...args);
    }) as typeof found.query;
    found.release = (error) => {
      found.query = query as typeof found.query;
      release(error);
    };
    return found;
  }
  return () => statements;
}
