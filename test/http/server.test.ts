import { connect } from "node:net";
import { startHttpServer } from "../../src/http/server.ts";
import type { HttpServer, HttpServerOptions } from "../../src/http/server.ts";
import type { Route } from "../../src/http/routes.ts";
import { createLogger } from "../../src/log.ts";

const lines: string[] = [];
const log = createLogger({ level: "info", write: (line) => lines.push(line) });
let server: HttpServer | undefined;

afterEach(async () => {
  await server?.close(0);
  server = undefined;
  lines.length = 0;
});

const echo: Route = {
  method: "POST",
  pattern: "/webhooks/{namespace}/{fabric}",
  maxBodyBytes: 16,
  handle: async ({ params, body, query }) => ({
    status: 202,
    contentType: "text/plain",
    body: `${params["namespace"]} ${params["fabric"]} ${body.toString("hex")} ${query.get("q") ?? ""}`,
  }),
};
const hello: Route = {
  method: "GET",
  pattern: "/livez",
  handle: async () => ({ status: 200, contentType: "text/plain", body: "well" }),
};

async function start(routes: readonly Route[], limits: HttpServerOptions["limits"] = {}): Promise<string> {
  server = await startHttpServer({ listen: { host: "127.0.0.1", port: 0 }, routes, log, limits });
  return `http://127.0.0.1:${server.address.port}`;
}

test("a route gets its parameters, its query and the raw bytes of the body", async () => {
  const url = await start([hello, echo]);
  const answer = await fetch(`${url}/webhooks/lab/a%2Eb?q=1`, { method: "POST", body: new Uint8Array([0, 255]) });
  expect([answer.status, await answer.text()]).toEqual([202, "lab a.b 00ff 1"]);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
});

test("HEAD is answered as GET without the body", async () => {
  const url = await start([hello]);
  const answer = await fetch(`${url}/livez`, { method: "HEAD" });
  expect([answer.status, answer.headers.get("content-length"), await answer.text()]).toEqual([200, "4", ""]);
});

test.each([
  ["GET", "/nothing", undefined, 404],
  ["GET", "/livez/", undefined, 404],
  ["POST", "/webhooks/lab", "x", 404],
  ["POST", "/webhooks/lab/%ff", "x", 404],
  ["POST", "/webhooks//one", "x", 404],
  ["DELETE", "/livez", undefined, 405],
  ["GET", "/webhooks/lab/one", undefined, 405],
  ["POST", "/webhooks/lab/one", "x".repeat(17), 413],
])("%s %s is answered with a problem document", async (method, path, body, status) => {
  const url = await start([hello, echo]);
  const answer = await fetch(url + path, { method, ...(body === undefined ? {} : { body }) });
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(await answer.json()).toMatchObject({ type: "about:blank", status, detail: expect.stringMatching(/\.$/) });
  if (status === 405) expect(answer.headers.get("allow")).toBe(path === "/livez" ? "GET, HEAD" : "POST");
});

test("a body that is longer than it may be is refused while it is still being sent", async () => {
  const url = await start([echo]);
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(1_024)),
  });
  const request = new Request(`${url}/webhooks/lab/one`, {
    method: "POST",
    body: endless,
    duplex: "half",
  } as RequestInit);
  const answer = await fetch(request);
  await answer.arrayBuffer();
  expect(answer.status).toBe(413);
});

test("a handler that throws is a 500 that tells the caller nothing and the log everything", async () => {
  const url = await start([
    {
      method: "GET",
      pattern: "/broken",
      handle: async () => {
        throw new Error("canary");
      },
    },
  ]);
  const answer = await fetch(`${url}/broken`);
  expect(answer.status).toBe(500);
  expect(await answer.text()).not.toContain("canary");
  expect(lines.join("")).toContain("canary");
});

/** Sends `text`, keeps the connection open, and resolves with everything received once the server ends it. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let received = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => (received += chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(received));
  });
}

test.each([
  ["headers that never end", "GET /livez HTTP/1.1\r\nhost: x\r\nx-slow: ", 408],
  ["a body that never ends", "POST /webhooks/lab/one HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc", 408],
  ["something else than HTTP", "\x16\x03\x01 client hello\r\n\r\n", 400],
  ["headers that are too long", `GET /livez HTTP/1.1\r\nx: ${"y".repeat(20_000)}\r\n\r\n`, 431],
])("%s do not hold a connection", async (_what, text, status) => {
  await start([hello, echo], { headersMs: 200, requestMs: 300 });
  const received = await raw(server?.address.port ?? 0, text);
  expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(JSON.parse(received.slice(received.indexOf("\r\n\r\n")))).toMatchObject({ status });
});

test("close lets a request end, and cuts one that does not", async () => {
  const entered = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const slow = (pattern: string, until: Promise<void>): Route => ({
    method: "GET",
    pattern,
    handle: async () => {
      entered.resolve();
      await until;
      return { status: 200, contentType: "text/plain", body: "late" };
    },
  });
  const url = await start([slow("/slow", release.promise), slow("/stuck", new Promise<void>(() => {}))]);
  const answer = fetch(`${url}/slow`).then((response) => response.text());
  const stuck = fetch(`${url}/stuck`).then(
    () => "answered",
    () => "cut",
  );
  await entered.promise;
  // Time enough for the one on a busy machine, and waited for by the other.
  const closing = server?.close(2_000);
  release.resolve();
  expect(await answer).toBe("late");
  await closing;
  expect(await stuck).toBe("cut");
  await expect(fetch(`${url}/slow`)).rejects.toThrow();
});

test("an address that is taken is an error that names it", async () => {
  await start([hello]);
  const port = server?.address.port ?? 0;
  await expect(startHttpServer({ listen: { host: "127.0.0.1", port }, routes: [], log })).rejects.toMatchObject({
    code: "ListenFailed",
    message: expect.stringContaining(`127.0.0.1:${port}`),
  });
});
