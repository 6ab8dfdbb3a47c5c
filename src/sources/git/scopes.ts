import { isJsonObject } from "../../core/json.ts";
import type { JsonObject } from "../../core/json.ts";

/** Whether objects of a kind live in a namespace. `unknown`: nobody serves or defines the kind. */
export type Scope = "namespaced" | "cluster" | "unknown";

/** What the mirrored cluster's discovery says. */
export interface ScopeLookup {
  scopeOf(group: string, kind: string): Scope;
}

/** Kinds of Kubernetes itself that live outside namespaces: true of every cluster, also of one that cannot be asked now. */
const CLUSTER_KINDS: Readonly<Record<string, readonly string[]>> = {
  "": ["Namespace", "Node", "PersistentVolume", "ComponentStatus"],
  "admissionregistration.k8s.io": [
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
  ],
  "apiextensions.k8s.io": ["CustomResourceDefinition"],
  "apiregistration.k8s.io": ["APIService"],
  "certificates.k8s.io": ["CertificateSigningRequest", "ClusterTrustBundle"],
  "flowcontrol.apiserver.k8s.io": ["FlowSchema", "PriorityLevelConfiguration"],
  "networking.k8s.io": ["IngressClass", "IPAddress", "ServiceCIDR"],
  "node.k8s.io": ["RuntimeClass"],
  "rbac.authorization.k8s.io": ["ClusterRole", "ClusterRoleBinding"],
  "scheduling.k8s.io": ["PriorityClass"],
  "storage.k8s.io": ["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"],
};
/** Groups whose other kinds all live in namespaces. */
const NAMESPACED_GROUPS: ReadonlySet<string> = new Set(["", "apps", "autoscaling", "batch", "policy"]);
const NAMESPACED_KINDS: Readonly<Record<string, readonly string[]>> = {
  "networking.k8s.io": ["Ingress", "NetworkPolicy"],
  "rbac.authorization.k8s.io": ["Role", "RoleBinding"],
  "coordination.k8s.io": ["Lease"],
  "discovery.k8s.io": ["EndpointSlice"],
};

/**
 * The scope of a kind: what the cluster says; else what a CustomResourceDefinition of the same revision says; else what Kubernetes'
 * own API fixes.
 * @param defined scopes by {@link kindKey}, from {@link definedScope}.
 */
export function resolveScope(
  group: string,
  kind: string,
  cluster: ScopeLookup,
  defined: ReadonlyMap<string, Scope>,
): Scope {
  const served = cluster.scopeOf(group, kind);
  if (served !== "unknown") return served;
  return defined.get(kindKey(group, kind)) ?? builtInScope(group, kind);
}

export function kindKey(group: string, kind: string): string {
  return `${group}/${kind}`;
}

/** What a CustomResourceDefinition manifest says about its kind; null for other objects. */
export function definedScope(object: JsonObject): { key: string; scope: Scope } | null {
  if (object["kind"] !== "CustomResourceDefinition") return null;
  const spec = object["spec"];
  if (!isJsonObject(spec) || !isJsonObject(spec["names"])) return null;
  const { group, scope } = spec;
  const kind = spec["names"]["kind"];
  if (typeof group !== "string" || typeof kind !== "string") return null;
  if (scope !== "Namespaced" && scope !== "Cluster") return null;
  return { key: kindKey(group, kind), scope: scope === "Cluster" ? "cluster" : "namespaced" };
}

function builtInScope(group: string, kind: string): Scope {
  if (CLUSTER_KINDS[group]?.includes(kind)) return "cluster";
  if (NAMESPACED_GROUPS.has(group) || NAMESPACED_KINDS[group]?.includes(kind)) return "namespaced";
  return "unknown";
}
