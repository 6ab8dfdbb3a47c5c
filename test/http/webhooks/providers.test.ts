import { createHmac } from "node:crypto";
import fc from "fast-check";
import { WEBHOOK_PROVIDERS } from "../../../src/core/vocabulary.ts";
import type { WebhookProvider } from "../../../src/core/vocabulary.ts";
import type { WebhookEvent } from "../../../src/http/webhooks/provider.ts";
import { PROVIDERS } from "../../../src/http/webhooks/providers.ts";
import { bodyOf, NOW, SECRET, SIGNED, UNSIGNED_BODY, BODY } from "./payloads.ts";
import type { WebhookHeaders } from "./payloads.ts";

describe.each(WEBHOOK_PROVIDERS)("%s", (name) => {
  const provider = PROVIDERS[name];
  const body = bodyOf(name);
  const headers = SIGNED[name](SECRET, body);

  test("takes what its host signed, and knows a push", () => {
    expect(provider.verify({ headers, body }, [SECRET], NOW)).toBe(true);
    expect(provider.event({ headers, body })).toBe("push");
  });

  test("takes either of two secrets", () => {
    expect(provider.verify({ headers, body }, ["the-new-one", SECRET], NOW)).toBe(true);
    expect(provider.verify({ headers, body }, [SECRET, "the-old-one"], NOW)).toBe(true);
  });

  test("refuses another secret, no secret, and each header left out, emptied or doubled", () => {
    expect(provider.verify({ headers, body }, ["another"], NOW)).toBe(false);
    expect(provider.verify({ headers, body }, [], NOW)).toBe(false);
    expect(provider.verify({ headers: {}, body }, [SECRET], NOW)).toBe(false);
    for (const key of Object.keys(headers).filter((header) => /signature|token|authorization|webhook-/.test(header))) {
      expect(provider.verify({ headers: { ...headers, [key]: "" }, body }, [SECRET], NOW)).toBe(false);
      const doubled = [headers[key] ?? "", headers[key] ?? ""];
      expect(provider.verify({ headers: { ...headers, [key]: doubled }, body }, [SECRET], NOW)).toBe(false);
    }
  });

  if (!UNSIGNED_BODY.has(name)) {
    test("refuses a body in which one bit differs", () => {
      fc.assert(
        fc.property(fc.nat(body.length * 8 - 1), (bit) => {
          const altered = Buffer.from(body);
          altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          return !provider.verify({ headers, body: altered }, [SECRET], NOW);
        }),
        { numRuns: 200 },
      );
    });
  }

  test("any headers and bytes are answered, never thrown at", () => {
    const names = [...new Set(Object.values(SIGNED).flatMap((make) => Object.keys(make(SECRET, BODY))))];
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...names), fc.string({ maxLength: 80 })),
        fc.uint8Array({ maxLength: 200 }),
        (some, bytes) => {
          const delivery = { headers: some, body: Buffer.from(bytes) };
          expect(provider.verify(delivery, [SECRET], NOW)).toBe(false);
          expect(["push", "ping", "other"]).toContain(provider.event(delivery));
        },
      ),
      { numRuns: 300 },
    );
  });
});

test.each<[WebhookProvider, WebhookHeaders, WebhookEvent]>([
  ["github", { "x-github-event": "ping" }, "ping"],
  ["github", { "x-github-event": "issues" }, "other"],
  ["gitlab", { "x-gitlab-event": "Tag Push Hook" }, "push"],
  ["gitlab", { "x-gitlab-event": "Note Hook" }, "other"],
  ["gitea", { "x-gitea-event": "create" }, "push"],
  ["gitea", { "x-gitea-event": "issues" }, "other"],
  ["forgejo", { "x-forgejo-event": "delete" }, "push"],
  ["bitbucket", { "x-event-key": "pullrequest:created" }, "other"],
  ["bitbucket-server", { "x-event-key": "diagnostics:ping" }, "ping"],
  ["bitbucket-server", { "x-event-key": "pr:opened" }, "other"],
])("%s names %j as %s", (name, headers, event) => {
  expect(PROVIDERS[name].event({ headers, body: BODY })).toBe(event);
});

describe("times that are signed", () => {
  const { verify } = PROVIDERS["standard-webhooks"];
  const headers = SIGNED["standard-webhooks"](SECRET, BODY);
  test.each([
    [-301_000, false],
    [-299_000, true],
    [299_000, true],
    [301_000, false],
  ])("%i ms away: %s", (difference, taken) => {
    expect(verify({ headers, body: BODY }, [SECRET], NOW + difference)).toBe(taken);
  });

  test("the Fabric's own bound counts, both ways", () => {
    for (const away of [-31_000, 31_000])
      expect(verify({ headers, body: BODY }, [SECRET], NOW + away, 30_000)).toBe(false);
    expect(verify({ headers, body: BODY }, [SECRET], NOW + 29_000, 30_000)).toBe(true);
    expect(verify({ headers, body: BODY }, [SECRET], NOW + 900_000, 3_600_000)).toBe(true);
  });

  test("generic-hmac: a time that is signed must be near, a Fabric may demand one, and none can be added or taken away", () => {
    const generic = PROVIDERS["generic-hmac"].verify;
    const time = String(NOW / 1_000);
    const sign = (text: string): string => `sha256=${createHmac("sha256", SECRET).update(text).digest("hex")}`;
    const timed = { "x-signature": sign(`${time}.${BODY.toString()}`), "x-signature-timestamp": time };
    const untimed = { "x-signature": sign(BODY.toString()) };
    const taken = (given: WebhookHeaders, now: number, maxAgeMs?: number): boolean =>
      generic({ headers: given, body: BODY }, [SECRET], now, maxAgeMs);
    expect(taken(timed, NOW + 299_000)).toBe(true);
    expect(taken(timed, NOW + 301_000)).toBe(false);
    expect(taken(timed, NOW + 59_000, 60_000)).toBe(true);
    expect(taken(timed, NOW + 61_000, 60_000)).toBe(false);
    expect(taken(untimed, NOW)).toBe(true);
    expect(taken(untimed, NOW, 60_000)).toBe(false);
    expect(taken({ "x-signature": timed["x-signature"] }, NOW)).toBe(false);
    expect(taken({ ...untimed, "x-signature-timestamp": time }, NOW)).toBe(false);
    expect(taken({ ...timed, "x-signature-timestamp": String(NOW / 1_000 + 1) }, NOW)).toBe(false);
    expect(taken({ ...untimed, "x-signature-timestamp": "" }, NOW)).toBe(false);
  });

  test("a secret in base64 with its prefix", () => {
    const key = Buffer.from("0123456789abcdef0123456789abcdef");
    const id = headers["webhook-id"] ?? "";
    const signed = `${id}.${headers["webhook-timestamp"]}.${BODY.toString()}`;
    const signature = `v1a,none v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
    const given = { ...headers, "webhook-signature": signature };
    expect(verify({ headers: given, body: BODY }, [`whsec_${key.toString("base64")}`], NOW)).toBe(true);
  });
});
