import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { JsonObject } from "../../../src/core/json.ts";
import { builtProgram } from "../../support/bundle.ts";
import type { ControlPlane } from "../../support/control-plane.ts";
import { filesBelow } from "../../support/files.ts";
import { startGitServer } from "../../support/git-server.ts";
import type { TestRepository } from "../../support/git-server.ts";
import { applyOperatorManifests } from "../../support/installation.ts";
import { startOperator } from "../../support/operator.ts";
import type { Operator } from "../../support/operator.ts";
import { createTestDatabase } from "../../support/postgres.ts";
import type { TestDatabase } from "../../support/postgres.ts";
import { waitFor } from "../../support/wait.ts";
import { createWorkspace } from "../../support/workspace.ts";
import type { ServerProcess } from "../../support/workspace.ts";
import { dryRunsOnly, FABRIC, list, manifests, WEBHOOK_TOKEN } from "./manifests.ts";

export const EXAMPLES = join(import.meta.dirname, "../../../examples");

/**
 * One way to fill a database: a namespace with a Fabric, a lease and an identity for dry runs of its own, and an empty database. All of them mirror the
 * same objects and the same repository, and none knows of the others.
 */
export interface Installation {
  readonly name: string;
  readonly database: TestDatabase;
  /** Starts the operator, again after it was ended. */
  start(): Promise<Operator>;
  operator(): Operator;
  /** Begins a command with the environment of this installation. */
  begin(...args: readonly string[]): Promise<ServerProcess>;
  /** Runs a command until it ends well, as cron would: on a busy machine a lease can be lost. @throws Error with what it said last */
  run(...args: readonly string[]): Promise<void>;
  /** What a killed `sync --once` leaves behind would be free by itself some seconds later. */
  freeLease(): Promise<void>;
  /** Asks for a sync now, as a person does, and waits for the answer. */
  reconcile(): Promise<void>;
  /** A push is told by a webhook. */
  hook(): Promise<void>;
}

export interface Rig<Name extends string> {
  readonly repository: TestRepository;
  readonly installations: Readonly<Record<Name, Installation>>;
  apply(objects: readonly JsonObject[]): Promise<void>;
  stop(): Promise<void>;
}

/** On a control plane of its own. One installation for each of `names`, which are namespaces too. */
export async function startRig<Name extends string>(plane: ControlPlane, names: readonly Name[]): Promise<Rig<Name>> {
  const ends: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  try {
    return { ...(await assemble(plane, names, ends)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** `ends`: what ends the parts, the last first. */
async function assemble<Name extends string>(
  plane: ControlPlane,
  names: readonly Name[],
  ends: (() => Promise<void>)[],
): Promise<Omit<Rig<Name>, "stop">> {
  const program = await builtProgram();
  const git = await startGitServer();
  ends.push(() => git.stop());
  const workspace = await createWorkspace("parity");
  ends.push(() => workspace.dispose());
  await applyOperatorManifests(plane);
  await plane.kubectl(["apply", "--server-side", "-f", join(EXAMPLES, "crds")]);
  const repository = await git.createRepository("fabric");
  await repository.push(await filesBelow(join(EXAMPLES, "fabric"), "fabric"), "The example");
  const items = names.flatMap((name) => manifests(name, repository.httpsUrl, git.https.ca));
  await plane.kubectl(["apply", "--server-side", "-f", "-"], list([...items, ...dryRunsOnly(names)]));
  const installations: Partial<Record<Name, Installation>> = {};
  for (const name of names) {
    const database = await createTestDatabase();
    ends.unshift(() => database.drop());
    const cacheDirectory = join(workspace.directory, name);
    await mkdir(cacheDirectory);
    const env = {
      PATH: process.env["PATH"],
      HOME: workspace.directory,
      DATABASE_URL: database.url,
      KUBECONFIG: plane.adminKubeconfig.path,
      FABRIC_SYNC_NAMESPACES: name,
      FABRIC_SYNC_CACHE_DIR: cacheDirectory,
      POD_NAMESPACE: name,
      POD_NAME: name,
    };
    const kubectl = (...args: string[]) => plane.kubectl(["-n", name, ...args]);
    let operator: Operator | null = null;
    let commands = 0;
    const running = (): Operator => {
      if (operator === null) throw new Error(`the operator of ${name} was not started`);
      return operator;
    };
    const begin = (...args: readonly string[]): Promise<ServerProcess> => {
      commands += 1;
      return workspace.spawn(`${name}-${commands}`, process.execPath, [program, ...args], { env });
    };
    installations[name] = {
      ...{ name, database, operator: running, begin },
      async start() {
        const kubeconfig = plane.adminKubeconfig.path;
        const where = { kubeconfig, namespaces: [name], leaseNamespace: name, cacheDirectory };
        operator = await startOperator(workspace, { bundle: program, name, databaseUrl: database.url, ...where });
        return operator;
      },
      async run(...args) {
        await waitFor(
          args.join(" "),
          async () => {
            const command = await begin(...args);
            const { code } = await command.ended;
            if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}:\n${await command.logTail()}`);
            return true;
          },
          { timeoutMs: 120_000 },
        );
      },
      async freeLease() {
        await kubectl("delete", "lease", "fabric-sync");
      },
      async reconcile() {
        const at = new Date().toISOString();
        await kubectl("annotate", "--overwrite", "fabric", FABRIC, `fabricsync.dev/reconcile-at=${at}`);
        await kubectl(
          "wait",
          "fabric",
          FABRIC,
          `--for=jsonpath={.status.lastHandledReconcileAt}=${at}`,
          "--timeout=120s",
        );
      },
      async hook() {
        const headers = {
          "content-type": "application/json",
          "x-gitlab-event": "Push Hook",
          "x-gitlab-token": WEBHOOK_TOKEN,
        };
        await waitFor("the webhook to be taken", async () => {
          const url = `${running().url}/webhooks/${name}/${FABRIC}`;
          const answer = await fetch(url, { method: "POST", headers, body: "{}" });
          await answer.arrayBuffer();
          return answer.status === 202;
        });
      },
    };
  }
  await inForce(plane, names.at(-1) ?? "");
  return {
    repository,
    installations: installations as Record<Name, Installation>,
    async apply(objects) {
      await plane.kubectl(["apply", "--server-side", "-f", "-"], list(objects));
    },
  };
}

/** Waits until the policy, which is one for all, and the rights of the last are in force: an operator that finds its dry runs unguarded makes none for a minute. */
async function inForce(plane: ControlPlane, last: string): Promise<void> {
  const patch = ["-n", last, "patch", "serviceaccount", "fabric-sync-dry-run", "-p", "{}"];
  const as = ["--as", `system:serviceaccount:${last}:fabric-sync-dry-run`];
  await waitFor("dry runs to be guarded", async () => {
    await plane.kubectl([...patch, ...as, "--dry-run=server"]);
    const refusal = await plane.kubectl([...patch, ...as]).catch(String);
    return refusal.includes("may make dry runs");
  });
}

/** The documents of files below `examples`. */
export async function exampleDocuments(...files: readonly string[]): Promise<JsonObject[]> {
  const texts = await Promise.all(files.map((file) => readFile(join(EXAMPLES, file), "utf8")));
  return texts.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as JsonObject));
}
