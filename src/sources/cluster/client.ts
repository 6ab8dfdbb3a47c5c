import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { parseJson } from "../../core/json.ts";
import type { JsonValue } from "../../core/json.ts";
import { KubeApiError, KubeUnreachable, statusError } from "./api-error.ts";
import { gathered } from "./body.ts";
import { Credentials } from "./credentials.ts";

/** The longest a request may take to the end of its answer (ms), unless the caller says otherwise. */
const REQUEST_TIMEOUT_MS = 30_000;
/** The largest answer that is read whole (bytes); larger ones are streamed or paged. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
/** How much of an error's body is read (bytes): a `Status` is a few hundred. */
const MAX_ERROR_BYTES = 64 * 1024;

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface RequestOptions {
  readonly query?: Query;
  /** Sent as JSON; a string goes as it is. */
  readonly body?: JsonValue;
  /** Default `application/json`; for PATCH say which kind of patch. */
  readonly contentType?: string;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** ms */
  readonly timeoutMs?: number;
  /** Bytes; a larger answer is `KubeAnswerTooLarge`. */
  readonly maxBytes?: number;
}
export interface StreamOptions {
  readonly query?: Query;
  readonly accept?: string;
  /** Ends the stream, also while it is read. */
  readonly signal: AbortSignal;
}
export interface KubeResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Parsed exactly (see `core/json.ts`); null for an empty answer. */
  readonly body: JsonValue;
}
export interface ClientOptions {
  /** `Impersonate-User`, e.g. `system:serviceaccount:ns:name`; the server adds the groups of a ServiceAccount itself. */
  readonly impersonate?: string;
  readonly userAgent?: string;
}

/**
 * One cluster's API server: JSON requests and streams over one connection pool, credentials kept fresh, errors typed. Every
 * method throws `KubeApiError` for an answer other than 2xx (304 excepted), `KubeUnreachable` when there was none, and the
 * signal's reason when it was aborted.
 */
export class KubeClient {
  /** `https://host:port`, without credentials. */
  readonly server: string;
  readonly #base: URL;
  readonly #credentials: Credentials;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(config: KubeConfig, options: ClientOptions = {}) {
    this.#base = new URL(config.getCurrentCluster()?.server ?? "");
    this.server = this.#base.origin;
    this.#credentials = new Credentials(config);
    this.#headers = {
      "user-agent": options.userAgent ?? "fabric-sync",
      ...(options.impersonate === undefined ? {} : { "impersonate-user": options.impersonate }),
    };
  }

  /** One request; the answer's body. */
  async request(method: Method, path: string, options: RequestOptions = {}): Promise<JsonValue> {
    return (await this.fetch(method, path, options)).body;
  }

  /** One request; the whole answer. */
  async fetch(method: Method, path: string, options: RequestOptions = {}): Promise<KubeResponse> {
    const timeout = AbortSignal.timeout(options.timeoutMs ?? REQUEST_TIMEOUT_MS);
    const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
    try {
      const answer = await this.#send(method, path, options, signal);
      const text = await readText(answer.body, options.maxBytes ?? MAX_BODY_BYTES);
      return { status: answer.statusCode, headers: answer.headers, body: text === "" ? null : parseJson(text) };
    } catch (error) {
      throw this.#typed(error, options.signal);
    }
  }

  /** GET whose answer is read as it comes: reading slowly holds the server back. Leaving the loop closes the connection. */
  async stream(path: string, options: StreamOptions): Promise<AsyncIterable<Buffer>> {
    try {
      const { body } = await this.#send("GET", path, options, options.signal);
      // Who stops before the first read hears of no error; without a listener it would end the process. Who reads is told by the loop.
      body.on("error", () => undefined);
      return this.#chunks(body, options.signal);
    } catch (error) {
      throw this.#typed(error, options.signal);
    }
  }

  /** Closes every connection, open streams included. */
  async close(): Promise<void> {
    await this.#credentials.close();
  }

  async #send(
    method: Method,
    path: string,
    options: RequestOptions,
    signal: AbortSignal,
    retried = false,
  ): Promise<Dispatcher.ResponseData> {
    const access = await this.#credentials.access();
    const { body } = options;
    const answer = await access.dispatcher.request({
      origin: this.#base.origin,
      path: pathWithQuery(this.#base.pathname, path, options.query),
      method,
      signal,
      // Time limits are the signal's: an idle watch is healthy, and its reader knows how long.
      headersTimeout: 0,
      bodyTimeout: 0,
      headers: {
        accept: options.accept ?? "application/json",
        ...lowerCase(access.headers),
        ...this.#headers, // after: a Fabric's impersonation wins over the kubeconfig's
        ...(body === undefined ? {} : { "content-type": options.contentType ?? "application/json" }),
        ...options.headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    if (answer.statusCode < 300 || answer.statusCode === 304) return answer;
    const error = await this.#refusal(answer, `${method} ${path}`);
    if (error.status === 401 && !retried) {
      // Not carried out, so safe to repeat whatever the method: the token may just have been rotated.
      this.#credentials.forget();
      return this.#send(method, path, options, signal, true);
    }
    throw error;
  }

  async #refusal(answer: Dispatcher.ResponseData, where: string): Promise<KubeApiError> {
    const retryAfter = answer.headers["retry-after"];
    let body: JsonValue = null;
    try {
      body = parseJson(await readText(answer.body, MAX_ERROR_BYTES));
    } catch (error) {
      // A proxy's HTML, or nothing: the status code says enough. A broken connection is an error of its own.
      if (!(error instanceof SyntaxError || error instanceof KubeApiError)) throw error;
    }
    return statusError(answer.statusCode, body, typeof retryAfter === "string" ? retryAfter : undefined, where);
  }

  async *#chunks(body: Readable, signal: AbortSignal): AsyncGenerator<Buffer, void, void> {
    try {
      yield* gathered(body);
    } catch (error) {
      throw this.#typed(error, signal);
    }
  }

  #typed(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) return signal.reason;
    if (error instanceof SyntaxError) {
      return new KubeApiError(502, "", "the answer of the API server is not JSON");
    }
    if (error instanceof Error && "policy" in error) return error;
    const unreachable = new KubeUnreachable(this.server, error);
    // Whoever replaced the server's certificate may just have replaced the file of its authority.
    if (unreachable.tls) this.#credentials.forget();
    return unreachable;
  }
}

function pathWithQuery(base: string, path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  const text = parameters.toString();
  return `${base.replace(/\/$/, "")}${path}${text === "" ? "" : `?${text}`}`;
}

async function readText(body: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new KubeApiError(413, "AnswerTooLarge", `the answer exceeds ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes).toString("utf8");
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
