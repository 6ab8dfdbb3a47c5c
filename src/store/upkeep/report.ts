import { FabricSyncError } from "../../core/errors.ts";

/**
 * - `warning`: somebody should look at it; it is not wrong
 * - `could_not_run`: the check itself could not be made (a missing right, a missing table); nothing is known
 */
export type CheckStatus = "ok" | "warning" | "failed" | "could_not_run";

export interface Check {
  /** A word with underscores, stable for machines. */
  readonly name: string;
  readonly status: CheckStatus;
  /** One sentence. */
  readonly message: string;
  /** What it found: names of columns, constraints, keys; at most some, the message holds the number. */
  readonly findings: readonly string[];
}

/** What a `db` command found or did. Exit code: 2 when something could not run, else 1 when not `ok`, else 0. */
export interface Report {
  /** No check failed, and all could run. Warnings do not count. */
  readonly ok: boolean;
  readonly couldNotRun: boolean;
  readonly checks: readonly Check[];
}

/** Findings that one check names; the rest is in the number. */
export const MAX_FINDINGS = 20;

export function reportOf(checks: readonly Check[]): Report {
  const couldNotRun = checks.some(({ status }) => status === "could_not_run");
  return { ok: !couldNotRun && !checks.some(({ status }) => status === "failed"), couldNotRun, checks };
}

export type Verdict = Omit<Check, "name" | "findings"> & { readonly findings?: readonly string[] };

/** Makes one check. What it throws is told as "could not run", with the code of the error, and the other checks go on. */
export async function check(name: string, body: () => Promise<Verdict>): Promise<Check> {
  try {
    return { findings: [], ...(await body()), name };
  } catch (error) {
    if (!(error instanceof FabricSyncError)) throw error;
    return { name, status: "could_not_run", message: `${error.code}: ${error.message}`, findings: [] };
  }
}

/** The verdict of a check that lists what is wrong. */
export function noneOf(what: string, findings: readonly string[]): Verdict {
  if (findings.length === 0) return { status: "ok", message: `no ${what}` };
  return { status: "failed", message: `${findings.length} ${what}`, findings: findings.slice(0, MAX_FINDINGS) };
}
