/** Drift and state without a new observation: rows judged anew, and the API server asked. */
import type { Check } from "../check.ts";
import type { ResourceKey } from "../identity.ts";
import type { ReducePolicy } from "../policy.ts";
import type { ResourceRow } from "../row.ts";
import type { Fence } from "./observations.ts";

/** Judging rows without a new observation: the policy changed, or what could not be read before has been read. */
export interface JudgementStore {
  /**
   * Judges every row of the fabric under `policy` (`reclassify` of `core/reduce.ts`), some rows a transaction. A row whose verdict
   * stays is not written. Safe to repeat; `signal` stops it between two transactions.
   */
  rejudge(
    fence: Fence,
    policy: ReducePolicy,
    signal: AbortSignal,
  ): Promise<{ readonly changed: number; readonly unchanged: number }>;
}

/** The second phase of drift: rows about which the API server is to be asked, and its answers. */
export interface SuspectStore {
  /** Rows that wait for an answer, or whose answer is due to be asked for again, oldest first, at most `limit`. `now` is RFC 3339. */
  suspects(query: { readonly fabricId: string; readonly now: string; readonly limit: number }): Promise<ResourceRow[]>;
  /**
   * Writes answers (`settle` of `core/settle.ts`) in one transaction, under the fence. `stale` are answers to questions that the row does
   * not stand for any more.
   */
  settle(
    fence: Fence,
    policy: ReducePolicy,
    answers: readonly Answered[],
  ): Promise<{ readonly changed: number; readonly refreshed: number; readonly stale: number }>;
}
export interface Answered {
  readonly key: ResourceKey;
  readonly check: Check;
}
