import { foreignKey, primaryKey } from "drizzle-orm/pg-core";
import { checksOf } from "./checks.ts";
import * as column from "./columns.ts";
import { fabric } from "./fabric.ts";
import { fabricSync } from "./namespace.ts";

const checks = checksOf("webhook_delivery");

/** Deliveries that were accepted: a second one with the same id is a replay, on any replica. */
export const webhookDelivery = fabricSync.table(
  "webhook_delivery",
  {
    fabricId: column.fabricId(),
    provider: column.key("provider"),
    deliveryId: column.key("delivery_id"),
    receivedAt: column.time("received_at"),
  },
  (table) => [
    primaryKey({ name: "webhook_delivery_pkey", columns: [table.fabricId, table.provider, table.deliveryId] }),
    foreignKey({ name: "webhook_delivery_fabric_fkey", columns: [table.fabricId], foreignColumns: [fabric.id] }),
    ...checks.requiredId("fabric_id"),
    ...checks.required("provider", "delivery_id"),
  ],
);
