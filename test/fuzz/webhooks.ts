import { WEBHOOK_PROVIDERS } from "../../src/core/vocabulary.ts";
import { PROVIDERS } from "../../src/http/webhooks/providers.ts";
import { bodyOf, NOW, SECRET, SIGNED, UNSIGNED_BODY } from "../http/webhooks/payloads.ts";
import { mutate, pick } from "./mutations.ts";
import type { Dice } from "./mutations.ts";

const WORDS = ['{"', '":', "[[[[", "}", "\\u0000", "\0", "1e999", "=", "sha256=", " ", "v1,", "Basic "] as const;

/**
 * Mutates the body or a header of a delivery. Nothing may throw, a signed body that was changed may not verify, and an event is one of
 * three words. @throws Error that tells what was broken.
 */
export function fuzzWebhook(roll: Dice): void {
  const name = pick(roll, WEBHOOK_PROVIDERS);
  const provider = PROVIDERS[name];
  const whole = bodyOf(name);
  const headers = SIGNED[name](SECRET, whole);
  const changesBody = roll(2) === 0;
  const body = changesBody ? mutate(whole, roll, WORDS) : whole;
  if (!changesBody) {
    const [first = "", ...others] = Object.keys(headers);
    const key = pick(roll, [first, ...others]);
    headers[key] = mutate(Buffer.from(headers[key] ?? ""), roll, WORDS).toString("latin1");
  }
  const verified = provider.verify({ headers, body }, [SECRET], NOW);
  if (verified && !body.equals(whole) && !UNSIGNED_BODY.has(name)) {
    throw new Error(`${name} takes a body that was changed: ${JSON.stringify(body.toString("latin1"))}`);
  }
  const event = provider.event({ headers, body });
  if (!["push", "ping", "other"].includes(event)) throw new Error(`${name} says ${event}`);
}
