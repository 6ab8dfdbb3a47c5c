import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { checkIdentity, dryRunUser, IdentityGuard } from "../../src/sources/cluster/drift/identity.ts";
import { KubeApiError } from "../../src/sources/cluster/api-error.ts";
import { KubeClient } from "../../src/sources/cluster/client.ts";
import type { Method, RequestOptions } from "../../src/sources/cluster/client.ts";
import { loadKubeConfig } from "../../src/sources/cluster/kubeconfig.ts";
import { aggregateClusterRole } from "../support/cluster-role-aggregation.ts";
import { applyOperatorManifests, OPERATOR_ACCOUNT, OPERATOR_NAMESPACE } from "../support/installation.ts";
import { ApiRefusal, startControlPlane } from "../support/control-plane.ts";
import type { ControlPlane } from "../support/control-plane.ts";
import { waitFor } from "../support/wait.ts";
import { everyPower } from "./identity/powers.ts";
import { QUIET } from "./quiet.ts";

// A control plane of its own: roles are bound here that no other suite should meet.
let plane: ControlPlane;
let identity: KubeClient;
const NEVER = new AbortController().signal;
const MERGE = "application/merge-patch+json";

beforeAll(async () => {
  plane = await startControlPlane();
  await applyOperatorManifests(plane);
  const source = { from: "file", path: plane.adminKubeconfig.path } as const;
  identity = new KubeClient(loadKubeConfig(source), { impersonate: dryRunUser(OPERATOR_NAMESPACE) });
  // A policy is in force some moments after it was made.
  await waitFor("the policy", async () => (await checkIdentity(identity, OPERATOR_NAMESPACE, NEVER)).safe);
}, 120_000);

afterAll(async () => {
  await identity.close();
  await plane.stop();
});

/** Why a request is refused, in the server's words; '' when it is not. */
async function refusalOf(method: Method, path: string, options: RequestOptions): Promise<string> {
  try {
    await identity.fetch(method, path, options);
    return "";
  } catch (error) {
    if (error instanceof KubeApiError) return error.message;
    throw error;
  }
}

/** All that a policy never sees: admission policies themselves, and questions, of which nothing is kept. */
const POLICIES = ["mutatingadmissionpolicies", "mutatingadmissionpolicybindings"].flatMap((mutating) => [
  mutating,
  mutating.replace("mutating", "validating"),
]);
const EXEMPT = [
  ...POLICIES.flatMap((resource) =>
    ["create", "update", "patch", "delete", "deletecollection"].map(
      (verb) => `${resource}.admissionregistration.k8s.io ${verb}`,
    ),
  ),
  ...["update", "patch"].map((verb) => `validatingadmissionpolicies/status.admissionregistration.k8s.io ${verb}`),
  ...["selfsubjectreviews", "tokenreviews"].map((resource) => `${resource}.authentication.k8s.io create`),
  ...["localsubjectaccessreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews", "subjectaccessreviews"].map(
    (resource) => `${resource}.authorization.k8s.io create`,
  ),
];

async function statusOf(method: Method, path: string, options: RequestOptions = {}): Promise<number> {
  try {
    return (await identity.fetch(method, path, options)).status;
  } catch (error) {
    if (error instanceof KubeApiError) return error.status;
    throw error;
  }
}

/** Installs `deploy/components/constrained-dry-runs`, as an overlay of base does. */
async function constrain(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "fabric-sync-overlay-"));
  try {
    const deploy = relative(directory, fileURLToPath(new URL("../../deploy", import.meta.url)));
    const overlay = { resources: [`${deploy}/base`], components: [`${deploy}/components/constrained-dry-runs`] };
    await writeFile(join(directory, "kustomization.yaml"), JSON.stringify(overlay));
    const manifests = (await plane.kubectl(["kustomize", directory])).split(/^---$/m);
    // What was taken away on purpose stays away.
    const changed = manifests.filter((one) => /^ {2}name: fabric-sync-dry-run-(on|impersonate)/m.test(one));
    await plane.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], changed.join("---\n"));
    await aggregateClusterRole(plane, "fabric-sync-dry-run-on");
  } finally {
    await rm(directory, { recursive: true });
  }
}

const configMap = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { a: "1" } });
const MAPS = "/api/v1/namespaces/default/configmaps";

it("is safe as it is shipped", async () => {
  expect(await checkIdentity(identity, OPERATOR_NAMESPACE, NEVER)).toEqual({ safe: true });
});

it("takes turns of its own, and none of another client's", async () => {
  const path = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/fabric-sync-dry-run";
  const { metadata } = await plane.request<{ metadata: { uid: string } }>("GET", path);
  const account = `/api/v1/namespaces/${OPERATOR_NAMESPACE}/serviceaccounts/fabric-sync-dry-run`;
  // The server takes a new flow schema up after some moments.
  await waitFor("the flow schema", async () => {
    const options = { query: { dryRun: "All" }, contentType: MERGE, body: {} } as const;
    const { headers } = await identity.fetch("PATCH", account, options);
    return headers["x-kubernetes-pf-flowschema-uid"] === metadata.uid;
  });
});

describe("rights by which it could free itself", () => {
  const RBAC = "rbac.authorization.k8s.io";
  const account = { kind: "ServiceAccount", name: "fabric-sync-dry-run", namespace: OPERATOR_NAMESPACE };
  const group = { apiGroup: RBAC, kind: "Group", name: `system:serviceaccounts:${OPERATOR_NAMESPACE}` };
  const bound = (kind: string, role: string, subject: object) => ({
    ...{ apiVersion: `${RBAC}/v1`, kind, metadata: { name: "too-much" } },
    ...{ roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: role }, subjects: [subject] },
  });
  const role = (rule: object, labels = { "fabricsync.dev/aggregate-to-dry-run": "true" }) => ({
    ...{ apiVersion: `${RBAC}/v1`, kind: "ClusterRole", metadata: { name: "too-much", labels }, rules: [rule] },
  });
  /** What the API server says to making it: the status. */
  const made = async (body: { readonly kind: string }): Promise<number> => {
    const place = body.kind === "RoleBinding" ? "namespaces/default/rolebindings" : `${body.kind.toLowerCase()}s`;
    try {
      await plane.request("POST", `/apis/${RBAC}/v1/${place}?dryRun=All`, { body });
      return 201;
    } catch (error) {
      if (error instanceof ApiRefusal) return error.status;
      throw error;
    }
  };
  const policies = { apiGroups: ["admissionregistration.k8s.io"], resources: ["*"], verbs: ["create"] };
  const anything = { apiGroups: ["*"], resources: ["*"], verbs: ["*"] };

  it.each<[what: string, body: { readonly kind: string }]>([
    ["cluster-admin", bound("ClusterRoleBinding", "cluster-admin", account)],
    [
      "cluster-admin, by its user name",
      bound("ClusterRoleBinding", "cluster-admin", {
        apiGroup: RBAC,
        kind: "User",
        name: dryRunUser(OPERATOR_NAMESPACE),
      }),
    ],
    ["cluster-admin, by the accounts of its namespace", bound("ClusterRoleBinding", "cluster-admin", group)],
    ["a role in a namespace", bound("RoleBinding", "admin", account)],
    ["to write policies, by the label", role(policies)],
    ["anything, by the label", role(anything)],
    [
      "to speak in somebody else's name, by the label",
      role({ apiGroups: [""], resources: ["users"], verbs: ["impersonate"] }),
    ],
  ])("are not given to it: %s", async (_what, body) => {
    await waitFor("the policy", async () => (await made(body)) === 403);
  });

  it.each<[what: string, body: { readonly kind: string }]>([
    ["another account's binding", bound("ClusterRoleBinding", "cluster-admin", { ...account, name: "other" })],
    ["a namespace's binding for all of its accounts", bound("RoleBinding", "view", group)],
    ["a role without the label", { ...role(anything), metadata: { name: "too-much" } } as ReturnType<typeof role>],
    ["a label for one more group", role({ apiGroups: ["apps"], resources: ["*"], verbs: ["get", "create", "patch"] })],
  ])("are nobody else's business: %s", async (_what, body) => {
    expect(await made(body)).toBe(201);
  });
});

// Given before the policies were there, or after somebody took them away.
describe("with cluster-admin all the same", () => {
  let now = 0;
  let guard: IdentityGuard;

  beforeAll(async () => {
    const from = { dryRuns: identity, identityNamespace: OPERATOR_NAMESPACE, logger: QUIET };
    guard = new IdentityGuard({ ...from, now: () => now });
    expect(await guard.look(NEVER)).toEqual({ safe: true });
    await plane.kubectl(["delete", "validatingadmissionpolicybinding", "fabric-sync-dry-run-bindings"]);
    await plane.request("POST", MAPS, { body: configMap("victim") });
    const tooMuch = ["create", "clusterrolebinding", "too-much", "--clusterrole=cluster-admin"];
    await waitFor("the binding, once the policy is gone", async () => {
      await plane.kubectl([...tooMuch, `--serviceaccount=${OPERATOR_NAMESPACE}:fabric-sync-dry-run`]);
      return true;
    });
    await waitFor("the role", async () => (await statusOf("GET", "/api/v1/nodes")) === 200);
  });

  const binding = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "mine" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
  };
  const webhook = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "mine" },
  };
  const EARNEST: readonly [what: string, method: Method, path: string, options: RequestOptions][] = [
    ["create", "POST", MAPS, { body: configMap("new") }],
    ["patch", "PATCH", `${MAPS}/victim`, { body: { data: { a: "2" } }, contentType: MERGE }],
    ["a patch that changes nothing", "PATCH", `${MAPS}/victim`, { body: {}, contentType: MERGE }],
    [
      "apply",
      "PATCH",
      `${MAPS}/victim`,
      {
        body: configMap("victim"),
        contentType: "application/apply-patch+yaml",
        query: { fieldManager: "x", force: true },
      },
    ],
    [
      "apply that creates",
      "PATCH",
      `${MAPS}/fresh`,
      { body: configMap("fresh"), contentType: "application/apply-patch+yaml", query: { fieldManager: "x" } },
    ],
    ["replace", "PUT", `${MAPS}/victim`, { body: configMap("victim") }],
    ["delete", "DELETE", `${MAPS}/victim`, {}],
    ["delete as a dry run", "DELETE", `${MAPS}/victim`, { query: { dryRun: "All" } }],
    [
      "a subresource",
      "PUT",
      "/api/v1/namespaces/default/status",
      { body: { apiVersion: "v1", kind: "Namespace", metadata: { name: "default" } } },
    ],
    [
      "a token",
      "POST",
      `/api/v1/namespaces/${OPERATOR_NAMESPACE}/serviceaccounts/fabric-sync/token`,
      { body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} } },
    ],
    ["a role for itself", "POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", { body: binding }],
    ["a webhook", "POST", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", { body: webhook }],
  ];
  it.each(EARNEST)("%s is refused", async (_what, method, path, options) => {
    expect(await statusOf(method, path, options)).toBe(403);
  });

  it("deleting a whole collection leaves every object", async () => {
    await statusOf("DELETE", MAPS);
    const { items } = await plane.request<{ items: { metadata: { name: string }; data?: object }[] }>("GET", MAPS);
    expect(items.find(({ metadata }) => metadata.name === "victim")?.data).toEqual({ a: "1" });
  });

  it("everything that the cluster serves is refused by the policy, but for what Kubernetes exempts from every policy", async () => {
    const powers = await everyPower(plane);
    const taken: string[] = [];
    for (const { what, method, path, options } of powers) {
      const refusal = await refusalOf(method, path, options);
      if (!refusal.includes("this account may make dry runs")) taken.push(`${what}: ${refusal}`);
    }
    expect(powers.length).toBeGreaterThan(400);
    expect(taken.sort()).toEqual(EXEMPT.map((what) => `${what}: `).sort());
  }, 120_000);

  it("what is no object is beyond admission: the API server's log level", async () => {
    const request = { body: "0", contentType: "text/plain" };
    expect(await statusOf("PUT", "/debug/flags/v", request)).not.toBe(403);
  });

  it("dry runs of creating and updating are answered", async () => {
    const query = { dryRun: "All", fieldManager: "x", force: true };
    expect(await statusOf("POST", MAPS, { body: configMap("new"), query: { dryRun: "All" } })).toBe(201);
    const contentType = "application/apply-patch+yaml";
    expect(await statusOf("PATCH", `${MAPS}/victim`, { body: configMap("victim"), contentType, query })).toBe(200);
  });

  describe("and the component that constrains impersonation, the operator", () => {
    let operator: KubeClient;
    const admission = "/apis/admissionregistration.k8s.io/v1";
    const WRITES: readonly [what: string, method: Method, path: string, options: RequestOptions][] = POLICIES.flatMap(
      (resource): [string, Method, string, RequestOptions][] => {
        const all = `${admission}/${resource}`;
        const one = `${all}/fabric-sync-dry-run-only`;
        return [
          [`create ${resource}`, "POST", all, { body: {} }],
          [`update ${resource}`, "PUT", one, { body: {} }],
          [`patch ${resource}`, "PATCH", one, { body: {}, contentType: MERGE }],
          [`delete ${resource}`, "DELETE", one, {}],
          [`delete all ${resource}`, "DELETE", all, { query: { labelSelector: "no=such" } }],
        ];
      },
    );

    beforeAll(async () => {
      const kubeconfig = await plane.serviceAccountKubeconfig(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT);
      const config = loadKubeConfig({ from: "file", path: kubeconfig.path });
      operator = new KubeClient(config, { impersonate: dryRunUser(OPERATOR_NAMESPACE) });
    });
    afterAll(() => operator.close());

    const statusFor = (method: Method, path: string, options: RequestOptions) =>
      operator.fetch(method, path, options).then(
        ({ status }) => status,
        (error: unknown) => (error instanceof KubeApiError ? error.status : Promise.reject(error as Error)),
      );

    it("could write policies in its name without it", async () => {
      const tried = WRITES.filter(([what]) => what.startsWith("patch"));
      const answers = await Promise.all(
        tried.map(([, method, path, options]) => statusFor(method, path, { ...options, query: { dryRun: "All" } })),
      );
      expect(answers).not.toContain(403);
    });

    it("can write none with it, and still sees what the identity may do", async () => {
      await constrain();
      for (const [what, method, path, options] of WRITES) {
        await waitFor(`no right to ${what}`, async () => (await statusFor(method, path, options)) === 403);
      }
      expect(
        await statusFor("PATCH", `${MAPS}/victim`, { body: {}, contentType: MERGE, query: { dryRun: "All" } }),
      ).toBe(403);
      // It may ask about a VPC: there are none here.
      const vpc = "/apis/vpc.githedgehog.com/v1beta1/namespaces/default/vpcs/one";
      await waitFor("the right to ask", async () => {
        const query = { dryRun: "All", fieldManager: "x" };
        const contentType = "application/apply-patch+yaml";
        return (await statusFor("PATCH", vpc, { body: {}, contentType, query })) === 404;
      });
      await waitFor("what it needs itself", async () => {
        const seen = await checkIdentity(operator, OPERATOR_NAMESPACE, NEVER);
        return !seen.safe && seen.code === "DryRunIdentityTooPowerful";
      });
    });
  });

  it("nothing is asked in its name, within a minute: what no policy can keep it from are the policies themselves", async () => {
    now += 60_000;
    expect(await guard.look(NEVER)).toMatchObject({ safe: false, code: "DryRunIdentityTooPowerful" });
    await plane.kubectl(["delete", "clusterrolebinding", "too-much"]);
    await waitFor("the role to go", async () => (await checkIdentity(identity, OPERATOR_NAMESPACE, NEVER)).safe);
  });
});

it.each([
  ["create", "mutatingadmissionpolicies.admissionregistration.k8s.io"],
  ["impersonate", "users"],
])("is not used where it may %s %s, by which it would be free", async (verb, resource) => {
  await plane.kubectl(["create", "clusterrole", "one-power", `--verb=${verb}`, `--resource=${resource}`]);
  await plane.kubectl([
    ...["create", "clusterrolebinding", "one-power", "--clusterrole=one-power"],
    `--serviceaccount=${OPERATOR_NAMESPACE}:fabric-sync-dry-run`,
  ]);
  await waitFor("the guard to see it", async () => {
    const guard = await checkIdentity(identity, OPERATOR_NAMESPACE, NEVER);
    return (
      !guard.safe && guard.code === "DryRunIdentityTooPowerful" && guard.message.includes(resource.split(".")[0] ?? "")
    );
  });
  for (const kind of ["clusterrolebinding", "clusterrole"]) await plane.kubectl(["delete", kind, "one-power"]);
  await waitFor("it to be safe", async () => (await checkIdentity(identity, OPERATOR_NAMESPACE, NEVER)).safe);
});

it("is not used where no policy binds it, and nothing is changed by finding that out", async () => {
  await plane.kubectl(["delete", "validatingadmissionpolicybinding", "fabric-sync-dry-run-only"]);
  const account = `/api/v1/namespaces/${OPERATOR_NAMESPACE}/serviceaccounts/fabric-sync-dry-run`;
  const before = await plane.request<{ metadata: { resourceVersion: string } }>("GET", account);
  await waitFor("the guard to see it", async () => {
    const guard = await checkIdentity(identity, OPERATOR_NAMESPACE, NEVER);
    return !guard.safe && guard.code === "DryRunIdentityUnguarded";
  });
  const after = await plane.request<{ metadata: { resourceVersion: string } }>("GET", account);
  expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
});

it("is not used where it does not exist", async () => {
  await plane.kubectl(["delete", "serviceaccount", "fabric-sync-dry-run", "-n", OPERATOR_NAMESPACE]);
  const guard = await checkIdentity(identity, OPERATOR_NAMESPACE, NEVER);
  expect(guard).toMatchObject({ safe: false, code: "DryRunIdentityMissing" });
});
