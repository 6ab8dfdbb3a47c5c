import { header } from "./provider.ts";
import type { Provider } from "./provider.ts";
import { anySecret, equalTexts } from "./signature.ts";

/**
 * Azure DevOps service hooks: learn.microsoft.com, "Webhooks with Azure DevOps". They sign nothing and offer basic authentication; the
 * secret is the password, whatever the user name. The event is named in the body only.
 */
export const azureDevops: Provider = {
  verify(delivery, secrets) {
    const given = /^basic +(.*)$/i.exec(header(delivery, "authorization"))?.[1] ?? "";
    const pair = Buffer.from(given, "base64").toString("utf8");
    const password = pair.slice(pair.indexOf(":") + 1);
    return anySecret(secrets, (secret) => equalTexts(password, secret));
  },
  event(delivery) {
    try {
      const payload: unknown = JSON.parse(delivery.body.toString("utf8"));
      const type = typeof payload === "object" && payload !== null && "eventType" in payload ? payload.eventType : "";
      return type === "git.push" ? "push" : "other";
    } catch {
      return "other";
    }
  },
};
