import type { IncomingHttpHeaders } from "node:http";

/** A delivery as it arrived: nothing of the body has been looked into. */
export interface Delivery {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What a verified delivery says. Only `push` makes us look at the repository. */
export type WebhookEvent = "push" | "ping" | "other";

/** How one kind of Git host signs and names its deliveries. */
export interface Provider {
  /**
   * Whether the delivery was made by somebody who knows one of the secrets. Takes the same time for every wrong signature.
   * @param secrets one or, while they rotate, two; never empty texts.
   * @param now ms since the epoch, for hosts that sign a time.
   * @param maxAgeMs how far a signed time may be from ours; absent: the host's own rule.
   */
  verify(delivery: Delivery, secrets: readonly string[], now: number, maxAgeMs?: number): boolean;
  /** Called after `verify` only. */
  event(delivery: Delivery): WebhookEvent;
  /**
   * What is signed beside the body: the sender's id of the delivery, or its time. With the body it makes two deliveries the same. Called after
   * `verify` only; absent where the body alone is signed.
   */
  signedWith?(delivery: Delivery): string;
}

/** ms that a signed time may differ from ours, both ways; what Standard Webhooks recommends. */
const TOLERANCE_MS = 5 * 60_000;

/** Whether a time in whole seconds since the epoch, as a header has it, is near enough to ours. */
export function isFresh(timestamp: string, now: number, maxAgeMs = TOLERANCE_MS): boolean {
  return /^\d{1,12}$/.test(timestamp) && Math.abs(now - Number(timestamp) * 1_000) <= maxAgeMs;
}

/** A header's value, '' when it is missing or stands there more than once. */
export function header(delivery: Delivery, name: string): string {
  const value = delivery.headers[name];
  return typeof value === "string" ? value : "";
}
