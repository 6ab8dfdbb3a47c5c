import type { JsonObject } from "../../../src/core/json.ts";

/** One object of every kind that a cluster of our control plane serves, as little as the API server takes. */
export const NAMESPACE = "powers";

const LABELS = { app: "victim" };
const pod = { containers: [{ name: "main", image: "example.com/none" }] };
const template = { metadata: { labels: LABELS }, spec: pod };
const selector = { matchLabels: LABELS };
const job = { template: { spec: { ...pod, restartPolicy: "Never" } } };
const ONE_RULE = { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["limitranges"] };
const policy = { matchConstraints: { resourceRules: [ONE_RULE] }, validations: [{ expression: "true" }] };
const mutation = {
  matchConstraints: { resourceRules: [ONE_RULE] },
  reinvocationPolicy: "Never",
  mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression: "Object{}" } }],
};
const involved = { apiVersion: "v1", kind: "Pod", namespace: NAMESPACE, name: "victim" };
const capacity = { storage: "1Gi" };
/** Of CN=walk, made with openssl; nobody has its key. */
const REQUEST =
  "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlISk1IRUNBUUF3RHpFTk1Bc0dBMVVFQXd3RWQyRnNhekJaTUJNR0J5cUdTTTQ5QWdFR0NDcUdTTTQ5QXdFSApBMElBQkl5VHZsNEg2cU1hOWRJUHpnczM1WjdDbnhjWkt6WUpUd1pCUVJVMFpCbDNJTnRaM0IvRWJieU1xNm9kCmxPK2RTS2o5YzBCQVhtVml4dnBhYmhrNXR2YWdBREFLQmdncWhrak9QUVFEQWdOSUFEQkZBaUVBM21wLzlWYVMKR256cWV0bGswb0VRT0xRcGlieHRoWUVHZ0ZOYVppVWNPcThDSUZnNEE3MzkzMjVWM0VkQTFqbXp6dUZRK1E1WApWbDEvd0U3QXh5UHJHeG1kCi0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=";

/** The definition of the custom kind that is walked too, with every subresource that there is. */
export const DEFINITION = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "gadgets.powers.example.com", labels: LABELS },
  spec: {
    ...{ group: "powers.example.com", scope: "Namespaced" },
    names: { kind: "Gadget", plural: "gadgets", singular: "gadget", listKind: "GadgetList" },
    versions: [
      {
        ...{ name: "v1", served: true, storage: true },
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        subresources: {
          status: {},
          scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" },
        },
      },
    ],
  },
};

type Body = JsonObject;

/** `Kind.group` → what it has beside apiVersion, kind and metadata. */
const BODIES: Readonly<Record<string, Body>> = {
  "ConfigMap.": { data: { a: "1" } },
  "Endpoints.": {},
  "Event.": { involvedObject: involved, reason: "Walked" },
  "LimitRange.": { spec: { limits: [] } },
  "Namespace.": {},
  "Node.": {},
  "PersistentVolumeClaim.": { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: capacity } } },
  "PersistentVolume.": { spec: { accessModes: ["ReadWriteOnce"], capacity, hostPath: { path: "/none" } } },
  "Pod.": { spec: pod },
  "PodTemplate.": { template },
  "ReplicationController.": { spec: { selector: LABELS, template } },
  "ResourceQuota.": { spec: {} },
  "Secret.": {},
  "ServiceAccount.": {},
  "Service.": { spec: { ports: [{ port: 80 }] } },
  "APIService.apiregistration.k8s.io": {
    spec: { group: "local.example.com", version: "v1", groupPriorityMinimum: 1, versionPriority: 1 },
  },
  "ControllerRevision.apps": { revision: 1, data: {} },
  "DaemonSet.apps": { spec: { selector, template } },
  "Deployment.apps": { spec: { selector, template } },
  "ReplicaSet.apps": { spec: { selector, template } },
  "StatefulSet.apps": { spec: { selector, template, serviceName: "none" } },
  "Event.events.k8s.io": {
    ...{ eventTime: "2026-01-01T00:00:00.000000Z", reportingController: "example.com/walk", reportingInstance: "walk" },
    ...{ action: "Walk", reason: "Walked", type: "Normal", regarding: involved },
  },
  "HorizontalPodAutoscaler.autoscaling": {
    spec: { maxReplicas: 2, scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "victim" } },
  },
  "CronJob.batch": { spec: { schedule: "0 0 1 1 *", jobTemplate: { spec: job } } },
  "Job.batch": { spec: job },
  "CertificateSigningRequest.certificates.k8s.io": {
    spec: { request: REQUEST, signerName: "example.com/walk", usages: ["client auth"] },
  },
  "IngressClass.networking.k8s.io": { spec: { controller: "example.com/none" } },
  "Ingress.networking.k8s.io": { spec: { defaultBackend: { service: { name: "victim", port: { number: 80 } } } } },
  "IPAddress.networking.k8s.io": {
    spec: { parentRef: { resource: "services", namespace: NAMESPACE, name: "victim" } },
  },
  "NetworkPolicy.networking.k8s.io": { spec: { podSelector: {} } },
  "ServiceCIDR.networking.k8s.io": { spec: { cidrs: ["10.99.0.0/24"] } },
  "PodDisruptionBudget.policy": { spec: { selector, minAvailable: 1 } },
  "ClusterRoleBinding.rbac.authorization.k8s.io": {
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
  },
  "ClusterRole.rbac.authorization.k8s.io": { rules: [] },
  "RoleBinding.rbac.authorization.k8s.io": {
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
  },
  "Role.rbac.authorization.k8s.io": { rules: [] },
  "CSIDriver.storage.k8s.io": { spec: {} },
  "CSINode.storage.k8s.io": { spec: { drivers: [] } },
  "CSIStorageCapacity.storage.k8s.io": { storageClassName: "victim" },
  "StorageClass.storage.k8s.io": { provisioner: "example.com/none" },
  "VolumeAttachment.storage.k8s.io": {
    spec: { attacher: "none.example.com", nodeName: "victim", source: { persistentVolumeName: "victim" } },
  },
  "VolumeAttributesClass.storage.k8s.io": { driverName: "example.com/none", parameters: { a: "1" } },
  "MutatingAdmissionPolicy.admissionregistration.k8s.io": { spec: mutation },
  "MutatingAdmissionPolicyBinding.admissionregistration.k8s.io": { spec: { policyName: "none" } },
  "MutatingWebhookConfiguration.admissionregistration.k8s.io": {},
  "ValidatingAdmissionPolicy.admissionregistration.k8s.io": { spec: policy },
  "ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io": {
    spec: { policyName: "none", validationActions: ["Audit"] },
  },
  "ValidatingWebhookConfiguration.admissionregistration.k8s.io": {},
  "CustomResourceDefinition.apiextensions.k8s.io": { spec: DEFINITION.spec },
  "PriorityClass.scheduling.k8s.io": { value: 1 },
  "Lease.coordination.k8s.io": { spec: {} },
  "RuntimeClass.node.k8s.io": { handler: "none" },
  "EndpointSlice.discovery.k8s.io": { addressType: "IPv4", endpoints: [] },
  "DeviceClass.resource.k8s.io": { spec: {} },
  "ResourceClaim.resource.k8s.io": { spec: { devices: {} } },
  "ResourceClaimTemplate.resource.k8s.io": { spec: { spec: { devices: {} } } },
  "ResourceSlice.resource.k8s.io": {
    spec: { driver: "none.example.com", nodeName: "victim", pool: { name: "p", generation: 1, resourceSliceCount: 1 } },
  },
  "FlowSchema.flowcontrol.apiserver.k8s.io": {
    spec: { priorityLevelConfiguration: { name: "exempt" }, matchingPrecedence: 9999 },
  },
  "PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io": {
    spec: { type: "Limited", limited: { limitResponse: { type: "Reject" } } },
  },
  "Fabric.fabricsync.dev": { spec: { git: { url: "https://git.example.com/none.git" }, suspend: true } },
  "DeviceState.fabricsync.dev": { spec: { device: "victim" } },
  "Gadget.powers.example.com": { spec: { replicas: 1 } },
  // Questions: nothing is kept of them.
  "SelfSubjectReview.authentication.k8s.io": {},
  "TokenReview.authentication.k8s.io": { spec: { token: "none" } },
  "LocalSubjectAccessReview.authorization.k8s.io": {
    spec: { user: "ada", resourceAttributes: { namespace: NAMESPACE, verb: "get", resource: "pods" } },
  },
  "SelfSubjectAccessReview.authorization.k8s.io": { spec: { resourceAttributes: { verb: "get", resource: "pods" } } },
  "SelfSubjectRulesReview.authorization.k8s.io": { spec: { namespace: NAMESPACE } },
  "SubjectAccessReview.authorization.k8s.io": {
    spec: { user: "ada", resourceAttributes: { verb: "get", resource: "pods" } },
  },
  "Binding.": { target: { apiVersion: "v1", kind: "Node", name: "victim" } },
};

/** Names that may not be chosen freely. */
const NAMES: Readonly<Record<string, readonly [victim: string, fresh: string]>> = {
  "APIService.apiregistration.k8s.io": ["v1.local.example.com", "v1.local.example.com"],
  "IPAddress.networking.k8s.io": ["10.96.77.1", "10.96.77.2"],
  "CustomResourceDefinition.apiextensions.k8s.io": [DEFINITION.metadata.name, DEFINITION.metadata.name],
};

/** `victim` is there before the walk, `fresh` is not. @throws where nobody knows what one of that kind looks like */
export function objectOf(group: string, version: string, kind: string, which: "victim" | "fresh"): Named {
  const key = `${kind}.${group}`;
  const body = BODIES[key];
  if (body === undefined) throw new Error(`the cluster serves ${key}, and nobody wrote down what one looks like`);
  const [victim, fresh] = NAMES[key] ?? ["victim", "fresh"];
  return {
    ...body,
    apiVersion: group === "" ? version : `${group}/${version}`,
    kind,
    metadata: { name: which === "victim" ? victim : fresh, labels: LABELS },
  };
}

interface Named extends Body {
  readonly metadata: { readonly name: string; readonly labels: JsonObject };
}
