import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../ports.ts";
import { waitFor } from "../wait.ts";
import type { ServerProcess, Workspace } from "../workspace.ts";
import type { ControlPlaneBinaries } from "./binaries.ts";
import { requestJson } from "./request.ts";

/** How long etcd or the API server may take to be ready, ms: 3 s when idle, several times that on a busy machine. */
const READY_MS = 90_000;

/** How often a start is tried again with other ports, in case somebody took one between our look and the bind. */
const ATTEMPTS = 3;

export interface RunningServer {
  readonly process: ServerProcess;
  readonly url: string;
}

/** Starts etcd on `ports` (or ones from the OS), plain HTTP on the loopback address, without waiting for disks. */
export async function startEtcd(
  workspace: Workspace,
  binaries: ControlPlaneBinaries,
  givenPort?: number,
): Promise<RunningServer & { port: number }> {
  return retried("etcd", async () => {
    const port = givenPort ?? (await freePort());
    const url = `http://127.0.0.1:${port}`;
    const peer = `http://127.0.0.1:${await freePort()}`;
    const process = await workspace.spawn("etcd", binaries.etcd, [
      `--data-dir=${join(workspace.directory, "etcd")}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      "--unsafe-no-fsync",
      "--log-level=warn",
      // Benchmarks write hundreds of thousands of objects; the default of 2 GiB is for disks that matter.
      `--quota-backend-bytes=${8 * 2 ** 30}`,
    ]);
    const probe = async () => {
      const answer = await fetch(`${url}/health`);
      // An answer that is not read holds its connection, beyond the end of the process at the other end.
      await answer.arrayBuffer();
      return answer.ok;
    };
    return (await becomes(process, probe)) ? { process, url, port } : process;
  });
}

/** The files that an API server keeps over restarts: keys, tokens, and the certificate that it signs for itself. */
export interface ServerFiles {
  readonly certificates: string;
  readonly serviceAccountKey: string;
  readonly serviceAccountPublicKey: string;
  readonly tokens: string;
  readonly adminToken: string;
}

export async function prepareServerFiles(directory: string): Promise<ServerFiles> {
  const pki = join(directory, "pki");
  await mkdir(pki, { mode: 0o700 });
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const files = {
    certificates: pki,
    serviceAccountKey: join(pki, "service-account.key"),
    serviceAccountPublicKey: join(pki, "service-account.pub"),
    tokens: join(pki, "tokens.csv"),
    adminToken: randomBytes(24).toString("hex"),
  };
  await writeFile(files.serviceAccountKey, privateKey, { mode: 0o600 });
  await writeFile(files.serviceAccountPublicKey, publicKey);
  await writeFile(files.tokens, `${files.adminToken},admin,admin,"system:masters"\n`, { mode: 0o600 });
  return files;
}

export interface ApiServerOptions {
  /** False serves lists the way servers before WatchList did. Default true, as the release has it. */
  readonly watchList?: boolean;
  /** `--runtime-config`, e.g. `{ "resource.k8s.io/v1beta1": "true" }`. */
  readonly runtimeConfig?: Readonly<Record<string, string>>;
  /** Further flags, e.g. `{ "min-request-timeout": "5" }`. They win over ours. */
  readonly flags?: Readonly<Record<string, string>>;
}

export interface RunningApiServer extends RunningServer {
  readonly port: number;
  /** PEM of the authority that signed the serving certificate. */
  readonly ca: string;
}

/**
 * Starts kube-apiserver with RBAC and every admission plugin that is on by default (PodSecurity, ServiceAccount,
 * ValidatingAdmissionPolicy, …), and waits until `/readyz` and the namespace `default` are there.
 */
export async function startApiServer(
  workspace: Workspace,
  binaries: ControlPlaneBinaries,
  files: ServerFiles,
  etcdUrl: string,
  options: ApiServerOptions,
  givenPort?: number,
): Promise<RunningApiServer> {
  return retried("kube-apiserver", async () => {
    const port = givenPort ?? (await freePort());
    const flags = {
      "etcd-servers": etcdUrl,
      "bind-address": "127.0.0.1",
      "advertise-address": "127.0.0.1",
      "secure-port": String(port),
      "cert-dir": files.certificates,
      "authorization-mode": "RBAC",
      "token-auth-file": files.tokens,
      "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
      "service-account-key-file": files.serviceAccountPublicKey,
      "service-account-signing-key-file": files.serviceAccountKey,
      "service-cluster-ip-range": "10.96.0.0/16",
      // There is no node to reach, and a loopback address is no endpoint.
      "endpoint-reconciler-type": "none",
      ...(options.watchList === false ? { "feature-gates": "WatchList=false" } : {}),
      ...(options.runtimeConfig === undefined ? {} : { "runtime-config": pairs(options.runtimeConfig) }),
      ...options.flags,
    };
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    const process = await workspace.spawn("kube-apiserver", binaries.kubeApiserver, args);
    const url = `https://127.0.0.1:${port}`;
    let ca = "";
    const ready = await becomes(process, async () => {
      ca = await readFile(join(files.certificates, "apiserver.crt"), "utf8");
      const connection = { url, ca, token: files.adminToken };
      await requestJson(connection, "GET", "/readyz");
      await requestJson(connection, "GET", "/api/v1/namespaces/default");
      return true;
    });
    return ready ? { process, url, port, ca } : process;
  });
}

/** True when `probe` answered, false when the process ended before. */
async function becomes(process: ServerProcess, probe: () => Promise<boolean>): Promise<boolean> {
  await waitFor(`${process.name} (log: ${process.logFile})`, async () => !process.running() || (await probe()), {
    timeoutMs: READY_MS,
    intervalMs: 50,
  });
  return process.running();
}

async function retried<T extends RunningServer>(name: string, start: () => Promise<T | ServerProcess>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const result = await start();
    if (!("logTail" in result)) return result;
    if (attempt === ATTEMPTS) throw new Error(`${name} does not start:\n${await result.logTail()}`);
  }
}

function pairs(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
}
