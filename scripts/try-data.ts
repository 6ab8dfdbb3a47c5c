/**
 * Drives somebody's CRDs and manifests through the whole operator: `node scripts/try-data.ts FOLDER`, where FOLDER holds `crds/` and
 * `samples/`. All CRDs are installed in a real control plane, every sample is pushed to Git and applied to the cluster, and then
 * each document must be a row or a rejection that names it. Ends with 0 when that is so.
 */
import { readdir, readFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { isMap, LineCounter, parseAllDocuments } from "yaml";
import { messageOf } from "../src/core/errors.ts";
import { startControlPlane } from "../test/support/control-plane.ts";
import { startGitServer } from "../test/support/git-server.ts";
import { applyOperatorManifests, OPERATOR_ACCOUNT, OPERATOR_NAMESPACE } from "../test/support/installation.ts";
import { migrate, startOperator } from "../test/support/operator.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { waitFor } from "../test/support/wait.ts";
import { createWorkspace } from "../test/support/workspace.ts";
import { Client } from "pg";

/** How long the operator may take for all of it, ms. */
const PATIENCE_MS = 120_000;
const FABRIC = { namespace: "try-data", name: "given" };

interface SampleDocument {
  /** Relative to the folder, as in Git. */
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly hasStatus: boolean;
}

const folder = process.argv[2];
if (folder === undefined) {
  process.stderr.write("usage: node scripts/try-data.ts FOLDER   (FOLDER/crds and FOLDER/samples hold YAML)\n");
  process.exitCode = 64;
} else {
  process.exitCode = await tryData(resolve(folder));
}

async function tryData(directory: string): Promise<number> {
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  const documents = (await yamlFiles(join(directory, "samples"))).flatMap(({ path, text }) =>
    documentsOf(relative(directory, path), text),
  );
  const definitions = await yamlFiles(join(directory, "crds"));
  const workspace = await createWorkspace("try-data");
  const [postgres, plane, git] = await Promise.all([startPostgres(), startControlPlane(), startGitServer()]);
  try {
    await applyOperatorManifests(plane);
    await plane.kubectl(["apply", "--server-side", "-f", join(directory, "crds")]);
    await plane.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]);
    say(`${definitions.length} CRDs installed`);

    const repository = await git.createRepository("given");
    git.https.access = { bearer: "try-data" };
    const files = await yamlFiles(join(directory, "samples"));
    const commit = await repository.push(
      Object.fromEntries(files.map(({ path, text }) => [relative(directory, path), text])),
      "Everything",
    );
    for (const namespace of new Set(documents.map(({ namespace }) => namespace).filter((name) => name !== "default"))) {
      await plane.kubectl(["create", "namespace", namespace]);
    }
    const outcome = await applyAll(plane, documents);
    const applied = documents.filter((_document, index) => outcome[index] === "");
    say(`${documents.length} documents in ${files.length} files pushed, ${applied.length} accepted by the API server`);
    for (const [index, refusal] of outcome.entries()) {
      if (refusal !== "") say(`  refused: ${placeOf(documents[index])}: ${refusal}`);
    }

    const database = await postgres.createDatabase({ name: "given" });
    await migrate(database.url);
    const operator = await startOperator(workspace, {
      databaseUrl: database.url,
      kubeconfig: (await plane.serviceAccountKubeconfig(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT)).path,
      cacheDirectory: join(workspace.directory, "cache"),
    });
    await plane.kubectl(["create", "namespace", FABRIC.namespace]);
    await plane.kubectl(["apply", "-f", "-"], fabricManifest(repository.httpsUrl, git.https.ca));
    const client = new Client({ connectionString: database.url });
    await client.connect();
    try {
      await waitFor(
        "the Fabric to hold the revision and every kind",
        async () => {
          const status = await plane.kubectl([
            "get",
            "fabrics.fabricsync.dev",
            FABRIC.name,
            "-n",
            FABRIC.namespace,
            "-o",
            "json",
          ]);
          return isTakenIn(status, commit);
        },
        { timeoutMs: PATIENCE_MS, intervalMs: 200 },
      ).catch(async (error: unknown) => {
        throw new Error(`${messageOf(error)}\n${await operator.process.logTail()}`, { cause: error });
      });
      return await judge(client, documents, applied, say);
    } finally {
      await client.end();
    }
  } finally {
    await workspace.dispose();
    await Promise.allSettled([postgres.stop(), plane.stop(), git.stop()]);
  }
}

/**
 * Applies every document; gives '' or the refusal for each. Of documents with one key the first is applied last, as it is the one that
 * counts in Git.
 */
async function applyAll(
  plane: Awaited<ReturnType<typeof startControlPlane>>,
  documents: readonly SampleDocument[],
): Promise<string[]> {
  const outcome = documents.map(() => "");
  const places = Map.groupBy(documents.keys(), (index) => keyOf(documents[index] as SampleDocument));
  await Promise.all(
    [...places.values()].map(async (indexes) => {
      for (const index of indexes.toReversed()) {
        outcome[index] = await applyToCluster(plane, documents[index] as SampleDocument);
      }
    }),
  );
  return outcome;
}

/** '' or why the API server refused it. */
async function applyToCluster(
  plane: Awaited<ReturnType<typeof startControlPlane>>,
  document: SampleDocument,
): Promise<string> {
  const apply = (...options: string[]) =>
    plane.kubectl(
      ["apply", "--server-side", "--force-conflicts", ...options, "-n", document.namespace, "-f", "-"],
      document.text,
    );
  try {
    await apply();
    if (document.hasStatus) await apply("--subresource=status");
    return "";
  } catch (error) {
    return messageOf(error).split("\n")[0] ?? "";
  }
}

/** Each document a row at its own place, or a rejection there; each applied object a row with its actual side. */
async function judge(
  client: Client,
  documents: readonly SampleDocument[],
  applied: readonly SampleDocument[],
  say: (line: string) => void,
): Promise<number> {
  const rows = await client.query<{ key: string; place: string; declared: boolean; held: boolean }>(`
    SELECT kind || '.' || api_group || ' ' || namespace || '/' || name AS key, desired_file_path || ':' || desired_line AS place,
           desired_spec IS NOT NULL AS declared, actual_spec IS NOT NULL AS held FROM fabric_sync.resources`);
  const rejections = await client.query<{ place: string; code: string; message: string }>(
    "SELECT path || ':' || line AS place, code, message FROM fabric_sync.rejections",
  );
  const rowAt = new Map(rows.rows.filter((row) => row.declared).map((row) => [row.place, row]));
  const rejectionAt = new Map(rejections.rows.map((row) => [row.place, row]));
  const held = new Set(rows.rows.filter((row) => row.held).map((row) => row.key));
  let failed = 0;
  const reasons = new Map<string, number>();
  for (const document of documents) {
    const rejection = rejectionAt.get(placeOf(document));
    if (rejection !== undefined) reasons.set(rejection.code, (reasons.get(rejection.code) ?? 0) + 1);
    if (rowAt.get(placeOf(document))?.key === keyOf(document) || rejection !== undefined) continue;
    failed += 1;
    say(`  lost: ${placeOf(document)} ${keyOf(document)} is neither a row nor a rejection`);
  }
  for (const document of applied) {
    if (held.has(keyOf(document))) continue;
    failed += 1;
    say(`  lost: ${keyOf(document)} is in the cluster and has no row`);
  }
  const states = await client.query<{ state: string; drift: string; rows: number }>(
    "SELECT resource_state AS state, drift_status AS drift, count(*)::int AS rows FROM fabric_sync.resources GROUP BY 1, 2 ORDER BY 3 DESC",
  );
  for (const { state, drift, rows: count } of states.rows) say(`  ${count} rows ${state}, ${drift}`);
  const drifts = await client.query<{ object: string; paths: string }>(`
    SELECT kind || ' ' || name AS object, jsonb_path_query_array(drift_details, '$.paths[*].path')::text AS paths
      FROM fabric_sync.resources WHERE drift_status = 'drifted' ORDER BY 1`);
  for (const { object, paths } of drifts.rows) say(`  drifted: ${object} at ${paths}`);
  for (const [code, count] of reasons) say(`  ${count} rejections ${code}`);
  const total = documents.length + applied.length;
  say(`try-data: ${total - failed} passed, ${failed} failed`);
  return failed === 0 && documents.length > 0 ? 0 : 1;
}

function isTakenIn(json: string, commit: string): boolean {
  const { status } = JSON.parse(json) as {
    status?: { git?: { revision?: string }; conditions?: { type: string; status: string }[] };
  };
  const cluster = status?.conditions?.find(({ type }) => type === "ClusterReady");
  return status?.git?.revision?.endsWith(commit) === true && cluster?.status === "True";
}

function fabricManifest(url: string, ca: string): string {
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "git", namespace: FABRIC.namespace },
    stringData: { bearerToken: "try-data", "ca.crt": ca },
  };
  const fabric = {
    apiVersion: "fabricsync.dev/v1alpha1",
    kind: "Fabric",
    metadata: FABRIC,
    spec: {
      git: { url, path: "samples", secretRef: { name: "git" } },
      resources: [{ group: "*.githedgehog.com", kinds: ["*"] }],
    },
  };
  return JSON.stringify({ apiVersion: "v1", kind: "List", items: [secret, fabric] });
}

/** The documents of a file, without what only a server can say, with the line of each one's first token, read without the program's own reader. */
function documentsOf(file: string, text: string): SampleDocument[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines });
  if (!Array.isArray(parsed)) return [];
  return parsed.flatMap((document) => {
    if (!isMap(document.contents)) return [];
    const { apiVersion, kind, metadata, status } = document.toJS() as {
      apiVersion: string;
      kind: string;
      metadata: { name: string; namespace?: string };
      status?: object | null;
    };
    for (const field of ["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"]) {
      document.deleteIn(["metadata", field]);
    }
    const start = document.contents.range?.[0] ?? 0;
    const { name, namespace = "default" } = metadata;
    const hasStatus = Object.keys(status ?? {}).length > 0;
    const { line } = lines.linePos(start);
    return [{ file, line, text: document.toString(), apiVersion, kind, namespace, name, hasStatus }];
  });
}

async function yamlFiles(directory: string): Promise<{ path: string; text: string }[]> {
  const names = (await readdir(directory, { recursive: true })).filter((name) => /\.ya?ml$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => ({ path: join(directory, name), text: await readFile(join(directory, name), "utf8") })),
  );
}

function keyOf({ apiVersion, kind, namespace, name }: SampleDocument): string {
  return `${kind}.${apiVersion.split("/")[0] ?? ""} ${namespace}/${name}`;
}

function placeOf(document: SampleDocument | undefined): string {
  return document === undefined ? "" : `${document.file}:${document.line}`;
}
