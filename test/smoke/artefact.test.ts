import { execFile } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { builtProgram } from "../support/bundle.ts";
import { type ControlPlane, startControlPlane } from "../support/control-plane.ts";
import { filesBelow } from "../support/files.ts";
import { type GitServer, startGitServer, type TestRepository } from "../support/git-server.ts";
import { applyOperatorManifests, OPERATOR_ACCOUNT, OPERATOR_NAMESPACE } from "../support/installation.ts";
import { startOperator } from "../support/operator.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/postgres.ts";
import { waitFor } from "../support/wait.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

/**
 * The artefact as it is shipped, outside of the checkout, on real parts, with the rights that deploy/ gives it: what no test of a part
 * can see is a module that was not bundled, a migration that did not travel, a verb that RBAC lacks.
 */
const EXAMPLES = join(import.meta.dirname, "../../examples");
const NAMESPACE = "smoke";
/** Planted where the operator has to read them, and looked for in everything that it says. */
const GIT_CANARY = "canary-91d5c0";
const AGENT_CANARY = "$5$example$not-a-real-hash";

let program: string;
// Outside of the hooks, whose time is bounded: the first run on a machine may have to build the control plane.
const plane: ControlPlane = await startControlPlane();
let workspace: Workspace;
let database: TestDatabase;
let git: GitServer;
let repository: TestRepository;
let kubeconfig: string;

beforeAll(async () => {
  workspace = await createWorkspace("smoke");
  [program, database, git] = await Promise.all([builtProgram(), createTestDatabase({ empty: true }), startGitServer()]);
  await applyOperatorManifests(plane);
  await plane.kubectl(["apply", "--server-side", "-f", join(EXAMPLES, "crds")]);
  kubeconfig = (await plane.serviceAccountKubeconfig(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT)).path;
  git.https.access = { basic: { username: "smoke", password: GIT_CANARY } };
  repository = await git.createRepository("fabric");
  await repository.push(await filesBelow(join(EXAMPLES, "fabric"), "fabric"), "The example");
  await plane.kubectl(["create", "namespace", NAMESPACE]);
  await plane.kubectl(["apply", "-f", "-"], fabricAndSecret(repository.httpsUrl, git.https.ca));
  await mkdir(join(workspace.directory, "cache"));
});
afterAll(async () => {
  await Promise.all([plane.stop(), git.stop(), database.drop()]);
  await workspace.dispose();
});

describe("the shipped program, outside of the checkout", () => {
  it("tells its version", async () => {
    const { version } = JSON.parse(await readFile(join(EXAMPLES, "../package.json"), "utf8")) as { version: string };
    expect(await run("--version")).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("brings an empty database to its schema, and finds nothing wrong with it", async () => {
    for (const command of ["migrate", "validate", "selftest", "health"]) {
      expect(await run("db", command)).toMatchObject({ code: 0 });
    }
  });

  it("takes everything in by one pass", async () => {
    expect(await run("sync", "--once", "--json")).toMatchObject({ code: 0 });
    const rows = await sides();
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.filter(({ desired, actual }) => !desired || actual)).toEqual([]);
  });

  it("goes on from there by the next passes: watches that are ended while they are open end nothing else", async () => {
    for (let pass = 0; pass < 3; pass += 1) {
      expect(await run("sync", "--once", "--json")).toMatchObject({ code: 0, stderr: "" });
    }
  });

  it("runs as the operator until it is told to end, tells no secret, and ends well", async () => {
    const operator = await startOperator(workspace, {
      bundle: program,
      databaseUrl: database.url,
      kubeconfig,
      namespaces: [NAMESPACE],
      leaseNamespace: OPERATOR_NAMESPACE,
      cacheDirectory: join(workspace.directory, "cache"),
    });
    await operator.ready();
    await plane.kubectl(["apply", "--recursive", "-f", join(EXAMPLES, "fabric")]);
    await waitFor("both sides of every object", async () => (await sides()).every((row) => row.desired && row.actual));
    await plane.kubectl(["wait", "--for=condition=Ready", "fabric/smoke", "-n", NAMESPACE, "--timeout=60s"]);
    // By the client, so that the annotation of what was applied last holds the password as well.
    await plane.kubectl(["apply", "-f", join(EXAMPLES, "platform", "agents.yaml")]);
    const isAgent = (row: { kind: string; name: string }): boolean => row.kind === "Agent" && row.name === "leaf-01";
    await waitFor("the agents", async () => (await sides()).some(isAgent));
    expect(await run("verify")).toMatchObject({ code: 0, stdout: expect.stringContaining("every row is right") });

    const answers = await Promise.all([
      ...["/metrics", "/readyz", "/livez"].map(async (path) => (await operator.get(path)).text()),
      ...["--json", ""].map(async (flag) =>
        JSON.stringify(await run("explain", `${NAMESPACE}/smoke`, "Agent/leaf-01", ...words(flag))),
      ),
      ...["--json", ""].map(async (flag) => JSON.stringify(await run("status", ...words(flag)))),
      plane.kubectl(["get", "fabrics,events", "-n", NAMESPACE, "-o", "yaml"]),
      readFile(operator.process.logFile, "utf8"),
      dump(),
    ]);
    const told = answers.join("\n");
    // It looked at all of them, and at the agent whose password was planted.
    expect(told).toContain("fabric_sync_build_info");
    expect(told.match(/leaf-01/g)?.length).toBeGreaterThan(10);
    for (const canary of [GIT_CANARY, AGENT_CANARY]) {
      expect(told).not.toContain(canary);
      expect(told).not.toContain(Buffer.from(canary).toString("base64"));
    }

    await operator.process.stop("SIGTERM");
    expect(await operator.process.ended).toEqual({ code: 0, signal: null });
  }, 120_000);
});

/** Every row of every table and view. */
async function dump(): Promise<string> {
  return withClient(database.url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT format('fabric_sync.%I', relname) AS name FROM pg_class
        WHERE relnamespace = 'fabric_sync'::regnamespace AND relkind IN ('r', 'p', 'v')`,
    );
    let text = "";
    for (const { name } of rows) {
      const { rows: told } = await client.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
      text += told.map(({ row }) => row).join("\n");
    }
    return text;
  });
}

function words(text: string): string[] {
  return text === "" ? [] : [text];
}

/** Runs the program with nothing of our environment but what an administrator would set. */
function run(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    PATH: process.env["PATH"],
    HOME: workspace.directory,
    DATABASE_URL: database.url,
    KUBECONFIG: kubeconfig,
    FABRIC_SYNC_CACHE_DIR: join(workspace.directory, "cache"),
    POD_NAMESPACE: OPERATOR_NAMESPACE,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { cwd: workspace.directory, env }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, stdout, stderr }),
    );
  });
}

async function sides(): Promise<{ kind: string; name: string; desired: boolean; actual: boolean }[]> {
  const { rows } = await withClient(database.url, (client) =>
    client.query<{ kind: string; name: string; desired: boolean; actual: boolean }>(
      `SELECT kind, name, desired_updated IS NOT NULL AS desired, actual_updated IS NOT NULL AS actual
         FROM fabric_sync.resource ORDER BY kind, name`,
    ),
  );
  return rows;
}

function fabricAndSecret(url: string, ca: string): string {
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "git", namespace: NAMESPACE },
    stringData: { username: "smoke", password: GIT_CANARY, "ca.crt": ca },
  };
  const fabric = {
    apiVersion: "fabricsync.dev/v1alpha1",
    kind: "Fabric",
    metadata: { name: "smoke", namespace: NAMESPACE },
    spec: { git: { url, ref: { branch: "main" }, path: "fabric", secretRef: { name: "git" } } },
  };
  return JSON.stringify({ apiVersion: "v1", kind: "List", items: [secret, fabric] });
}
