import type { Fence, ObservationStore } from "../../../src/core/ports.ts";
import type { StreamStatus } from "../../../src/core/streams.ts";
import type { Logger } from "../../../src/core/telemetry.ts";
import { KubeClient } from "../../../src/sources/cluster/client.ts";
import { ClusterSource } from "../../../src/sources/cluster/cluster-source.ts";
import { loadKubeConfig } from "../../../src/sources/cluster/kubeconfig.ts";
import type { ResourceSelection } from "../../../src/sources/cluster/selection.ts";
import type { StreamTiming } from "../../../src/sources/cluster/timing.ts";
import { Pump } from "../../../src/pump/pump.ts";
import { pumpOptions, SILENT_LOGGER } from "../../pump/recording-store.ts";
import { waitFor } from "../../support/wait.ts";
import { MemoryTable } from "./memory-table.ts";

export interface Mirror {
  /** Empty when a real store was given. */
  readonly table: MemoryTable;
  readonly source: ClusterSource;
  readonly pump: Pump;
  readonly client: KubeClient;
  /** How often a stream began, by mode: `watchlist`, `list`, `watch`. */
  readonly started: Record<"watchlist" | "list" | "watch", number>;
  /** The code of each failure of a stream. */
  readonly failures: readonly string[];
  /** Events and items taken in, by type. */
  readonly events: Map<string, number>;
  status(kind: string): StreamStatus | undefined;
  /** Waits until the stream of each kind watches. */
  watching(...kinds: string[]): Promise<void>;
  /** As SIGTERM does: ends the streams, writes what is queued. */
  stop(): Promise<void>;
}

export interface MirrorOptions {
  readonly kubeconfig: string;
  readonly selections: readonly ResourceSelection[];
  readonly table?: MemoryTable;
  /** Real Postgres instead of the double. */
  readonly real?: { readonly store: ObservationStore; readonly fence: Fence };
  readonly impersonate?: string;
  readonly timing?: Partial<StreamTiming>;
}

/** A ClusterSource with its pump on a real API server; only the table is a double. */
export function startMirror(options: MirrorOptions): Mirror {
  const table = options.table ?? new MemoryTable();
  const store = options.real?.store ?? table;
  const fence = options.real?.fence ?? { fabricId: "f", epoch: 1 };
  const started = { watchlist: 0, list: 0, watch: 0 };
  const events = new Map<string, number>();
  const failures: string[] = [];
  const note = (keys: object): void => void ("code" in keys && failures.push(String(keys.code)));
  const logger: Logger = { ...SILENT_LOGGER, debug: note, warn: note, child: () => logger };
  const config = loadKubeConfig({ from: "file", path: options.kubeconfig });
  const { impersonate } = options;
  const client = new KubeClient(config, impersonate === undefined ? {} : { impersonate });
  const signal = new AbortController().signal;
  const pump = new Pump({
    ...{ ...pumpOptions(table), store, fence: () => fence, signal, limits: { markDelayMs: 20 } },
    onInterrupted: () => source.storeInterrupted(),
  });
  const source: ClusterSource = new ClusterSource({
    fabric: { id: fence.fabricId, namespace: "net", name: "lab" },
    client,
    pump,
    store,
    fence: () => fence,
    selections: options.selections,
    telemetry: {
      streamStarted: ({ mode }) => void (started[mode] += 1),
      streamEvents: ({ type }, count) => void events.set(type, (events.get(type) ?? 0) + count),
    },
    heartbeats: { register: () => ({ beat: () => undefined, end: () => undefined }) },
    logger,
    signal,
    ...(options.timing === undefined ? {} : { timing: options.timing }),
  });
  source.start();
  const status = (kind: string) => source.statuses().find((one) => one.kind === kind);
  return {
    table,
    source,
    pump,
    client,
    started,
    events,
    failures,
    status,
    async watching(...kinds) {
      for (const kind of kinds) {
        await waitFor(`the stream of ${kind} to watch`, () => {
          const seen = status(kind);
          if (seen?.state === "watching") return true;
          throw new Error(JSON.stringify(seen ?? source.statuses()));
        });
      }
    },
    async stop() {
      await source.stop();
      await pump.drain(5_000);
      await client.close();
    },
  };
}

/** A small CustomResourceDefinition, served in v1, namespaced. */
export function crd(group: string, kind: string): object {
  const plural = `${kind.toLowerCase()}s`;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        },
      ],
    },
  };
}
