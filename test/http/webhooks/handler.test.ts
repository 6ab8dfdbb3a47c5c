import { createHmac } from "node:crypto";
import type { WebhookProvider } from "../../../src/core/vocabulary.ts";
import { MAX_WEBHOOK_BYTES, WebhookHandler } from "../../../src/http/webhooks/handler.ts";
import type { WebhookRequest, WebhookTarget } from "../../../src/http/webhooks/handler.ts";
import { followDeliveries, webhookRoute } from "../../../src/cli/webhooks.ts";
import { waitFor } from "../../support/wait.ts";
import { openStore, type StoreFixture } from "../../store/fixture.ts";

const SECRET = "the-secret";
let fixture: StoreFixture;
beforeAll(async () => {
  fixture = await openStore();
});
afterAll(() => fixture[Symbol.asyncDispose]());

interface Bench {
  readonly handler: WebhookHandler;
  secrets: string[];
  now: number;
  readonly counted: string[];
  hints: number;
  reads: number;
  fails: boolean;
}

function bench(provider: WebhookProvider = "github"): Bench {
  const target: WebhookTarget = {
    key: "netops/lab",
    provider,
    readSecrets: () => {
      self.reads += 1;
      return self.fails ? Promise.reject(new Error("forbidden")) : Promise.resolve(self.secrets);
    },
    recordDelivery: (by, deliveryId) =>
      fixture.store.recordDelivery({ fabricId: fixture.fabricId, provider: by, deliveryId, waits: false }),
    hint: () => void (self.hints += 1),
  };
  const self: Bench = {
    handler: new WebhookHandler({
      lookup: (namespace, fabric) => (`${namespace}/${fabric}` === "netops/lab" ? target : null),
      telemetry: { webhook: (result) => void self.counted.push(result) },
      now: () => self.now,
    }),
    secrets: [SECRET],
    now: 1_760_000_000_000,
    counted: [],
    hints: 0,
    reads: 0,
    fails: false,
  };
  return self;
}

let deliveries = 0;
function delivery(change: Partial<WebhookRequest> = {}, secret = SECRET): WebhookRequest {
  const body = change.body ?? Buffer.from(JSON.stringify({ after: String((deliveries += 1)), process: process.pid }));
  const signature = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
  return {
    method: "POST",
    namespace: "netops",
    fabric: "lab",
    body,
    ...change,
    headers: {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-hub-signature-256": signature,
      ...change.headers,
    },
  };
}

test("a push is accepted and hints once", async () => {
  const b = bench();
  expect((await b.handler.handle(delivery())).status).toBe(202);
  expect([b.hints, b.counted]).toEqual([1, ["accepted"]]);
});

test("a ping is answered, another event ignored, and neither hints", async () => {
  const b = bench();
  expect(await b.handler.handle(delivery({ headers: { "x-github-event": "ping" } }))).toMatchObject({ status: 200 });
  expect(await b.handler.handle(delivery({ headers: { "x-github-event": "star" } }))).toMatchObject({ status: 200 });
  expect([b.hints, b.counted]).toEqual([0, ["ignored", "ignored"]]);
});

test("a replay is not acted on, whatever delivery id it claims, nor on another replica", async () => {
  const b = bench();
  const first = delivery({ headers: { "x-github-delivery": "one" } });
  expect((await b.handler.handle(first)).status).toBe(202);
  const again = { ...first, headers: { ...first.headers, "x-github-delivery": "two" } };
  expect(await b.handler.handle(again)).toMatchObject({ status: 200, body: expect.stringContaining("duplicate") });
  expect(await bench().handler.handle(again)).toMatchObject({ status: 200 });
  expect([b.hints, b.counted]).toEqual([1, ["accepted", "duplicate"]]);
});

test("a replay is one whatever headers are added that another host would sign", async () => {
  const b = bench();
  const first = delivery();
  expect((await b.handler.handle(first)).status).toBe(202);
  for (const name of ["webhook-id", "webhook-timestamp", "x-signature-timestamp", "x-gitlab-event-uuid"]) {
    const again = { ...first, headers: { ...first.headers, [name]: "1760000000" } };
    expect(await b.handler.handle(again)).toMatchObject({ status: 200, body: expect.stringContaining("duplicate") });
  }
  expect(b.hints).toBe(1);
});

test("who signs a time may send the same body again, at another time; the same time again is a replay", async () => {
  const b = bench("generic-hmac");
  const body = Buffer.from(JSON.stringify({ process: process.pid, timed: true }));
  const at = (seconds: number): WebhookRequest => {
    const time = String(seconds);
    const signature = createHmac("sha256", SECRET).update(`${time}.`).update(body).digest("hex");
    const headers = { "x-signature": `sha256=${signature}`, "x-signature-timestamp": time };
    return delivery({ body, headers });
  };
  expect((await b.handler.handle(at(1_760_000_000))).status).toBe(202);
  expect((await b.handler.handle(at(1_760_000_001))).status).toBe(202);
  expect((await b.handler.handle(at(1_760_000_001))).status).toBe(200);
  expect(b.hints).toBe(2);
});

test("secrets rotate: both are good, a new one soon, a removed one no more", async () => {
  const b = bench();
  expect((await b.handler.handle(delivery())).status).toBe(202);
  b.secrets = ["new", SECRET];
  b.now += 1_001;
  expect((await b.handler.handle(delivery({}, "new"))).status).toBe(202);
  expect((await b.handler.handle(delivery())).status).toBe(202);
  b.secrets = ["new"];
  b.now += 30_001;
  expect((await b.handler.handle(delivery())).status).toBe(401);
  expect((await b.handler.handle(delivery({}, "new"))).status).toBe(202);
});

test("an empty secret is no secret", async () => {
  const b = bench();
  b.secrets = [""];
  expect((await b.handler.handle(delivery({}, ""))).status).toBe(401);
});

test("a flood of bad ones costs a counter each: the Secret is read once a second and the database never", async () => {
  const b = bench();
  const before = await fixture.sql<{ n: string }>("select count(*) n from fabric_sync.webhook_delivery");
  let connections = 0;
  const onAcquire = (): void => void (connections += 1);
  fixture.pool.on("acquire", onAcquire);
  const answers = await Promise.all(Array.from({ length: 1_000 }, () => b.handler.handle(delivery({}, "wrong"))));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
  const unknown = delivery({ fabric: "nowhere" });
  await Promise.all(Array.from({ length: 100 }, () => b.handler.handle(unknown)));
  expect([b.reads, connections]).toEqual([1, 0]);
  expect(b.counted).toEqual(Array.from({ length: 1_100 }, () => "refused"));
  fixture.pool.off("acquire", onAcquire);
  b.now += 1_001;
  await b.handler.handle(delivery({}, "wrong"));
  expect(b.reads).toBe(2);
  expect(await fixture.sql("select count(*) n from fabric_sync.webhook_delivery")).toEqual(before);
});

test("what a replica that stands by accepts is acted on by the one that leads, once, and by no other", async () => {
  const record = (await fixture.store.listFabrics()).find(({ id }) => id === fixture.fabricId);
  const fabricUid = record?.uid ?? "";
  const spec = { type: "github", secretRef: { name: "hook" } } as const;
  const directory = {
    target: () => ({ fabricUid, spec, readSecret: () => Promise.resolve({ token: SECRET, "token-previous": "old" }) }),
  };
  const hinted: string[] = [];
  const replica = (name: string, works: boolean) => ({
    works: () => works,
    hint: () => void (works && hinted.push(name)),
    webhookFabrics: () => (works ? [fabricUid] : []),
  });
  const [standby, leader] = [replica("standby", false), replica("leader", true)];
  const telemetry = { webhook: () => undefined };
  const send = async (to: typeof leader, request: WebhookRequest): Promise<number> => {
    const { params, ...call } = { ...request, params: { namespace: "netops", fabric: "lab" } };
    const route = webhookRoute(directory, to, fixture.store, telemetry);
    const { signal } = new AbortController();
    return (await route.handle({ ...call, path: "", query: new URLSearchParams(), params, signal })).status;
  };
  const stop = new AbortController();
  const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
  const heartbeats = { register: () => ({ beat: () => undefined, end: () => undefined }) };
  const following = [standby, leader].map((controller) =>
    followDeliveries({ controller, store: fixture.store, heartbeats, log }, stop.signal),
  );
  try {
    const first = delivery();
    expect(await send(standby, first)).toBe(202);
    await waitFor("the leader to act", () => Promise.resolve(hinted.length > 0));
    expect(hinted).toEqual(["leader"]);
    expect(await send(leader, first)).toBe(200);
    expect(await send(leader, delivery({}, "old"))).toBe(202);
    expect(hinted).toEqual(["leader", "leader"]);
    expect(await fixture.store.takeWaitingDeliveries([fabricUid])).toEqual([]);
  } finally {
    stop.abort();
    await Promise.all(following);
  }
});

test("a Secret that cannot be read refuses like a wrong signature, and is tried again", async () => {
  const b = bench();
  b.fails = true;
  expect((await b.handler.handle(delivery())).status).toBe(401);
  b.fails = false;
  b.now += 1_001;
  expect((await b.handler.handle(delivery())).status).toBe(202);
});

test("a database that is away asks the sender to come again, and hints nothing", async () => {
  let hints = 0;
  const handler = new WebhookHandler({
    lookup: () => ({
      key: "x",
      provider: "github",
      readSecrets: () => Promise.resolve([SECRET]),
      recordDelivery: () => Promise.reject(new Error("away")),
      hint: () => void (hints += 1),
    }),
    telemetry: { webhook: () => undefined },
  });
  expect((await handler.handle(delivery())).status).toBe(503);
  expect(hints).toBe(0);
});

test("method, length and media type are checked before anything else", async () => {
  const b = bench();
  expect((await b.handler.handle(delivery({ method: "PUT" }))).status).toBe(405);
  expect((await b.handler.handle(delivery({ body: Buffer.alloc(MAX_WEBHOOK_BYTES + 1) }))).status).toBe(413);
  expect((await b.handler.handle(delivery({ headers: { "content-type": "text/plain" } }))).status).toBe(415);
  expect([b.reads, b.hints]).toEqual([0, 0]);
});
