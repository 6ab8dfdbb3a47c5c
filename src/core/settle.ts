import type { Check } from "./check.ts";
import { settleConflict } from "./conflict.ts";
import { questionOf } from "./drift.ts";
import { judge } from "./judge.ts";
import { sameJson } from "./json.ts";
import type { ReducePolicy } from "./policy.ts";
import { eventOf } from "./reduction.ts";
import type { ReduceContext, Reduction } from "./reduction.ts";
import type { ResourceRow } from "./row.ts";
import { readSyncMetadata, writeSyncMetadata } from "./sync-metadata.ts";

/**
 * Takes an answer of the API server in: the second phase of drift. `stale` when the row stands for another question by now; `changed`, with
 * an event, when the verdict or the state moves; else `refreshed`: the answer is kept and nothing is told.
 */
export function settle(
  row: ResourceRow,
  check: Check,
  policy: ReducePolicy,
  context: Pick<ReduceContext, "now">,
): Reduction {
  if (policy.driftMode !== "server_side" || check.key !== questionOf(row, policy)) return { outcome: "stale", row };
  const metadata = readSyncMetadata(row.syncMetadata);
  const asked: ResourceRow = { ...row, syncMetadata: writeSyncMetadata({ ...metadata, check }) };
  const judged = settleConflict(judge(row, asked, policy, context.now), context.now);
  const same =
    judged.driftStatus === row.driftStatus &&
    judged.resourceState === row.resourceState &&
    judged.driftScore === row.driftScore &&
    sameJson(judged.driftDetails["paths"] ?? null, row.driftDetails["paths"] ?? null);
  const after: ResourceRow = { ...judged, updatedAt: context.now };
  if (same) return { outcome: "refreshed", row: after };
  const event = eventOf(row, after, {
    type: "reclassified",
    side: row.actualSpec === null ? "desired" : "actual",
    actor: "",
    commit: "",
    resourceVersion: "",
    reason: check.message === "" ? "the API server answered" : check.message,
  });
  return { outcome: "changed", row: after, event };
}
