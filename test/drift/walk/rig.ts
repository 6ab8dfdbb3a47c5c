import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { FabricStatus } from "../../../src/api/status.ts";
import { builtProgram } from "../../support/bundle.ts";
import { startControlPlane } from "../../support/control-plane.ts";
import { startGitServer } from "../../support/git-server.ts";
import { aggregateClusterRole } from "../../support/cluster-role-aggregation.ts";
import { applyOperatorManifests, OPERATOR_NAMESPACE } from "../../support/installation.ts";
import { startOperator } from "../../support/operator.ts";
import type { Operator } from "../../support/operator.ts";
import { createTestDatabase, withClient } from "../../support/postgres.ts";
import { waitFor } from "../../support/wait.ts";
import { createWorkspace } from "../../support/workspace.ts";

export const NAMESPACE = "walk";
const FABRIC = `/apis/fabricsync.dev/v1alpha1/namespaces/${NAMESPACE}/fabrics/walk`;
const MERGE = { "content-type": "application/merge-patch+json" };
/** Several processes start and read at once, on a busy machine. */
const PATIENCE = { timeoutMs: 90_000 };

const SCHEMA = { value: { type: "string" }, size: { type: "string" } };

/** Of one version. */
export const definition = (group: string, kind: string, plural: string, schema: object) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${plural}.${group}` },
  spec: {
    ...{ group, scope: "Namespaced" },
    names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
    versions: [
      {
        ...{ name: "v1", served: true, storage: true },
        schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties: schema } } } },
      },
    ],
  },
});

/** A kind without surprises; `schema` of its spec. */
export const crd = (schema: object) => definition("walk.example.com", "Thing", "things", schema);
/** One that the platform generates. */
const CATALOGS = definition("agent.githedgehog.com", "Catalog", "catalogs", SCHEMA);

export interface Row {
  readonly name: string;
  readonly state: string;
  readonly drift: string;
}

/** The shipped operator between a real control plane, a real Git server and a real PostgreSQL, with one Fabric. */
export class WalkRig {
  readonly #parts: Awaited<ReturnType<typeof parts>>;
  #operator: Operator | null = null;
  #asked = 0;

  static async start(): Promise<WalkRig> {
    const rig = new WalkRig(await parts());
    try {
      await rig.#install();
      return rig;
    } catch (error) {
      await rig.stop();
      throw error;
    }
  }

  private constructor(made: Awaited<ReturnType<typeof parts>>) {
    this.#parts = made;
  }

  async #install(): Promise<void> {
    const { plane, git, repository } = this.#parts;
    await applyOperatorManifests(plane);
    await plane.kubectl(["create", "namespace", NAMESPACE]);
    for (const made of [crd(SCHEMA), CATALOGS]) await plane.kubectl(["apply", "-f", "-"], JSON.stringify(made));
    await plane.kubectl(["wait", "--for=condition=Established", "crd", "--all"]);
    await plane.kubectl([
      ...["create", "clusterrole", "walk-dry-run", "--verb=get,create,update,patch"],
      "--resource=things.walk.example.com",
    ]);
    await plane.kubectl(["label", "clusterrole", "walk-dry-run", "fabricsync.dev/aggregate-to-dry-run=true"]);
    await aggregateClusterRole(plane, "fabric-sync-dry-run");
    const secret = {
      ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "git", namespace: NAMESPACE } },
      stringData: { "ca.crt": git.https.ca },
    };
    await plane.kubectl(["apply", "-f", "-"], JSON.stringify(secret));
    const spec = {
      git: { url: repository.httpsUrl, interval: "24h", secretRef: { name: "git" } },
      resources: [
        { group: "walk.example.com", kinds: ["*"] },
        { group: "agent.githedgehog.com", kinds: ["Catalog"] },
      ],
      drift: { mode: "ServerSide", extra: "Report" },
    };
    const metadata = { name: "walk", namespace: NAMESPACE };
    await plane.kubectl(
      ["apply", "-f", "-"],
      JSON.stringify({ apiVersion: "fabricsync.dev/v1alpha1", kind: "Fabric", metadata, spec }),
    );
  }

  get plane() {
    return this.#parts.plane;
  }

  get git() {
    return this.#parts.git;
  }

  get databaseUrl(): string {
    return this.#parts.database.url;
  }

  get operator(): Operator {
    if (this.#operator === null) throw new Error("the operator was not started");
    return this.#operator;
  }

  async startOperator(): Promise<void> {
    const { workspace, program, plane, database } = this.#parts;
    this.#operator = await startOperator(workspace, {
      ...{ bundle: program, databaseUrl: database.url, kubeconfig: plane.adminKubeconfig.path },
      ...{ namespaces: [NAMESPACE], leaseNamespace: OPERATOR_NAMESPACE },
      cacheDirectory: join(workspace.directory, "cache"),
    });
  }

  async stopOperator(): Promise<void> {
    await this.operator.process.stop("SIGTERM");
    await this.operator.process.ended;
  }

  /** Files → commit. */
  push(changes: Readonly<Record<string, string | null>>): Promise<string> {
    return this.#parts.repository.push(changes, "walk", { author: "Ada <ada@example.com>" });
  }

  /** Resolves when everything that both sides had was taken in. */
  async sync(): Promise<void> {
    this.#asked += 1;
    const asked = `walk-${this.#asked}`;
    await this.patch({ metadata: { annotations: { "fabricsync.dev/reconcile-at": asked } } });
    await waitFor(`sync ${asked}`, async () => (await this.status()).lastHandledReconcileAt === asked, PATIENCE);
  }

  patch(body: object): Promise<unknown> {
    return this.plane.request("PATCH", FABRIC, { body, headers: MERGE });
  }

  async status(): Promise<FabricStatus> {
    return (await this.plane.request<{ status?: FabricStatus }>("GET", FABRIC)).status ?? {};
  }

  untilStatus(what: string, probe: (status: FabricStatus) => boolean): Promise<FabricStatus> {
    return waitFor(
      what,
      async () => {
        const status = await this.status();
        return probe(status) ? status : null;
      },
      PATIENCE,
    );
  }

  async sql<Result extends object>(text: string, values: unknown[] = []): Promise<Result[]> {
    return withClient(this.databaseUrl, async (client) => (await client.query<Result>(text, values)).rows);
  }

  rows(): Promise<Row[]> {
    return this.sql<Row>(
      "SELECT name, resource_state AS state, drift_status AS drift FROM fabric_sync.resource ORDER BY name",
    );
  }

  /** Resolves when each of these objects is in the state that it should be in. */
  async untilStates(wanted: Readonly<Record<string, string>>): Promise<void> {
    let seen: Record<string, string> = {};
    await waitFor(
      "the states",
      async () => {
        seen = Object.fromEntries((await this.rows()).map(({ name, state }) => [name, state]));
        return Object.entries(wanted).every(([name, state]) => seen[name] === state);
      },
      PATIENCE,
    ).catch((error: unknown) => {
      const open = Object.entries(wanted).filter(([name, state]) => seen[name] !== state);
      const told = open.map(([name, state]) => `${name} is ${seen[name] ?? "not there"}, not ${state}`);
      throw new Error(told.join("; "), { cause: error });
    });
  }

  async stop(): Promise<void> {
    await this.#operator?.process.stop("SIGKILL");
    const { plane, git, database, workspace } = this.#parts;
    await Promise.all([plane.stop(), git.stop()]);
    await database.drop();
    await workspace.dispose();
  }
}

async function parts() {
  const [plane, git, database, program, workspace] = await Promise.all([
    startControlPlane(),
    startGitServer(),
    createTestDatabase(),
    builtProgram(),
    createWorkspace("walk"),
  ]);
  await mkdir(join(workspace.directory, "cache"));
  return { plane, git, database, program, workspace, repository: await git.createRepository("walk") };
}
