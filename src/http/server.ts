import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Logger } from "../core/telemetry.ts";
import { FabricSyncError, messageOf } from "../core/errors.ts";
import { problem } from "./answer.ts";
import type { Answer } from "./answer.ts";
import { readBody } from "./body.ts";
import { matchRoute } from "./routes.ts";
import type { Route } from "./routes.ts";

export interface HttpServerOptions {
  /** `host` '' listens on every address, `port` 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly routes: readonly Route[];
  readonly log: Logger;
  readonly limits?: Partial<HttpLimits>;
}

/** Milliseconds, and a number of connections. */
export interface HttpLimits {
  readonly headersMs: number;
  readonly requestMs: number;
  readonly idleMs: number;
  readonly connections: number;
}

/**
 * A caller that is slow on purpose holds a connection for ten seconds, not for ever; probes, scrapes and webhooks take
 * milliseconds. 512 connections are far more than those need, and far fewer than the file descriptors of a container.
 */
const LIMITS: HttpLimits = { headersMs: 5_000, requestMs: 10_000, idleMs: 15_000, connections: 512 };
/** How often Node looks for connections over their time (ms). */
const CHECK_EVERY_MS = 500;
/** Bytes of all headers together: the largest webhook senders use under 4 KiB. */
const MAX_HEADER_BYTES = 16_384;

export interface HttpServer {
  /** Where it listens, with the port that was taken. */
  readonly address: AddressInfo;
  /** Takes no new connection, lets requests end for `graceMs`, then cuts. */
  close(graceMs: number): Promise<void>;
}

/**
 * Starts the one HTTP server. Every answer that is not a handler's is a problem document (RFC 9457).
 * @throws FabricSyncError `ListenFailed` (`fatal`) when the address cannot be had.
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const limits = { ...LIMITS, ...options.limits };
  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: Math.min(CHECK_EVERY_MS, limits.headersMs),
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    (request, response) => void respond(options, request, response),
  );
  server.maxConnections = limits.connections;
  // Also of a caller that does not read its answer.
  server.setTimeout(limits.requestMs + limits.idleMs);
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => refuse(error, socket));
  const address = await listening(server, options.listen);
  options.log.info({ address: describeAddress(address) }, "listening");
  return { address, close: (graceMs) => closed(server, graceMs) };
}

async function respond(options: HttpServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  try {
    const answer = await answerTo(options, request, gone.signal);
    if (!response.destroyed) send(request, response, answer);
  } catch (error) {
    if (gone.signal.aborted) return;
    options.log.error({ method: request.method, path: pathOf(request), error }, "request failed");
    send(request, response, problem(500, "The request could not be answered; the log says why."));
  }
}

async function answerTo(options: HttpServerOptions, request: IncomingMessage, signal: AbortSignal): Promise<Answer> {
  const method = request.method ?? "";
  const path = pathOf(request);
  const match = matchRoute(options.routes, method, path);
  if (match.found === "nothing") return problem(404, "There is nothing at this path.");
  if (match.found === "method") {
    const allow = match.allow.join(", ");
    return problem(405, `This path answers ${allow}.`, { allow });
  }
  const limit = match.route.maxBodyBytes ?? 0;
  const body = await readBody(request, limit);
  if (body === null) return problem(413, `The body is longer than ${limit} bytes.`);
  const query = new URLSearchParams(request.url?.split("?", 2)[1] ?? "");
  return match.route.handle({ method, path, query, headers: request.headers, params: match.params, body, signal });
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const body = Buffer.from(answer.body ?? "");
  // What is left of an unread body would be taken for the next request.
  if (!request.complete) response.shouldKeepAlive = false;
  response.writeHead(answer.status, {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(answer.contentType === undefined ? {} : { "content-type": answer.contentType }),
    "content-length": body.length,
    ...answer.headers,
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** Not HTTP, too slow, or too long: said in one answer where the connection still takes one. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const answer =
    error.code === "ERR_HTTP_REQUEST_TIMEOUT"
      ? problem(408, "The request did not arrive in time.")
      : error.code === "HPE_HEADER_OVERFLOW"
        ? problem(431, `The headers are longer than ${MAX_HEADER_BYTES} bytes.`)
        : problem(400, "This is not a valid HTTP request.");
  const { title } = JSON.parse(answer.body ?? "{}") as { title: string };
  const head = [`HTTP/1.1 ${answer.status} ${title}`, `content-type: ${answer.contentType}`];
  socket.end(
    `${head.join("\r\n")}\r\ncontent-length: ${answer.body?.length}\r\nconnection: close\r\n\r\n${answer.body}`,
  );
}

function pathOf(request: IncomingMessage): string {
  return request.url?.split("?", 1)[0] ?? "";
}

function listening(server: Server, { host, port }: HttpServerOptions["listen"]): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void =>
      reject(
        new FabricSyncError("ListenFailed", "fatal", `cannot listen on ${host}:${port}: ${messageOf(error)}`, {
          cause: error,
        }),
      );
    server.once("error", failed);
    server.listen({ port, ...(host === "" ? {} : { host }) }, () => {
      server.off("error", failed);
      // A listening TCP server has an address object.
      resolve(server.address() as AddressInfo);
    });
  });
}

function closed(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

export function describeAddress({ address, port, family }: AddressInfo): string {
  return family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
}
