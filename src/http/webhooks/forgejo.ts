import { header } from "./provider.ts";
import type { Provider } from "./provider.ts";
import { signedHex } from "./signature.ts";

/** Forgejo: forgejo.org/docs, "Webhooks". */
export const forgejo: Provider = {
  verify: (delivery, secrets) => signedHex(header(delivery, "x-forgejo-signature"), "", secrets, delivery.body),
  event: (delivery) => (PUSHES.has(header(delivery, "x-forgejo-event")) ? "push" : "other"),
};

const PUSHES: ReadonlySet<string> = new Set(["push", "create", "delete"]);
