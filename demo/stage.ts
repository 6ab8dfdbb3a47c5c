import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type GitServer, startGitServer, type TestRepository } from "../test/support/git-server.ts";
import { OPERATOR_ACCOUNT, OPERATOR_NAMESPACE } from "../test/support/installation.ts";
import { type Operator, startOperator } from "../test/support/operator.ts";
import { createWorkspace, type Workspace } from "../test/support/workspace.ts";
import { type DemoCluster, givenCluster, ownCluster } from "./cluster.ts";
import { type DemoDatabase, givenDatabase, ownDatabase } from "./database.ts";
import type { Narrator } from "./narrator.ts";
import { sendPushWebhook } from "./push-webhook.ts";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const NAMESPACE = "fabric-demo";
export const FABRIC = "example";

export interface StageOptions {
  /** A cluster of the user's; our own when absent. */
  readonly kubeconfig?: string;
  /** A Postgres server of the user's; our own when absent. */
  readonly databaseUrl?: string;
}

/** Everything that the story plays on. */
export interface Stage {
  readonly database: DemoDatabase;
  readonly cluster: DemoCluster;
  readonly git: GitServer;
  readonly repository: TestRepository;
  readonly webhookSecret: string;
  readonly gitUser: { readonly username: string; readonly password: string };
  /** Starts `fabric-sync run` with its own service account; again after it died. */
  startOperator(): Promise<Operator>;
  /** Pushes, and tells the operator of it as GitHub would. Returns the commit. */
  push(operator: Operator, files: Readonly<Record<string, string | null>>, message: string): Promise<string>;
  close(): Promise<void>;
}

/** What the demo would make on the user's own cluster or server; nothing where all is ours. */
export function announcement(options: StageOptions, stage: Pick<Stage, "database">): string[] {
  const lines = [];
  if (options.databaseUrl !== undefined) lines.push(`On your PostgreSQL server: ${stage.database.makes}.`);
  if (options.kubeconfig !== undefined) {
    lines.push(
      `In your cluster: the namespaces ${OPERATOR_NAMESPACE} and ${NAMESPACE}; the definitions of Fabric and of the example's kinds (*.githedgehog.com); RBAC from deploy/; the example's objects in namespace default.`,
      "It is refused where any of these definitions or namespaces is there already. All of it is taken away at the end.",
    );
  }
  return lines;
}

/** Puts the parts together; nothing is started yet but a temporary directory. */
export async function prepareStage(
  options: StageOptions,
  narrator: Narrator,
): Promise<Stage & { open(): Promise<void> }> {
  const workspace = await createWorkspace("demo");
  const progress = (line: string) => narrator.say(line);
  const database = options.databaseUrl === undefined ? ownDatabase() : givenDatabase(options.databaseUrl);
  const cluster =
    options.kubeconfig === undefined
      ? ownCluster(progress)
      : givenCluster(options.kubeconfig, workspace.directory, progress);
  const gitUser = { username: "demo", password: randomBytes(9).toString("base64url") };
  const webhookSecret = randomBytes(18).toString("base64url");
  let served: { git: GitServer; repository: TestRepository } | undefined;
  const git = () => {
    if (served === undefined) throw new Error("the git server is not open");
    return served;
  };

  return {
    database,
    cluster,
    gitUser,
    webhookSecret,
    get git() {
      return git().git;
    },
    get repository() {
      return git().repository;
    },
    async open() {
      // Side by side: none needs another.
      const [, , server] = await Promise.all([database.open(), cluster.open(), startGitServer()]);
      server.https.access = { basic: gitUser };
      served = { git: server, repository: await server.createRepository("fabric") };
    },
    startOperator: () => launch(workspace, database, cluster),
    async push(operator, files, message) {
      const commit = await git().repository.push(files, message);
      const url = `${operator.url}/webhooks/${NAMESPACE}/${FABRIC}`;
      const status = await sendPushWebhook(url, webhookSecret, {
        branch: "main",
        commit,
        repository: git().repository.httpsUrl,
      });
      narrator.check(`the webhook was accepted (HTTP ${status})`, status === 202);
      return commit;
    },
    async close() {
      await workspace.dispose();
      await Promise.allSettled([served?.git.stop(), cluster.close(), database.close()]);
    },
  };
}

async function launch(workspace: Workspace, database: DemoDatabase, cluster: DemoCluster): Promise<Operator> {
  const cacheDirectory = join(workspace.directory, "cache");
  await mkdir(cacheDirectory, { recursive: true });
  return startOperator(workspace, {
    databaseUrl: database.url,
    kubeconfig: await cluster.serviceAccountKubeconfig(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT),
    namespaces: [NAMESPACE],
    leaseNamespace: OPERATOR_NAMESPACE,
    cacheDirectory,
  });
}

/** The files of a folder of the repository, by path relative to its parent. */
export async function filesOf(folder: string): Promise<Record<string, string>> {
  const directory = join(ROOT, folder);
  const names = await readdir(directory, { recursive: true });
  const parent = join(directory, "..");
  const files = names.filter((name) => name.endsWith(".yaml")).sort();
  return Object.fromEntries(
    await Promise.all(
      files.map(async (name) => {
        const path = join(directory, name);
        return [relative(parent, path), await readFile(path, "utf8")] as const;
      }),
    ),
  );
}
