import { boolean, foreignKey, primaryKey } from "drizzle-orm/pg-core";
import type { DeclaredKey, FileRejection } from "../../core/ports.ts";
import { checksOf } from "./checks.ts";
import * as column from "./columns.ts";
import { fabric } from "./fabric.ts";
import { fabricSync } from "./namespace.ts";

const checks = checksOf("git_file");

/** What each file of the revision taken in declares, and what of it was refused. */
export const gitFile = fabricSync.table(
  "git_file",
  {
    fabricId: column.fabricId(),
    path: column.key("path"),
    blob: column.plain("blob"),
    documents: column.count("documents"),
    keys: column.jsonArray<DeclaredKey>("keys"),
    rejections: column.jsonArray<FileRejection>("rejections"),
    parsed: boolean("parsed").notNull().default(false),
    updatedAt: column.time("updated_at"),
  },
  (table) => [
    primaryKey({ name: "git_file_pkey", columns: [table.fabricId, table.path] }),
    foreignKey({ name: "git_file_fabric_fkey", columns: [table.fabricId], foreignColumns: [fabric.id] }),
    ...checks.requiredId("fabric_id"),
    ...checks.required("path"),
    ...checks.gitId("blob"),
    ...checks.atLeastZero("documents"),
    ...checks.isArray("keys", "rejections"),
  ],
);
