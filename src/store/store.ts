import type { Pool } from "pg";
import type { DeviceStateStore } from "../core/device-state.ts";
import type {
  CheckedStore,
  DeadLetterStore,
  FabricStore,
  JudgementStore,
  ObservationStore,
  ProjectionStore,
  ReadingStore,
  SuspectStore,
} from "../core/ports.ts";
import { actualKinds, actualRows } from "./actual-rows.ts";
import { applyBatch } from "./apply.ts";
import { countFabric } from "./counts.ts";
import { dropCursor, readCursors } from "./cursors.ts";
import { dropDeadLetters, listDeadLetters } from "./dead-letters.ts";
import { deviceStateFacts, deviceStates } from "./device-states.ts";
import { recordDelivery, takeWaitingDeliveries } from "./deliveries.ts";
import { listFabrics, registerFabric } from "./fabrics.ts";
import { acquireFence, currentFence } from "./fence.ts";
import { readGitFiles } from "./git-files.ts";
import { actualKeys } from "./keys.ts";
import { commitLandings, countLandings } from "./landed.ts";
import { readMigrations } from "./migrate-files.ts";
import { appliedMigration } from "./schema-state.ts";
import { rebuildProjections, refreshProjections } from "./rebuild.ts";
import { rejudge } from "./rejudge.ts";
import { deleteFabric, detachFabric } from "./retirement.ts";
import { retrying } from "./retry.ts";
import { beginRun, finishRun } from "./runs.ts";
import { explainResource, findResources, sideAsOf } from "./story.ts";
import { summarise } from "./summary.ts";
import { readSuspects, settleRows } from "./suspects.ts";
import { readTopology } from "./topology.ts";
import { autocommit, inTransaction, type Sql } from "./transaction.ts";

/** Everything the program asks of Postgres. */
export type Store = ObservationStore &
  CheckedStore &
  FabricStore &
  DeadLetterStore &
  JudgementStore &
  SuspectStore &
  ProjectionStore &
  DeviceStateStore &
  ReadingStore;

export interface StoreOptions {
  /** Ends pauses between attempts, and long deletions between two chunks. Without it nothing does. */
  readonly signal?: AbortSignal;
  /** Told before each repetition of a transaction, with the SQLSTATE or Node's error code. */
  onRetry?(sqlstate: string, attempt: number): void;
}

/** Puts the statements behind the ports of `core/ports.ts`. Each call is one transaction, repeated as a whole where that is safe. */
export function createStore(pool: Pool, options: StoreOptions = {}): Store {
  const signal = options.signal ?? new AbortController().signal;
  const retry = { signal, onRetry: options.onRetry ?? (() => undefined) };
  const read = <T>(statement: (sql: Sql) => Promise<T>): Promise<T> =>
    retrying(retry, () => statement(autocommit(pool)));
  const transact = <T>(body: (sql: Sql) => Promise<T>): Promise<T> => retrying(retry, () => inTransaction(pool, body));

  return {
    apply: (batch) => applyBatch(pool, batch, retry),
    readCursors: (fabricId) => read((sql) => readCursors(sql, fabricId)),
    dropCursor: (fence, source, scope) => transact((sql) => dropCursor(sql, fence, source, scope)),
    actualKeys: (query) => read((sql) => actualKeys(sql, query)),
    actualRows: (query) => read((sql) => actualRows(sql, query)),
    actualKinds: (fabricId) => read((sql) => actualKinds(sql, fabricId)),
    readGitFiles: (fabricId) => read((sql) => readGitFiles(sql, fabricId)),

    registerFabric: (fabric) => transact((sql) => registerFabric(sql, fabric)),
    listFabrics: () => read(listFabrics),
    acquireFence: (fabricId, holder) => transact((sql) => acquireFence(sql, fabricId, holder)),
    currentFence: (fabricId) => read((sql) => currentFence(sql, fabricId)),
    retireFabric: (fabricId, policy) =>
      retrying(retry, () =>
        policy === "delete" ? deleteFabric(pool, fabricId, signal) : detachFabric(pool, fabricId),
      ),
    counts: (fabricId) => read((sql) => countFabric(sql, fabricId)),
    landings: (fabricId) => read((sql) => countLandings(sql, fabricId)),
    beginRun: (run) => transact((sql) => beginRun(sql, run)),
    finishRun: (runId, outcome) => transact((sql) => finishRun(sql, runId, outcome)),
    // Not repeated when the COMMIT's answer was lost: the second attempt would find the first's row, and take the delivery for a replay.
    recordDelivery: (delivery) => recordDelivery(autocommit(pool), delivery),
    takeWaitingDeliveries: (uids) => takeWaitingDeliveries(autocommit(pool), uids),
    schemaState: async () => ({
      applied: await read(appliedMigration),
      needed: (await readMigrations()).migrations.length,
    }),

    listDeadLetters: (query) => read((sql) => listDeadLetters(sql, query)),
    dropDeadLetters: (query) => transact((sql) => dropDeadLetters(sql, query)),
    async retryDeadLetters(fence, policy, query) {
      const letters = await read((sql) => listDeadLetters(sql, { ...query, fabricId: fence.fabricId }));
      const observations = letters.map(({ payload }) => payload);
      return applyBatch(pool, { fence, policy, observations, cursors: [] }, retry);
    },

    rejudge: (fence, policy, stop) =>
      rejudge(pool, fence, policy, { ...retry, signal: AbortSignal.any([signal, stop]) }),

    suspects: (query) => read((sql) => readSuspects(sql, query)),
    settle: (fence, policy, answers) => settleRows(pool, fence, policy, answers, retry),

    deviceStates: (fabricId) => read((sql) => deviceStates(sql, fabricId)),
    deviceStateFacts: (fabricId, some) => read((sql) => deviceStateFacts(sql, fabricId, some)),

    readTopology: (fabricId) => transact((sql) => readTopology(sql, fabricId)),
    refreshProjections: (fence, stop) =>
      refreshProjections(pool, fence, { ...retry, signal: AbortSignal.any([signal, stop]) }),
    rebuildProjections: (fence, stop) =>
      rebuildProjections(pool, fence, { ...retry, signal: AbortSignal.any([signal, stop]) }),

    summarise: () => read(summarise),
    findResources: (query) => read((sql) => findResources(sql, query)),
    explain: (key, events) => read((sql) => explainResource(sql, key, events)),
    commitLandings: (fabricId, prefix) => read((sql) => commitLandings(sql, fabricId, prefix)),
    sideAsOf: (key, side, at) => read((sql) => sideAsOf(sql, key, side, at)),
  };
}
