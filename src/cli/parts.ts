/** How the parts of one Fabric are made; the controller decides which ones, and when. */
import type { DeviceStateStore } from "../core/device-state.ts";
import type { FabricStore, Fence, ObservationStore, SuspectStore } from "../core/ports.ts";
import type { Heartbeats, Telemetry } from "../core/telemetry.ts";
import { chooseVolatile } from "../core/volatile-choice.ts";
import type {
  ClusterPart,
  ClusterRequest,
  DriftPart,
  DriftRequest,
  Parts,
  PumpPart,
  PumpRequest,
} from "../controller/parts.ts";
import { gitPart } from "./git-part.ts";
import type { ScopedGitPart } from "./git-part.ts";
import { Pump } from "../pump/pump.ts";
import { DeviceStateAnswers } from "../sources/cluster/device-state-answers.ts";
import { KubeClient } from "../sources/cluster/client.ts";
import { ClusterSource } from "../sources/cluster/cluster-source.ts";
import { DriftSource } from "../sources/cluster/drift/drift-source.ts";
import { Pacer } from "../sources/cluster/drift/pacer.ts";
import { dryRunUser } from "../sources/cluster/drift/identity.ts";
import { loadKubeConfig } from "../sources/cluster/kubeconfig.ts";
import type { KubeConfigSource } from "../sources/cluster/kubeconfig.ts";
import type { Discovery } from "../sources/cluster/discovery.ts";
import type { ManifestParser } from "../sources/git/reading/parser.ts";
import type { RepositoryPool } from "../sources/git/repository/repository-pool.ts";

export interface PartsBase {
  readonly store: ObservationStore & SuspectStore & DeviceStateStore & Pick<FabricStore, "beginRun" | "finishRun">;
  readonly telemetry: Telemetry;
  readonly heartbeats: Heartbeats;
  /** The operator's own client, shared by the Fabrics that mirror its cluster in its own name. */
  readonly client: KubeClient;
  readonly kubeConfig: KubeConfigSource;
  readonly repositories: RepositoryPool;
  readonly parser: ManifestParser;
  /** The operator's own namespace: it holds the identity of dry runs, also on other clusters. */
  readonly podNamespace: string;
  /** Ends everything at once; an orderly end is `stop` and `drain` of each part. */
  readonly signal: AbortSignal;
}

/** What the parts of one Fabric share; kept by its pump, and gone with it. */
interface Shared {
  readonly fence: () => Fence;
  cluster: ClusterSource | null;
  git: ScopedGitPart | null;
  answers: DeviceStateAnswers | null;
  drift: DriftSource | null;
}

export function createParts(base: PartsBase): Parts {
  const shared = new WeakMap<PumpPart, Shared>();
  /** One for each API server, whichever Fabrics ask it. */
  const pacers = new Map<string, Pacer>();
  const pacerOf = (server: string): Pacer => {
    const pacer = pacers.get(server) ?? new Pacer();
    pacers.set(server, pacer);
    return pacer;
  };
  const sharedOf = (pump: PumpPart): Shared => {
    const found = shared.get(pump);
    if (found === undefined) throw new TypeError("a source was asked for with a pump that is not of these parts");
    return found;
  };
  return {
    pump: (request) => {
      const own: Shared = { fence: request.fence, cluster: null, git: null, answers: null, drift: null };
      const onRows = (): void => {
        own.answers?.kick();
        request.onRows();
      };
      const pump = pumpPart({ ...request, onRows }, base, () => {
        own.cluster?.storeInterrupted();
        own.git?.storeInterrupted();
      });
      shared.set(pump, own);
      return pump;
    },
    cluster: (request) => clusterPart(request, base, sharedOf(request.pump)),
    git: (request) => {
      const own = sharedOf(request.pump);
      const discovery = () => own.cluster?.discovery ?? null;
      own.git = gitPart(request, base, { fence: own.fence, discovery });
      return own.git;
    },
    drift: (request) => driftPart(request, base, sharedOf(request.pump), pacerOf),
  };
}

function pumpPart(request: PumpRequest, base: PartsBase, onInterrupted: () => void): PumpPart {
  const { labels, log, fence, policy, onRows } = request;
  const { store, telemetry, signal } = base;
  return new Pump({
    ...{ labels, store, fence, policy, telemetry, signal, onInterrupted },
    logger: log,
    onHealth: request.onChange,
    onApplied: (_source, { changed, deadLettered }) => {
      if (changed > 0 || deadLettered.length > 0) onRows();
    },
  });
}

/** @throws FabricSyncError `KubeConfigInvalid` */
function clusterPart(request: ClusterRequest, base: PartsBase, shared: Shared): ClusterPart {
  const { fabric, pump, fence, resources: selections, log: logger } = request;
  const { store, telemetry, heartbeats, signal } = base;
  const client = clientFor(request, base);
  let served: Discovery | null = null;
  const onChange = (): void => {
    if (source.discovery !== served) {
      served = source.discovery;
      shared.git?.scopesChanged();
      shared.drift?.kindsChanged();
    }
    request.onChange();
  };
  const source: ClusterSource = new ClusterSource({
    ...{ fabric, client, pump, fence, selections, logger, onChange },
    ...{ store, telemetry, heartbeats, signal },
    volatile: chooseVolatile(request.volatile),
  });
  shared.cluster = source;
  const answers = new DeviceStateAnswers({ fabricId: fabric.id, client, store, logger });
  shared.answers = answers;
  return {
    start: () => {
      source.start();
      answers.start();
    },
    stop: async () => {
      try {
        await Promise.all([source.stop(), answers.stop()]);
      } finally {
        // A client that is this Fabric's alone ends with its source.
        if (client !== base.client) await client.close();
      }
    },
    get discovered() {
      return source.discovered;
    },
    statuses: () => source.statuses(),
    updateSelection: (selections) => source.updateSelection(selections),
    syncOnce: async () => {
      await source.syncOnce();
      await answers.flush();
    },
  };
}

/** @throws FabricSyncError `KubeConfigInvalid` */
function driftPart(
  request: DriftRequest,
  base: PartsBase,
  shared: Shared,
  pacerOf: (server: string) => Pacer,
): DriftPart {
  const { fabric, fence, policy, cluster, log: logger, onChange: onSchemas, onRows: onSettled } = request;
  const { store, heartbeats, signal, podNamespace: identityNamespace } = base;
  const { kubeConfig } = request;
  const source: KubeConfigSource = kubeConfig === null ? base.kubeConfig : { from: "secret", text: kubeConfig };
  const reader = new KubeClient(loadKubeConfig(source));
  const dryRuns = new KubeClient(loadKubeConfig(source), { impersonate: dryRunUser(identityNamespace) });
  const drift = new DriftSource({
    ...{ fabric, reader, dryRuns, identityNamespace, store, fence, policy, heartbeats, logger, signal },
    ...{ onSchemas, onSettled, pacer: pacerOf(dryRuns.server) },
    discovery: () => shared.cluster?.discovery ?? null,
    kinds: () => new Set(cluster.statuses().map(({ kind, apiGroup }) => `${kind}.${apiGroup}`)),
  });
  shared.drift = drift;
  return {
    start: () => drift.start(),
    stop: async () => {
      await drift.stop();
      await Promise.all([reader.close(), dryRuns.close()]);
    },
    get schemas() {
      return drift.schemas;
    },
    get ready() {
      return drift.ready;
    },
    kick: () => drift.kick(),
    settled: () => drift.settled(),
  };
}

function clientFor({ kubeConfig, impersonate }: ClusterRequest, base: PartsBase): KubeClient {
  if (kubeConfig === null && impersonate === null) return base.client;
  const source: KubeConfigSource = kubeConfig === null ? base.kubeConfig : { from: "secret", text: kubeConfig };
  return new KubeClient(loadKubeConfig(source), impersonate === null ? {} : { impersonate });
}
