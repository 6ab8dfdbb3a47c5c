import type { AddressInfo } from "node:net";
import { createServer } from "node:https";
import type { Server } from "node:https";
import type { JsonObject } from "../../src/core/json.ts";
import type { ReducePolicy } from "../../src/core/policy.ts";
import { KubeClient } from "../../src/sources/cluster/client.ts";
import { DiscoveryReader } from "../../src/sources/cluster/discovery.ts";
import type { Discovery } from "../../src/sources/cluster/discovery.ts";
import { dryRunUser } from "../../src/sources/cluster/drift/identity.ts";
import { SchemaReader } from "../../src/sources/cluster/drift/schema-reader.ts";
import { loadKubeConfig } from "../../src/sources/cluster/kubeconfig.ts";
import { createAuthority } from "../support/certificates.ts";
import { applyOperatorManifests, OPERATOR_NAMESPACE } from "../support/installation.ts";
import { controlPlane } from "../support/shared-control-plane.ts";
import type { TestNamespace } from "../support/control-plane.ts";
import { waitFor } from "../support/wait.ts";
import { QUIET } from "./quiet.ts";
import { judgeOn, told } from "./suite/judging.ts";

const NEVER = new AbortController().signal;
const HOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

let namespace: TestNamespace;
let admin: KubeClient;
let identity: KubeClient;
let discovery: Discovery;
let policy: ReducePolicy;

beforeAll(async () => {
  await applyOperatorManifests(controlPlane);
  namespace = await controlPlane.createNamespace("verdicts", { "drift-verdicts": "yes" });
  const source = { from: "file", path: controlPlane.adminKubeconfig.path } as const;
  admin = new KubeClient(loadKubeConfig(source));
  identity = new KubeClient(loadKubeConfig(source), { impersonate: dryRunUser(OPERATOR_NAMESPACE) });
  const schemas = await new SchemaReader(admin, QUIET).read(["v1", "apps/v1"], NEVER);
  policy = { driftMode: "server_side", schemas, reportExtra: false, direction: "observe", ignore: [], hasGit: true };
  discovery = await new DiscoveryReader(admin).read(NEVER);
});

afterAll(async () => {
  await Promise.all([admin.close(), identity.close()]);
  await namespace.remove();
});

const judge = (git: JsonObject | readonly JsonObject[], live: JsonObject | null, client: KubeClient = admin) =>
  judgeOn([git].flat(), live, policy, { client, discovery, now: Date.now, signal: NEVER });

const configMap = (name: string, data: JsonObject, where = namespace.name): JsonObject => ({
  ...{ apiVersion: "v1", kind: "ConfigMap", data },
  metadata: { name, namespace: where },
});
const maps = () => `/api/v1/namespaces/${namespace.name}/configmaps`;
const make = (body: JsonObject) => controlPlane.request<JsonObject>("POST", maps(), { body });

describe("an object that is not there", () => {
  it("is missing when the server would take it", async () => {
    const judged = await judge(configMap("absent", { a: "1" }), null);
    expect([told(judged), judged.asked, judged.row.driftDetails]).toEqual(["missing", true, {}]);
  });

  it("is invalid when the server would refuse it, with the server's words", async () => {
    const { row } = await judge(configMap("absent", { "not a key!": "1" }), null);
    expect(row).toMatchObject({
      driftStatus: "invalid",
      resourceState: "committed",
      driftDetails: { code: "KubeInvalid" },
    });
    expect(String(row.driftDetails["reason"])).toContain("a valid config key must consist of");
  });

  it("is missing, with the reason, where its namespace is not there either", async () => {
    const judged = await judge(configMap("absent", { a: "1" }, "no-such-namespace"), null);
    expect(judged.row).toMatchObject({ driftStatus: "missing", driftDetails: { code: "NotServed" } });
    expect(judged.check?.again).not.toBe("");
  });
});

it("a kind that the identity may not ask about is unknown, with the right to grant", async () => {
  const live = await make(configMap("forbidden", { a: "1" }));
  const { row } = await judge(configMap("forbidden", { a: "2" }), live, identity);
  expect(row).toMatchObject({
    driftStatus: "unknown",
    resourceState: "pending",
    driftDetails: { code: "DryRunForbidden" },
  });
  expect(row.driftDetails["reason"]).toContain('{apiGroups: [""], resources: ["configmaps"]');
});

it("secrets are not sent, and what only differs in them is in sync", async () => {
  const sent: string[] = [];
  const listening = {
    request: (...[method, path, options]: Parameters<KubeClient["request"]>) => {
      sent.push(JSON.stringify(options?.body ?? ""));
      return admin.request(method, path, options);
    },
  };
  const secret = (stringData: JsonObject, type = "Opaque") => ({
    ...{ apiVersion: "v1", kind: "Secret", type, stringData, metadata: { name: "hidden", namespace: namespace.name } },
  });
  const live = await controlPlane.request<JsonObject>("POST", `/api/v1/namespaces/${namespace.name}/secrets`, {
    body: secret({ password: "hunter2" }),
  });
  const options = { client: listening, discovery, now: Date.now, signal: NEVER };
  const judged = await judgeOn([secret({ password: "other" }, "example.com/else")], live, policy, options);
  expect(sent.join()).not.toMatch(/hunter2|other|redacted/);
  expect(JSON.stringify(judged.row)).not.toMatch(/hunter2|aHVudGVyMg/);
  // The type cannot be changed; whether the missing secrets have a part in the refusal nobody knows.
  expect(judged.row).toMatchObject({ driftStatus: "unknown", driftDetails: { code: "SecretsLeftOut" } });
});

it("a field that Git gave up and an autoscaler holds is the autoscaler's", async () => {
  const labels = { app: "scaled" };
  const deployment = (spec: JsonObject): JsonObject => ({
    ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "scaled", namespace: namespace.name } },
    spec: {
      ...spec,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "a", image: "a:1" }] } },
    },
  });
  const path = `/apis/apps/v1/namespaces/${namespace.name}/deployments`;
  await controlPlane.request("POST", `${path}?fieldManager=kubectl`, { body: deployment({ replicas: 2 }) });
  await controlPlane.request("PATCH", `${path}/scaled/scale?fieldManager=autoscaler`, {
    body: { spec: { replicas: 5 } },
    headers: { "content-type": "application/merge-patch+json" },
  });
  const live = await controlPlane.request<JsonObject>("GET", `${path}/scaled`);
  expect(told(await judge([deployment({ replicas: 2 }), deployment({})], live))).toBe("in_sync");
  // Where Git still declares it, it is drift, and the autoscaler is named.
  const declared = await judge(deployment({ replicas: 2 }), live);
  expect(told(declared)).toEqual(["/spec/replicas"]);
  expect(declared.row.driftDetails["paths"]).toMatchObject([{ manager: "autoscaler", desired: 2, actual: 5 }]);
});

it("each path names who changed it, and when", async () => {
  await make(configMap("blamed", { a: "1", b: "1", c: "1" }));
  for (const [manager, key] of [
    ["kubectl-edit", "a"],
    ["robot", "b"],
  ] as const) {
    await controlPlane.request("PATCH", `${maps()}/blamed?fieldManager=${manager}`, {
      body: { data: { [key]: "2" } },
      headers: { "content-type": "application/merge-patch+json" },
    });
  }
  const live = await controlPlane.request<JsonObject>("GET", `${maps()}/blamed`);
  const { row } = await judge(configMap("blamed", { a: "1", b: "1", c: "1" }), live);
  expect(row.driftDetails["paths"]).toMatchObject([
    { path: "/data/a", manager: "kubectl-edit", operation: "Update", at: expect.stringMatching(/^20.*Z$/) },
    { path: "/data/b", manager: "robot", operation: "Update" },
  ]);
});

describe("a webhook that refuses", () => {
  const authority = createAuthority("verdicts");
  let server: Server;
  /** What it does with each request. */
  let behaviour: "allow" | "deny twos" | "deny all" | "fail" = "allow";

  beforeAll(async () => {
    server = createServer(authority.issue(["127.0.0.1"]), (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        const { uid, object } = (JSON.parse(text) as { request: { uid: string; object?: { data?: { a?: string } } } })
          .request;
        if (behaviour === "fail") return response.writeHead(500).end("broken");
        const allowed = behaviour === "allow" || (behaviour === "deny twos" && object?.data?.a !== "2");
        const status = allowed ? {} : { status: { code: 403, reason: "Forbidden", message: "not on my watch" } };
        const review = {
          apiVersion: "admission.k8s.io/v1",
          kind: "AdmissionReview",
          response: { uid, allowed, ...status },
        };
        response.setHeader("content-type", "application/json").end(JSON.stringify(review));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  async function withHook(body: () => Promise<void>): Promise<void> {
    const { port } = server.address() as AddressInfo;
    const hook = {
      ...{
        name: "a.verdicts.example.com",
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
        failurePolicy: "Fail",
      },
      namespaceSelector: { matchLabels: { "drift-verdicts": "yes" } },
      rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: ["configmaps"] }],
      clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle: Buffer.from(authority.ca).toString("base64") },
    };
    await controlPlane.request("POST", HOOKS, {
      body: {
        ...{ apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingWebhookConfiguration" },
        ...{ metadata: { name: "drift-verdicts" }, webhooks: [hook] },
      },
    });
    try {
      behaviour = "deny all";
      await waitFor("the webhook", async () => {
        const answer = make(configMap(`probe-${Math.random().toString(36).slice(2)}`, {}));
        return answer.then(
          () => false,
          () => true,
        );
      });
      await body();
    } finally {
      await controlPlane.request("DELETE", `${HOOKS}/drift-verdicts`);
      behaviour = "allow";
      await waitFor("the webhook to go", async () => {
        const answer = make(configMap(`probe-${Math.random().toString(36).slice(2)}`, {}));
        return answer.then(
          () => true,
          () => false,
        );
      });
    }
  }

  it("makes it invalid when it refuses what Git says, and unknown when it refuses everything or does not answer", async () => {
    const live = await make(configMap("hooked", { a: "1" }));
    const git = configMap("hooked", { a: "2" });
    await withHook(async () => {
      behaviour = "deny twos";
      const denied = await judge(git, live);
      expect(denied.row).toMatchObject({ driftStatus: "invalid", driftDetails: { code: "KubeForbidden" } });
      expect(denied.row.driftDetails["reason"]).toContain("not on my watch");
      for (const broken of ["deny all", "fail"] as const) {
        behaviour = broken;
        expect((await judge(git, live)).row).toMatchObject({
          driftStatus: "unknown",
          driftDetails: { code: "DryRunUnavailable" },
        });
      }
    });
  });
});
