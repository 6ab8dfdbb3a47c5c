import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { checkFabric } from "../../src/sources/cluster/checker.ts";
import type { CheckReport } from "../../src/sources/cluster/checker.ts";
import { KubeClient } from "../../src/sources/cluster/client.ts";
import { loadKubeConfig } from "../../src/sources/cluster/kubeconfig.ts";
import { createPool } from "../../src/store/pool.ts";
import { createStore } from "../../src/store/store.ts";
import { startControlPlane } from "../support/control-plane.ts";
import type { ControlPlane } from "../support/control-plane.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import type { FaultProxy } from "../support/fault-proxy.ts";
import { applyOperatorManifests, OPERATOR_NAMESPACE } from "../support/installation.ts";
import { migrate, startOperator } from "../support/operator.ts";
import type { Operator } from "../support/operator.ts";
import { startPostgres, withClient } from "../support/postgres.ts";
import type { OwnPostgresServer } from "../support/postgres.ts";
import { waitFor } from "../support/wait.ts";
import { createWorkspace } from "../support/workspace.ts";
import { conditionOf, followCondition } from "./conditions.ts";
import type { Told } from "./conditions.ts";
import { HISTORY_RULES } from "./history.ts";
import { definition, GROUP, pathOf } from "./kinds.ts";
import { Load } from "./load.ts";

const NAMESPACE = "soak";
const FABRIC = `/apis/fabricsync.dev/v1alpha1/namespaces/${NAMESPACE}/fabrics`;
/** The role of the operator: no superuser, so that limits hold for it. */
export const ROLE = "soak_operator";

/** Room for the history of some minutes; what is left of it is filled up by the fault of a full disk. */
const SMALL_DISK = 160 * 2 ** 20;

/** Over which the load is spread, so that no connection's bound on requests under way is the bound of the load. */
const LOAD_CONNECTIONS = 4;

export interface RigOptions {
  /** Path of `fabric-sync.mjs`. */
  readonly bundle: string;
  readonly kinds: number;
  readonly settings?: Readonly<Record<string, string>>;
}

/** The shipped operator between a real control plane and a real PostgreSQL, with a fault proxy on the way to the latter. */
export interface Rig {
  readonly plane: ControlPlane;
  readonly postgres: OwnPostgresServer;
  readonly proxy: FaultProxy;
  /** Where the proxy connects to; whoever changes it makes another server the primary. */
  readonly target: { port: number };
  /** A connection string of a superuser, straight to the server that is the primary now. */
  databaseUrl(): string;
  operator(): Operator;
  /** Starts the operator, again after it was ended. */
  start(): Promise<void>;
  load(perSecond: number, seed: number): Load;
  sql<Row extends object>(text: string): Promise<Row[]>;
  /** The table compared with the cluster. */
  check(settleMs: number): Promise<CheckReport>;
  /** What breaks a rule of the history; empty when all hold. */
  brokenHistory(): Promise<string[]>;
  /** `status reason` of a condition of the Fabric; '' while it is not there. */
  condition(type: string): Promise<string>;
  /** All that a condition says from now on. */
  follow(type: string): Promise<Told>;
  /** Something more to end with the rig. */
  onStop(end: () => Promise<void>): void;
  stop(): Promise<void>;
}

export async function startRig(options: RigOptions): Promise<Rig> {
  const ends: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  try {
    return { ...(await assemble(options, ends)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** `ends`: what ends the parts, the last first. */
async function assemble(
  { bundle, kinds, settings = {} }: RigOptions,
  ends: (() => Promise<void>)[],
): Promise<Omit<Rig, "stop">> {
  const workspace = await createWorkspace("soak");
  ends.push(() => workspace.dispose());
  const postgres = await startPostgres({ settings, smallDiskBytes: SMALL_DISK });
  ends.push(() => postgres.stop());
  const plane = await startControlPlane();
  ends.push(() => plane.stop());
  const target = { port: postgres.port };
  const proxy = await startFaultProxy(target);
  ends.push(() => proxy.stop());
  const connect = (): KubeClient => {
    const made = new KubeClient(loadKubeConfig({ from: "file", path: plane.adminKubeconfig.path }));
    ends.push(() => made.close());
    return made;
  };
  const client = connect();
  const loaders = Array.from({ length: LOAD_CONNECTIONS }, connect);

  const database = await postgres.createDatabase({ name: "soak" });
  await withClient(database.url, async (sql) => {
    await sql.query(`CREATE ROLE ${ROLE} LOGIN CREATEROLE PASSWORD 'soak'`);
    await sql.query(`ALTER DATABASE soak OWNER TO ${ROLE}`);
  });
  const own = new URL(database.url);
  own.username = ROLE;
  own.password = "soak";
  await migrate(own.toString(), bundle);
  const direct = (): string => {
    const url = new URL(database.url);
    url.port = String(target.port);
    return url.toString();
  };

  await applyOperatorManifests(plane);
  await plane.kubectl(["create", "namespace", NAMESPACE]);
  const numbers = Array.from({ length: kinds }, (_, kind) => kind);
  const paths = numbers.map((kind) => pathOf(kind, NAMESPACE));
  const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  await Promise.all(numbers.map((kind) => client.request("POST", crds, { body: definition(kind) })));
  for (const path of paths) await waitFor(path, () => client.request("GET", path), { timeoutMs: 60_000 });
  const selections = [{ group: GROUP, kinds: ["*"] }];
  await client.request("POST", FABRIC, {
    body: {
      apiVersion: "fabricsync.dev/v1alpha1",
      kind: "Fabric",
      metadata: { name: "soak", namespace: NAMESPACE },
      spec: { resources: selections },
    },
  });
  await mkdir(join(workspace.directory, "cache"));

  const there = new Set<string>();
  let operator: Operator | null = null;
  ends.push(async () => operator?.process.stop("SIGKILL"));
  const sql = <Row extends object>(text: string): Promise<Row[]> =>
    withClient(direct(), async (connection) => (await connection.query<Row>(text)).rows);
  return {
    ...{ plane, postgres, proxy, target, sql },
    databaseUrl: direct,
    operator() {
      if (operator === null) throw new Error("the operator was not started");
      return operator;
    },
    async start() {
      operator = await startOperator(workspace, {
        bundle,
        databaseUrl: proxy.through(own.toString()),
        kubeconfig: plane.adminKubeconfig.path,
        namespaces: [NAMESPACE],
        leaseNamespace: OPERATOR_NAMESPACE,
        cacheDirectory: join(workspace.directory, "cache"),
      });
    },
    load: (perSecond, seed) => new Load(loaders, paths, there, perSecond, seed),
    async check(settleMs) {
      const pool = createPool({
        connection: { connectionString: direct() },
        max: 4,
        onConnectionError: () => undefined,
      });
      try {
        const store = createStore(pool);
        const [fabric] = await store.listFabrics();
        if (fabric === undefined) throw new Error("the table knows no fabric");
        const { signal } = new AbortController();
        return await checkFabric({ fabricId: fabric.id, client, store, selections, settleMs, signal });
      } finally {
        await pool.end();
      }
    },
    async brokenHistory() {
      const broken: string[] = [];
      for (const [rule, text] of Object.entries(HISTORY_RULES)) {
        const rows = await sql(text);
        if (rows.length > 0) broken.push(`${rule}: ${rows.length}, such as ${JSON.stringify(rows[0])}`);
      }
      return broken;
    },
    async condition(type) {
      return conditionOf(await client.request("GET", `${FABRIC}/soak`), type);
    },
    follow: (type) => followCondition(client, { collection: FABRIC, name: "soak" }, type),
    onStop: (end) => void ends.push(end),
  };
}
