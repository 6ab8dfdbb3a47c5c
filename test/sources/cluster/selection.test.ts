import type { DiscoveredKind, Discovery } from "../../../src/sources/cluster/discovery.ts";
import { formatScope, parseScope } from "../../../src/sources/cluster/scope.ts";
import { selectStreams } from "../../../src/sources/cluster/selection.ts";
import type { ResourceSelection } from "../../../src/sources/cluster/selection.ts";

function kind(group: string, version: string, name: string, more: Partial<DiscoveredKind> = {}): DiscoveredKind {
  const verbs = ["get", "list", "watch"];
  return {
    group,
    version,
    kind: name,
    plural: `${name.toLowerCase()}s`,
    namespaced: true,
    verbs,
    preferred: true,
    ...more,
  };
}
const DISCOVERY: Discovery = {
  kinds: [
    kind("", "v1", "ConfigMap"),
    kind("", "v1", "Node", { namespaced: false }),
    kind("wiring.githedgehog.com", "v1beta1", "Switch", { plural: "switches" }),
    kind("vpc.githedgehog.com", "v1beta1", "VPC"),
    kind("vpc.githedgehog.com", "v1alpha1", "VPC", { preferred: false }),
    kind("vpc.githedgehog.com", "v1beta1", "Review", { verbs: ["create"] }),
    kind("githedgehog.com", "v1", "Apex"),
    kind("fabricsync.dev", "v1alpha1", "Fabric"),
  ],
  broken: [{ group: "metrics.k8s.io", message: "v1beta1: away" }],
};
const scopes = (...selections: ResourceSelection[]) => selectStreams(selections, DISCOVERY).streams.map((s) => s.scope);
const unmet = (...selections: ResourceSelection[]) =>
  selectStreams(selections, DISCOVERY).unmet.map((one) => `${one.kind} ${one.state} ${one.reason}`);

describe("selectStreams", () => {
  test("'*.' takes every group below, not the suffix itself, in the preferred version", () => {
    expect(scopes({ group: "*.githedgehog.com", kinds: ["*"] })).toEqual([
      "wiring.githedgehog.com/v1beta1/switches",
      "vpc.githedgehog.com/v1beta1/vpcs",
    ]);
  });

  test("'' is the core group", () => {
    expect(scopes({ group: "", kinds: ["ConfigMap"] })).toEqual(["/v1/configmaps"]);
  });

  test("a named version is taken instead of the preferred one", () => {
    expect(scopes({ group: "vpc.githedgehog.com", version: "v1alpha1", kinds: ["VPC"] })).toEqual([
      "vpc.githedgehog.com/v1alpha1/vpcs",
    ]);
  });

  test("each namespace is a stream; a cluster-scoped kind is in none", () => {
    expect(scopes({ group: "", kinds: ["*"], namespaces: ["a", "b"], labelSelector: "x=1" })).toEqual([
      "/v1/configmaps?x=1@a",
      "/v1/configmaps?x=1@b",
    ]);
  });

  test("the wider of two streams takes the narrower in", () => {
    const all = { group: "", kinds: ["ConfigMap"] };
    expect(scopes({ ...all, namespaces: ["a"] }, all, { ...all, labelSelector: "x" })).toEqual(["/v1/configmaps"]);
  });

  test("two selectors over one namespace are refused", () => {
    const all = { group: "", kinds: ["ConfigMap"] };
    const both = [
      { ...all, labelSelector: "a" },
      { ...all, labelSelector: "b" },
    ];
    expect(scopes(...both)).toEqual([]);
    expect(unmet(...both)).toEqual(["ConfigMap refused SelectorsOverlap"]);
    expect(scopes({ ...all, labelSelector: "a" }, { ...all, namespaces: ["x"] })).toEqual([]);
  });

  test("says what is not served, not watchable, not known and not wanted", () => {
    expect(unmet({ group: "vpc.githedgehog.com", kinds: ["VPC", "Nothing", "Review"] })).toEqual([
      "Nothing gone NotServed",
      "Review gone NotWatchable",
    ]);
    expect(unmet({ group: "*.nowhere.example", kinds: ["*"] })).toEqual(["* gone NotServed"]);
    expect(unmet({ group: "metrics.k8s.io", kinds: ["*"] })).toEqual(["* unknown GroupUnavailable"]);
    expect(unmet({ group: "fabricsync.dev", kinds: ["*"] })).toEqual(["* refused OwnKind"]);
    expect(unmet({ group: "fabricsync.dev", kinds: ["Fabric", "DeviceState"] })).toEqual([
      "Fabric refused OwnKind",
      "DeviceState gone NotServed",
    ]);
    expect(scopes({ group: "*", kinds: ["Fabric"] })).toEqual([]);
  });

  test("a scope is taken apart as it was put together", () => {
    for (const scope of ["/v1/configmaps", "a.b/v1/cs?x in (1,2),e/f=g@ns", "a.b/v1/cs@ns", "a.b/v1/cs?x"]) {
      const parsed = parseScope(scope);
      expect(parsed && formatScope(parsed)).toBe(scope);
    }
    expect(parseScope("https://git/repo")).toBeNull();
  });
});
