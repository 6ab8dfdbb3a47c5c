import { ApiRefusal, type ControlPlane, KubectlError, startControlPlane } from "./control-plane.ts";
import { controlPlane } from "./shared-control-plane.ts";
import { waitFor } from "./wait.ts";

interface List {
  readonly items: readonly { readonly metadata: { readonly name: string } }[];
}

describe("the shared control plane", () => {
  it("is a Kubernetes API server that kubectl can use", async () => {
    const version = await controlPlane.request<{ gitVersion: string }>("GET", "/version");
    expect(version.gitVersion).toMatch(/^v1\.36\.\d+$/);
    expect(await controlPlane.kubectl(["get", "namespace", "default", "-o", "name"])).toBe("namespace/default\n");
  });

  it("gives a service account what RBAC gives it and no more", async () => {
    const namespace = await controlPlane.createNamespace();
    const reader = await controlPlane.serviceAccountKubeconfig(namespace.name, "reader");
    await expect(controlPlane.kubectl(["get", "configmaps"], { kubeconfig: reader.path })).rejects.toThrow(/Forbidden/);
    await controlPlane.kubectl(["apply", "-f", "-"], readerRole(namespace.name));
    // The authorizer follows a moment later.
    const answer = await waitFor("the right", () =>
      controlPlane.kubectl(["get", "configmaps", "-o", "json"], { kubeconfig: reader.path }),
    );
    expect((JSON.parse(answer) as List).items).toEqual([]);
    await expect(controlPlane.kubectl(["get", "secrets"], { kubeconfig: reader.path })).rejects.toThrow(KubectlError);
    await namespace.remove();
  });

  it("refuses pods that the namespace's pod security level forbids", async () => {
    const namespace = await controlPlane.createNamespace("restricted", {
      "pod-security.kubernetes.io/enforce": "restricted",
    });
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "root" },
      spec: { automountServiceAccountToken: false, containers: [{ name: "main", image: "example/none" }] },
    };
    await expect(
      controlPlane.request("POST", `/api/v1/namespaces/${namespace.name}/pods`, { body: pod }),
    ).rejects.toMatchObject({ status: 403, message: expect.stringContaining("violates PodSecurity") as string });
    await namespace.remove();
  });

  it("applies validating admission policies to everybody whom they bind", async () => {
    const namespace = await controlPlane.createNamespace();
    await controlPlane.kubectl(["apply", "-f", "-"], forbiddingPolicy(namespace.name));
    const create = (name: string) =>
      controlPlane.request("POST", `/api/v1/namespaces/${namespace.name}/configmaps?dryRun=All`, {
        body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name } },
      });
    // The policy takes effect some moments after it was accepted.
    const refusal = await waitFor("the policy's refusal", () =>
      create("forbidden").then(
        () => null,
        (error: unknown) => error,
      ),
    );
    expect(refusal).toMatchObject({ status: 422, message: expect.stringContaining("not by this name") as string });
    await create("allowed");
    await controlPlane.kubectl(["delete", "-f", "-"], forbiddingPolicy(namespace.name));
    await namespace.remove();
  });

  it("takes a namespace away with everything in it, finalizers or not", async () => {
    const namespace = await controlPlane.createNamespace();
    const path = `/api/v1/namespaces/${namespace.name}/configmaps`;
    for (const [name, finalizers] of [
      ["plain", []],
      ["held", ["example.com/held"]],
    ] as const) {
      await controlPlane.request("POST", path, {
        body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name, finalizers } },
      });
    }
    await namespace.remove();
    await expect(controlPlane.request("GET", `/api/v1/namespaces/${namespace.name}`)).rejects.toMatchObject({
      status: 404,
    });
    const everywhere = await controlPlane.request<{ items: { metadata: { namespace: string } }[] }>(
      "GET",
      "/api/v1/configmaps",
    );
    expect(everywhere.items.filter(({ metadata }) => metadata.namespace === namespace.name)).toEqual([]);
  });

  it("tells a request without a valid token apart", async () => {
    await expect(controlPlane.request("GET", "/api", { token: "wrong" })).rejects.toThrow(ApiRefusal);
  });
});

describe("a control plane of one's own", () => {
  let plane: ControlPlane;
  const configMaps = "/api/v1/namespaces/default/configmaps";
  beforeAll(async () => (plane = await startControlPlane({ watchList: false })));
  afterAll(() => plane.stop());

  it("can go away and come back with what it held, for the same credentials", async () => {
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "kept" } };
    await plane.request("POST", configMaps, { body });
    const account = await plane.serviceAccountKubeconfig("default", "one");
    await plane.halt();
    await expect(plane.request("GET", "/readyz")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await plane.restart();
    await expect(plane.request("GET", `${configMaps}/kept`)).resolves.toMatchObject(body);
    expect(await plane.kubectl(["auth", "whoami", "-o", "name"], { kubeconfig: account.path })).toBeDefined();
  });

  it("can forget its history, so that a watch from before is told that it is gone", async () => {
    const before = await plane.request<{ metadata: { resourceVersion: string } }>("GET", configMaps);
    for (const name of ["a", "b"]) {
      await plane.request("POST", configMaps, { body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name } } });
    }
    await plane.forgetHistory();
    const watch = `${configMaps}?watch=1&timeoutSeconds=5&resourceVersion=${before.metadata.resourceVersion}`;
    // A server that has just begun asks for patience (429) before it knows.
    const told = await waitFor("an answer", () => plane.request("GET", watch));
    expect(told).toMatchObject({ type: "ERROR", object: { code: 410 } });
  });

  it("can lack what newer servers have", async () => {
    const watchList = `${configMaps}?watch=1&timeoutSeconds=5&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`;
    await expect(plane.request("GET", watchList)).rejects.toMatchObject({ status: 422 });
  });
});

function readerRole(namespace: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "List",
    items: [
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "Role",
        metadata: { name: "reader", namespace },
        rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list"] }],
      },
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        metadata: { name: "reader", namespace },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
        subjects: [{ kind: "ServiceAccount", name: "reader", namespace }],
      },
    ],
  });
}

function forbiddingPolicy(namespace: string): string {
  const name = `names-${namespace}`;
  return JSON.stringify({
    apiVersion: "v1",
    kind: "List",
    items: [
      {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingAdmissionPolicy",
        metadata: { name },
        spec: {
          matchConstraints: {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
            resourceRules: [
              { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] },
            ],
          },
          validations: [{ expression: "object.metadata.name != 'forbidden'", message: "not by this name" }],
        },
      },
      {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingAdmissionPolicyBinding",
        metadata: { name },
        spec: { policyName: name, validationActions: ["Deny"] },
      },
    ],
  });
}
