import { spawn } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { gitEnvironment } from "./run-git.ts";

/** Answers one request by `git http-backend`, git's own CGI program (RFC 3875). */
export function serveByBackend(
  root: string,
  url: URL,
  request: IncomingMessage,
  body: Readable,
  response: ServerResponse,
): void {
  const header = (name: string) => request.headers[name]?.toString() ?? "";
  const child = spawn("git", ["http-backend"], {
    env: {
      ...gitEnvironment(root),
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_PROTOCOL: header("git-protocol"),
      REQUEST_METHOD: request.method ?? "GET",
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: header("content-type"),
      HTTP_CONTENT_ENCODING: header("content-encoding"),
      ...(header("content-length") === "" ? {} : { CONTENT_LENGTH: header("content-length") }),
      REMOTE_ADDR: "127.0.0.1",
      // Whoever passed the server's own check may push.
      REMOTE_USER: "test",
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.on("error", (error) => response.writeHead(500).end(error.message));
  // Either side may go away in the middle; the other is told by its stream's end.
  child.stdin.on("error", () => undefined);
  response.on("close", () => child.kill());
  body.pipe(child.stdin);

  let head = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    child.stdout.off("data", onData);
    response.writeHead(...parseHead(head.subarray(0, end).toString("latin1")));
    response.write(head.subarray(end + 4));
    child.stdout.pipe(response);
  };
  child.stdout.on("data", onData);
  child.on("close", () => {
    if (!response.headersSent) response.writeHead(500).end("git http-backend said nothing");
  });
}

function parseHead(text: string): [number, Record<string, string>] {
  let status = 200;
  const headers: Record<string, string> = {};
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
    else headers[name] = value;
  }
  return [status, headers];
}
