import type { WebhookProvider } from "../../core/vocabulary.ts";
import { azureDevops } from "./azure-devops.ts";
import { bitbucketServer } from "./bitbucket-server.ts";
import { bitbucket } from "./bitbucket.ts";
import { forgejo } from "./forgejo.ts";
import { genericHmac } from "./generic-hmac.ts";
import { gitea } from "./gitea.ts";
import { github } from "./github.ts";
import { gitlab } from "./gitlab.ts";
import type { Provider } from "./provider.ts";
import { standardWebhooks } from "./standard-webhooks.ts";

/** Every word that a Fabric's `webhook.type` may be has its provider; the compiler keeps it so. */
export const PROVIDERS: Readonly<Record<WebhookProvider, Provider>> = {
  github,
  gitlab,
  gitea,
  forgejo,
  bitbucket,
  "bitbucket-server": bitbucketServer,
  "azure-devops": azureDevops,
  "generic-hmac": genericHmac,
  "standard-webhooks": standardWebhooks,
};
