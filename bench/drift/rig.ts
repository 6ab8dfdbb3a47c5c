import { pause } from "../../src/core/pause.ts";
import type { ReducePolicy } from "../../src/core/policy.ts";
import type { Fence } from "../../src/core/ports.ts";
import type { Logger, Telemetry } from "../../src/core/telemetry.ts";
import { Pump } from "../../src/pump/pump.ts";
import { KubeClient } from "../../src/sources/cluster/client.ts";
import { ClusterSource } from "../../src/sources/cluster/cluster-source.ts";
import { DriftSource } from "../../src/sources/cluster/drift/drift-source.ts";
import { dryRunUser } from "../../src/sources/cluster/drift/identity.ts";
import { Pacer } from "../../src/sources/cluster/drift/pacer.ts";
import { loadKubeConfig } from "../../src/sources/cluster/kubeconfig.ts";
import { migrate } from "../../src/store/migrate.ts";
import { createPool } from "../../src/store/pool.ts";
import { createStore } from "../../src/store/store.ts";
import type { Store } from "../../src/store/store.ts";
import { startControlPlane } from "../../test/support/control-plane.ts";
import type { ControlPlane } from "../../test/support/control-plane.ts";
import { applyOperatorManifests, OPERATOR_NAMESPACE } from "../../test/support/installation.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import { waitFor } from "../../test/support/wait.ts";
import { COLLECTION, desired, vpc } from "./workload.ts";

const QUIET: Logger = { debug: drop, info: drop, warn: drop, error: drop, child: () => QUIET };
const TELEMETRY: Telemetry = {
  batchApplied: drop,
  writeRetried: drop,
  streamEvents: drop,
  streamStarted: drop,
  gitOperation: drop,
  webhook: drop,
};
function drop(): void {
  // Nobody listens.
}

/** The parts of one Fabric, on a control plane and a server of their own, with objects that are in sync. */
export interface Rig {
  readonly plane: ControlPlane;
  readonly store: Store;
  readonly fabricId: string;
  readonly fence: Fence;
  readonly drift: DriftSource;
  readonly pacer: Pacer;
  readonly signal: AbortSignal;
  policy(): ReducePolicy;
  /** Git's side of the objects from `start` to `end` becomes this, without a word to anybody. */
  declare(start: number, end: number, vlan: number, commit: string): Promise<void>;
  /** VPC rows of which `where` holds. */
  count(where: string): Promise<number>;
  stop(): Promise<void>;
}

export async function startRig(objects: number): Promise<Rig> {
  const plane = await startControlPlane();
  const postgres = await startPostgres();
  const stop = new AbortController();
  const { signal } = stop;
  await applyOperatorManifests(plane);
  await plane.kubectl(["apply", "-f", new URL("../../examples/crds", import.meta.url).pathname]);
  await plane.kubectl(["wait", "--for=condition=Established", "crd", "--all"]);
  const config = loadKubeConfig({ from: "file", path: plane.adminKubeconfig.path });
  const client = new KubeClient(config);
  const dryRuns = new KubeClient(config, { impersonate: dryRunUser(OPERATOR_NAMESPACE) });
  await makeObjects(client, objects);

  const database = await postgres.createDatabase();
  await migrate(database.url);
  const pool = createPool({ connection: { connectionString: database.url }, onConnectionError: drop });
  const store = createStore(pool, { signal });
  const fabric = await store.registerFabric({ namespace: "bench", name: "drift", uid: "bench" });
  const fence = await store.acquireFence(fabric.id, "bench");
  const policy = (): ReducePolicy => ({
    ...{ driftMode: "server_side", reportExtra: false, direction: "observe", ignore: [], hasGit: true },
    ...(drift.schemas === null ? {} : { schemas: drift.schemas }),
  });
  const common = { store, fence: () => fence, logger: QUIET, signal };
  const heartbeats = { register: () => ({ beat: drop, end: drop }) };
  const pacer = new Pacer();
  const labels = { namespace: "bench", fabric: "drift" };
  const pump = new Pump({ ...common, labels, policy, telemetry: TELEMETRY, onApplied: () => drift.kick() });
  const cluster: ClusterSource = new ClusterSource({
    ...{ ...common, fabric, client, pump, heartbeats, telemetry: TELEMETRY },
    selections: [{ group: "vpc.githedgehog.com", kinds: ["VPC"] }],
  });
  const drift: DriftSource = new DriftSource({
    ...{ ...common, fabric, reader: client, dryRuns, pacer, policy, heartbeats },
    identityNamespace: OPERATOR_NAMESPACE,
    discovery: () => cluster.discovery,
    kinds: () => new Set(["VPC.vpc.githedgehog.com"]),
    ...{ onSchemas: drop, onSettled: drop },
  });
  cluster.start();
  await cluster.syncOnce();
  drift.start();
  drift.kindsChanged();
  await waitFor("schemas", () => drift.schemas !== null);
  return {
    ...{ plane, store, fabricId: fabric.id, fence, drift, pacer, signal, policy },
    async declare(start, end, vlan, commit) {
      for (let from = start; from < end; from += 500) {
        const indexes = Array.from({ length: Math.min(500, end - from) }, (_, index) => from + index);
        const observations = indexes.map((index) => desired(fabric.id, index, vlan, commit));
        await store.apply({ fence, policy: policy(), observations, cursors: [] });
        await pause(0, signal);
      }
    },
    async count(where) {
      const text = `SELECT count(*)::int AS n FROM fabric_sync.resource WHERE kind = 'VPC' AND ${where}`;
      return (await pool.query<{ n: number }>(text)).rows[0]?.n ?? 0;
    },
    async stop() {
      stop.abort();
      await Promise.all([cluster.stop(), drift.stop()]);
      await Promise.all([client.close(), dryRuns.close(), pool.end()]);
      await Promise.all([plane.stop(), postgres.stop()]);
    },
  };
}

async function makeObjects(client: KubeClient, objects: number): Promise<void> {
  const lanes = [0, 1, 2, 3].map(async (lane) => {
    for (let index = lane; index < objects; index += 4) {
      await client.request("POST", COLLECTION, { body: vpc(index, 1000) });
    }
  });
  await Promise.all(lanes);
}
