import { createHmac } from "node:crypto";
import { header, isFresh } from "./provider.ts";
import type { Provider } from "./provider.ts";
import { anySecret, equalTexts } from "./signature.ts";

/** Standard Webhooks (standardwebhooks.com, specification 1.0): id, time and body are signed together. */
export const standardWebhooks: Provider = {
  verify(delivery, secrets, now, maxAgeMs) {
    const id = header(delivery, "webhook-id");
    const timestamp = header(delivery, "webhook-timestamp");
    const given = header(delivery, "webhook-signature").split(" ");
    const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), delivery.body]);
    const fresh = isFresh(timestamp, now, maxAgeMs);
    const authentic = anySecret(secrets, (secret) => {
      const expected = `v1,${createHmac("sha256", keyOf(secret)).update(signed).digest("base64")}`;
      // A sender that rotates its secret signs with both.
      return anySecret(given.slice(0, 4), (signature) => equalTexts(signature, expected));
    });
    return id !== "" && fresh && authentic;
  },
  event: () => "push",
  signedWith: (delivery) => header(delivery, "webhook-id"),
};

/** `whsec_` and base64, or the secret as it is. */
function keyOf(secret: string): Buffer {
  return secret.startsWith("whsec_") ? Buffer.from(secret.slice("whsec_".length), "base64") : Buffer.from(secret);
}
