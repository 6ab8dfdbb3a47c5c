/**
 * The reducer: (row or none, observation) → row and event. Pure: no I/O, no clock of its own.
 *
 * ```
 *                 Git declares it                      the cluster has it
 *  committed ◄──────────────────── (no row, deleted) ────────────────────► orphaned, external
 *      │ ▲                                 ▲ ▲                                   │ ▲
 *      │ │ the cluster drops it            │ │                    Git declares it│ │ Git drops it
 *      │ │                  Git drops it   │ │ the cluster drops it              │ │
 *      │ │ committed ──────────────────────┘ └──────── orphaned, external,       │ │
 *      │ │                                             terminating               │ │
 *      │ │                 declared paths agree                                  │ │
 *      └─┴──► synced ◄──────────────────────► drifted ◄──────────────────────────┴─┘
 *
 *  any state in which the cluster has it ──── deletion requested ───► terminating ──── gone ───► committed, deleted
 *  pending: both sides are there and drift is not looked for, or the cluster has it and Git is not read yet
 *  external: a kind that the platform generates keeps it with and without Git
 * ```
 * The state is derived from the facts after each observation (`state.ts`), so every arrow is one change of a side; a test
 * walks every pair of state and observation.
 *
 * Rules:
 * - A desired observation writes desired columns alone, an actual one actual columns alone (invariant 9); what belongs to both (labels,
 *   annotations, apiVersion, drift, state) is derived from the two.
 * - resourceVersions of a row never go back by an event, as KEP-5504 orders them; one that is older is `stale`, whatever uid it carries,
 *   because it was seen before what the row holds.
 * - A list may take them back. It is read consistently, after everything that was seen before it is in the table, and nobody writes beside
 *   it (invariant 12): a row that is newer than a later list was taken from a storage that has been set back since (etcd restored). The
 *   list is what there is; the event says that it was set back. The same holds for what such a list lacks.
 * - A tombstone keeps the last uid and resourceVersion, so that a replay cannot revive it. A delete without resourceVersion (the side
 *   is retired) forgets both.
 * - The same resourceVersion is the same object. It is a change only when our own normal form of it changed (a new release).
 * - N changes = N events: `changed` comes with exactly one event, the other outcomes with none.
 * - Changes of volatile fields alone (`volatile.ts`) are `refreshed` at most once a minute. So is a new place in Git of the same content
 *   in the same file; that is written at once, since drift points at the line.
 */
import { judge } from "./judge.ts";
import { sameJson } from "./json.ts";
import type { Observation } from "./observation.ts";
import type { ReducePolicy } from "./policy.ts";
import { appear, vanish } from "./reduce-actual.ts";
import { declare, retract } from "./reduce-desired.ts";
import { eventOf } from "./reduction.ts";
import type { ReduceContext, Reduction, Told } from "./reduction.ts";
import { isThere } from "./resource-row.ts";
import type { ResourceRow } from "./row.ts";
import type { WritePath } from "./vocabulary.ts";

export type { ReduceContext, Reduction } from "./reduction.ts";

/**
 * Takes one observation in.
 * @param row what the table holds under the observation's key; null when it holds nothing
 * @param policy the Fabric's, as of now
 */
export function reduce(
  row: ResourceRow | null,
  observation: Observation,
  policy: ReducePolicy,
  context: ReduceContext,
): Reduction {
  if (observation.side === "desired") {
    return observation.type === "upsert"
      ? declare(row, observation, policy, context)
      : retract(row, observation, policy, context);
  }
  return observation.type === "upsert"
    ? appear(row, observation, policy, context)
    : vanish(row, observation, policy, context);
}

/**
 * The same facts under another policy: drift and state judged anew. `changed` with a `reclassified` event when the verdict, the state or
 * the direction differs.
 */
export function reclassify(
  row: ResourceRow,
  policy: ReducePolicy,
  context: Pick<ReduceContext, "now">,
  writePath: WritePath = "repair",
): Reduction {
  const judged = judge(row, row, policy, context.now);
  const same =
    judged.resourceState === row.resourceState &&
    judged.driftStatus === row.driftStatus &&
    judged.driftScore === row.driftScore &&
    judged.syncDirection === row.syncDirection &&
    sameJson(judged.driftDetails, row.driftDetails);
  if (same) return { outcome: "unchanged", row };
  const side = isThere(row) ? "actual" : "desired";
  const after = { ...judged, writePath, updatedAt: context.now };
  const told: Told = {
    type: "reclassified",
    side,
    actor: "",
    commit: "",
    resourceVersion: "",
    reason: "the Fabric's policy changed",
  };
  return { outcome: "changed", row: after, event: eventOf(row, after, told) };
}
