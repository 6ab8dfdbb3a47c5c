import { readFile, readdir } from "node:fs/promises";
import { SETTINGS } from "../../src/settings.ts";
import { ApiRefusal } from "../support/control-plane.ts";
import { applyOperatorManifests } from "../support/installation.ts";
import { controlPlane } from "../support/shared-control-plane.ts";
import { documents, folder, named, rendered } from "./rendered.ts";
import type { Manifest } from "./rendered.ts";

interface PodSpec {
  readonly serviceAccountName: string;
  readonly containers: readonly Container[];
  readonly initContainers: readonly Container[];
}
interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: readonly { readonly name: string }[];
  readonly securityContext: Record<string, unknown>;
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
}

const podOf = (manifests: readonly Manifest[]): PodSpec =>
  (named(manifests, "Deployment", "fabric-sync")["spec"] as { template: { spec: PodSpec } }).template.spec;

// Other suites run under the account that these manifests bind, so only the base is really applied.
beforeAll(() => applyOperatorManifests(controlPlane));

describe.each(["base", "overlays/example"])("deploy/%s", (path) => {
  let text: string;
  let manifests: Manifest[];
  beforeAll(async () => {
    text = await controlPlane.kubectl(["kustomize", folder(path)]);
    manifests = documents(text);
  });

  test("is taken by the API server as it is, without a warning", async () => {
    const answer = await controlPlane.kubectl(
      ["apply", "--server-side", "--dry-run=server", "--warnings-as-errors", "-f", "-"],
      text,
    );
    for (const { metadata } of manifests) expect(answer).toContain(`${metadata.name} serverside-applied`);
  });

  test("its pod is admitted under the restricted profile, which is enforced in its namespace", async () => {
    const namespace = named(manifests, "Namespace", "fabric-sync");
    expect(namespace.metadata.labels).toMatchObject({ "pod-security.kubernetes.io/enforce": "restricted" });
    const pod = (spec: object) =>
      controlPlane.request("POST", "/api/v1/namespaces/fabric-sync/pods?dryRun=All", {
        body: { apiVersion: "v1", kind: "Pod", metadata: { generateName: "fabric-sync-" }, spec },
      });
    const spec = podOf(manifests);
    await pod(spec);
    // The profile is in force: the same pod with one right more is refused.
    const [container] = spec.containers;
    const laxer = { ...container, securityContext: { ...container?.securityContext, allowPrivilegeEscalation: true } };
    const refusal = await pod({ ...spec, containers: [laxer] }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ApiRefusal);
    expect(String(refusal)).toContain('violates PodSecurity "restricted:latest"');
  });

  test("every container has a read-only root, no capability, and no way to more rights", () => {
    const { containers, initContainers } = podOf(manifests);
    for (const { securityContext } of [...containers, ...initContainers]) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
    }
  });

  test("it migrates before it runs, and sets nothing that the configuration does not know", () => {
    const { containers, initContainers } = podOf(manifests);
    expect(initContainers.map(({ args }) => args)).toEqual([["db", "migrate"]]);
    expect(containers.map(({ args }) => args)).toEqual([["run"]]);
    const known = new Set<string>(SETTINGS.map(({ variable }) => variable));
    for (const { env = [] } of [...containers, ...initContainers]) {
      expect(env.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([]);
    }
  });

  test("the Service and the NetworkPolicy select the pod", () => {
    const labels = (named(manifests, "Deployment", "fabric-sync")["spec"] as Selecting).template.metadata.labels;
    const service = named(manifests, "Service", "fabric-sync")["spec"] as { selector: Record<string, string> };
    const policy = named(manifests, "NetworkPolicy", "fabric-sync")["spec"] as {
      podSelector: { matchLabels: Record<string, string> };
    };
    expect(labels).toMatchObject(service.selector);
    expect(labels).toMatchObject(policy.podSelector.matchLabels);
  });
});

interface Selecting {
  readonly template: { readonly metadata: { readonly labels: Record<string, string> } };
}

test("the example overlay names its image, and a replica that stands by", async () => {
  const manifests = await rendered("overlays/example");
  const [container] = podOf(manifests).containers as readonly (Container & { image: string })[];
  expect(container?.image).toBe("registry.example.com/fabric-sync:0.1.0");
  expect(named(manifests, "Deployment", "fabric-sync")["spec"]).toMatchObject({ replicas: 2 });
});

test("the alerts ask for series that there are", async () => {
  const metrics = await readFile(new URL("../../src/http/metrics.ts", import.meta.url), "utf8");
  const alerts = await readFile(new URL("../../deploy/components/monitoring/alerts.yaml", import.meta.url), "utf8");
  const asked = [...alerts.matchAll(/fabric_sync_([a-z_]+)/g)].map(([, name = ""]) => name);
  expect(asked.length).toBeGreaterThan(3);
  for (const name of asked) expect([name, metrics.includes(`${name}"`)]).toEqual([name, true]);
});

test("no manifest is left out of its kustomization", async () => {
  const components = ["constrained-dry-runs", "impersonation", "monitoring"].map((name) => `components/${name}`);
  for (const path of ["base", "crds", ...components, "overlays/example"]) {
    const kustomization = await readFile(`${folder(path)}/kustomization.yaml`, "utf8");
    const files = (await readdir(folder(path))).filter(
      (file) => file.endsWith(".yaml") && file !== "kustomization.yaml",
    );
    for (const file of files) expect([path, kustomization.includes(`- ${file}`)]).toEqual([path, true]);
  }
});
