import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, request } from "node:https";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What the proxy says instead of the API server. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Stands between a client and a real API server and does what networks and load balancers do. Everything that no fault was asked for
 * goes through unchanged.
 */
export interface FaultProxy {
  /** A kubeconfig that leads through the proxy. */
  readonly kubeconfig: string;
  /** Every request: method and URL. */
  readonly requests: string[];
  /** Answers instead of the server while it gives something. */
  answer: (url: string) => Answer | null;
  /** Open watch streams. */
  readonly open: number;
  /** From now on the open streams bring no byte, and nobody says that they ended. */
  freeze(): void;
  /** Sends this text into the open streams. */
  inject(text: string): void;
  /** Bytes of the open streams that nobody has read yet, beside what the kernel holds. */
  readonly unread: number;
  /** Closes the open streams' connections without ending them: in order, or by RST. */
  cut(how?: "closed" | "reset"): void;
  /** Ends the open streams in order. */
  end(): void;
  close(): Promise<void>;
}

export async function startFaultProxy(target: { url: string; ca: string; token: string }): Promise<FaultProxy> {
  const streams = new Set<{ response: ServerResponse; frozen: boolean; upstream: IncomingMessage }>();
  const agent = new Agent({ ca: target.ca, keepAlive: true });
  const requests: string[] = [];
  const server = createServer((incoming, response) => {
    const url = incoming.url ?? "/";
    requests.push(`${incoming.method} ${url}`);
    const instead = proxy.answer(url);
    if (instead !== null) {
      response.writeHead(instead.status, { "content-type": "application/json", ...instead.headers });
      response.end(instead.body);
      return;
    }
    const headers = { ...incoming.headers, authorization: `Bearer ${target.token}` };
    delete headers.host;
    const options = { method: incoming.method, headers, agent };
    const forward = request(new URL(url, target.url), options, (upstream) => {
      response.writeHead(upstream.statusCode ?? 502, upstream.headers);
      response.flushHeaders();
      if (!url.includes("watch=1")) return void upstream.pipe(response);
      const stream = { response, frozen: false, upstream };
      streams.add(stream);
      upstream.on("data", (chunk: Buffer) => {
        if (!stream.frozen) response.write(chunk);
      });
      upstream.on("end", () => {
        if (!stream.frozen) response.end();
      });
      upstream.on("error", () => response.destroy());
      response.on("close", () => {
        streams.delete(stream);
        upstream.destroy();
      });
    });
    forward.on("error", () => response.destroy());
    incoming.pipe(forward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const directory = await mkdtemp(join(tmpdir(), "fault-proxy-"));
  const kubeconfig = join(directory, "kubeconfig");
  await writeFile(kubeconfig, JSON.stringify(kubeconfigFor(`http://127.0.0.1:${port}`)));
  const proxy: FaultProxy = {
    kubeconfig,
    requests,
    answer: () => null,
    get open() {
      return [...streams].filter(({ frozen }) => !frozen).length;
    },
    freeze: () => streams.forEach((stream) => (stream.frozen = true)),
    inject: (text) => streams.forEach(({ response }) => response.write(text)),
    get unread() {
      return [...streams].reduce((sum, { response }) => sum + response.writableLength, 0);
    },
    cut: (how = "closed") =>
      streams.forEach(({ response }) => (how === "reset" ? response.socket?.resetAndDestroy() : response.destroy())),
    end: () => streams.forEach(({ response }) => response.end()),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      agent.destroy();
      await rm(directory, { recursive: true });
    },
  };
  return proxy;
}

function kubeconfigFor(server: string): object {
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "proxy",
    clusters: [{ name: "proxy", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "proxy", user: {} }],
    contexts: [{ name: "proxy", context: { cluster: "proxy", user: "proxy" } }],
  };
}
