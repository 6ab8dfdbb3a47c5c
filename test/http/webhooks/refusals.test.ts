import { createHmac } from "node:crypto";
import type { WebhookProvider } from "../../../src/core/vocabulary.ts";
import { startHttpServer } from "../../../src/http/server.ts";
import type { HttpServer } from "../../../src/http/server.ts";
import { MAX_WEBHOOK_BYTES, REFUSAL_MS, WebhookHandler } from "../../../src/http/webhooks/handler.ts";
import type { WebhookTarget } from "../../../src/http/webhooks/handler.ts";
import { PROVIDERS } from "../../../src/http/webhooks/providers.ts";
import { waitFor } from "../../support/wait.ts";

const SECRET = "the-secret";
const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
let server: HttpServer | undefined;

afterEach(async () => {
  await server?.close(0);
  server = undefined;
});

/** The handler behind the real server. The test says when the time of refusals has come, and when Secrets are read. */
interface Bench {
  readonly handler: WebhookHandler;
  readonly url: string;
  /** What was begun, in order: each wait with its ms, and each look for a Fabric. */
  readonly begun: string[];
  readonly counted: string[];
  readonly hints: string[];
  readonly readings: { readonly signal: AbortSignal; readonly end: (secrets: readonly string[]) => void }[];
  now: number;
  /** The time has come, for those that wait and those that will. */
  refuse(): void;
  /** It does not come any more, for those that will wait. */
  hold(): void;
}

/** `secrets` names Fabrics: what their Secret holds, or that it cannot be read, or (null) that the test says when it is. */
async function start(
  fabrics: Readonly<Record<string, { provider?: WebhookProvider; secrets: readonly string[] | null | Error }>>,
): Promise<Bench> {
  let time = Promise.withResolvers<void>();
  const recorded = new Set<string>();
  const target = (name: string): WebhookTarget | null => {
    self.begun.push("lookup");
    const fabric = fabrics[name];
    if (fabric === undefined) return null;
    const { provider = "github", secrets } = fabric;
    return {
      key: name,
      provider,
      ...(provider === "generic-hmac" ? { maxAgeMs: 60_000 } : {}),
      readSecrets: (signal) => {
        if (secrets instanceof Error) return Promise.reject(secrets);
        if (secrets !== null) return Promise.resolve(secrets);
        const reading = Promise.withResolvers<readonly string[]>();
        self.readings.push({ signal, end: reading.resolve });
        return reading.promise;
      },
      recordDelivery: (_provider, id) => {
        const isNew = !recorded.has(id);
        recorded.add(id);
        return Promise.resolve(isNew);
      },
      hint: () => void self.hints.push(name),
    };
  };
  const handler = new WebhookHandler({
    lookup: (_namespace, name) => target(name),
    telemetry: { webhook: (result) => void self.counted.push(result) },
    now: () => self.now,
    wait: (ms) => {
      self.begun.push(`wait ${ms}`);
      return time.promise;
    },
  });
  server = await startHttpServer({ listen: { host: "127.0.0.1", port: 0 }, routes: [handler.route()], log });
  const url = `http://127.0.0.1:${server.address.port}/webhooks/netops`;
  const self: Bench = {
    handler,
    url,
    begun: [],
    counted: [],
    hints: [],
    readings: [],
    now: 1_760_000_000_000,
    refuse: () => time.resolve(),
    hold: () => void (time = Promise.withResolvers()),
  };
  return self;
}

const github = (body: string | Buffer, secret = SECRET): Record<string, string> => ({
  "content-type": "application/json",
  "x-github-event": "push",
  "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
});

async function send(
  b: Bench,
  fabric: string,
  body: string,
  headers: Record<string, string>,
  signal?: AbortSignal,
): Promise<{ status: number; all: unknown }> {
  const init = { method: "POST", body, headers, ...(signal === undefined ? {} : { signal }) };
  const answer = await fetch(`${b.url}/${fabric}`, init);
  const told = [...answer.headers].filter(([name]) => name !== "date");
  return { status: answer.status, all: [answer.status, told, await answer.text()] };
}

test("whatever the reason, a refusal waits for one and the same time and for nothing else; what proves good later is acted on", async () => {
  const b = await start({
    lab: { secrets: [SECRET] },
    slow: { secrets: null },
    slower: { secrets: null },
    broken: { secrets: new Error("forbidden") },
    empty: { secrets: [] },
    timed: { provider: "generic-hmac", secrets: [SECRET] },
  });
  const old = createHmac("sha256", SECRET).update("1700000000.{}").digest("hex");
  const answers = Promise.all([
    send(b, "nowhere", "{}", github("{}")),
    send(b, "lab", "{}", github("{}", "wrong")),
    send(b, "lab", "{}", { "content-type": "application/json" }),
    send(b, "slow", "{}", github("{}")),
    send(b, "slower", "{}", github("{}", "wrong")),
    send(b, "broken", "{}", github("{}")),
    send(b, "empty", "{}", github("{}", "")),
    send(b, "timed", "{}", {
      "content-type": "application/json",
      "x-signature-timestamp": "1700000000",
      "x-signature": `sha256=${old}`,
    }),
  ]);
  await waitFor("all to have arrived", () => b.begun.length === 16);
  // The time is set before anybody knows whether there is such a Fabric.
  expect(b.begun).toEqual(Array.from({ length: 8 }, () => [`wait ${REFUSAL_MS}`, "lookup"]).flat());
  expect(b.counted).toEqual([]);
  b.refuse();
  const told = await answers;
  expect(told[0]?.status).toBe(401);
  for (const { all } of told) expect(all).toEqual(told[0]?.all);
  // Both Secrets are still being read.
  expect([b.readings.length, b.hints, b.counted]).toEqual([2, [], Array.from({ length: 8 }, () => "refused")]);
  for (const { end } of b.readings) end([SECRET]);
  await waitFor("the good one to be acted on", () => b.counted.includes("late"));
  expect([b.hints, b.counted.slice(8)]).toEqual([["slow"], ["late"]]);
  b.hold();
  expect((await send(b, "slow", "{}", github("{}"))).status).toBe(200);
  expect(b.hints).toEqual(["slow"]);
});

test("a delivery for nobody is the same work as one that is wrongly signed, and its kind is one for each name", async () => {
  const b = await start({ lab: { secrets: [SECRET] }, broken: { secrets: new Error("forbidden") } });
  const checked: string[] = [];
  const kept = Object.entries(PROVIDERS).map(([name, provider]) => {
    const { verify } = provider;
    provider.verify = (delivery, secrets, now, maxAgeMs) => {
      checked.push(`${name} ${secrets.length}`);
      return verify(delivery, secrets, now, maxAgeMs);
    };
    return () => (provider.verify = verify);
  });
  try {
    b.refuse();
    const seen = async (fabric: string): Promise<string[]> => {
      checked.length = 0;
      expect((await send(b, fabric, "{}", github("{}", "wrong"))).status).toBe(401);
      return [...checked];
    };
    expect(await seen("lab")).toEqual(["github 2"]);
    expect(await seen("broken")).toEqual(["github 2"]);
    const names = Array.from({ length: 64 }, (_, index) => `nowhere-${index}`);
    const kinds: string[] = [];
    for (const name of names) {
      const [kind = "", ...more] = await seen(name);
      expect([kind, more]).toEqual([expect.stringMatching(/ 2$/), []]);
      expect(await seen(name)).toEqual([kind]);
      kinds.push(kind);
    }
    expect(new Set(kinds).size).toBeGreaterThan(1);
  } finally {
    for (const restore of kept) restore();
  }
});

test("a new secret is good at once when its reading comes in time, and what was known stays good while it is read", async () => {
  const b = await start({ lab: { secrets: null } });
  const first = send(b, "lab", "1", github("1"));
  await waitFor("the Secret to be read", () => b.readings.length === 1);
  b.readings[0]?.end([SECRET]);
  expect((await first).status).toBe(202);
  b.now += 1_001;
  const rotated = send(b, "lab", "2", github("2", "new"));
  await waitFor("the Secret to be read again", () => b.readings.length === 2);
  expect((await send(b, "lab", "3", github("3"))).status).toBe(202);
  b.readings[1]?.end(["new", SECRET]);
  expect((await rotated).status).toBe(202);
  expect([b.hints.length, b.counted]).toEqual([3, ["accepted", "accepted", "accepted"]]);
});

test("a sender that hangs up takes the Secret from nobody, and what it sent is acted on", async () => {
  const b = await start({ lab: { secrets: null } });
  const hangsUp = new AbortController();
  const gone = send(b, "lab", "1", github("1"), hangsUp.signal);
  await waitFor("the Secret to be read", () => b.readings.length === 1);
  const other = send(b, "lab", "2", github("2"));
  await waitFor("the other one", () => b.begun.length === 4);
  hangsUp.abort();
  await expect(gone).rejects.toThrow();
  // The server has heard of it: this came on a connection that was made later.
  const later = send(b, "lab", "3", github("3"));
  await waitFor("a later one", () => b.begun.length === 6);
  expect(b.readings.map(({ signal }) => signal.aborted)).toEqual([false]);
  b.readings[0]?.end([SECRET]);
  expect([(await other).status, (await later).status]).toEqual([202, 202]);
  await waitFor("all to be acted on", () => b.hints.length === 3);
});

test("a Secret that comes in the very moment of the refusal costs no delivery", async () => {
  for (let ticks = 0; ticks <= 16; ticks++) {
    const b = await start({ lab: { secrets: null } });
    const answer = send(b, "lab", "{}", github("{}"));
    await waitFor("the Secret to be read", () => b.readings.length === 1);
    b.readings[0]?.end([SECRET]);
    for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
    b.refuse();
    expect([202, 401]).toContain((await answer).status);
    await waitFor(`the hint, refused ${ticks} ticks later`, () => b.hints.length === 1);
    await server?.close(0);
  }
});

test("what is held of refused ones is bounded: beyond it they are dropped, and counted", async () => {
  const b = await start({ lab: { secrets: null } });
  b.refuse();
  const deliver = async (body: Buffer): Promise<number> =>
    (await b.handler.handle({ method: "POST", namespace: "netops", fabric: "lab", body, headers: github(body) }))
      .status;
  const sizes = [MAX_WEBHOOK_BYTES, MAX_WEBHOOK_BYTES, MAX_WEBHOOK_BYTES, ...Array.from({ length: 255 }, () => 16)];
  for (const [index, size] of sizes.entries()) {
    const body = Buffer.alloc(size);
    body.writeUInt32BE(index);
    expect(await deliver(body)).toBe(401);
  }
  const count = (result: string): number => b.counted.filter((each) => each === result).length;
  // The third of the longest, and the last: 256 are held.
  expect([b.readings.length, count("refused"), count("dropped")]).toEqual([1, sizes.length, 2]);
  b.readings[0]?.end([SECRET]);
  await waitFor("the held ones", () => count("late") === sizes.length - 2);
  expect([b.hints.length, count("dropped")]).toEqual([sizes.length - 2, 2]);
  // There is room again.
  b.now += 30_001;
  expect(await deliver(Buffer.from("again"))).toBe(401);
  expect(count("dropped")).toBe(2);
});
