import type pg from "pg";
import { FabricSyncError } from "../core/errors.ts";
import type { FabricRecord } from "../core/ports.ts";
import type { Config } from "../config.ts";
import { abortable } from "../core/pause.ts";
import { createPool } from "../store/pool.ts";
import { StoreError } from "../store/store-error.ts";
import { createStore } from "../store/store.ts";
import type { Store } from "../store/store.ts";
import { assertSchemaCompatible } from "../store/upkeep/compatible.ts";
import type { FabricName } from "./command.ts";
import type { Shell } from "./shell.ts";

/** Connections of a command that asks a few questions and ends. */
const CONNECTIONS = 4;

/**
 * Opens the database at this program's migration, runs `body`, and closes it.
 * @throws FabricSyncError `SchemaOutOfDate` and its like before `body` is run.
 */
export async function withStore<T>(config: Config, shell: Shell, body: (store: Store) => Promise<T>): Promise<T> {
  return withPool(config, (pool) => {
    const asked = assertSchemaCompatible(pool).then(() => body(createStore(pool, { signal: shell.signal })));
    return abortable(asked, shell.signal);
  });
}

/** Opens the database whatever its migration is, and closes it after `body`. */
export async function withPool<T>(config: Config, body: (pool: pg.Pool) => Promise<T>): Promise<T> {
  const pool = createPool({
    connection: { connectionString: config.databaseUrl },
    max: CONNECTIONS,
    applicationName: "fabric-sync-cli",
    // The statement that needs the connection tells what is wrong; an idle one is replaced.
    onConnectionError: () => undefined,
  });
  try {
    const result = await body(pool);
    await pool.end();
    return result;
  } catch (error) {
    // Not awaited: a statement that hangs would hold up the news of it.
    pool.end().catch(() => undefined);
    // The driver's words do not say whose they are.
    if (!(error instanceof StoreError)) throw error;
    throw new FabricSyncError(error.code, error.policy, `the database says: ${error.message}`, { cause: error });
  }
}

/** @throws FabricSyncError `NoSuchFabric` */
export async function fabricRecord(store: Pick<Store, "listFabrics">, wanted: FabricName): Promise<FabricRecord> {
  return chosenFabric(await store.listFabrics(), wanted);
}

/** The one that is meant. @throws FabricSyncError `NoSuchFabric`, which names those that there are. */
export function chosenFabric<T extends FabricName>(fabrics: readonly T[], wanted: FabricName): T {
  const found = fabrics.find(({ namespace, name }) => namespace === wanted.namespace && name === wanted.name);
  if (found !== undefined) return found;
  const names = fabrics.slice(0, 10).map(({ namespace, name }) => `${namespace}/${name}`);
  const hint = names.length === 0 ? "there is none yet" : `there is ${names.join(", ")}`;
  throw new FabricSyncError("NoSuchFabric", "stall", `no Fabric ${wanted.namespace}/${wanted.name}: ${hint}`);
}
