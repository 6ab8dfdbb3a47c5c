import type { JsonObject } from "../../../src/core/json.ts";

/** Name of every Fabric of the suite. */
export const FABRIC = "example";
export const WEBHOOK_TOKEN = "a-shared-secret";

/** What kubectl applies in one go. */
export function list(items: readonly object[]): string {
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

/** The namespace with its Fabric, its Secrets, and its account for dry runs with the rights that deploy/ gives. */
export function manifests(name: string, url: string, ca: string): JsonObject[] {
  const metadata = { name, namespace: name };
  const account = { kind: "ServiceAccount", name: "fabric-sync-dry-run", namespace: name };
  const rbac = "rbac.authorization.k8s.io";
  const self = {
    apiGroups: [""],
    resources: ["serviceaccounts"],
    resourceNames: [account.name],
    // kubectl reads what it patches.
    verbs: ["get", "patch"],
  };
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { ...metadata, name: account.name } },
    { apiVersion: `${rbac}/v1`, kind: "Role", metadata, rules: [self] },
    {
      ...{ apiVersion: `${rbac}/v1`, kind: "RoleBinding", metadata, subjects: [account] },
      roleRef: { apiGroup: rbac, kind: "Role", name },
    },
    {
      ...{ apiVersion: `${rbac}/v1`, kind: "ClusterRoleBinding", metadata: { name }, subjects: [account] },
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "fabric-sync-dry-run" },
    },
    { apiVersion: "v1", kind: "Secret", metadata: { ...metadata, name: "git" }, stringData: { "ca.crt": ca } },
    { apiVersion: "v1", kind: "Secret", metadata: { ...metadata, name: "hook" }, stringData: { token: WEBHOOK_TOKEN } },
    {
      apiVersion: "fabricsync.dev/v1alpha1",
      kind: "Fabric",
      metadata: { ...metadata, name: FABRIC },
      spec: {
        git: { url, ref: { branch: "main" }, path: "fabric", interval: "24h", secretRef: { name: "git" } },
        webhook: { type: "gitlab", secretRef: { name: "hook" } },
        resources: [
          { group: "*.githedgehog.com", kinds: ["*"] },
          { group: "fabricsync.dev", kinds: ["DeviceState"] },
        ],
      },
    },
  ];
}

/** The policy of deploy/ for more accounts. */
export function dryRunsOnly(names: readonly string[]): JsonObject[] {
  const accounts = names.map((name) => `'system:serviceaccount:${name}:fabric-sync-dry-run'`);
  const admission = { apiVersion: "admissionregistration.k8s.io/v1", metadata: { name: "parity" } };
  return [
    {
      ...admission,
      kind: "ValidatingAdmissionPolicy",
      spec: {
        matchConstraints: {
          resourceRules: [{ apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"], operations: ["*"] }],
        },
        matchConditions: [{ name: "who", expression: `request.userInfo.username in [${accounts.join(", ")}]` }],
        validations: [
          { expression: "request.?dryRun.orValue(false)", message: "may make dry runs", reason: "Forbidden" },
        ],
      },
    },
    {
      ...admission,
      kind: "ValidatingAdmissionPolicyBinding",
      spec: { policyName: "parity", validationActions: ["Deny"] },
    },
  ];
}
