import { header } from "./provider.ts";
import type { Provider } from "./provider.ts";
import { signedHex } from "./signature.ts";

/** GitHub: docs.github.com, "Validating webhook deliveries". */
export const github: Provider = {
  verify: (delivery, secrets) => signedHex(header(delivery, "x-hub-signature-256"), "sha256=", secrets, delivery.body),
  event(delivery) {
    const event = header(delivery, "x-github-event");
    return event === "push" || event === "ping" ? event : "other";
  },
};
