import { header } from "./provider.ts";
import type { Provider } from "./provider.ts";
import { anySecret, equalTexts } from "./signature.ts";

const PUSHES: ReadonlySet<string> = new Set(["Push Hook", "Tag Push Hook", "System Hook"]);

/** GitLab: docs.gitlab.com, "Webhooks". The secret token itself is the header; nothing signs the body. */
export const gitlab: Provider = {
  verify: (delivery, secrets) => anySecret(secrets, (secret) => equalTexts(header(delivery, "x-gitlab-token"), secret)),
  event: (delivery) => (PUSHES.has(header(delivery, "x-gitlab-event")) ? "push" : "other"),
};
