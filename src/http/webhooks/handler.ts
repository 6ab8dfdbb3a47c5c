import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { pause } from "../../core/pause.ts";
import type { Telemetry } from "../../core/telemetry.ts";
import type { WebhookProvider } from "../../core/vocabulary.ts";
import { jsonAnswer, problem } from "../answer.ts";
import type { Answer } from "../answer.ts";
import type { Route } from "../routes.ts";
import { Check, nobody } from "./check.ts";
import type { Signer } from "./check.ts";
import { LateChecks } from "./late-checks.ts";
import type { Delivery } from "./provider.ts";
import { PROVIDERS } from "./providers.ts";
import { SecretCache } from "./secret-cache.ts";

/** Where a delivery for one Fabric goes. */
export interface WebhookTarget {
  /** Names the Fabric and its Secret; secrets are kept under it for moments. */
  readonly key: string;
  readonly provider: WebhookProvider;
  /** How old a signed time may be (ms); the provider's own bound when absent. */
  readonly maxAgeMs?: number;
  /** The Secret's `token`, and `token-previous` while they rotate. For all deliveries that wait for it, whoever of them hangs up. */
  readSecrets(signal: AbortSignal): Promise<readonly string[]>;
  /** False when this delivery was already recorded, on any replica. */
  recordDelivery(provider: WebhookProvider, deliveryId: string): Promise<boolean>;
  /** Makes the next poll come now, where the Fabric is worked on here. */
  hint(): void;
}

/** A delivery that arrived to its end. What becomes of it does not depend on whether its sender waits for the answer. */
export interface WebhookRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly namespace: string;
  readonly fabric: string;
}

export interface WebhookOptions {
  /** null when there is no such Fabric, or it takes no webhooks. */
  lookup(namespace: string, fabric: string): WebhookTarget | null;
  readonly telemetry: Pick<Telemetry, "webhook">;
  /** ms since the epoch; default the clock. */
  readonly now?: () => number;
  /** Resolves after `ms`, or when `signal` aborts; default a timer. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Bytes of a body. GitHub's largest is 25 MB, but a push event names at most 2,048 commits, some 2 MB, and we need none of them. */
export const MAX_WEBHOOK_BYTES = 3 * 1024 * 1024;
const MEDIA_TYPES = /^application\/(json|x-www-form-urlencoded)\s*(;|$)/i;
/**
 * ms after its arrival at which a delivery is refused that was not found to be signed until then, whatever the reason: the time tells nobody
 * whether the Fabric exists, or how far the check came. Twenty times what a Secret takes to be read.
 */
export const REFUSAL_MS = 100;

type Taken = "accepted" | "duplicate" | "ping" | "ignored" | "unrecorded";

/**
 * `POST /webhooks/{namespace}/{fabric}`: a hint that something was pushed. The signature is checked over the raw bytes before anything is
 * parsed; the answer is given before any work for Git begins.
 *
 * | answer | when |
 * |--------|------|
 * | 202    | a push: the poll comes now |
 * | 200    | well signed, but a ping, another event, or a delivery that came before |
 * | 401    | not found to be signed within 100 ms: an unknown Fabric, one without webhook, a wrong signature or time, a Secret that cannot be read, or not yet: one answer for all, at the same time |
 * | 405, 413, 415 | not a POST, too long, not a webhook's media type |
 * | 503    | well signed, but the database cannot record it now: the sender may try again |
 *
 * A delivery that was refused because its Secret was slow to come is checked when it comes, and taken in if it is good: nothing is lost but the
 * sender's green tick.
 */
export class WebhookHandler {
  readonly #options: WebhookOptions;
  readonly #now: () => number;
  readonly #secrets: SecretCache;
  readonly #late = new LateChecks();

  constructor(options: WebhookOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#secrets = new SecretCache(this.#now);
  }

  /** The route for the HTTP server. */
  route(): Route {
    return {
      method: "POST",
      pattern: "/webhooks/{namespace}/{fabric}",
      maxBodyBytes: MAX_WEBHOOK_BYTES,
      handle: ({ method, headers, body, params }) =>
        this.handle({ method, headers, body, namespace: params["namespace"] ?? "", fabric: params["fabric"] ?? "" }),
    };
  }

  async handle(request: WebhookRequest): Promise<Answer> {
    const { telemetry, wait = pause } = this.#options;
    if (request.method !== "POST") return problem(405, "Webhooks are delivered by POST.", { allow: "POST" });
    if (request.body.length > MAX_WEBHOOK_BYTES)
      return problem(413, `The body is longer than ${MAX_WEBHOOK_BYTES} bytes.`);
    if (!MEDIA_TYPES.test(request.headers["content-type"] ?? "")) {
      return problem(415, "Webhooks are application/json or application/x-www-form-urlencoded.");
    }
    const found = new AbortController();
    // Before anything is looked up, and the only thing that a refusal waits for.
    const refusal = wait(REFUSAL_MS, found.signal).then(() => null);
    const target = this.#options.lookup(request.namespace, request.fabric);
    const signer = target === null ? nobody(request.namespace, request.fabric) : this.#signer(target);
    const check = new Check(request, signer, this.#now);
    const signed = await Promise.race([check.good, refusal]);
    if (signed === null || target === null) {
      telemetry.webhook("refused");
      if (target !== null) this.#takeLate(target, check);
      return problem(401, "This delivery is not signed for a Fabric here.");
    }
    found.abort();
    return this.#answer(await this.#take(target, signed));
  }

  #signer(target: WebhookTarget): Signer {
    const read = (signal: AbortSignal): Promise<readonly string[]> => target.readSecrets(signal);
    return {
      provider: target.provider,
      ...(target.maxAgeMs === undefined ? {} : { maxAgeMs: target.maxAgeMs }),
      known: () => this.#secrets.get(target.key, read),
      again: () => this.#secrets.refresh(target.key, read),
    };
  }

  /** Of a delivery that is signed. */
  async #take(target: WebhookTarget, delivery: Delivery): Promise<Taken> {
    const event = PROVIDERS[target.provider].event(delivery);
    if (event !== "push") return event === "ping" ? "ping" : "ignored";
    try {
      const isNew = await target.recordDelivery(target.provider, deliveryId(target.provider, delivery));
      if (!isNew) return "duplicate";
    } catch {
      return "unrecorded";
    }
    target.hint();
    return "accepted";
  }

  #answer(taken: Taken): Answer {
    const { telemetry } = this.#options;
    if (taken === "unrecorded") {
      return problem(503, "Deliveries cannot be recorded now; send it again later.", { "retry-after": "10" });
    }
    telemetry.webhook(taken === "ping" ? "ignored" : taken);
    return jsonAnswer(taken === "accepted" ? 202 : 200, { result: taken === "ping" ? "pong" : taken });
  }

  /** The answer was given; what is still to be found out is whether to act. It may have been found out in that very moment. */
  #takeLate(target: WebhookTarget, check: Check): void {
    const { telemetry } = this.#options;
    if (!check.decided && !this.#late.hold(check)) telemetry.webhook("dropped");
    void check.good.then(async (delivery) => {
      const taken = await this.#take(target, delivery);
      if (taken === "accepted") telemetry.webhook("late");
      if (taken === "unrecorded") telemetry.webhook("dropped");
    });
  }
}

/**
 * What makes two deliveries the same: what was signed. The hosts' own delivery ids stand in headers that nobody signs, so whoever replays a
 * delivery could change them, or add those of another host.
 */
function deliveryId(provider: WebhookProvider, delivery: Delivery): string {
  return createHash("sha256")
    .update(`${PROVIDERS[provider].signedWith?.(delivery) ?? ""}\0`)
    .update(delivery.body)
    .digest("hex");
}
