import { parseFabric } from "../api/fabric.ts";
import type { WebhookSpec } from "../api/webhook.ts";
import { messageOf } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { FabricWatch } from "./fabric-watch.ts";
import type { FabricWatchOptions } from "./fabric-watch.ts";
import { SecretReader } from "./secrets.ts";
import type { SecretData } from "./secrets.ts";

/** Where a webhook for one Fabric goes. */
export interface WebhookTarget {
  readonly fabricUid: string;
  readonly spec: WebhookSpec;
  /** The Secret as it is now. */
  readonly readSecret: (signal: AbortSignal) => Promise<SecretData>;
}

/**
 * Which Fabrics take webhooks, on every replica: a Service sends deliveries to those that stand by as well, and they can tell a good one
 * from a bad one as the leader does. Nothing else of a Fabric is kept here.
 */
export class WebhookDirectory {
  readonly #options: Omit<FabricWatchOptions, "onObject" | "onListed" | "name">;
  readonly #targets = new Map<string, Pick<WebhookTarget, "fabricUid" | "spec">>();

  constructor(options: Omit<FabricWatchOptions, "onObject" | "onListed" | "name">) {
    this.#options = options;
  }

  /** null when there is no such Fabric, or it takes no webhooks now. */
  target(namespace: string, name: string): WebhookTarget | null {
    const found = this.#targets.get(`${namespace}/${name}`);
    if (found === undefined) return null;
    const secrets = new SecretReader(this.#options.client, namespace);
    const readSecret = async (signal: AbortSignal): Promise<SecretData> => {
      try {
        return await secrets.read(found.spec.secretRef.name, signal);
      } catch (error) {
        // The sender is told nothing of it.
        this.#options.log.warn(
          { namespace, fabric: name, error: messageOf(error) },
          "the webhook's Secret cannot be read",
        );
        throw error;
      }
    };
    return { ...found, readSecret };
  }

  /** Until `signal` aborts; follows the Fabrics whoever leads. */
  async run(signal: AbortSignal): Promise<void> {
    const watch = new FabricWatch({
      ...this.#options,
      name: "webhooks of fabrics",
      onObject: (key, object) => this.#seen(key, object),
      onListed: () => undefined,
    });
    await watch.run(signal);
  }

  #seen(key: string, object: JsonObject | null): void {
    this.#targets.delete(key);
    if (object === null) return;
    try {
      const fabric = parseFabric(object);
      if ("problem" in fabric || fabric.spec.webhook === undefined || fabric.spec.suspend) return;
      this.#targets.set(key, { fabricUid: fabric.metadata.uid, spec: fabric.spec.webhook });
    } catch (error) {
      this.#options.log.debug({ fabric: key, error: messageOf(error) }, "an object is not a Fabric");
    }
  }
}
