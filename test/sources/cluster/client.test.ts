import dns from "node:dns";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { constants, createSecureServer } from "node:http2";
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { connect, createServer } from "node:tls";
import { createAuthority } from "../../support/certificates.ts";
import { controlPlane } from "../../support/shared-control-plane.ts";
import type { TestNamespace } from "../../support/control-plane.ts";
import { waitFor } from "../../support/wait.ts";
import { KubeClient } from "../../../src/sources/cluster/client.ts";
import { loadKubeConfig } from "../../../src/sources/cluster/kubeconfig.ts";
import { startMirror } from "./mirror.ts";
import type { Mirror } from "./mirror.ts";

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

  test("an exec plugin is asked for a token, and again when the one it gave is refused", async () => {
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1",
      command: "cat",
      args: [join(directory, "exec.json")],
    };
    const gives = (token: string) =>
      writeFile(
        join(directory, "exec.json"),
        JSON.stringify({ apiVersion: exec.apiVersion, kind: "ExecCredential", status: { token } }),
      );
    await gives("no longer valid");
    const client = await open(kubeconfig(cluster(), { exec: { ...exec, interactiveMode: "Never" } }));
    await expect(client.request("GET", "/api/v1/namespaces/default")).rejects.toMatchObject({ status: 401 });
    await gives(controlPlane.adminToken);
    await client.request("GET", "/api/v1/namespaces/default");
  });

  test("in a pod the ServiceAccount's files are used, and its token that was rotated", async () => {
    const mounted = join(directory, "var/run/secrets/kubernetes.io/serviceaccount");
    await mkdir(mounted, { recursive: true });
    await writeFile(join(mounted, "ca.crt"), controlPlane.ca);
    await writeFile(join(mounted, "token"), "no longer valid");
    const { hostname, port } = new URL(controlPlane.url);
    Object.assign(process.env, { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port });
    try {
      const client = new KubeClient(loadKubeConfig({ from: "in-cluster", root: directory }));
      clients.push(client);
      await expect(client.request("GET", "/api/v1/namespaces/default")).rejects.toMatchObject({ status: 401 });
      await writeFile(join(mounted, "token"), controlPlane.adminToken);
      await client.request("GET", "/api/v1/namespaces/default");
    } finally {
      delete process.env["KUBERNETES_SERVICE_HOST"];
      delete process.env["KUBERNETES_SERVICE_PORT"];
    }
  });

  test("a client certificate is shown, and within a minute the one that has replaced it on disk", async () => {
    const authority = createAuthority("clients");
    const front = await startTlsFront(controlPlane.url, "localhost", authority.ca);
    const now = Date.now;
    try {
      const show = async (name: string): Promise<void> => {
        const { cert, key } = authority.issue([name], { of: "client" });
        await Promise.all([writeFile(join(directory, "c.crt"), cert), writeFile(join(directory, "c.key"), key)]);
      };
      await show("first");
      const user = { "client-certificate": "c.crt", "client-key": "c.key", token: controlPlane.adminToken };
      const server = `https://localhost:${front.port}`;
      const data = Buffer.from(front.ca).toString("base64");
      const client = await open(kubeconfig({ server, "certificate-authority-data": data }, user));
      await client.request("GET", "/version");
      await show("second");
      await client.request("GET", "/version");
      expect(new Set(front.clients)).toEqual(new Set(["first"]));
      Date.now = () => now() + 61_000;
      await client.request("GET", "/version");
      expect(front.clients.at(-1)).toBe("second");
      const nobody = await open(kubeconfig({ server, "certificate-authority-data": data }, {}));
      await expect(nobody.request("GET", "/version")).rejects.toMatchObject({ code: "KubeUnreachable" });
    } finally {
      Date.now = now;
      await front.close();
    }
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

describe("a stream whose API server cannot be found, or not be trusted", () => {
  const NAME = "api.fabric.test";
  let namespace: TestNamespace;
  let front: TlsFront;
  let m: Mirror | null = null;
  let maps: string;
  /** What the name resolves to; '' = to nothing. */
  let address: string;
  const resolve = dns.lookup;

  beforeEach(async () => {
    namespace = await controlPlane.createNamespace();
    maps = `/api/v1/namespaces/${namespace.name}/configmaps`;
    front = await startTlsFront(controlPlane.url, NAME);
    address = "127.0.0.1";
    // The resolver is the one part that cannot be had for real: what it would answer is said here, the rest is real.
    const lookup = (name: string, options: dns.LookupOptions, answer: (...results: unknown[]) => void): void => {
      if (name !== NAME) return resolve(name, options, answer);
      if (address === "")
        return answer(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: "ENOTFOUND" }));
      if (options.all === true) return answer(null, [{ address, family: 4 }]);
      answer(null, address, 4);
    };
    dns.lookup = lookup as typeof dns.lookup;
  });
  afterEach(async () => {
    dns.lookup = resolve;
    await m?.stop();
    m = null;
    await front.close();
    await namespace.remove();
  });

  const start = async (): Promise<Mirror> => {
    const path = join(directory, "front.kubeconfig");
    const entry = { server: `https://${NAME}:${front.port}`, "certificate-authority": "ca.crt" };
    await writeFile(path, kubeconfig(entry, { token: controlPlane.adminToken }));
    await writeFile(join(directory, "ca.crt"), front.ca);
    const selections = [{ group: "", kinds: ["ConfigMap"], namespaces: [namespace.name] }];
    return (m = startMirror({ kubeconfig: path, selections }));
  };
  const create = (name: string) => controlPlane.request("POST", maps, { body: { metadata: { name } } });
  const arrives = (mirror: Mirror, name: string) =>
    waitFor(`${name} to arrive`, () => mirror.table.row(name), { timeoutMs: 60_000 });
  /** What was there is kept, said in `words`, and no later than `completeAt` known to be complete. */
  const toldAs = async (mirror: Mirror, code: string, words: string): Promise<void> => {
    // After the end of the connection itself.
    const told = await waitFor("the trouble to be told", () => {
      const now = mirror.status("ConfigMap");
      return now?.message.includes(words) === true && now;
    });
    expect(told).toMatchObject({ state: "retrying", reason: code });
    const attempts = mirror.failures.length;
    await waitFor("it to be tried again", () => mirror.failures.length > attempts);
    expect(mirror.status("ConfigMap")).toMatchObject({ state: "retrying", completeAt: told.completeAt });
    expect([mirror.table.names, mirror.table.deletions]).toEqual([["a"], []]);
  };
  const resumed = async (mirror: Mirror): Promise<string[]> => {
    await arrives(mirror, "b");
    await mirror.watching("ConfigMap");
    return mirror.table.names;
  };

  test("a name that does not resolve is told, rows stay, and the stream goes on by itself when it resolves", async () => {
    await create("a");
    address = "";
    const mirror = await start();
    const words = `the name of https://${NAME}:${front.port} cannot be resolved (ENOTFOUND)`;
    await waitFor("discovery to tell", () => mirror.source.statuses().some(({ message }) => message.includes(words)));
    expect(mirror.status("*")).toMatchObject({ scope: "discovery", state: "retrying", reason: "KubeUnreachable" });
    address = "127.0.0.1";
    await arrives(mirror, "a");
    await mirror.watching("ConfigMap");

    address = "";
    front.cut();
    await toldAs(mirror, "KubeUnreachable", words);
    await create("b");
    address = "127.0.0.1";
    expect(await resumed(mirror)).toEqual(["a", "b"]);
    expect(mirror.started).toMatchObject({ watchlist: 1, list: 0 });
  });

  test.each([
    ["the server has the right certificate again", async () => front.present("first")],
    ["the kubeconfig's file holds the new authority", () => writeFile(join(directory, "ca.crt"), front.otherCa)],
  ])(
    "a certificate of another authority is told, rows stay, and the stream goes on by itself when %s",
    async (_, repair) => {
      await create("a");
      const mirror = await start();
      await arrives(mirror, "a");
      await mirror.watching("ConfigMap");
      front.present("other");
      front.cut();
      await toldAs(
        mirror,
        "KubeCertificateRefused",
        `the certificate of https://${NAME}:${front.port} was not accepted`,
      );
      await create("b");
      await repair();
      expect(await resumed(mirror)).toEqual(["a", "b"]);
      expect(mirror.started).toMatchObject({ watchlist: 1, list: 0 });
    },
  );
});

interface TlsFront {
  readonly port: number;
  /** Of the authority whose certificate it presents at first, and of another one. */
  readonly ca: string;
  readonly otherCa: string;
  /** Whose certificate is presented from now on. */
  present(authority: "first" | "other"): void;
  /** Names in the certificates of those who connected. */
  readonly clients: readonly string[];
  /** Ends the open connections. */
  cut(): void;
  close(): Promise<void>;
}

/** What stands before an API server and has a certificate of its own, as load balancers do. */
async function startTlsFront(target: string, name: string, clientCa?: string): Promise<TlsFront> {
  const { hostname: host, port } = new URL(target);
  const authorities = { first: createAuthority("first"), other: createAuthority("other") };
  const certificates = { first: authorities.first.issue([name]), other: authorities.other.issue([name]) };
  const sockets = new Set<Duplex>();
  const clients: string[] = [];
  const asked = clientCa === undefined ? {} : { requestCert: true, ca: clientCa };
  const server = createServer({ ...certificates.first, ...asked }, (socket) => {
    if (clientCa !== undefined) clients.push(String(socket.getPeerCertificate().subject.CN));
    const onwards = connect({ host, port: Number(port), ca: controlPlane.ca });
    for (const [one, far] of [
      [socket, onwards],
      [onwards, socket],
    ] as const) {
      sockets.add(one);
      one.on("error", () => far.destroy());
      one.on("close", () => {
        sockets.delete(one);
        far.destroy();
      });
      one.pipe(far);
    }
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    port: (server.address() as AddressInfo).port,
    ca: authorities.first.ca,
    otherCa: authorities.other.ca,
    present: (authority) => server.setSecureContext(certificates[authority]),
    clients,
    cut,
    async close() {
      cut();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** A server that takes no byte of any body until it is told to: its window is closed, as that of one that cannot keep up. */
async function startClosedWindow(): Promise<ClosedWindow> {
  const authority = createAuthority("closed-window");
  const server = createSecureServer({ ...authority.issue(["127.0.0.1"]), settings: { initialWindowSize: 0 } });
  const sessions: ServerHttp2Session[] = [];
  const held: ServerHttp2Stream[] = [];
  server.on("session", (session) => sessions.push(session));
  server.on("stream", (stream, headers) => {
    if (headers[":method"] !== "GET") return void held.push(stream);
    stream.respond({ ":status": 200 });
    stream.end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    ...{ ca: authority.ca, port: (server.address() as AddressInfo).port, sessions, held },
    open: async () => {
      for (const session of sessions)
        await new Promise<void>((resolve) => session.settings({ initialWindowSize: 65_535 }, () => resolve()));
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
interface ClosedWindow {
  readonly ca: string;
  readonly port: number;
  readonly sessions: readonly ServerHttp2Session[];
  /** Requests with a body, in their order. */
  readonly held: readonly ServerHttp2Stream[];
  /** Takes bodies from now on; resolves when the client knows. */
  open(): Promise<void>;
  close(): Promise<void>;
}

describe("a request over HTTP/2 that is given up before its body was sent", () => {
  // Unless it is reset, Node goes on to send a body that it does not have, and never comes back: this process would not live to tell of it.
  test("is reset before anything else is sent, and the connection goes on", async () => {
    const server = await startClosedWindow();
    try {
      const ca = Buffer.from(server.ca).toString("base64");
      const where = { server: `https://127.0.0.1:${server.port}`, "certificate-authority-data": ca };
      const client = await open(kubeconfig(where, { token: "any" }));
      await client.request("GET", "/first");
      const giveUp = new AbortController();
      const reason = new Error("the lease was not renewed in time");
      const lease = client.request("PUT", "/lease", { body: { spec: "x".repeat(2_000) }, signal: giveUp.signal });
      const outcome = lease.catch((error: unknown) => error);
      const held = await waitFor("the request to be there", () => server.held[0]);
      giveUp.abort(reason);
      expect(await outcome).toBe(reason);
      await waitFor("the server to be told", () => held.closed);
      expect(server.sessions.map(({ destroyed }) => destroyed)).toEqual([false]);
      expect(held.rstCode).toBe(constants.NGHTTP2_CANCEL);
      await server.open();
      await client.request("GET", "/second");
      expect(server.sessions).toHaveLength(1);
      await client.close();
    } finally {
      await server.close();
    }
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
