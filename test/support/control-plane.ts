import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type ControlPlaneBinaries, controlPlaneBinaries } from "./control-plane/binaries.ts";
import { connectControlPlane, type ControlPlaneAddress, type ControlPlaneClient } from "./control-plane/client.ts";
import type { Progress } from "./control-plane/progress.ts";
import { type ApiServerOptions, prepareServerFiles, startApiServer, startEtcd } from "./control-plane/servers.ts";
import { createWorkspace } from "./workspace.ts";

export { controlPlaneBinaries } from "./control-plane/binaries.ts";
export { type ControlPlaneClient, KubectlError, type KubectlOptions } from "./control-plane/client.ts";
export type { Kubeconfig } from "./control-plane/kubeconfig.ts";
export type { TestNamespace } from "./control-plane/namespaces.ts";
export { ApiRefusal } from "./control-plane/request.ts";

export interface ControlPlaneOptions extends ApiServerOptions {
  readonly binaries?: ControlPlaneBinaries;
  readonly progress?: Progress;
}

/** A control plane of our own: kube-apiserver and etcd, nothing else. No controller runs: no garbage collection, no pods. */
export interface ControlPlane extends ControlPlaneClient {
  /** For another process that shall use it by `connectControlPlane`. */
  readonly address: ControlPlaneAddress;
  readonly logFiles: readonly string[];
  /** etcd itself, without TLS: for benchmarks that need more objects than an API server makes in good time. */
  readonly etcdUrl: string;
  /** Takes the API server away, at once (SIGKILL) or in its own time (SIGTERM). etcd and what it holds stay. */
  halt(signal?: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Brings it back on the same port with the same data, certificate and keys; after `halt` or instead of it. */
  restart(options?: ApiServerOptions): Promise<void>;
  /**
   * Makes the past unreadable: compacts etcd up to now and restarts the API server, so that a watch from any resourceVersion seen
   * before is answered with 410 Gone.
   */
  forgetHistory(): Promise<void>;
  /** Puts what etcd holds aside, for `restoreStorage`. The API server is away for a moment. */
  saveStorage(): Promise<void>;
  /** Sets etcd back to what `saveStorage` put aside, as a restore from a backup does, and starts both servers on their ports again. */
  restoreStorage(): Promise<void>;
  /** Ends both servers and removes their data. */
  stop(): Promise<void>;
}

/**
 * Starts a real control plane on loopback ports from the OS, data in a temporary directory; it ends with this process at the latest.
 * About 4 s once the binaries are there; see `controlPlaneBinaries` for where they come from.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = options.binaries ?? (await controlPlaneBinaries(options.progress));
  const workspace = await createWorkspace("control-plane");
  try {
    const files = await prepareServerFiles(workspace.directory);
    let etcd = await startEtcd(workspace, binaries);
    let server = await startApiServer(workspace, binaries, files, etcd.url, options);
    let current: ApiServerOptions = options;
    const connection = { url: server.url, ca: server.ca, token: files.adminToken };
    const [data, saved] = [join(workspace.directory, "etcd"), join(workspace.directory, "etcd-saved")];
    const restoring = async (change: () => Promise<void>): Promise<void> => {
      await server.process.stop("SIGKILL");
      await etcd.process.stop("SIGTERM");
      await change();
      etcd = await startEtcd(workspace, binaries, etcd.port);
      await plane.restart();
    };
    const address = { directory: workspace.directory, connection, kubectl: binaries.kubectl };
    const plane: ControlPlane = {
      ...(await connectControlPlane(address)),
      address,
      logFiles: [server.process.logFile, etcd.process.logFile],
      etcdUrl: etcd.url,
      halt: (signal = "SIGKILL") => server.process.stop(signal),
      async restart(changed = {}) {
        await server.process.stop("SIGKILL");
        current = { ...current, ...changed };
        server = await startApiServer(workspace, binaries, files, etcd.url, current, server.port);
      },
      async saveStorage() {
        await restoring(() => cp(data, saved, { recursive: true }));
      },
      async restoreStorage() {
        await restoring(async () => {
          await rm(data, { recursive: true });
          await cp(saved, data, { recursive: true });
        });
      },
      async forgetHistory() {
        await compact(etcd.url);
        await plane.restart();
      },
      stop: () => workspace.dispose(),
    };
    return plane;
  } catch (error) {
    await workspace.dispose();
    throw error;
  }
}

/** etcd's JSON gateway: the current revision, then everything before it away. */
async function compact(etcdUrl: string): Promise<void> {
  const call = async (path: string, body: object) => {
    const response = await fetch(`${etcdUrl}/v3/kv/${path}`, { method: "POST", body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`etcd ${path}: HTTP ${response.status} ${await response.text()}`);
    return (await response.json()) as { header: { revision: string } };
  };
  const { header } = await call("range", { key: Buffer.from("/").toString("base64"), count_only: true });
  await call("compaction", { revision: header.revision, physical: true });
}
