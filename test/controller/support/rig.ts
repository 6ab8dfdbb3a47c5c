import type pg from "pg";
import type { FabricStatus } from "../../../src/api/status.ts";
import { EventRecorder } from "../../../src/controller/events.ts";
import { FabricController } from "../../../src/controller/fabric-controller.ts";
import type { ControllerStore } from "../../../src/controller/parts.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { Heartbeats, Logger } from "../../../src/core/telemetry.ts";
import { KubeClient } from "../../../src/sources/cluster/client.ts";
import { loadKubeConfig } from "../../../src/sources/cluster/kubeconfig.ts";
import { createPool } from "../../../src/store/pool.ts";
import { createStore } from "../../../src/store/store.ts";
import type { Store } from "../../../src/store/store.ts";
import type { TestNamespace } from "../../support/control-plane.ts";
import { OPERATOR_ACCOUNT, OPERATOR_NAMESPACE, applyOperatorManifests } from "../../support/installation.ts";
import { createTestDatabase } from "../../support/postgres.ts";
import type { TestDatabase } from "../../support/postgres.ts";
import { controlPlane } from "../../support/shared-control-plane.ts";
import { waitFor } from "../../support/wait.ts";
import { RecordingClient } from "./recording-client.ts";
import { ScriptedParts } from "./scripted-parts.ts";

export const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT,
};
export const NO_HEARTBEATS: Heartbeats = {
  register: () => ({ beat: () => undefined, end: () => undefined }),
};

export interface FabricView {
  readonly metadata: {
    readonly uid: string;
    readonly generation: number;
    readonly resourceVersion: string;
    readonly finalizers?: readonly string[];
    readonly deletionTimestamp?: string;
  };
  readonly status: FabricStatus;
}

/** The controller on a real API server, as its own ServiceAccount, and a real PostgreSQL, in a namespace of its own. */
export class Rig {
  readonly namespace: string;
  readonly parts: ScriptedParts;
  readonly client: RecordingClient;
  readonly store: Store;
  readonly pool: pg.Pool;
  readonly events: EventRecorder;
  controller: FabricController;
  readonly #namespace: TestNamespace;
  readonly #database: TestDatabase;
  readonly #kube: KubeClient;
  readonly #controllerStore: ControllerStore;
  readonly #end = new AbortController();
  #stop = new AbortController();
  #running: Promise<void> | null = null;

  static async start(faults: (store: Store) => Partial<ControllerStore> = () => ({})): Promise<Rig> {
    await applyOperatorManifests(controlPlane);
    await controlPlane.kubectl(["wait", "--for=condition=Established", "crd/fabrics.fabricsync.dev"]);
    const namespace = await controlPlane.createNamespace("controller");
    const database = await createTestDatabase();
    const account = await controlPlane.serviceAccountKubeconfig(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT);
    const kube = new KubeClient(loadKubeConfig({ from: "file", path: account.path }));
    return new Rig(namespace, database, kube, faults);
  }

  private constructor(
    namespace: TestNamespace,
    database: TestDatabase,
    kube: KubeClient,
    faults: (store: Store) => Partial<ControllerStore>,
  ) {
    this.#namespace = namespace;
    this.#database = database;
    this.#kube = kube;
    this.namespace = namespace.name;
    this.client = new RecordingClient(kube);
    this.pool = createPool({ connection: { connectionString: database.url }, onConnectionError: () => undefined });
    this.store = createStore(this.pool, { signal: this.#end.signal });
    this.#controllerStore = { ...this.store, ...faults(this.store) };
    this.parts = new ScriptedParts(this.store, this.#end.signal);
    this.events = new EventRecorder({ api: this.client, instance: "test", log: SILENT });
    this.controller = this.#make();
  }

  #make(): FabricController {
    return new FabricController({
      client: this.client,
      namespaces: [this.namespace],
      parts: this.parts,
      store: this.#controllerStore,
      events: this.events,
      heartbeats: NO_HEARTBEATS,
      log: SILENT,
      holder: "test",
      now: Date.now,
    });
  }

  /** What `sync --once` is told. */
  get options() {
    const { client, parts, events } = this;
    const rest = { heartbeats: NO_HEARTBEATS, log: SILENT, holder: "once", now: Date.now };
    return { client, parts, events, store: this.#controllerStore, namespaces: [this.namespace], ...rest };
  }

  run(): void {
    this.#stop = new AbortController();
    this.controller = this.#make();
    this.#running = this.controller.run(this.#stop.signal);
  }

  /** As SIGTERM does. */
  async halt(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async dispose(): Promise<void> {
    await this.halt();
    this.#end.abort();
    await this.#namespace.remove();
    await Promise.all([this.#kube.close(), this.pool.end()]);
    await this.#database.drop();
  }

  path(name: string): string {
    return `/apis/fabricsync.dev/v1alpha1/namespaces/${this.namespace}/fabrics/${name}`;
  }

  async create(name: string, spec: JsonObject = {}): Promise<FabricView> {
    const body = { apiVersion: "fabricsync.dev/v1alpha1", kind: "Fabric", metadata: { name }, spec };
    return controlPlane.request("POST", this.path(""), { body });
  }

  get(name: string): Promise<FabricView> {
    return controlPlane.request("GET", this.path(name));
  }

  patch(name: string, body: JsonObject): Promise<FabricView> {
    const headers = { "content-type": "application/merge-patch+json" };
    return controlPlane.request("PATCH", this.path(name), { body, headers });
  }

  async remove(name: string): Promise<void> {
    await controlPlane.request("DELETE", this.path(name));
  }

  /** Waits until the Fabric is as asked, and gives it. */
  async until(name: string, what: string, holds: (fabric: FabricView) => boolean): Promise<FabricView> {
    let last: FabricView | null = null;
    try {
      return await waitFor(what, async () => {
        last = await this.get(name);
        return holds(last) ? last : null;
      });
    } catch (error) {
      throw new Error(`${what}: it is ${JSON.stringify(last, null, 1)}`, { cause: error });
    }
  }

  condition(fabric: FabricView, type: string): string {
    const found = fabric.status.conditions?.find((condition) => condition.type === type);
    return found === undefined ? "absent" : `${found.status} ${found.reason}`;
  }

  untilCondition(name: string, type: string, value: string): Promise<FabricView> {
    return this.until(name, `${type} to be ${value}`, (fabric) => this.condition(fabric, type) === value);
  }

  async untilGone(name: string): Promise<void> {
    await waitFor(`${name} to be gone`, async () => {
      const list = await controlPlane.request<{ items: { metadata: { name: string } }[] }>("GET", this.path(""));
      return !list.items.some(({ metadata }) => metadata.name === name);
    });
  }

  /** The last cluster source of that Fabric, once there are `count`. */
  cluster(name: string, count = 1) {
    return waitFor(`cluster source ${count} of ${name}`, () => this.parts.clusters.get(name)?.[count - 1]);
  }

  git(name: string, count = 1) {
    return waitFor(`Git source ${count} of ${name}`, () => this.parts.gits.get(name)?.[count - 1]);
  }

  async rows(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await this.pool.query<Record<string, unknown>>(sql, values)).rows;
  }

  async eventsOf(uid: string): Promise<{ reason: string; type: string; note: string; series?: { count: number } }[]> {
    const path = `/apis/events.k8s.io/v1/namespaces/${this.namespace}/events`;
    const list = await controlPlane.request<{
      items: { regarding: { uid: string }; reason: string; type: string; note: string; series?: { count: number } }[];
    }>("GET", path);
    return list.items.filter(({ regarding }) => regarding.uid === uid);
  }
}
