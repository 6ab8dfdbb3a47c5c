import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { controlPlane } from "../../support/shared-control-plane.ts";
import { KubeClient } from "../../../src/sources/cluster/client.ts";
import { loadKubeConfig } from "../../../src/sources/cluster/kubeconfig.ts";

const CANARY = "s3cr3t-canary";
let directory: string;
const clients: KubeClient[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "kube-client-"));
});
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));
afterAll(() => rm(directory, { recursive: true }));

const kubeconfig = (cluster: object, user: object): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "c",
    clusters: [{ name: "c", cluster }],
    users: [{ name: "c", user }],
    contexts: [{ name: "c", context: { cluster: "c", user: "c" } }],
  });
const cluster = (): object => ({
  server: controlPlane.url,
  "certificate-authority-data": Buffer.from(controlPlane.ca).toString("base64"),
});
const open = async (text: string): Promise<KubeClient> => {
  const path = join(directory, "kubeconfig");
  await writeFile(path, text);
  const client = new KubeClient(loadKubeConfig({ from: "file", path }));
  clients.push(client);
  return client;
};

describe("KubeClient", () => {
  test("a token that was rotated on disk is used as soon as the old one is refused", async () => {
    const tokenFile = join(directory, "token");
    await writeFile(tokenFile, controlPlane.adminToken);
    const client = await open(kubeconfig(cluster(), { tokenFile: "token" }));
    await client.request("GET", "/api/v1/namespaces/default");
    await writeFile(tokenFile, "no longer valid");
    const stale = await open(kubeconfig(cluster(), { tokenFile: "token" }));
    await expect(stale.request("GET", "/api/v1/namespaces/default")).rejects.toMatchObject({
      status: 401,
      policy: "stall",
    });
    await writeFile(tokenFile, controlPlane.adminToken);
    await stale.request("GET", "/api/v1/namespaces/default");
  });

  test("types what the server says: conflict, not found, forbidden with the resource", async () => {
    const client = await open(kubeconfig(cluster(), { token: controlPlane.adminToken }));
    const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: "default" } };
    await expect(client.request("POST", "/api/v1/namespaces", { body })).rejects.toMatchObject({
      code: "KubeAlreadyExists",
      status: 409,
      resource: "namespaces",
    });
    await expect(client.request("GET", "/api/v1/namespaces/nowhere")).rejects.toMatchObject({ code: "KubeNotFound" });
  });

  test("a certificate that is not accepted is told as that", async () => {
    const client = await open(kubeconfig({ server: controlPlane.url }, { token: CANARY }));
    const refused = await client.request("GET", "/version").catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "KubeCertificateRefused", policy: "stall", tls: true });
    expect(JSON.stringify(refused)).not.toContain(CANARY);
  });

  test("a name that cannot be resolved and a closed port are told with their code", async () => {
    const unknown = await open(kubeconfig({ server: "https://api.invalid:6443" }, {}));
    await expect(unknown.request("GET", "/version")).rejects.toMatchObject({
      code: "KubeUnreachable",
      causeCode: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) as string,
    });
    const closed = await open(kubeconfig({ server: "https://127.0.0.1:1" }, {}));
    await expect(closed.request("GET", "/version")).rejects.toMatchObject({
      causeCode: "ECONNREFUSED",
      policy: "wait",
    });
  });

  test("an aborted request ends with the signal's reason", async () => {
    const client = await open(kubeconfig(cluster(), { token: controlPlane.adminToken }));
    const reason = new Error("enough");
    await expect(client.request("GET", "/version", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe("a kubeconfig from a Secret", () => {
  test.each([
    ["exec", { exec: { command: "sh", apiVersion: "client.authentication.k8s.io/v1" } }, "exec"],
    ["a token file", { "auth-provider": { name: "x", config: { tokenFile: "/etc/passwd" } } }, "auth-provider"],
    ["a token file of kubectl's form", { tokenFile: "/etc/passwd" }, "tokenFile"],
    ["a token file of client-node's form", { "token-file": "/etc/passwd" }, "token-file"],
    ["a client key in a file", { "client-key": "/etc/ssl/private/key" }, "client-key"],
  ])("may not use %s", (_, user, named) => {
    expect(() => loadKubeConfig({ from: "secret", text: kubeconfig({ server: "https://x" }, user) })).toThrow(named);
  });

  test("that is no YAML is refused without quoting it", () => {
    const load = () => loadKubeConfig({ from: "secret", text: `{ token: "${CANARY}` });
    expect(load).toThrow(expect.objectContaining({ code: "KubeConfigInvalid" }));
    expect(load).not.toThrow(CANARY);
  });
});
