import { sql } from "drizzle-orm";
import { interval, primaryKey, uniqueIndex } from "drizzle-orm/pg-core";
import type { ReferenceRule } from "../../core/references.ts";
import { checksOf } from "./checks.ts";
import { absentTime, bigCount, count, generatedId, jsonArray, key, plain, time } from "./columns.ts";
import { fabricSync } from "./namespace.ts";

const checks = checksOf("fabric");

/** One row a Fabric object, with the fence of its writers. A reference table where the schema is distributed. */
export const fabric = fabricSync.table(
  "fabric",
  {
    id: generatedId("id"),
    namespace: key("namespace"),
    name: key("name"),
    uid: key("uid"),
    writerEpoch: bigCount("writer_epoch"),
    writerHolder: plain("writer_holder"),
    writerAcquiredAt: absentTime("writer_acquired_at"),
    historyRetention: interval("history_retention")
      .notNull()
      .default(sql`'90 days'::interval`),
    tombstoneRetention: interval("tombstone_retention")
      .notNull()
      .default(sql`'30 days'::interval`),
    referenceRules: jsonArray<ReferenceRule>("reference_rules"),
    projectionsVersion: count("projections_version"),
    createdAt: time("created_at"),
    detachedAt: absentTime("detached_at"),
    retiringAt: absentTime("retiring_at"),
  },
  (table) => [
    primaryKey({ name: "fabric_pkey", columns: [table.id] }),
    // One Fabric object at a time has a name; rows that were kept of its predecessors do not count.
    uniqueIndex("fabric_live_name_key")
      .on(table.namespace, table.name)
      .where(sql`detached_at IS NULL AND retiring_at IS NULL`),
    uniqueIndex("fabric_uid_key").on(table.uid),
    ...checks.required("namespace", "name", "uid"),
    ...checks.requiredId("id"),
    ...checks.atLeastZero("writer_epoch", "projections_version"),
    ...checks.isArray("reference_rules"),
    checks.rule("history_retention_range", "history_retention >= '0'::interval"),
    checks.rule("tombstone_retention_range", "tombstone_retention >= '0'::interval"),
  ],
);
