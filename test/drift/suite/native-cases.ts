import type { JsonObject } from "../../../src/core/json.ts";
import type { DriftCase } from "./case.ts";
import { add, edited, native, remove, replace } from "./case.ts";

const configMap = native("v1", "ConfigMap");
const deployment = native("apps/v1", "Deployment");
const service = native("v1", "Service");
const networkPolicy = native("networking.k8s.io/v1", "NetworkPolicy");
const role = native("rbac.authorization.k8s.io/v1", "Role");
const cronJob = native("batch/v1", "CronJob");
const quota = native("v1", "ResourceQuota");
const secret = native("v1", "Secret");
const claim = native("v1", "PersistentVolumeClaim");
const autoscaler = native("autoscaling/v2", "HorizontalPodAutoscaler");

const LABELS = { app: "web" };
const WEB: JsonObject = {
  name: "web",
  image: "web:1",
  ports: [{ containerPort: 80 }],
  env: [
    { name: "A", value: "1" },
    { name: "B", value: "2" },
  ],
  resources: { limits: { cpu: "1000m", memory: "1024Mi" } },
};

const pods = (container: JsonObject = WEB, more: JsonObject = {}, spec: JsonObject = {}): JsonObject => ({
  spec: {
    selector: { matchLabels: LABELS },
    template: { metadata: { labels: LABELS }, spec: { containers: [container], ...more } },
    ...spec,
  },
});
const POD = "/spec/template/spec";
const labelled = (labels: JsonObject, annotations: JsonObject = {}): JsonObject => ({
  metadata: { labels, annotations },
  data: { a: "1" },
});

/** Kinds that are built into Kubernetes: typed structs, defaults that no schema tells, quantities, lists with keys. */
export const NATIVE_CASES: readonly DriftCase[] = [
  configMap("data", { data: { a: "1", "b.yaml": "x: y\n" } }, []),
  configMap("a value was changed", { data: { a: "1" } }, ["/data/a"], edited(replace("/data/a", "2"))),
  configMap("a key is gone", { data: { a: "1", b: "2" } }, ["/data/b"], edited(remove("/data/b"))),
  configMap("somebody's key", { data: { a: "1" } }, [], edited(add("/data/b", "2"))),
  configMap("everything is gone", { data: { a: "1" } }, ["/data"], edited(remove("/data"))),
  configMap("a key that Git gave up", { data: { a: "1" } }, ["/data/b"], {
    applied: { data: { a: "1", b: "2" } },
    revised: true,
  }),
  configMap("immutable: false is said", { data: { a: "1" }, immutable: false }, []),
  configMap("labels that Git declares", labelled({ tier: "a" }), []),
  configMap("a label was changed", labelled({ tier: "a" }), ["/metadata/labels/tier"], {
    edits: [replace("/metadata/labels/tier", "b")],
  }),
  configMap("somebody's label", labelled({ tier: "a" }), [], edited(add("/metadata/labels/own", "x"))),
  configMap("an annotation was changed", labelled({}, { note: "a" }), ["/metadata/annotations/note"], {
    edits: [replace("/metadata/annotations/note", "b")],
  }),
  configMap("a label that Git gave up", { data: { a: "1" } }, ["/metadata/labels/tier"], {
    applied: labelled({ tier: "a" }),
    revised: true,
  }),
  configMap("a number where a text belongs", { data: { a: 1 } }, "invalid", { applied: { data: { a: "1" } } }),

  secret("values are not compared", { type: "Opaque", stringData: { password: "a" } }, [], {
    applied: { type: "Opaque", data: { password: "YQ==" } },
    edits: [replace("/data/password", "Yg==")],
  }),

  deployment("defaults that no schema tells", pods(), []),
  deployment(
    "null, empty and zero as generators write them",
    {
      spec: {
        replicas: 1,
        selector: { matchLabels: LABELS },
        strategy: {},
        template: {
          metadata: { creationTimestamp: null, labels: LABELS },
          spec: {
            containers: [{ ...WEB, resources: {}, command: [], env: [{ name: "A", value: "" }] }],
            hostNetwork: false,
            volumes: [],
            securityContext: {},
          },
        },
      },
    },
    [],
  ),
  deployment(
    "an image was changed",
    pods(),
    [`${POD}/containers/0/image`],
    edited(replace(`${POD}/containers/0/image`, "web:2")),
  ),
  deployment("quantities in other units", pods(), [], edited(replace(`${POD}/containers/0/resources/limits/cpu`, "1"))),
  deployment("a quantity was changed", pods(), [`${POD}/containers/0/resources/limits/memory`], {
    edits: [replace(`${POD}/containers/0/resources/limits/memory`, "2Gi")],
  }),
  deployment("an environment variable was changed", pods(), [`${POD}/containers/0/env/1/value`], {
    edits: [replace(`${POD}/containers/0/env/1/value`, "3")],
  }),
  deployment("an environment variable is gone", pods(), [`${POD}/containers/0/env/0`], {
    edits: [remove(`${POD}/containers/0/env/0`)],
  }),
  deployment("a sidecar before our container", pods(), [], {
    edits: [add(`${POD}/containers/0`, { name: "proxy", image: "proxy:1" })],
  }),
  deployment("our container behind a sidecar was changed", pods(), [`${POD}/containers/0/image`], {
    edits: [
      replace(`${POD}/containers/0/image`, "web:9"),
      add(`${POD}/containers/0`, { name: "proxy", image: "proxy:1" }),
    ],
  }),
  deployment("a container that Git gave up", pods(), [`${POD}/containers/name=old`], {
    applied: pods(WEB, { containers: [WEB, { name: "old", image: "old:1" }] }),
    revised: true,
  }),
  deployment("replicas that Git leaves to others", pods(), [], edited(replace("/spec/replicas", 7))),
  deployment(
    "replicas that Git declares",
    pods(WEB, {}, { replicas: 2 }),
    ["/spec/replicas"],
    edited(replace("/spec/replicas", 7)),
  ),
  deployment(
    "a default was changed where Git says it",
    pods(WEB, {}, { revisionHistoryLimit: 10 }),
    ["/spec/revisionHistoryLimit"],
    {
      edits: [replace("/spec/revisionHistoryLimit", 2)],
    },
  ),
  deployment(
    "a pointer that is false was turned",
    pods(WEB, { automountServiceAccountToken: false }),
    [`${POD}/automountServiceAccountToken`],
    {
      edits: [replace(`${POD}/automountServiceAccountToken`, true)],
    },
  ),
  deployment(
    "a pointer that is false was taken away",
    pods(WEB, { automountServiceAccountToken: false }),
    [`${POD}/automountServiceAccountToken`],
    {
      edits: [remove(`${POD}/automountServiceAccountToken`)],
    },
  ),
  deployment(
    "an empty directory became a path of the host",
    pods(WEB, { volumes: [{ name: "v", emptyDir: {} }] }),
    [`${POD}/volumes/0/emptyDir`],
    {
      edits: [replace(`${POD}/volumes/0`, { name: "v", hostPath: { path: "/x" } })],
    },
  ),
  deployment("a command was changed", pods({ ...WEB, command: ["a", "b"] }), [`${POD}/containers/0/command/1`], {
    edits: [replace(`${POD}/containers/0/command/1`, "c")],
  }),
  deployment(
    "the selector cannot be changed",
    {
      spec: {
        selector: { matchLabels: { app: "other" } },
        template: { metadata: { labels: { app: "other" } }, spec: { containers: [WEB] } },
      },
    },
    "invalid",
    { applied: pods() },
  ),

  service("an address is allocated", { spec: { selector: LABELS, ports: [{ port: 80 }] } }, []),
  service(
    "ports as a number and as a name",
    {
      spec: {
        ports: [
          { name: "a", port: 80, targetPort: 8080 },
          { name: "b", port: 81, targetPort: "http" },
        ],
      },
    },
    [],
  ),
  service(
    "a target port was changed",
    { spec: { ports: [{ name: "a", port: 80, targetPort: 8080 }] } },
    ["/spec/ports/0/targetPort"],
    {
      edits: [replace("/spec/ports/0/targetPort", 9090)],
    },
  ),
  service(
    "a protocol is the key of another port",
    {
      spec: {
        ports: [
          { name: "t", port: 53, protocol: "TCP" },
          { name: "u", port: 53, protocol: "UDP" },
        ],
      },
    },
    [],
  ),
  service("a selector was changed", { spec: { selector: LABELS, ports: [{ port: 80 }] } }, ["/spec/selector/app"], {
    edits: [replace("/spec/selector/app", "other")],
  }),
  service(
    "somebody widened an atomic selector",
    { spec: { selector: LABELS, ports: [{ port: 80 }] } },
    ["/spec/selector/tier"],
    {
      edits: [add("/spec/selector/tier", "x")],
    },
  ),

  networkPolicy(
    "peers and ports",
    {
      spec: {
        podSelector: {},
        policyTypes: ["Ingress"],
        ingress: [{ from: [{ podSelector: { matchLabels: LABELS } }], ports: [{ port: 80 }] }],
      },
    },
    [],
  ),
  networkPolicy(
    "a peer was added",
    {
      spec: {
        podSelector: {},
        policyTypes: ["Ingress"],
        ingress: [{ from: [{ podSelector: { matchLabels: LABELS } }] }],
      },
    },
    ["/spec/ingress/0/from"],
    edited(add("/spec/ingress/0/from/-", { ipBlock: { cidr: "10.0.0.0/8" } })),
  ),
  networkPolicy(
    "a peer was widened",
    {
      spec: {
        podSelector: {},
        policyTypes: ["Ingress"],
        ingress: [{ from: [{ podSelector: { matchLabels: LABELS } }] }],
      },
    },
    ["/spec/ingress/0/from/0/namespaceSelector"],
    edited(add("/spec/ingress/0/from/0/namespaceSelector", {})),
  ),

  role("rules", { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] }] }, []),
  role("a verb was added", { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] }, ["/rules/0/verbs"], {
    edits: [add("/rules/0/verbs/-", "delete")],
  }),
  role("a rule was added", { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] }, ["/rules"], {
    edits: [add("/rules/-", { apiGroups: ["*"], resources: ["*"], verbs: ["*"] })],
  }),

  cronJob(
    "a schedule, suspended or not",
    {
      spec: {
        schedule: "*/5 * * * *",
        suspend: false,
        jobTemplate: { spec: { template: { spec: { containers: [WEB], restartPolicy: "Never" } } } },
      },
    },
    [],
  ),
  cronJob(
    "suspended by hand",
    {
      spec: {
        schedule: "*/5 * * * *",
        suspend: false,
        jobTemplate: { spec: { template: { spec: { containers: [WEB], restartPolicy: "Never" } } } },
      },
    },
    ["/spec/suspend"],
    edited(replace("/spec/suspend", true)),
  ),

  quota(
    "quantities of any spelling",
    { spec: { hard: { "requests.cpu": "1000m", pods: 10, "requests.memory": "2048Mi" } } },
    [],
  ),
  quota(
    "a limit was raised",
    { spec: { hard: { pods: "10" } } },
    ["/spec/hard/pods"],
    edited(replace("/spec/hard/pods", "20")),
  ),

  claim(
    "storage in another unit",
    { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1024Mi" } } } },
    [],
  ),
  claim(
    "a claim cannot move to another class",
    {
      spec: { accessModes: ["ReadWriteOnce"], storageClassName: "b", resources: { requests: { storage: "1Gi" } } },
    },
    "invalid",
    {
      applied: {
        spec: { accessModes: ["ReadWriteOnce"], storageClassName: "a", resources: { requests: { storage: "1Gi" } } },
      },
    },
  ),

  autoscaler(
    "defaults of metrics and behaviour",
    {
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
        maxReplicas: 5,
        metrics: [
          { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
        ],
      },
    },
    [],
  ),
  autoscaler(
    "a target was changed",
    {
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
        maxReplicas: 5,
        metrics: [
          { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
        ],
      },
    },
    ["/spec/metrics/0/resource/target/averageUtilization"],
    {
      edits: [replace("/spec/metrics/0/resource/target/averageUtilization", 50)],
    },
  ),
];
