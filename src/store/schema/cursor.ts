import { foreignKey, primaryKey } from "drizzle-orm/pg-core";
import { SOURCES, type Source } from "../../core/vocabulary.ts";
import { checksOf } from "./checks.ts";
import * as column from "./columns.ts";
import { fabric } from "./fabric.ts";
import { fabricSync } from "./namespace.ts";

const checks = checksOf("cursor");

/** How far each stream of each source was taken in; written in the transaction of the rows that it covers (invariant 7). */
export const cursor = fabricSync.table(
  "cursor",
  {
    fabricId: column.fabricId(),
    source: column.keyWord<Source>("source", "cluster"),
    scope: column.key("scope"),
    kind: column.plain("kind"),
    position: column.plain("position"),
    completeAt: column.absentTime("complete_at"),
    updatedAt: column.time("updated_at"),
  },
  (table) => [
    primaryKey({ name: "cursor_pkey", columns: [table.fabricId, table.source, table.scope] }),
    foreignKey({ name: "cursor_fabric_fkey", columns: [table.fabricId], foreignColumns: [fabric.id] }),
    ...checks.requiredId("fabric_id"),
    checks.listed("source", SOURCES),
    ...checks.required("scope"),
  ],
);
