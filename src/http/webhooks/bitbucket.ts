import { header } from "./provider.ts";
import type { Provider } from "./provider.ts";
import { signedHex } from "./signature.ts";

/** Bitbucket Cloud: support.atlassian.com, "Manage webhooks". */
export const bitbucket: Provider = {
  verify: (delivery, secrets) => signedHex(header(delivery, "x-hub-signature"), "sha256=", secrets, delivery.body),
  event: (delivery) => (header(delivery, "x-event-key") === "repo:push" ? "push" : "other"),
};
