import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { isJsonObject } from "../../src/core/json.ts";
import type { ReducePolicy } from "../../src/core/policy.ts";
import { reduce } from "../../src/core/reduce.ts";
import type { ResourceRow } from "../../src/core/row.ts";
import { severityOf } from "../../src/core/severity.ts";
import { actual, at, COMMIT_1, COMMIT_2, desired, POLICY } from "./observations.ts";

const type = (apiVersion: string, kind: string) => ({ apiVersion, kind });
const VPC = type("vpc.githedgehog.com/v1beta1", "VPC");
const SWITCH = type("wiring.githedgehog.com/v1beta1", "Switch");
const DEPLOYMENT = type("apps/v1", "Deployment");
const WIDGET = type("example.com/v1", "Widget");

function judged(git: JsonValue, cluster: JsonValue, kind = WIDGET, policy: ReducePolicy = POLICY): ResourceRow {
  const first = reduce(null, desired(git, { type: kind }), policy, at(0));
  const second = reduce(first.row, actual(cluster, { type: kind }), policy, at(1));
  if (second.row === null) throw new Error("there is no row");
  return second.row;
}

function drifted(row: ResourceRow): JsonObject[] {
  const paths = row.driftDetails["paths"];
  return Array.isArray(paths) ? paths.filter(isJsonObject) : [];
}

const pointers = (row: ResourceRow) => drifted(row).map(({ path }) => path);

describe("both sides agree when", () => {
  const cases: readonly (readonly [string, JsonValue, JsonValue, typeof WIDGET])[] = [
    ["the cluster adds fields", { a: 1 }, { a: 1, b: { c: 2 } }, WIDGET],
    ["a number is spelled as a text", { port: 80 }, { port: "80" }, WIDGET],
    ["declared nothing is absent", { a: 1, b: null, c: {}, d: [], e: { f: { g: null } } }, { a: 1 }, WIDGET],
    ["a typed struct drops zero values", { a: 1, b: false, c: 0, d: "" }, { a: 1 }, VPC],
    [
      "elements of a list are defaulted",
      { links: [{ port: "a" }] },
      { links: [{ port: "a", ip: "10.0.0.0/31" }] },
      WIDGET,
    ],
    ["a secret is not comparable", { password: "a", user: "x" }, { password: "b", user: "x" }, WIDGET],
    ["a secret is set on one side only", { password: "", token: "a" }, { password: "b", token: "" }, WIDGET],
    ["a secret was moved away", { password: "a", user: "x" }, { user: "x" }, WIDGET],
    [
      "a VPC's servers were sorted",
      { subnets: { a: { dhcp: { options: { dnsServers: ["9.9.9.9", "1.1.1.1"] } } } } },
      { subnets: { a: { dhcp: { options: { dnsServers: ["1.1.1.1", "9.9.9.9"], interfaceMTU: 9036 } } } } },
      VPC,
    ],
    [
      "a VPC's routes were sorted",
      { subnets: { a: { dhcp: { options: { advertisedRoutes: [{ destination: "b" }, { destination: "a" }] } } } } },
      {
        subnets: {
          a: { dhcp: { options: { advertisedRoutes: [{ destination: "a", gateway: "x" }, { destination: "b" }] } } },
        },
      },
      VPC,
    ],
    [
      "a VPC's range was dropped with DHCP off",
      { subnets: { a: { vlan: 1, dhcp: { enable: false, range: { start: "10.0.0.9" } } } } },
      { subnets: { a: { vlan: 1, gateway: "10.0.0.1" } } },
      VPC,
    ],
    [
      "a VPC's static leases were written in another notation",
      { subnets: { a: { dhcp: { static: { "0C-20-12-FF-00-00": { ip: "10.0.0.2" } } } } } },
      { subnets: { a: { dhcp: { static: { "0c:20:12:ff:00:00": { ip: "10.0.0.2" } } } } } },
      VPC,
    ],
    [
      "a Switch got its redundancy group",
      {
        groups: ["eslag-2", "b"],
        redundancy: { group: "eslag-1" },
        portSpeeds: { "E1/1": "SPEED_25G" },
        boot: { mac: "0C:20:12:FF:00:00" },
      },
      {
        groups: ["b", "eslag-1", "eslag-2"],
        redundancy: { group: "eslag-1" },
        portSpeeds: { "E1/1": "25G" },
        boot: { mac: "0c:20:12:ff:00:00" },
      },
      SWITCH,
    ],
    [
      "an attachment names the default subnet",
      { subnet: "vpc-1" },
      { subnet: "vpc-1/default" },
      type("vpc.githedgehog.com/v1beta1", "VPCAttachment"),
    ],
    [
      "a sidecar was added beside the declared container, and quantities rewritten",
      {
        template: {
          spec: { containers: [{ name: "web", resources: { limits: { cpu: "1000m", memory: "1024Mi" } } }] },
        },
      },
      {
        template: {
          spec: { containers: [{ name: "mesh" }, { name: "web", resources: { limits: { cpu: "1", memory: "1Gi" } } }] },
        },
      },
      DEPLOYMENT,
    ],
  ];
  it.each(cases)("%s", (_why, git, cluster, kind) => {
    const row = judged(git, cluster, kind);
    expect([row.driftStatus, row.driftDetails]).toEqual(["in_sync", {}]);
    expect([row.driftSeverity, row.driftScore, row.driftSince]).toEqual(["none", 0, null]);
  });
});

describe("a difference is told at", () => {
  const cases: readonly (readonly [string, JsonValue, JsonValue, typeof WIDGET, readonly string[]])[] = [
    ["a value", { a: { b: 1 } }, { a: { b: 2 } }, WIDGET, ["/spec/a/b"]],
    ["a value that was taken out", { a: { b: false } }, { a: {} }, WIDGET, ["/spec/a/b"]],
    ["a block that was taken out, once", { a: { b: 1, c: 2 } }, {}, WIDGET, ["/spec/a"]],
    ["a key that needs escaping", { "a/b~c": 1 }, { "a/b~c": 2 }, WIDGET, ["/spec/a~1b~0c"]],
    ["an element of a list", { l: [{ x: 1 }, { x: 2 }] }, { l: [{ x: 1 }, { x: 3 }] }, WIDGET, ["/spec/l/1/x"]],
    ["a list that grew", { l: [1] }, { l: [1, 2] }, WIDGET, ["/spec/l"]],
    ["a list that is declared empty", { l: [] }, { l: [1] }, WIDGET, ["/spec/l"]],
    ["a list whose order matters", { l: ["a", "b"] }, { l: ["b", "a"] }, WIDGET, ["/spec/l/0", "/spec/l/1"]],
    ["another type", { a: { b: 1 } }, { a: "b" }, WIDGET, ["/spec/a"]],
    ["true that became text", { a: true }, { a: "true" }, WIDGET, ["/spec/a"]],
    ["a switch that was turned off", { a: true }, {}, VPC, ["/spec/a"]],
    [
      "Git's index of a sorted list",
      { subnets: { a: { dhcp: { options: { timeServers: ["c", "a"] } } } } },
      { subnets: { a: { dhcp: { options: { timeServers: ["a", "b"] } } } } },
      VPC,
      ["/spec/subnets/a/dhcp/options/timeServers/0"],
    ],
    [
      "a group that nobody declared",
      { groups: ["a"], redundancy: { group: "g" } },
      { groups: ["a", "g", "h"], redundancy: { group: "g" } },
      SWITCH,
      ["/spec/groups"],
    ],
    [
      "a container by its name",
      {
        containers: [
          { name: "a", image: "x:1" },
          { name: "b", image: "y:1" },
        ],
      },
      {
        containers: [
          { name: "b", image: "y:2" },
          { name: "a", image: "x:1" },
        ],
      },
      DEPLOYMENT,
      ["/spec/containers/1/image"],
    ],
  ];
  it.each(cases)("%s", (_where, git, cluster, kind, expected) => {
    const row = judged(git, cluster, kind);
    expect([row.driftStatus, pointers(row)]).toEqual(["drifted", expected]);
  });

  it("labels and annotations that Git declares, and not at those that a controller owns", () => {
    const labels = { team: "net", "fabric.githedgehog.com/vpc": "x" };
    const git = reduce(null, desired({ a: 1 }, { type: VPC, labels }), POLICY, at(0));
    const cluster = actual({ a: 1 }, { type: VPC, metadata: { labels: { team: "it", other: "y" } } });
    const row = reduce(git.row, cluster, POLICY, at(1)).row;
    expect(row === null ? [] : pointers(row)).toEqual(["/metadata/labels/team"]);
  });
});

describe("what Git no longer declares", () => {
  const shrink = (
    cluster: JsonValue,
    type = WIDGET,
    specs: readonly JsonValue[] = [{ a: 1, b: { c: 2 } }, { a: 1 }],
  ) => {
    const seen = [...specs.map((spec) => desired(spec, { type, commit: COMMIT_2 })), actual(cluster, { type })];
    let row: ResourceRow | null = null;
    seen.forEach((observation, second) => {
      row = reduce(row, observation, POLICY, at(second)).row;
    });
    return row as unknown as ResourceRow;
  };

  it("is drift while the cluster has it", () => {
    const row = shrink({ a: 1, b: { c: 2 } });
    expect(drifted(row)).toEqual([
      expect.objectContaining({ path: "/spec/b", desired: null, actual: { c: 2 }, severity: "medium" }),
    ]);
  });

  it("is nothing when the cluster followed", () => {
    expect(shrink({ a: 1 }).driftStatus).toBe("in_sync");
  });

  it("is not forgotten by the next change in Git, but by declaring it again", () => {
    expect(pointers(shrink({ a: 2, b: { c: 2 } }, WIDGET, [{ a: 1, b: { c: 2 } }, { a: 1 }, { a: 2 }]))).toEqual([
      "/spec/b",
    ]);
    expect(
      shrink({ a: 2, b: { c: 3 } }, WIDGET, [{ b: { c: 2 } }, { a: 1 }, { b: { c: 3 } }]).driftDetails,
    ).toMatchObject({});
    expect(pointers(shrink({ b: { c: 3 } }, WIDGET, [{ b: { c: 2 } }, {}, { b: { c: 3 } }]))).toEqual([]);
  });

  it("is found in a list with merge keys wherever it stands", () => {
    const specs = [{ containers: [{ name: "a" }, { name: "b" }] }, { containers: [{ name: "b" }] }];
    const row = shrink({ containers: [{ name: "x" }, { name: "b" }, { name: "a" }] }, DEPLOYMENT, specs);
    expect(pointers(row)).toEqual(["/spec/containers/name=a"]);
  });
});

describe("drift details", () => {
  it("name file, line and commit in Git, manager and time in the cluster", () => {
    const managedFields = [{ manager: "kubectl-edit", operation: "Update", time: "2026-01-01T00:00:00Z" }];
    const git = reduce(null, desired({ a: 1 }, { filePath: "x/y.yaml", line: 12 }), POLICY, at(0));
    const row = reduce(git.row, actual({ a: 2 }, { metadata: { managedFields } }), POLICY, at(1)).row;
    expect(row?.driftDetails).toEqual({
      paths: [
        {
          path: "/spec/a",
          desired: 1,
          actual: 2,
          file: "x/y.yaml",
          line: 12,
          column: 1,
          commit: COMMIT_1,
          manager: "kubectl-edit",
          operation: "Update",
          at: "2026-01-01T00:00:00Z",
          // Nobody owns the path: managedFields name no fields here.
          candidate: true,
          severity: "medium",
        },
      ],
      truncated: false,
    });
  });

  it("say when paths or values were cut", () => {
    const many = (value: number) => Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`k${index}`, value]));
    const row = judged(many(1), many(2));
    expect([drifted(row).length, row.driftDetails["truncated"]]).toEqual([50, true]);
    const [long] = drifted(judged({ a: "x".repeat(5000) }, { a: "y" }));
    expect(long).toMatchObject({ desired: `${"x".repeat(1024)}…`, desiredCut: 5000, actual: "y" });
  });

  it("count what a rule hid, and hide it only from whom it concerns", () => {
    const rule = { kind: "Widget", paths: ["/spec/ports/*/speed"] };
    const git = { ports: { a: { speed: 1, mtu: 1 } } };
    const cluster = { ports: { a: { speed: 2, mtu: 2 } } };
    const row = judged(git, cluster, WIDGET, { ...POLICY, ignore: [rule] });
    expect([pointers(row), row.driftDetails["ignored"]]).toEqual([["/spec/ports/a/mtu"], ["/spec/ports/a/speed"]]);
    for (const other of [
      { kind: "Gadget" },
      { name: "two" },
      { labels: { a: "b" } },
      { managers: ["hpa"] },
      { group: "x" },
    ]) {
      expect(pointers(judged(git, cluster, WIDGET, { ...POLICY, ignore: [{ ...rule, ...other }] }))).toHaveLength(2);
    }
  });

  it("say when a rule hid more than is listed", () => {
    const side = (value: number) => Object.fromEntries(Array.from({ length: 25 }, (_, key) => [`k${key}`, value]));
    const row = judged(side(1), side(2), WIDGET, { ...POLICY, ignore: [{ paths: ["/spec"] }] });
    expect([row.driftStatus, row.driftDetails["ignoredTruncated"]]).toEqual(["in_sync", true]);
    expect(row.driftDetails["ignored"]).toHaveLength(20);
  });
});

describe("a verdict", () => {
  it("of an object that only one side has is missing, extra or untracked", () => {
    const missing = reduce(null, desired(), POLICY, at(0)).row;
    expect([missing?.driftStatus, missing?.driftSeverity, missing?.driftScore]).toEqual(["missing", "high", 70]);
    const untracked = reduce(null, actual(), POLICY, at(0)).row;
    expect([untracked?.driftStatus, untracked?.driftScore]).toEqual(["untracked", 0]);
    const extra = reduce(null, actual(), { ...POLICY, reportExtra: true }, at(0)).row;
    expect([extra?.driftStatus, extra?.driftSeverity, extra?.driftSince]).toEqual(["extra", "low", at(0).now]);
  });

  it("is unknown where drift is disabled, and says so", () => {
    const row = judged({ a: 1 }, { a: 2 }, WIDGET, { ...POLICY, driftMode: "disabled" });
    expect([row.driftStatus, row.driftDetails, row.lastDriftCheck]).toEqual([
      "unknown",
      { reason: "drift detection is disabled", code: "DriftDisabled" },
      null,
    ]);
  });

  it("of a drift scores by its heaviest path, and by how many there are", () => {
    const scored = (git: JsonValue, cluster: JsonValue) => {
      const { driftScore, driftSeverity } = judged(git, cluster);
      return [driftScore, driftSeverity];
    };
    const many = (count: number, value: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, value]));
    expect(scored({ a: 1 }, { a: 2 })).toEqual([40, "medium"]);
    expect(scored({ a: { b: 1 } }, {})).toEqual([50, "high"]);
    expect(scored(many(6, 1), many(6, 2))).toEqual([50, "high"]);
    expect(scored(many(40, 1), many(40, 2))).toEqual([60, "high"]);
  });

  it("keeps its beginning while it lasts", () => {
    const first = reduce(judged({ a: 1 }, { a: 2 }), actual({ a: 3 }, { rv: "11" }), POLICY, at(50)).row;
    expect([first?.driftSince, first?.lastDriftCheck]).toEqual([at(1).now, at(50).now]);
    const agreed = reduce(first, actual({ a: 1 }, { rv: "12" }), POLICY, at(60)).row;
    expect(agreed?.driftSince).toBeNull();
    expect(reduce(agreed, actual({ a: 4 }, { rv: "13" }), POLICY, at(70)).row?.driftSince).toBe(at(70).now);
  });

  it.each([
    [0, "none"],
    [24, "low"],
    [25, "medium"],
    [49, "medium"],
    [50, "high"],
    [75, "critical"],
    [100, "critical"],
  ])("with score %d is %s", (score, severity) => {
    expect(severityOf(score)).toBe(severity);
  });
});
