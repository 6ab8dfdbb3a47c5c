/**
 * Whether the identity of dry runs is what it must be: one that can change nothing. Looked at by what the API server does, not by what its
 * policies say:
 *
 * 1. a patch that changes nothing, of its own ServiceAccount: as a dry run it is allowed, in earnest it is refused
 * 2. it may not write admission policies and their bindings, the only objects beyond the reach of a policy, nor speak in anybody else's name,
 *    which a policy would take for somebody else
 */
import { isJsonObject } from "../../../core/json.ts";
import type { Logger } from "../../../core/telemetry.ts";
import { KubeApiError } from "../api-error.ts";
import type { KubeClient } from "../client.ts";

/** Name of the ServiceAccount; its namespace is the operator's, on every cluster that is mirrored. */
export const DRY_RUN_ACCOUNT = "fabric-sync-dry-run";

export type Guard = { readonly safe: true } | { readonly safe: false; readonly code: string; readonly message: string };

/** What guards the identity may be changed by anybody who may change policies (ms). */
export const GUARD_EVERY_MS = 60_000;

const ADMISSION = "admissionregistration.k8s.io";
const POLICY_KINDS = [
  "validatingadmissionpolicies",
  "validatingadmissionpolicybindings",
  "mutatingadmissionpolicies",
  "mutatingadmissionpolicybindings",
];
const WRITES = ["create", "update", "patch", "delete", "deletecollection"];

interface Power {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
}

/** By each of these it could free itself of the policy. */
const TOO_MUCH: readonly Power[] = [
  ...POLICY_KINDS.flatMap((resource) => WRITES.map((verb) => ({ group: ADMISSION, resource, verb }))),
  ...["users", "groups", "serviceaccounts"].map((resource) => ({ group: "", resource, verb: "impersonate" })),
];

/** The name under which dry runs are made. */
export function dryRunUser(namespace: string): string {
  return `system:serviceaccount:${namespace}:${DRY_RUN_ACCOUNT}`;
}

/**
 * @param client speaks in the name of the identity
 * @throws KubeApiError, KubeUnreachable when the server cannot be asked now
 */
export async function checkIdentity(
  client: Pick<KubeClient, "request">,
  namespace: string,
  signal: AbortSignal,
): Promise<Guard> {
  const account = `/api/v1/namespaces/${namespace}/serviceaccounts/${DRY_RUN_ACCOUNT}`;
  const patch = async (dryRun: boolean): Promise<number> => {
    try {
      const query = dryRun ? { dryRun: "All" } : {};
      await client.request("PATCH", account, { query, contentType: "application/merge-patch+json", body: {}, signal });
      return 200;
    } catch (error) {
      if (error instanceof KubeApiError && (error.status === 403 || error.status === 404)) return error.status;
      throw error;
    }
  };
  const install = "install deploy/base/dry-run-identity.yaml in the mirrored cluster";
  if ((await patch(true)) !== 200) {
    return unsafe(
      "DryRunIdentityMissing",
      `dry runs cannot be made in the name of ${dryRunUser(namespace)}: ${install}`,
    );
  }
  if ((await patch(false)) !== 403) {
    return unsafe(
      "DryRunIdentityUnguarded",
      `no admission policy restricts ${dryRunUser(namespace)} to dry runs: ${install}`,
    );
  }
  for (const power of TOO_MUCH) {
    if (await allows(client, power, signal)) {
      return unsafe(
        "DryRunIdentityTooPowerful",
        `${dryRunUser(namespace)} may ${power.verb} ${power.resource}, by which it could free itself: take that right away`,
      );
    }
  }
  return { safe: true };
}

export interface IdentityGuardOptions {
  /** Speaks in the name of the identity. */
  readonly dryRuns: Pick<KubeClient, "request">;
  readonly identityNamespace: string;
  readonly logger: Logger;
  readonly now: () => number;
}

/** {@link checkIdentity}, remembered for a minute. */
export class IdentityGuard {
  readonly #options: IdentityGuardOptions;
  #last: { readonly told: Guard; readonly until: number } | null = null;

  constructor(options: IdentityGuardOptions) {
    this.#options = options;
  }

  /** @throws KubeApiError, KubeUnreachable when the server cannot be asked now */
  async look(signal: AbortSignal): Promise<Guard> {
    const { dryRuns, identityNamespace, logger } = this.#options;
    const now = this.#options.now();
    if (this.#last !== null && now < this.#last.until) return this.#last.told;
    const told = await checkIdentity(dryRuns, identityNamespace, signal).catch((error: unknown): Guard => {
      // The operator may not impersonate it.
      if (!(error instanceof KubeApiError) || error.status !== 403) throw error;
      return unsafe("DryRunIdentityForbidden", error.message);
    });
    if (!told.safe) logger.warn({ code: told.code, reason: told.message }, "no dry runs are made");
    this.#last = { told, until: now + GUARD_EVERY_MS };
    return told;
  }
}

async function allows(
  client: Pick<KubeClient, "request">,
  { group, resource, verb }: Power,
  signal: AbortSignal,
): Promise<boolean> {
  const spec = { resourceAttributes: { group, resource, verb } };
  const review = await client.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
    body: { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec },
    signal,
  });
  return isJsonObject(review) && isJsonObject(review["status"]) && review["status"]["allowed"] === true;
}

function unsafe(code: string, message: string): Guard {
  return { safe: false, code, message };
}
