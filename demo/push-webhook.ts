import { createHmac, randomUUID } from "node:crypto";

/**
 * Tells the operator of a push as GitHub does: a `push` event, signed with the shared secret over the raw body
 * (X-Hub-Signature-256). Returns the HTTP status.
 */
export async function sendPushWebhook(
  url: string,
  secret: string,
  push: { readonly branch: string; readonly commit: string; readonly repository: string },
): Promise<number> {
  const body = JSON.stringify({
    ref: `refs/heads/${push.branch}`,
    after: push.commit,
    repository: { clone_url: push.repository },
  });
  const response = await fetch(url, {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-github-delivery": randomUUID(),
      "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
    },
  });
  await response.arrayBuffer();
  return response.status;
}
