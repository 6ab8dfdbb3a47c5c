import { readFile } from "node:fs/promises";
import { controlPlane } from "../support/shared-control-plane.ts";
import { OPERATOR_ACCOUNT, OPERATOR_NAMESPACE, applyOperatorManifests } from "../support/installation.ts";
import { named, rendered } from "./rendered.ts";
import type { Manifest, PolicyRule } from "./rendered.ts";
import { DRY_RUN_ACCOUNT } from "../../src/sources/cluster/drift/identity.ts";
import { DRY_RUN_VERBS, MIRROR_VERBS, OPERATOR_VERBS } from "./verbs.ts";

const root = new URL("../../", import.meta.url);
let base: Manifest[];
beforeAll(async () => {
  base = await rendered("base");
  await applyOperatorManifests(controlPlane);
});

/** `verb resource.group` of every grant. */
function* grantsOf(rules: readonly PolicyRule[] = []): Generator<string> {
  for (const { apiGroups, resources, verbs } of rules) {
    for (const group of apiGroups)
      for (const resource of resources) for (const verb of verbs) yield `${verb} ${resource}.${group}`;
  }
}

const bindings = () => base.filter(({ kind }) => kind === "ClusterRoleBinding" || kind === "RoleBinding");
/** Of every binding: the role, and the account that has it. */
const rolesOf = (account: string) =>
  bindings()
    .filter(({ subjects = [] }) => subjects.some(({ name }) => name === account))
    .map(({ roleRef }) => roleRef?.name)
    .sort();

test("the operator's account has what the program uses, and nothing else", () => {
  const cluster = named(base, "ClusterRole", "fabric-sync-operator");
  const lease = named(base, "Role", "fabric-sync-lease");
  const used = (namespaced: boolean) =>
    OPERATOR_VERBS.filter((use) => use.namespaced === namespaced)
      .map(({ verb, resource, group }) => `${verb} ${resource}.${group}`)
      .sort();
  expect([...grantsOf(cluster.rules)].sort()).toEqual(used(false));
  expect([...grantsOf(lease.rules)].sort()).toEqual(used(true));
});

test("each role is bound to one account of ours, and no other role is", () => {
  expect(rolesOf(OPERATOR_ACCOUNT)).toEqual([
    "fabric-sync-dry-run-impersonate",
    "fabric-sync-lease",
    "fabric-sync-mirror",
    "fabric-sync-operator",
  ]);
  expect(rolesOf(DRY_RUN_ACCOUNT)).toEqual(["fabric-sync-dry-run", "fabric-sync-dry-run-self"]);
  for (const { subjects } of bindings()) {
    expect(subjects).toEqual([{ kind: "ServiceAccount", name: expect.any(String), namespace: OPERATOR_NAMESPACE }]);
  }
});

test("the operator may speak in the name of the dry-run account, and of nobody else", () => {
  const { rules = [] } = named(base, "Role", "fabric-sync-dry-run-impersonate");
  expect(rules).toEqual([
    { apiGroups: [""], resources: ["serviceaccounts"], resourceNames: [DRY_RUN_ACCOUNT], verbs: ["impersonate"] },
  ]);
});

test("the dry-run account may do what is asked in its name, to the kinds that are mirrored", async () => {
  const roles = base.filter(({ metadata }) => metadata.labels?.["fabricsync.dev/aggregate-to-dry-run"] === "true");
  const groups = (name: string) => named(base, "ClusterRole", name).rules?.flatMap(({ apiGroups }) => apiGroups);
  expect(roles.map(({ metadata }) => metadata.name)).toEqual(["fabric-sync-dry-run-hedgehog"]);
  expect(groups("fabric-sync-dry-run-hedgehog")).toEqual(groups("fabric-sync-mirror-hedgehog"));
  const verbs = new Set(roles.flatMap(({ rules = [] }) => rules.flatMap((rule) => rule.verbs)));
  expect([...verbs].sort()).toEqual(DRY_RUN_VERBS.map(({ verb }) => verb).sort());
  const methods: Record<string, string> = { get: '"GET"', create: '"POST"', update: '"PUT"', patch: '"PATCH"' };
  for (const { verb, file } of DRY_RUN_VERBS) {
    expect(await readFile(new URL(file, root), "utf8")).toContain(methods[verb]);
  }
});

test("what may be mirrored is read and nothing else", () => {
  const mirrors = base.filter(({ metadata }) => metadata.labels?.["fabricsync.dev/aggregate-to-mirror"] === "true");
  expect(mirrors.map(({ metadata }) => metadata.name)).toEqual([
    "fabric-sync-mirror-device-states",
    "fabric-sync-mirror-hedgehog",
  ]);
  const verbs = new Set(mirrors.flatMap(({ rules = [] }) => rules.flatMap((rule) => rule.verbs)));
  expect([...verbs].sort()).toEqual(MIRROR_VERBS.map(({ verb }) => verb).sort());
});

test.each(OPERATOR_VERBS.map((use) => [`${use.verb} ${use.resource}`, use] as const))(
  "%s is sent by the file that is said to",
  async (_name, { verb, resource, file }) => {
    const text = await readFile(new URL(file, root), "utf8");
    const method: Record<string, RegExp> = {
      get: /"GET"/,
      list: /"GET"/,
      watch: /watch: (true|1)/,
      create: /"POST"/,
      update: /"PUT"/,
      patch: /"PATCH"/,
    };
    expect(text).toMatch(method[verb] ?? /never/);
    const [name = "", subresource] = resource.split("/");
    // `fabricsPath` of fabric-watch.ts writes the folder of Fabrics.
    expect(text).toMatch(name === "fabrics" ? /fabricsPath/ : new RegExp(`/${name}`));
    if (subresource !== undefined) expect(text).toContain(`/${subresource}`);
  },
);

test("deploy/README.md explains each verb", async () => {
  const readme = await readFile(new URL("deploy/README.md", root), "utf8");
  const rows = readme.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
  for (const { group, resource, verb, file } of OPERATOR_VERBS) {
    const name = group === "" ? resource : `${resource}.${group}`;
    const row = rows.find(([, first, second]) => first === name && second === verb);
    expect([name, verb, row?.[4]]).toEqual([name, verb, expect.stringContaining(file)]);
  }
});

describe("as that account, the API server's authorizer", () => {
  type Asked = [verb: string, group: string, resource: string, namespace: string, name?: string];
  const user = `system:serviceaccount:${OPERATOR_NAMESPACE}:${OPERATOR_ACCOUNT}`;
  const groups = ["system:serviceaccounts", `system:serviceaccounts:${OPERATOR_NAMESPACE}`, "system:authenticated"];

  async function allows([verb, group, path, namespace, name = ""]: Asked): Promise<boolean> {
    const [resource, subresource = ""] = path.split("/");
    const resourceAttributes = { verb, group, resource, subresource, namespace, name };
    const review = await controlPlane.request<{ status: { allowed: boolean } }>(
      "POST",
      "/apis/authorization.k8s.io/v1/subjectaccessreviews",
      { body: { spec: { user, groups, resourceAttributes } } },
    );
    return review.status.allowed;
  }

  test.each<Asked>([
    ["get", "", "secrets", "dc1", "fabric-git"],
    ["list", "fabricsync.dev", "fabrics", ""],
    ["patch", "fabricsync.dev", "fabrics/status", "dc1", "fabric"],
    ["watch", "fabricsync.dev", "devicestates", ""],
    ["patch", "fabricsync.dev", "devicestates/status", "dc1", "edge-rtr-1"],
    ["list", "wiring.githedgehog.com", "switches", ""],
    ["watch", "vpc.githedgehog.com", "vpcs", ""],
    ["update", "coordination.k8s.io", "leases", "fabric-sync", "fabric-sync"],
  ])("allows %s %s %s in %j", async (...asked: Asked) => {
    expect(await allows(asked)).toBe(true);
  });

  test.each<Asked>([
    ["list", "", "secrets", ""],
    ["watch", "", "secrets", "dc1"],
    ["create", "fabricsync.dev", "fabrics", "dc1"],
    ["delete", "fabricsync.dev", "fabrics", "dc1", "fabric"],
    ["patch", "fabricsync.dev", "devicestates", "dc1", "edge-rtr-1"],
    ["patch", "wiring.githedgehog.com", "switches", "default", "leaf-1"],
    ["delete", "wiring.githedgehog.com", "switches", "default", "leaf-1"],
    ["list", "", "nodes", ""],
    ["list", "evil.example.com", "switches", ""],
    ["impersonate", "", "serviceaccounts", "dc1", "reader"],
    ["update", "coordination.k8s.io", "leases", "fabric-sync", "other"],
    ["update", "coordination.k8s.io", "leases", "default", "fabric-sync"],
    ["delete", "coordination.k8s.io", "leases", "fabric-sync", "fabric-sync"],
    ["create", "", "pods", "fabric-sync"],
  ])("refuses %s %s %s in %j", async (...asked: Asked) => {
    expect(await allows(asked)).toBe(false);
  });
});
