import type { Condition } from "../api/status.ts";

/** A condition before it knows since when. */
export type Statement = Omit<Condition, "lastTransitionTime">;

/** Kubernetes bounds a message at 32768 characters; one that a person reads ends earlier. */
const MESSAGE_LIMIT = 4_096;

/**
 * The conditions that hold now, with the age of those that held before: `lastTransitionTime` moves when `status` changes and
 * at no other time (the rule of apimachinery's `meta.SetStatusCondition`). What is not stated any more is gone: Reconciling
 * and Stalled are only there while they are true, as kstatus asks.
 * @param now RFC 3339, seconds.
 */
export function mergeConditions(
  before: readonly Condition[],
  statements: readonly Statement[],
  now: string,
): Condition[] {
  return statements.map((statement) => {
    const held = before.find((condition) => condition.type === statement.type);
    const lastTransitionTime = held !== undefined && held.status === statement.status ? held.lastTransitionTime : now;
    return { ...statement, message: clipped(statement.message), lastTransitionTime };
  });
}

export function findCondition(conditions: readonly Condition[], type: string): Condition | undefined {
  return conditions.find((condition) => condition.type === type);
}

/** Times in status are whole seconds in UTC, as `metav1.Time` is written. */
export function kubernetesTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function clipped(message: string): string {
  return message.length <= MESSAGE_LIMIT ? message : `${message.slice(0, MESSAGE_LIMIT - 1)}…`;
}
