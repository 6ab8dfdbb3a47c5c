import type { ReducePolicy } from "../core/policy.ts";

/** The policies by which rows were written since they were all judged by one. While kinds are listed it changes with each that is complete. */
export class UsedPolicies {
  readonly #used = new Set<string>();

  /** Rows are about to be written by it. */
  use(policy: ReducePolicy): ReducePolicy {
    this.#used.add(JSON.stringify(policy));
    return policy;
  }

  /** Whether rows may have been judged by another one than `policy` (as JSON) since the last `judged`. */
  otherThan(policy: string): boolean {
    return [...this.#used].some((used) => used !== policy);
  }

  /** Every row was judged by `policy` just now. */
  judged(policy: string): void {
    this.#used.clear();
    this.#used.add(policy);
  }
}
