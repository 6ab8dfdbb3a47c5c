import type { Check } from "../core/check.ts";
import { keyString } from "../core/identity.ts";
import type { ReducePolicy } from "../core/policy.ts";
import { reclassify, reduce, type ReduceContext } from "../core/reduce.ts";
import type { ResourceEvent, ResourceRow } from "../core/row.ts";
import { settle } from "../core/settle.ts";
import { newUuid } from "../core/uuid.ts";
import type { StoredRow } from "./read-rows.ts";
import { refusing } from "./store-error.ts";
import type { Subject } from "./subject.ts";
import type { Outcome } from "./tally.ts";
import type { RowChange } from "./write-rows.ts";

/** What became of one subject: the outcome of each of its observations, and what is to be written. */
export interface Folded {
  readonly subject: Subject;
  readonly outcomes: readonly Outcome[];
  readonly change: RowChange | null;
  /** The row as it was read, where that matters to what follows. */
  readonly stored?: StoredRow | undefined;
}

/** Decides what a subject makes of the row that is stored. */
export type Fold = (subject: Subject, stored: StoredRow | undefined) => Folded;

/** Reduces a subject's observations one after the other; the row is written once, each change has its event. */
export function folding(policy: ReducePolicy): Fold {
  return (subject, stored) => {
    const context: ReduceContext = { now: new Date().toISOString(), newId: newUuid };
    let row: ResourceRow | null = stored?.row ?? null;
    let touched: ResourceRow | null = null;
    const outcomes: Outcome[] = [];
    const events: ResourceEvent[] = [];
    for (const observation of subject.observations) {
      const reduction = refusing(() => reduce(row, observation, policy, context));
      outcomes.push(reduction.outcome);
      row = reduction.row;
      if (reduction.outcome === "changed") events.push(reduction.event);
      if (reduction.outcome === "changed" || reduction.outcome === "refreshed") touched = reduction.row;
    }
    return { subject, outcomes, change: changeOf(touched, stored, events), stored };
  };
}

/** Judges a stored row again, without an observation. */
export function rejudging(policy: ReducePolicy): Fold {
  return (subject, stored) => {
    if (stored === undefined) return { subject, outcomes: [], change: null, stored };
    const reduction = refusing(() => reclassify(stored.row, policy, { now: new Date().toISOString() }));
    const change = reduction.outcome === "changed" ? changeOf(reduction.row, stored, [reduction.event]) : null;
    return { subject, outcomes: [change === null ? "unchanged" : "changed"], change, stored };
  };
}

/** Takes an answer of the API server in. A row that is gone has none to take. */
export function settling(policy: ReducePolicy, answers: ReadonlyMap<string, Check>): Fold {
  return (subject, stored) => {
    const check = answers.get(keyString(subject.key));
    if (stored === undefined || check === undefined) return { subject, outcomes: ["stale"], change: null };
    const reduction = refusing(() => settle(stored.row, check, policy, { now: new Date().toISOString() }));
    const { outcome } = reduction;
    if (outcome === "changed")
      return { subject, outcomes: [outcome], change: changeOf(reduction.row, stored, [reduction.event]) };
    return {
      subject,
      outcomes: [outcome],
      change: outcome === "refreshed" ? changeOf(reduction.row, stored, []) : null,
    };
  };
}

function changeOf(
  row: ResourceRow | null,
  stored: StoredRow | undefined,
  events: readonly ResourceEvent[],
): RowChange | null {
  return row === null ? null : { row, version: stored?.version ?? null, events, before: stored?.row ?? null };
}
