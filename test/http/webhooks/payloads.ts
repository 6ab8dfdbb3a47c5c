/** Payloads and signatures are made here after each host's documentation, with its real header names. */
import { createHmac } from "node:crypto";
import type { WebhookProvider } from "../../../src/core/vocabulary.ts";

export const NOW = 1_760_000_000_000;
export const SECRET = "a-shared-secret";
export const BODY = Buffer.from(
  JSON.stringify({ ref: "refs/heads/main", before: "a".repeat(40), after: "b".repeat(40) }),
);

/** Header names are in lower case, as Node gives them. */
export type WebhookHeaders = Record<string, string>;
const hex = (secret: string, body: Buffer, hash = "sha256") => createHmac(hash, secret).update(body).digest("hex");

/** What each host sends for a push. */
export const SIGNED: Record<WebhookProvider, (secret: string, body: Buffer) => WebhookHeaders> = {
  github: (secret, body) => ({
    "x-github-event": "push",
    "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    "x-hub-signature-256": `sha256=${hex(secret, body)}`,
  }),
  gitlab: (secret) => ({ "x-gitlab-event": "Push Hook", "x-gitlab-token": secret }),
  gitea: (secret, body) => ({ "x-gitea-event": "push", "x-gitea-signature": hex(secret, body) }),
  forgejo: (secret, body) => ({ "x-forgejo-event": "push", "x-forgejo-signature": hex(secret, body) }),
  bitbucket: (secret, body) => ({ "x-event-key": "repo:push", "x-hub-signature": `sha256=${hex(secret, body)}` }),
  "bitbucket-server": (secret, body) => ({
    "x-event-key": "repo:refs_changed",
    "x-hub-signature": `sha256=${hex(secret, body)}`,
  }),
  "azure-devops": (secret) => ({ authorization: `Basic ${Buffer.from(`any:${secret}`).toString("base64")}` }),
  "generic-hmac": (secret, body) => ({ "x-signature": `sha512=${hex(secret, body, "sha512")}` }),
  "standard-webhooks": (secret, body) => {
    const id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const timestamp = String(NOW / 1_000);
    const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
    const signature = createHmac("sha256", secret).update(signed).digest("base64");
    return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
  },
};
/** Hosts that authenticate the sender but not the body. */
export const UNSIGNED_BODY = new Set<WebhookProvider>(["gitlab", "azure-devops"]);
export const bodyOf = (provider: WebhookProvider) =>
  provider === "azure-devops" ? Buffer.from('{"eventType":"git.push"}') : BODY;
