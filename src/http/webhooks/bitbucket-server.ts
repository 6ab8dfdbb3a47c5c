import { header } from "./provider.ts";
import type { Provider } from "./provider.ts";
import { signedHex } from "./signature.ts";

const PUSHES: ReadonlySet<string> = new Set(["repo:refs_changed", "mirror:repo_synchronized"]);

/** Bitbucket Data Center: confluence.atlassian.com, "Manage webhooks". */
export const bitbucketServer: Provider = {
  verify: (delivery, secrets) => signedHex(header(delivery, "x-hub-signature"), "sha256=", secrets, delivery.body),
  event(delivery) {
    const key = header(delivery, "x-event-key");
    if (key === "diagnostics:ping") return "ping";
    return PUSHES.has(key) ? "push" : "other";
  },
};
