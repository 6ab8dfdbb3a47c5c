import { FabricSyncError } from "../src/core/errors.ts";
import { createLogger } from "../src/log.ts";
import type { Logger } from "../src/core/telemetry.ts";

function capture(level: "debug" | "info" = "info"): { log: Logger; text: () => string } {
  const written: string[] = [];
  return { log: createLogger({ level, write: (line) => written.push(line) }), text: () => written.join("") };
}

test("a line is JSON with level, RFC 3339 time, keys and a constant message", () => {
  const { log, text } = capture();
  log.child({ fabric: "lab/one" }).warn({ count: 3, at: new Date(0) }, "something happened");
  const line = JSON.parse(text()) as Record<string, unknown>;
  expect(line).toEqual({
    level: "warn",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    fabric: "lab/one",
    count: 3,
    at: "1970-01-01T00:00:00.000Z",
    message: "something happened",
  });
});

test("lines below the level are not written", () => {
  const { log, text } = capture("info");
  log.debug({}, "detail");
  expect(text()).toBe("");
});

test.each<[string, object]>([
  ["by the name of its key", { password: "canary" }],
  ["deep inside", { request: { headers: [{ authorization: "canary" }] } }],
  ["in a URL", { url: "https://canary@git.example/x" }],
  ["in a database URL with an @ in its password", { dsn: "postgres://anna:p@canary@db/fabric" }],
  ["in a URL's parameters", { url: "https://git.example/x?access_token=canary" }],
  ["in a header's text", { header: "Authorization: Bearer canary123" }],
  ["in an assignment", { text: "connection failed: password=canary host=db" }],
  ["in JSON text", { text: '{"token":"canary"}' }],
  ["in a private key", { text: "-----BEGIN RSA PRIVATE KEY-----\ncanary\n-----END RSA PRIVATE KEY-----" }],
  ["in an error", { error: new Error("cannot reach https://anna:canary@git.example") }],
  ["in an error's cause", { error: new Error("outer", { cause: new Error("postgres://a:canary@db") }) }],
  ["in an error's context", { error: new FabricSyncError("X", "stall", "x", { context: { token: "canary" } }) }],
  ["in an error in the place of the keys", new Error("postgres://a:canary@db")],
])("a credential does not get out %s", (_where, keys) => {
  const { log, text } = capture();
  log.info(keys, "tried");
  log.child({ ...keys }).info({}, "again");
  expect(text()).toContain("tried");
  expect(text()).not.toContain("canary");
});

test("what only looks a little like a secret is kept", () => {
  const { log, text } = capture();
  log.info({ url: "ssh://git@github.com/lab/fabric", secretRef: { name: "git-credentials" }, tokens: 3 }, "fetched");
  expect(JSON.parse(text())).toMatchObject({
    url: "ssh://git@github.com/lab/fabric",
    secretRef: { name: "git-credentials" },
  });
});

test("an error on purpose has its code and no stack, any other has its stack", () => {
  const { log, text } = capture();
  log.error({ error: new FabricSyncError("FenceLost", "fatal", "lost", { context: { epoch: 2 } }) }, "stopped");
  log.error({ error: new TypeError("x is not a function") }, "bug");
  const [first, second] = text()
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { error: Record<string, unknown> }).error);
  expect(first).toEqual({ type: "FenceLost", code: "FenceLost", message: "lost", context: { epoch: 2 } });
  expect(second).toMatchObject({ type: "TypeError", stack: expect.stringContaining("log.test.ts") });
});

test("a value that is endless or enormous is cut", () => {
  const { log, text } = capture();
  const loop: Record<string, unknown> = { items: Array.from({ length: 1_000 }, (_, index) => index) };
  loop["self"] = loop;
  log.info({ loop, text: "x".repeat(1_000_000) }, "big");
  expect(text().length).toBeLessThan(10_000);
});
