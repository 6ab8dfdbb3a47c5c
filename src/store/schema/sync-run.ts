import { foreignKey, index, primaryKey } from "drizzle-orm/pg-core";
import {
  RUN_RESULTS,
  SOURCES,
  WRITE_PATHS,
  type RunResult,
  type Source,
  type WritePath,
} from "../../core/vocabulary.ts";
import { checksOf } from "./checks.ts";
import * as column from "./columns.ts";
import { fabric } from "./fabric.ts";
import { fabricSync } from "./namespace.ts";

const checks = checksOf("sync_run");

/** One pass of one source, with its counters. */
export const syncRun = fabricSync.table(
  "sync_run",
  {
    fabricId: column.fabricId(),
    id: column.generatedId("id"),
    source: column.word<Source>("source", "cluster"),
    trigger: column.word<WritePath>("trigger", "repair"),
    target: column.plain("target"),
    result: column.word<RunResult>("result", "running"),
    documents: column.bigCount("documents"),
    changed: column.bigCount("changed"),
    unchanged: column.bigCount("unchanged"),
    rejected: column.bigCount("rejected"),
    error: column.plain("error"),
    startedAt: column.time("started_at"),
    finishedAt: column.absentTime("finished_at"),
  },
  (table) => [
    primaryKey({ name: "sync_run_pkey", columns: [table.fabricId, table.id] }),
    foreignKey({ name: "sync_run_fabric_fkey", columns: [table.fabricId], foreignColumns: [fabric.id] }),
    index("sync_run_recent_idx").on(table.fabricId, table.startedAt),
    ...checks.requiredId("fabric_id", "id"),
    checks.listed("source", SOURCES),
    checks.listed("trigger", WRITE_PATHS),
    checks.listed("result", RUN_RESULTS),
    ...checks.atLeastZero("documents", "changed", "unchanged", "rejected"),
    checks.rule("finished", "(result = 'running') = (finished_at IS NULL)"),
    // Invariant 11: every document of a run that did not fail is accounted for, by the rule of `core/run.ts`.
    checks.rule("accounted", "result IN ('running', 'failed') OR documents = changed + unchanged + rejected"),
  ],
);
