import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { PassThrough } from "node:stream";
import { gunzipSync } from "node:zlib";
import { setTimeout as delay } from "node:timers/promises";
import { type Authority, createAuthority } from "../certificates.ts";
import { serveByBackend } from "./http-backend.ts";

/** What the server asks for. Both together: either is let in. */
export interface HttpsAccess {
  readonly basic?: { readonly username: string; readonly password: string };
  readonly bearer?: string;
}

/** What goes wrong while it is set. */
export type HttpsFault =
  | {
      readonly type: "status";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** Answers after a while. */
  | { readonly type: "delay"; readonly ms: number }
  /** Takes the request and never answers. */
  | { readonly type: "hang" }
  /** Answers in full, but ends the connection after so many bytes of the body. */
  | { readonly type: "cut"; readonly afterBytes: number }
  /** Answers in full, but with one bit of each piece of the body turned over. */
  | { readonly type: "garble" }
  | { readonly type: "reset" };

/** One request as the server saw it. */
export interface SeenRequest {
  readonly repository: string;
  readonly service: "git-upload-pack" | "git-receive-pack" | "";
  /** `info/refs`, or the command of protocol version 2 (`ls-refs`, `fetch`); `pack` for anything older. */
  readonly command: "info/refs" | "ls-refs" | "fetch" | "pack";
  readonly authorized: boolean;
  readonly userAgent: string;
}

export interface HttpsGitServer {
  readonly port: number;
  /** `https://127.0.0.1:<port>`. */
  readonly url: string;
  /** PEM of the authority that signed the certificate. */
  readonly ca: string;
  readonly authority: Authority;
  readonly requests: SeenRequest[];
  access: HttpsAccess | null;
  fault: HttpsFault | null;
  /** How many requests of a command were let in since the last `requests.length = 0`. */
  count(command: SeenRequest["command"]): number;
  stop(): Promise<void>;
}

/** Serves the bare repositories below `root` to clients that trust its authority. */
export async function startHttpsGitServer(root: string): Promise<HttpsGitServer> {
  const authority = createAuthority("fabric-sync test git authority");
  const { cert, key } = authority.issue(["127.0.0.1", "localhost"]);
  const requests: SeenRequest[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no TCP address");
  const self: HttpsGitServer = {
    port: address.port,
    url: `https://127.0.0.1:${address.port}`,
    ca: authority.ca,
    authority,
    requests,
    access: null,
    fault: null,
    count: (command) => requests.filter((seen) => seen.authorized && seen.command === command).length,
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return self;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "https://127.0.0.1");
    const body = await readAll(request);
    const authorized = allows(self.access, request.headers.authorization);
    requests.push({ ...describe(request, url, body), authorized });
    const { fault } = self;
    if (fault?.type === "hang") return;
    if (fault?.type === "reset") {
      request.socket.destroy();
      return;
    }
    if (fault?.type === "delay") await delay(fault.ms);
    if (fault?.type === "status") {
      response.writeHead(fault.status, fault.headers).end(fault.body ?? "");
    } else if (!authorized) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
    } else {
      if (fault?.type === "cut") cutAfter(response, fault.afterBytes);
      // Of packs alone: a list of references has no checksum.
      if (fault?.type === "garble" && protocolCommand(request, body) === "fetch") garble(response);
      const stream = new PassThrough();
      stream.end(body);
      serveByBackend(root, url, request, stream, response);
    }
  }
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function allows(access: HttpsAccess | null, authorization: string | undefined): boolean {
  if (access === null) return true;
  const accepted: string[] = [];
  if (access.bearer !== undefined) accepted.push(`Bearer ${access.bearer}`);
  if (access.basic !== undefined) {
    const { username, password } = access.basic;
    accepted.push(`Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`);
  }
  return authorization !== undefined && accepted.includes(authorization);
}

function describe(request: IncomingMessage, url: URL, body: Buffer): Omit<SeenRequest, "authorized"> {
  const match = /^\/(.+?\.git)\/(.*)$/.exec(url.pathname);
  const tail = match?.[2] ?? "";
  const service = tail === "info/refs" ? url.searchParams.get("service") : tail;
  return {
    repository: match?.[1] ?? "",
    service: service === "git-upload-pack" || service === "git-receive-pack" ? service : "",
    command: tail === "info/refs" ? "info/refs" : protocolCommand(request, body),
    userAgent: request.headers["user-agent"] ?? "",
  };
}

/** A version 2 request begins with the packet line `command=…`. */
function protocolCommand(request: IncomingMessage, body: Buffer): "ls-refs" | "fetch" | "pack" {
  const plain = request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
  const match = /^[0-9a-f]{4}command=(ls-refs|fetch)/.exec(plain.subarray(0, 40).toString("latin1"));
  return match === null ? "pack" : (match[1] as "ls-refs" | "fetch");
}

function garble(response: ServerResponse): void {
  const write = response.write.bind(response) as (chunk: Buffer) => boolean;
  const garbling = (chunk: Buffer): boolean => {
    const wrong = Buffer.from(chunk);
    const at = wrong.length >> 1;
    wrong[at] = (wrong[at] ?? 0) ^ 0x10;
    return write(wrong);
  };
  response.write = garbling as typeof response.write;
}

/** Lets so many bytes of the body through and then breaks the connection. */
function cutAfter(response: ServerResponse, limit: number): void {
  let sent = 0;
  const write = response.write.bind(response) as (chunk: Buffer, done?: () => void) => boolean;
  const cutting = (chunk: Buffer): boolean => {
    const rest = chunk.subarray(0, limit - sent);
    sent += rest.length;
    return sent < limit ? write(rest) : write(rest, () => response.destroy());
  };
  response.write = cutting as typeof response.write;
}
