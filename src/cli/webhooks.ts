import { FabricSyncError, messageOf } from "../core/errors.ts";
import { parseDuration } from "../core/duration.ts";
import { pause } from "../core/pause.ts";
import type { FabricStore } from "../core/ports.ts";
import type { Heartbeats, Logger, Telemetry } from "../core/telemetry.ts";
import type { FabricController } from "../controller/fabric-controller.ts";
import type { WebhookDirectory } from "../controller/webhook-directory.ts";
import type { Route } from "../http/routes.ts";
import { WebhookHandler } from "../http/webhooks/handler.ts";
import type { WebhookTarget } from "../http/webhooks/handler.ts";

/** Keys of the Secret: the one in use, and the one before it while they rotate. */
const SECRET_KEYS = ["token", "token-previous"];
/** ms between two looks at what the other replicas accepted: what a push may take longer that a standby was told of. */
const LOOK_MS = 500;
/** A statement that hangs is ended by the pool's own time-out before this (ms). */
const BEAT_MS = 5 * 60_000;

/** The webhook's route, on every replica. What is accepted where no Fabric runs waits in Postgres for the one where it does. */
export function webhookRoute(
  directory: Pick<WebhookDirectory, "target">,
  controller: Pick<FabricController, "hint" | "works">,
  store: Pick<FabricStore, "listFabrics" | "recordDelivery">,
  telemetry: Pick<Telemetry, "webhook">,
): Route {
  const lookup = (namespace: string, fabric: string): WebhookTarget | null => {
    const target = directory.target(namespace, fabric);
    if (target === null) return null;
    const { fabricUid, spec } = target;
    return {
      key: `${fabricUid} ${spec.secretRef.name}`,
      provider: spec.type,
      ...(spec.maxAge === undefined ? {} : { maxAgeMs: parseDuration(spec.maxAge) }),
      readSecrets: async (signal) => {
        const data = await target.readSecret(signal);
        return SECRET_KEYS.flatMap((key) => data[key] ?? []);
      },
      // Asked for only once the signature was found right.
      recordDelivery: async (provider, deliveryId) => {
        const record = (await store.listFabrics()).find(({ uid }) => uid === fabricUid);
        if (record === undefined) throw new FabricSyncError("FabricNotStored", "retry", "the Fabric has no row yet");
        const waits = !controller.works(fabricUid);
        return store.recordDelivery({ fabricId: record.id, provider, deliveryId, waits });
      },
      hint: () => controller.hint(fabricUid),
    };
  };
  return new WebhookHandler({ lookup, telemetry }).route();
}

export interface FollowOptions {
  readonly controller: Pick<FabricController, "hint" | "webhookFabrics">;
  readonly store: Pick<FabricStore, "takeWaitingDeliveries">;
  readonly heartbeats: Heartbeats;
  readonly log: Logger;
}

/**
 * Acts on what replicas that stand by have accepted, until `signal` aborts. By asking and not by LISTEN, which poolers in transaction mode
 * do not carry; and only where a Fabric takes webhooks.
 */
export async function followDeliveries(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { controller, store, heartbeats, log } = options;
  const heartbeat = heartbeats.register("webhooks of other replicas", BEAT_MS);
  try {
    while (!signal.aborted) {
      heartbeat.beat();
      const fabrics = controller.webhookFabrics();
      try {
        const told = fabrics.length === 0 ? [] : await store.takeWaitingDeliveries(fabrics);
        for (const uid of told) controller.hint(uid);
      } catch (error) {
        // The interval catches what is lost here; the pump tells that the database is away.
        log.debug({ error: messageOf(error) }, "what other replicas accepted cannot be read");
      }
      await pause(LOOK_MS, signal);
    }
  } finally {
    heartbeat.end();
  }
}
