import { createHash } from "node:crypto";

/** Hex digits: enough to tell one Fabric's policies apart. */
const DIGITS = 16;

/**
 * Stands for a policy (as JSON) in the status, so that a process which comes later knows whether rows were judged by the same rules and by the same
 * schemas of the cluster; '' where there is none.
 */
export function policyDigest(policy: string | null): string {
  return policy === null ? "" : createHash("sha256").update(policy).digest("hex").slice(0, DIGITS);
}
