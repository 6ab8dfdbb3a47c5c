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
   */
  verify(delivery: Delivery, secrets: readonly string[], now: number): boolean;
  /** Called after `verify` only. */
  event(delivery: Delivery): WebhookEvent;
}

/** A header's value, '' when it is missing or stands there more than once. */
export function header(delivery: Delivery, name: string): string {
  const value = delivery.headers[name];
  return typeof value === "string" ? value : "";
}
