import type pg from "pg";
import type { JsonObject } from "../../src/core/json.ts";
import { normaliseActual, normaliseDesired } from "../../src/core/normalise.ts";
import type {
  ActualDelete,
  ActualUpsert,
  DesiredDelete,
  DesiredUpsert,
  Observation,
} from "../../src/core/observation.ts";
import type { ReducePolicy } from "../../src/core/policy.ts";
import type { Batch, Cursor, Fence } from "../../src/core/ports.ts";
import type { WritePath } from "../../src/core/vocabulary.ts";
import { createPool } from "../../src/store/pool.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { throughPooler } from "../support/pooler.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { waitFor } from "../support/wait.ts";

export const POLICY: ReducePolicy = {
  driftMode: "local",
  reportExtra: true,
  direction: "observe",
  ignore: [],
  hasGit: true,
};

/** A database of its own, or the given one, with a store over it (through a pooler where the run has one), and one fabric whose fence is held. */
export interface StoreFixture extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly pool: pg.Pool;
  readonly store: Store;
  readonly fence: Fence;
  readonly fabricId: string;
  /** Repeated transactions, by SQLSTATE or Node's error code. */
  readonly retries: string[];
  /** Plain SQL, for what the test looks at. */
  sql<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  apply(observations: readonly Observation[], more?: Partial<Batch>): ReturnType<Store["apply"]>;
}

export async function openStore(given?: TestDatabase): Promise<StoreFixture> {
  const database = given ?? (await createTestDatabase());
  const retries: string[] = [];
  const pool = createPool({
    // A server of the test's own has no pooler before it.
    connection: { connectionString: given === undefined ? throughPooler(database.url) : database.url },
    onConnectionError: (error) => retries.push(`idle: ${error.message}`),
  });
  const store = createStore(pool, { onRetry: (sqlstate) => retries.push(sqlstate) });
  const { id: fabricId } = await store.registerFabric({ namespace: "netops", name: "lab", uid: "fabric-uid-1" });
  const fence = await store.acquireFence(fabricId, "test");
  return {
    database,
    pool,
    store,
    fence,
    fabricId,
    retries,
    async sql<Row extends object>(text: string, values: unknown[] = []) {
      return (await pool.query<Row>(text, values)).rows;
    },
    apply: (observations, more = {}) => store.apply({ fence, policy: POLICY, observations, cursors: [], ...more }),
    async [Symbol.asyncDispose]() {
      await pool.end();
      await database.drop();
    },
  };
}

/** Resolves once a session of the test's database waits for a lock. */
export async function somebodyWaits(at: StoreFixture): Promise<void> {
  const waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
  await waitFor("a session that waits for a lock", async () => (await at.sql(waiting)).length > 0);
}

export interface Making {
  readonly fabricId: string;
  readonly writePath?: WritePath;
  readonly observedAt?: number;
}

/** A VPC as the cluster holds it; `object` replaces fields at its top. */
export function actualVpc(
  { fabricId, writePath = "watch", observedAt = 1_700_000_000_000 }: Making,
  name: string,
  version: { rv: string; uid?: string },
  object: JsonObject = {},
): ActualUpsert {
  const { metadata, ...rest } = object;
  return normaliseActual(
    {
      apiVersion: "vpc.githedgehog.com/v1beta1",
      kind: "VPC",
      metadata: {
        name,
        namespace: "default",
        uid: version.uid ?? `uid-${name}`,
        resourceVersion: version.rv,
        generation: 1,
        ...(metadata as JsonObject | undefined),
      },
      spec: { subnets: { default: { subnet: "10.0.1.0/24", vlan: 1001 } } },
      ...rest,
    },
    { fabricId, writePath, observedAt },
  );
}

export function actualGone(
  making: Making,
  name: string,
  version: { rv: string; uid?: string },
  reason = "DELETED event",
): ActualDelete {
  const { key, writePath, observedAt, uid, resourceVersion } = actualVpc(making, name, version);
  return { side: "actual", type: "delete", key, writePath, observedAt, uid, resourceVersion, reason };
}

/** A VPC as Git declares it. */
export function desiredVpc(
  { fabricId, writePath = "git_poll", observedAt = 1_700_000_000_000 }: Making,
  name: string,
  commit: string,
  object: JsonObject = {},
): DesiredUpsert {
  const { metadata, ...rest } = object;
  return normaliseDesired(
    {
      apiVersion: "vpc.githedgehog.com/v1beta1",
      kind: "VPC",
      metadata: { name, namespace: "default", ...(metadata as JsonObject | undefined) },
      spec: { subnets: { default: { subnet: "10.0.1.0/24", vlan: 1001 } } },
      ...rest,
    },
    { commit, author: "ada", filePath: `vpcs/${name}.yaml`, line: 1, fileHash: "b".repeat(40) },
    { fabricId, writePath, observedAt },
  );
}

export function desiredGone(making: Making, name: string, commit: string): DesiredDelete {
  const { key, writePath, observedAt } = desiredVpc(making, name, commit);
  return { side: "desired", type: "delete", key, writePath, observedAt, commit, author: "ada", reason: "removed" };
}

export const COMMIT_1 = "1".repeat(40);
export const COMMIT_2 = "2".repeat(40);

export function clusterCursor(position: string, completeAt: number | null = null): Cursor {
  return { source: "cluster", scope: "vpc.githedgehog.com/v1beta1/vpcs", position, completeAt };
}
