import { z } from "zod";
import { WEBHOOK_PROVIDERS } from "../core/vocabulary.ts";
import { durationBetween } from "./duration.ts";
import { secretReference } from "./references.ts";
import { described } from "./schema.ts";

/** Hints from the Git provider that something was pushed. */
export const webhookSpec = described(
  z.object({
    type: described(z.enum(WEBHOOK_PROVIDERS), "Whose way of signing is expected."),
    secretRef: secretReference(
      "Secret in the Fabric's namespace whose token is the shared secret of the signature. While rotating, token-previous holds the one that is still valid.",
    ),
    maxAge: described(
      z.string().max(32),
      "How far the time that a delivery was signed with may be from ours, both ways: 5m when absent. Only for types whose senders sign one: standard-webhooks, and generic-hmac with X-Signature-Timestamp, which it demands.",
      [durationBetween("maxAge", "10s", "1h", "5m")],
    ).optional(),
  }),
  "Lets the Git provider say that something was pushed, at the path that status.webhookPath shows. A webhook is a hint: it makes the next poll come now.",
  [
    {
      cel: "!has(self.maxAge) || self.type == 'standard-webhooks' || self.type == 'generic-hmac'",
      holds: ({ maxAge, type }) => maxAge === undefined || type === "standard-webhooks" || type === "generic-hmac",
      message:
        "maxAge is for standard-webhooks and generic-hmac: the other senders sign no time; what they send twice is refused for 7 days",
    },
  ],
);
export type WebhookSpec = z.output<typeof webhookSpec>;
