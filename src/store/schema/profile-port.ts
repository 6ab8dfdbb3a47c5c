import { foreignKey, index, primaryKey } from "drizzle-orm/pg-core";
import { checksOf } from "./checks.ts";
import * as column from "./columns.ts";
import { fabricSync } from "./namespace.ts";
import { resource } from "./resource.ts";

const checks = checksOf("profile_port");

/** How the operating system of a switch model calls each port, breakouts included: neighbours tell that name. */
export const profilePort = fabricSync.table(
  "profile_port",
  {
    fabricId: column.fabricId(),
    resourceId: column.requiredId("resource_id"),
    profile: column.key("profile"),
    port: column.key("port"),
    nosName: column.key("nos_name"),
    firstSeen: column.time("first_seen"),
    updatedAt: column.time("updated_at"),
  },
  (table) => [
    primaryKey({
      name: "profile_port_pkey",
      columns: [table.fabricId, table.resourceId, table.port, table.nosName],
    }),
    foreignKey({
      name: "profile_port_resource_fkey",
      columns: [table.fabricId, table.resourceId],
      foreignColumns: [resource.fabricId, resource.id],
    }).onDelete("cascade"),
    index("profile_port_nos_name_idx").on(table.fabricId, table.profile, table.nosName),
    ...checks.requiredId("fabric_id", "resource_id"),
    ...checks.required("profile", "port", "nos_name"),
  ],
);
