import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { type Kubeconfig, writeKubeconfig } from "./kubeconfig.ts";
import { createNamespace, type TestNamespace } from "./namespaces.ts";
import { ApiRefusal, type Connection, requestJson, type RequestOptions } from "./request.ts";

/** What another process needs to use a running control plane. */
export interface ControlPlaneAddress {
  /** Writable as long as the control plane runs. */
  readonly directory: string;
  readonly connection: Connection;
  readonly kubectl: string;
}

/** What a test does with a control plane. */
export interface ControlPlaneClient {
  readonly url: string;
  /** PEM of the authority of the serving certificate. */
  readonly ca: string;
  readonly adminToken: string;
  readonly adminKubeconfig: Kubeconfig;
  readonly kubectlPath: string;
  /**
   * Runs kubectl, as admin unless a kubeconfig is given, and returns what it printed.
   * @throws KubectlError when it ends with another code than 0.
   */
  kubectl(args: readonly string[], options?: string | KubectlOptions): Promise<string>;
  /** One request as admin (or with another token); returns the parsed JSON. @throws ApiRefusal */
  request<T = unknown>(method: string, path: string, options?: RequestOptions & { token?: string }): Promise<T>;
  /** A kubeconfig with a token of the service account from TokenRequest; makes namespace and account when they are missing. */
  serviceAccountKubeconfig(namespace: string, name: string, options?: { seconds?: number }): Promise<Kubeconfig>;
  /** A namespace of its own for one test, with its `default` service account. */
  createNamespace(prefix?: string, labels?: Readonly<Record<string, string>>): Promise<TestNamespace>;
}

export interface KubectlOptions {
  readonly stdin?: string;
  /** Path of another user's kubeconfig. */
  readonly kubeconfig?: string;
}

export class KubectlError extends Error {
  override readonly name = "KubectlError";
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;

  constructor(args: readonly string[], code: number | null, stdout: string, stderr: string) {
    super(`kubectl ${args.join(" ")} ended with ${code}: ${stderr.trim()}`);
    this.code = code;
    this.stdout = stdout;
    this.stderr = stderr;
  }
}

/** A client of a control plane that runs, in this process or another. */
export async function connectControlPlane(address: ControlPlaneAddress): Promise<ControlPlaneClient> {
  const { directory, connection } = address;
  const file = (name: string) => join(directory, `${name}-${randomBytes(4).toString("hex")}.kubeconfig`);
  const adminKubeconfig = await writeKubeconfig(file("admin"), connection, "default");
  const client: ControlPlaneClient = {
    url: connection.url,
    ca: connection.ca,
    adminToken: connection.token,
    adminKubeconfig,
    kubectlPath: address.kubectl,
    kubectl: (args, options = {}) => {
      const { stdin, kubeconfig = adminKubeconfig.path } = typeof options === "string" ? { stdin: options } : options;
      return runKubectl(address, kubeconfig, args, stdin);
    },
    request: (method, path, { token, ...options } = {}) =>
      requestJson(token === undefined ? connection : { ...connection, token }, method, path, options),
    async serviceAccountKubeconfig(namespace, name, { seconds = 24 * 3600 } = {}) {
      await ensure("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
      const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
      await ensure(accounts, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name } });
      const answer = await client.request<{ status: { token: string } }>("POST", `${accounts}/${name}/token`, {
        body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: seconds } },
      });
      return writeKubeconfig(file(`${namespace}-${name}`), { ...connection, token: answer.status.token }, namespace);
    },
    createNamespace: (prefix = "test", labels = {}) => createNamespace(client, prefix, labels),
  };
  return client;

  async function ensure(path: string, body: unknown): Promise<void> {
    try {
      await client.request("POST", path, { body });
    } catch (error) {
      if (!(error instanceof ApiRefusal) || error.status !== 409) throw error;
    }
  }
}

function runKubectl(
  address: ControlPlaneAddress,
  kubeconfig: string,
  args: readonly string[],
  stdin: string | undefined,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(address.kubectl, args, {
      // Nothing of the user's own configuration, and its discovery cache beside the server that it belongs to.
      env: { PATH: process.env["PATH"], HOME: address.directory, KUBECONFIG: kubeconfig },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
    child.stdin.on("error", () => undefined); // kubectl may end before it has read everything; its code tells.
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(output.stdout);
      else reject(new KubectlError(args, code, output.stdout, output.stderr));
    });
    child.stdin.end(stdin ?? "");
  });
}
