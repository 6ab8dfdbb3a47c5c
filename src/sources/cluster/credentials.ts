import { createHash } from "node:crypto";
import { subscribe } from "node:diagnostics_channel";
import { constants } from "node:http2";
import type { ClientHttp2Stream } from "node:http2";
import type { RequestOptions } from "node:https";
import { Agent, ProxyAgent } from "undici";
import type { Dispatcher } from "undici";
import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { FabricSyncError } from "../../core/errors.ts";
import { reloaded } from "./kubeconfig.ts";

/** Files and exec results are looked at again after so long (ms); a rotated token has at least minutes of overlap. client-go does the same. */
const FRESH_MS = 60_000;
/** The kernel starts to probe a silent connection after so long (ms), under the idle limits of common load balancers. */
const KEEP_ALIVE_MS = 30_000;
/** TCP and TLS handshake (ms); a server that needs longer is treated as away. */
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * What undici (8.12) does to the HTTP/2 stream of an aborted request ends badly twice.
 *
 * It leaves the stream without a listener for errors. When its connection ends in the same moment, with the client that is closed or with the server,
 * the stream's error would end the process. Whoever waits for an answer has been told by then.
 *
 * It closes the stream without a code and destroys it at once (since nodejs/undici#5559). Node (24) resets a stream that is closed so only when its body
 * has been sent, and one that is destroyed before that never: the server keeps the stream, and Node has lost the body that it goes on to send. When there
 * is room to send it, it writes empty frames for ever without leaving the turn of the event loop, 350 MB a second until the kernel ends the process.
 * Closed with a code, a stream is reset whatever was sent of it.
 */
subscribe("http2.client.stream.created", (message) => {
  const { stream } = message as { readonly stream: ClientHttp2Stream };
  stream.on("error", () => undefined);
  const close = stream.close.bind(stream);
  stream.close = (code = constants.NGHTTP2_CANCEL, callback) => close(code, callback);
});

export interface Access {
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher;
}

/**
 * Headers and connections for one cluster. One undici pool serves all requests; it is replaced only when the certificates
 * change, and the old one is closed when its last stream ends.
 */
export class Credentials {
  #config: KubeConfig;
  #agent: { readonly identity: string; readonly dispatcher: Dispatcher } | null = null;
  #current: { readonly access: Access; readonly until: number } | null = null;
  #refreshing: Promise<Access> | null = null;
  readonly #closing = new Set<Promise<void>>();

  constructor(config: KubeConfig) {
    this.#config = config;
  }

  async access(): Promise<Access> {
    if (this.#current !== null && Date.now() < this.#current.until) return this.#current.access;
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  /** The server refused the credentials: read token files anew and run exec plugins again. */
  forget(): void {
    this.#config = reloaded(this.#config);
    this.#current = null;
  }

  async close(): Promise<void> {
    const open = this.#agent?.dispatcher;
    this.#agent = null;
    this.#current = null;
    await Promise.all([open?.destroy(), ...this.#closing]);
  }

  async #refresh(): Promise<Access> {
    const options: RequestOptions & { headers: Record<string, string> } = { headers: {} };
    try {
      await this.#config.applyToHTTPSOptions(options);
    } catch (error) {
      throw new FabricSyncError(
        "KubeCredentialsUnavailable",
        "wait",
        "the credentials of the cluster could not be read",
        {
          cause: error,
        },
      );
    }
    const headers = { ...options.headers };
    if (typeof options.auth === "string")
      headers["Authorization"] = `Basic ${Buffer.from(options.auth).toString("base64")}`;
    const access = { headers, dispatcher: this.#dispatcher(options) };
    this.#current = { access, until: Date.now() + FRESH_MS };
    return access;
  }

  #dispatcher(options: RequestOptions): Dispatcher {
    const cluster = this.#config.getCurrentCluster();
    const { ca, cert, key, passphrase, rejectUnauthorized } = options;
    const tls = definedOnly({ ca, cert, key, passphrase, rejectUnauthorized, servername: cluster?.tlsServerName });
    const identity = createHash("sha256")
      .update(JSON.stringify([tls, cluster?.proxyUrl]))
      .digest("hex");
    if (this.#agent?.identity === identity) return this.#agent.dispatcher;
    const old = this.#agent?.dispatcher;
    if (old) {
      const closed: Promise<void> = old.close().finally(() => this.#closing.delete(closed));
      this.#closing.add(closed);
    }
    const connect = { ...tls, timeout: CONNECT_TIMEOUT_MS, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
    const proxy = cluster?.proxyUrl;
    if (proxy !== undefined && !/^https?:/.test(proxy)) {
      throw new FabricSyncError("KubeConfigInvalid", "stall", "the kubeconfig's proxy-url must be http or https");
    }
    // pipelining 1: a watch holds its connection for minutes, nothing may queue behind it.
    const dispatcher = proxy
      ? new ProxyAgent({ uri: proxy, requestTls: tls, pipelining: 1 })
      : // Where the server speaks HTTP/2 the streams share a connection: measured faster and smaller than one each (bench/watch, `http2`).
        new Agent({ connect, pipelining: 1, allowH2: true });
    this.#agent = { identity, dispatcher };
    return dispatcher;
  }
}

function definedOnly<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
