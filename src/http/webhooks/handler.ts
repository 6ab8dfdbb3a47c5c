import { createHash, randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { IncomingHttpHeaders } from "node:http";
import type { Telemetry } from "../../core/telemetry.ts";
import type { WebhookProvider } from "../../core/vocabulary.ts";
import { jsonAnswer, problem } from "../answer.ts";
import type { Answer } from "../answer.ts";
import type { Route } from "../routes.ts";
import { PROVIDERS } from "./providers.ts";
import { SecretCache } from "./secret-cache.ts";

/** Where a delivery for one Fabric goes. */
export interface WebhookTarget {
  /** Names the Fabric and its Secret; secrets are kept under it for moments. */
  readonly key: string;
  readonly provider: WebhookProvider;
  /** How old a signed time may be (ms); the provider's own bound when absent. */
  readonly maxAgeMs?: number;
  /** The Secret's `token`, and `token-previous` while they rotate. */
  readSecrets(signal: AbortSignal): Promise<readonly string[]>;
  /** False when this delivery was already recorded, on any replica. */
  recordDelivery(provider: WebhookProvider, deliveryId: string): Promise<boolean>;
  /** Makes the next poll come now, where the Fabric is worked on here. */
  hint(): void;
}

export interface WebhookRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly namespace: string;
  readonly fabric: string;
  readonly signal: AbortSignal;
}

export interface WebhookOptions {
  /** null when there is no such Fabric, or it takes no webhooks. */
  lookup(namespace: string, fabric: string): WebhookTarget | null;
  readonly telemetry: Pick<Telemetry, "webhook">;
  /** ms since the epoch; default the clock. */
  readonly now?: () => number;
}

/** Bytes of a body. GitHub's largest is 25 MB, but a push event names at most 2,048 commits, some 2 MB, and we need none of them. */
export const MAX_WEBHOOK_BYTES = 3 * 1024 * 1024;
const MEDIA_TYPES = /^application\/(json|x-www-form-urlencoded)\s*(;|$)/i;
/**
 * ms after which a delivery is refused, whatever the reason: the time tells nobody whether the Fabric exists, or how far the check came.
 * A reading of the Secret that takes longer ends at a multiple of it.
 */
const REFUSAL_MS = 100;

/**
 * `POST /webhooks/{namespace}/{fabric}`: a hint that something was pushed. The signature is checked over the raw bytes before anything is
 * parsed; the answer is given before any work for Git begins.
 *
 * | answer | when |
 * |--------|------|
 * | 202    | a push: the poll comes now |
 * | 200    | well signed, but a ping, another event, or a delivery that came before |
 * | 401    | an unknown Fabric, one without webhook, a wrong signature or time, a Secret that cannot be read: one answer for all, after the same time |
 * | 405, 413, 415 | not a POST, too long, not a webhook's media type |
 * | 503    | well signed, but the database cannot record it now: the sender may try again |
 */
export class WebhookHandler {
  readonly #options: WebhookOptions;
  readonly #now: () => number;
  readonly #secrets: SecretCache;
  /** Checked against where there is no Fabric, so that the work is the same. */
  readonly #nobody = [randomBytes(32).toString("hex"), randomBytes(32).toString("hex")];

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
      handle: ({ method, headers, body, params, signal }) =>
        this.handle({
          method,
          headers,
          body,
          signal,
          namespace: params["namespace"] ?? "",
          fabric: params["fabric"] ?? "",
        }),
    };
  }

  async handle(request: WebhookRequest): Promise<Answer> {
    const { telemetry } = this.#options;
    if (request.method !== "POST") return problem(405, "Webhooks are delivered by POST.", { allow: "POST" });
    if (request.body.length > MAX_WEBHOOK_BYTES)
      return problem(413, `The body is longer than ${MAX_WEBHOOK_BYTES} bytes.`);
    if (!MEDIA_TYPES.test(request.headers["content-type"] ?? "")) {
      return problem(415, "Webhooks are application/json or application/x-www-form-urlencoded.");
    }
    const begun = performance.now();
    const target = this.#options.lookup(request.namespace, request.fabric);
    let verified: boolean;
    try {
      verified = await this.#verify(target, request);
    } catch {
      // Not told apart from a wrong signature by somebody who has none: the log of the Secret's reader says why.
      verified = false;
    }
    if (target === null || !verified) {
      telemetry.webhook("refused");
      const spent = performance.now() - begun;
      await delay(REFUSAL_MS * Math.ceil((spent + 1) / REFUSAL_MS) - spent);
      return problem(401, "This delivery is not signed for a Fabric here.");
    }
    return this.#accept(target, request);
  }

  async #verify(target: WebhookTarget | null, delivery: WebhookRequest): Promise<boolean> {
    if (target === null) return PROVIDERS.github.verify(delivery, this.#nobody, this.#now()) && false;
    const provider = PROVIDERS[target.provider];
    const read = async (): Promise<readonly string[]> =>
      (await target.readSecrets(delivery.signal)).filter((secret) => secret !== "").slice(0, 2);
    const check = (secrets: readonly string[]): boolean =>
      secrets.length > 0 && provider.verify(delivery, secrets, this.#now(), target.maxAgeMs);
    return check(await this.#secrets.get(target.key, read)) || check(await this.#secrets.refresh(target.key, read));
  }

  async #accept(target: WebhookTarget, delivery: WebhookRequest): Promise<Answer> {
    const { telemetry } = this.#options;
    const event = PROVIDERS[target.provider].event(delivery);
    if (event !== "push") {
      telemetry.webhook("ignored");
      return jsonAnswer(200, { result: event === "ping" ? "pong" : "ignored" });
    }
    let isNew: boolean;
    try {
      isNew = await target.recordDelivery(target.provider, deliveryId(target.provider, delivery));
    } catch {
      return problem(503, "Deliveries cannot be recorded now; send it again later.", { "retry-after": "10" });
    }
    if (!isNew) {
      telemetry.webhook("duplicate");
      return jsonAnswer(200, { result: "duplicate" });
    }
    target.hint();
    telemetry.webhook("accepted");
    return jsonAnswer(202, { result: "accepted" });
  }
}

/**
 * What makes two deliveries the same: what was signed. The hosts' own delivery ids stand in headers that nobody signs, so whoever replays a
 * delivery could change them, or add those of another host.
 */
function deliveryId(provider: WebhookProvider, delivery: WebhookRequest): string {
  return createHash("sha256")
    .update(`${PROVIDERS[provider].signedWith?.(delivery) ?? ""}\0`)
    .update(delivery.body)
    .digest("hex");
}
