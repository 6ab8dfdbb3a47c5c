import { FabricSyncError } from "../core/errors.ts";
import type { FabricStore } from "../core/ports.ts";
import type { Telemetry } from "../core/telemetry.ts";
import type { FabricController } from "../controller/fabric-controller.ts";
import type { Route } from "../http/routes.ts";
import { WebhookHandler } from "../http/webhooks/handler.ts";
import type { WebhookTarget } from "../http/webhooks/handler.ts";

/** Keys of the Secret: the one in use, and the one before it while they rotate. */
const SECRET_KEYS = ["token", "token-previous"];

/** The webhook's route, for the Fabrics that this replica works on. */
export function webhookRoute(
  controller: Pick<FabricController, "webhookTarget">,
  store: Pick<FabricStore, "listFabrics" | "recordDelivery">,
  telemetry: Pick<Telemetry, "webhook">,
): Route {
  const lookup = (namespace: string, fabric: string): WebhookTarget | null => {
    const target = controller.webhookTarget(namespace, fabric);
    if (target === null) return null;
    return {
      key: `${target.fabricUid} ${target.spec.secretRef.name}`,
      provider: target.spec.type,
      readSecrets: async (signal) => {
        const data = await target.readSecret(signal);
        return SECRET_KEYS.flatMap((key) => data[key] ?? []);
      },
      // Asked for only once the signature was found right.
      recordDelivery: async (provider, deliveryId) => {
        const record = (await store.listFabrics()).find(({ uid }) => uid === target.fabricUid);
        if (record === undefined) throw new FabricSyncError("FabricNotStored", "retry", "the Fabric has no row yet");
        return store.recordDelivery({ fabricId: record.id, provider, deliveryId });
      },
      hint: target.hint,
    };
  };
  return new WebhookHandler({ lookup, telemetry }).route();
}
