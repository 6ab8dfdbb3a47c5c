/** The parts that `run` and `sync --once` have in common, built from the configuration; nothing is connected yet. */
import type { Pool } from "pg";
import type { Heartbeats, Logger, Telemetry } from "../core/telemetry.ts";
import type { Config } from "../config.ts";
import { EventRecorder } from "../controller/events.ts";
import type { ControllerOptions } from "../controller/fabric-controller.ts";
import { LeaderElection } from "../controller/leader.ts";
import { LeaseObject } from "../controller/lease.ts";
import { KubeClient } from "../sources/cluster/client.ts";
import { loadKubeConfig } from "../sources/cluster/kubeconfig.ts";
import { ManifestParser } from "../sources/git/reading/parser.ts";
import { RepositoryPool } from "../sources/git/repository/repository-pool.ts";
import { createPool } from "../store/pool.ts";
import { createStore } from "../store/store.ts";
import type { Store } from "../store/store.ts";
import { kubeConfigSource } from "./cluster.ts";
import { createParts } from "./parts.ts";

export interface AssemblyOptions {
  readonly config: Config;
  readonly version: string;
  readonly log: Logger;
  readonly telemetry: Telemetry;
  readonly heartbeats: Heartbeats;
  /** Ends everything at once; an orderly end is asked of the parts. */
  readonly cut: AbortSignal;
}

export interface Assembly {
  readonly client: KubeClient;
  readonly pool: Pool;
  readonly store: Store;
  readonly election: LeaderElection;
  readonly controller: ControllerOptions;
  /** Closes every connection and ends every git process. */
  close(): Promise<void>;
}

/** One lease an installation: replicas of one Deployment, and a `sync --once` beside them, share it. */
const LEASE = "fabric-sync";
/** The lease is asked for or renewed every few seconds; a request for it gives up after some more (ms). */
const LEASE_BEAT_MS = 60_000;

/** @throws FabricSyncError `KubeConfigInvalid` */
export function assemble(options: AssemblyOptions): Assembly {
  const { config, version, log, telemetry, heartbeats, cut: signal } = options;
  const kubeConfig = kubeConfigSource(config);
  const client = new KubeClient(loadKubeConfig(kubeConfig), { userAgent: `fabric-sync/${version}` });
  const pool = createPool({
    connection: { connectionString: config.databaseUrl },
    onConnectionError: (error) => log.debug({ error }, "an idle connection to the database broke"),
  });
  const store = createStore(pool, { signal });
  const { cacheDir: cacheDirectory, cacheBytes: maxCacheBytes } = config;
  const repositories = new RepositoryPool({ cacheDirectory, maxCacheBytes, ...config.gitHost, logger: log });
  const parser = new ManifestParser();
  const { identity, namespaces, podNamespace } = config;
  return {
    ...{ client, pool, store },
    election: new LeaderElection({
      lease: new LeaseObject(client, podNamespace, LEASE),
      ...{ identity, log },
      heartbeat: heartbeats.register("lease", LEASE_BEAT_MS),
    }),
    controller: {
      ...{ client, store, namespaces, heartbeats, log },
      parts: createParts({
        ...{ store, telemetry, heartbeats, client, kubeConfig, repositories, parser, podNamespace, signal },
      }),
      events: new EventRecorder({ api: client, instance: identity, log }),
      holder: identity,
      now: Date.now,
    },
    close: async () => {
      await Promise.all([repositories.close(), parser.close(), client.close(), pool.end()]);
    },
  };
}
