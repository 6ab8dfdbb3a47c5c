import { sql } from "drizzle-orm";
import { primaryKey, timestamp } from "drizzle-orm/pg-core";
import { checksOf } from "./checks.ts";
import * as column from "./columns.ts";
import { deviceKey } from "./device-child.ts";
import { fabricSync } from "./namespace.ts";

const checks = checksOf("device_snapshot");

/** The raw observation of a device, kept for a while beside the tables that were made of it. */
export const deviceSnapshot = fabricSync.table(
  "device_snapshot",
  {
    fabricId: column.fabricId(),
    device: column.key("device"),
    resourceId: column.requiredId("resource_id"),
    source: column.plain("source"),
    observation: column.jsonObject("observation"),
    resourceVersion: column.plain("resource_version"),
    observedAt: column.time("observed_at"),
    expiresAt: timestamp("expires_at", { withTimezone: true, mode: "string" })
      .notNull()
      .default(sql`(now() + '00:30:00'::interval)`),
  },
  (table) => [
    primaryKey({ name: "device_snapshot_pkey", columns: [table.fabricId, table.device, table.resourceId] }),
    deviceKey("device_snapshot", [table.fabricId, table.device, table.resourceId]),
    ...checks.requiredId("fabric_id", "resource_id"),
    ...checks.required("device", "source"),
    ...checks.isObject("observation"),
  ],
);
