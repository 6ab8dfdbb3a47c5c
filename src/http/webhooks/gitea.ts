import { header } from "./provider.ts";
import type { Provider } from "./provider.ts";
import { signedHex } from "./signature.ts";

/** Gitea: docs.gitea.com, "Webhooks". */
export const gitea: Provider = {
  verify: (delivery, secrets) => signedHex(header(delivery, "x-gitea-signature"), "", secrets, delivery.body),
  event: (delivery) => (PUSHES.has(header(delivery, "x-gitea-event")) ? "push" : "other"),
};

const PUSHES: ReadonlySet<string> = new Set(["push", "create", "delete"]);
