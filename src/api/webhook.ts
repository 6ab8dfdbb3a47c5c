import { z } from "zod";
import { WEBHOOK_PROVIDERS } from "../core/vocabulary.ts";
import { secretReference } from "./references.ts";
import { described } from "./schema.ts";

/** Hints from the Git provider that something was pushed. */
export const webhookSpec = described(
  z.object({
    type: described(z.enum(WEBHOOK_PROVIDERS), "Whose way of signing is expected."),
    secretRef: secretReference(
      "Secret in the Fabric's namespace whose token is the shared secret of the signature. While rotating, token-previous holds the one that is still valid.",
    ),
  }),
  "Lets the Git provider say that something was pushed, at the path that status.webhookPath shows. A webhook is a hint: it makes the next poll come now.",
);
export type WebhookSpec = z.output<typeof webhookSpec>;
