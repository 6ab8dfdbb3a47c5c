import { readdirSync, readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { isJsonObject } from "../../src/core/json.ts";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { normaliseActual, normaliseDesired } from "../../src/core/normalise.ts";
import { GroupVersionSchemas } from "../../src/core/openapi.ts";
import type { ReducePolicy } from "../../src/core/policy.ts";
import { reduce } from "../../src/core/reduce.ts";
import type { ResourceRow } from "../../src/core/row.ts";

/** What the platform's CRDs say of their kinds, as the API server would publish it. */
const schemas = platformSchemas();
const POLICY: ReducePolicy = {
  ...{ driftMode: "server_side", reportExtra: false, direction: "observe", ignore: [], hasGit: true },
  schemas: {
    of: (apiVersion, kind) => schemas.get(apiVersion)?.of(apiVersion, kind) ?? null,
    toJSON: () => "platform",
  },
};

type Labels = Readonly<Record<string, string>>;
interface Side {
  readonly spec: JsonObject;
  readonly labels?: Labels;
}
/** Git's side, what the platform makes of it, and a path of it that somebody edits. */
type Case = readonly [what: string, kind: string, git: Side, made: Side, edited: readonly [path: string, JsonValue]];

const VPC = "vpc.githedgehog.com/v1beta1 VPC";
const SWITCH = "wiring.githedgehog.com/v1beta1 Switch";
const CONNECTION = "wiring.githedgehog.com/v1beta1 Connection";
const PEERING = "vpc.githedgehog.com/v1beta1 ExternalPeering";
const subnet = (more: JsonObject = {}, subnet: JsonObject = {}): JsonObject => ({
  subnets: { default: { subnet: "10.0.1.0/24", vlan: 1001, dhcp: { enable: true, ...more }, ...subnet } },
});
const links = (ips: boolean): JsonObject => ({
  fabric: {
    links: [1, 2].map((port) => ({
      spine: { port: `spine-1/E1/${port}`, ...(ips ? { ip: `172.30.128.${2 * port}/31` } : {}) },
      leaf: { port: `leaf-1/E1/${port}`, ...(ips ? { ip: `172.30.128.${2 * port + 1}/31` } : {}) },
    })),
  },
});

const CASES: readonly Case[] = [
  [
    "the gateway of a subnet, and the namespaces of a VPC",
    VPC,
    { spec: { subnets: { default: { subnet: "10.0.1.0/24", vlan: 1001 } } } },
    {
      spec: {
        ...{ ipv4Namespace: "default", vlanNamespace: "default" },
        subnets: { default: { subnet: "10.0.1.0/24", gateway: "10.0.1.1", vlan: 1001 } },
      },
    },
    ["/spec/subnets/default/vlan", 1002],
  ],
  [
    "where the range of DHCP begins and ends",
    VPC,
    { spec: subnet() },
    { spec: subnet({ range: { start: "10.0.1.2", end: "10.0.1.254" } }, { gateway: "10.0.1.1" }) },
    ["/spec/subnets/default/dhcp/enable", false],
  ],
  [
    "the end of a range of which Git says the beginning",
    VPC,
    { spec: subnet({ range: { start: "10.0.1.10" } }) },
    { spec: subnet({ range: { start: "10.0.1.10", end: "10.0.1.254" } }, { gateway: "10.0.1.1" }) },
    ["/spec/subnets/default/dhcp/range/start", "10.0.1.11"],
  ],
  [
    "servers of DHCP and routes, sorted",
    VPC,
    {
      spec: {
        ...subnet({ options: { dnsServers: ["9.9.9.9", "1.1.1.1"], timeServers: ["10.0.0.2", "10.0.0.1"] } }),
        staticRoutes: [{ prefix: "10.9.0.0/16" }, { prefix: "10.8.0.0/16" }],
      },
    },
    {
      spec: {
        ...subnet({ options: { dnsServers: ["1.1.1.1", "9.9.9.9"], timeServers: ["10.0.0.1", "10.0.0.2"] } }),
        staticRoutes: [{ prefix: "10.8.0.0/16" }, { prefix: "10.9.0.0/16" }],
      },
    },
    ["/spec/subnets/default/dhcp/options/dnsServers", ["1.1.1.1", "8.8.8.8"]],
  ],
  [
    "subnets and prefixes of a peering, sorted",
    PEERING,
    {
      spec: {
        permit: {
          vpc: { name: "vpc-1", subnets: ["b", "a"] },
          external: { name: "isp", prefixes: [{ prefix: "10.0.0.0/8" }, { prefix: "0.0.0.0/0" }] },
        },
      },
    },
    {
      spec: {
        permit: {
          vpc: { name: "vpc-1", subnets: ["a", "b"] },
          external: { name: "isp", prefixes: [{ prefix: "0.0.0.0/0" }, { prefix: "10.0.0.0/8" }] },
        },
      },
    },
    ["/spec/permit/vpc/subnets", ["a", "c"]],
  ],
  [
    "MAC addresses in its own notation, of a switch",
    SWITCH,
    { spec: { role: "server-leaf", boot: { mac: "0C-20-12-FF-00-01" } } },
    { spec: { role: "server-leaf", boot: { mac: "0c:20:12:ff:00:01" } } },
    ["/spec/boot/mac", "0c:20:12:ff:00:02"],
  ],
  [
    "MAC addresses in its own notation, of leases",
    VPC,
    { spec: subnet({ static: { "0C-20-12-FF-00-01": { ip: "10.0.1.9" } } }) },
    { spec: subnet({ static: { "0c:20:12:ff:00:01": { ip: "10.0.1.9" } } }) },
    ["/spec/subnets/default/dhcp/static", { "0c:20:12:ff:00:01": { ip: "10.0.1.10" } }],
  ],
  [
    "the ASN, the addresses and the VLAN namespace of a switch",
    SWITCH,
    { spec: { role: "server-leaf", profile: "dell-s5248f-on" } },
    {
      spec: {
        ...{ role: "server-leaf", profile: "dell-s5248f-on", vlanNamespaces: ["default"] },
        ...{ asn: 65_101, ip: "172.30.8.2/32", protocolIP: "172.30.9.2/32", vtepIP: "172.30.10.2/32" },
      },
    },
    ["/spec/role", "spine"],
  ],
  [
    "the redundancy group among the sorted groups of a switch",
    SWITCH,
    { spec: { groups: ["rack-2", "a"], redundancy: { group: "eslag-1", type: "eslag" } } },
    { spec: { groups: ["a", "eslag-1", "rack-2"], redundancy: { group: "eslag-1", type: "eslag" } } },
    ["/spec/groups", ["a", "eslag-1"]],
  ],
  [
    "the addresses of a link between switches",
    CONNECTION,
    { spec: links(false) },
    { spec: links(true) },
    ["/spec/fabric/links", [{ spine: { port: "spine-1/E1/9" }, leaf: { port: "leaf-1/E1/1" } }]],
  ],
  [
    "labels that it generates, whatever Git says of them",
    CONNECTION,
    {
      spec: links(false),
      labels: {
        site: "a",
        "fabric.githedgehog.com/connection-type": "stale",
        "switch.fabric.githedgehog.com/old": "true",
      },
    },
    {
      spec: links(true),
      labels: {
        ...{ site: "a", "fabric.githedgehog.com/connection-type": "fabric" },
        ...{ "switch.fabric.githedgehog.com/leaf-1": "true", "switch.fabric.githedgehog.com/spine-1": "true" },
      },
    },
    ["/metadata/labels/site", "b"],
  ],
];

describe("what the fabric platform fills in and rewrites is no drift, and needs no question", () => {
  it.each(CASES)("%s", (_what, kind, git, made) => {
    const row = judged(kind, git, made);
    expect([row.driftStatus, row.driftDetails]).toEqual(["in_sync", {}]);
  });
});

describe("an edit beside it is seen", () => {
  it.each(CASES)("%s", (_what, kind, git, made, [path, value]) => {
    const { driftStatus, driftDetails } = judged(kind, git, made, { path, value });
    expect([driftStatus, driftDetails["code"]]).toEqual(["unknown", "AwaitingServer"]);
  });
});

function judged(of: string, git: Side, made: Side, edit?: { path: string; value: JsonValue }): ResourceRow {
  const [apiVersion = "", kind = ""] = of.split(" ");
  // Without its schema the case would prove less than it says.
  expect(POLICY.schemas?.of(apiVersion, kind)).not.toBeNull();
  const object = ({ spec, labels = {} }: Side, more: JsonObject = {}): JsonObject => ({
    ...{ apiVersion, kind, spec },
    metadata: { name: "one", namespace: "default", labels: { ...labels }, ...more },
  });
  const live = object(made, { uid: "u", resourceVersion: "1" });
  const seen = edit === undefined ? live : set(live, edit.path.split("/").slice(1), edit.value);
  const context = { now: "2026-01-01T00:00:00.000Z", newId: () => "01890000-0000-7000-8000-000000000001" };
  const about = { fabricId: "01890000-0000-7000-8000-000000000000", observedAt: 0 };
  const commit = "1".repeat(40);
  const source = { commit, author: "ada", filePath: "one.yaml", line: 1, fileHash: commit };
  const declared = normaliseDesired(object(git), source, { ...about, writePath: "git_poll" });
  const before = reduce(null, declared, POLICY, context).row;
  const { row } = reduce(before, normaliseActual(seen, { ...about, writePath: "watch" }), POLICY, context);
  if (row === null) throw new Error("there is no row");
  return row;
}

function set(value: JsonValue, [head, ...rest]: readonly string[], to: JsonValue): JsonObject {
  if (!isJsonObject(value) || head === undefined) throw new Error("there is nothing to edit");
  return { ...value, [head]: rest.length === 0 ? to : set(value[head] ?? null, rest, to) };
}

function platformSchemas(): ReadonlyMap<string, GroupVersionSchemas> {
  interface Definition {
    readonly spec: {
      readonly group: string;
      readonly names: { readonly kind: string };
      readonly versions: readonly {
        readonly name: string;
        readonly schema: { readonly openAPIV3Schema: JsonObject };
      }[];
    };
  }
  const folder = new URL("../../examples/crds/", import.meta.url);
  const found = new Map<string, JsonObject>();
  for (const file of readdirSync(folder)) {
    for (const document of parseAllDocuments(readFileSync(new URL(file, folder), "utf8"))) {
      const { group, names, versions } = (document.toJS() as Definition).spec;
      for (const { name: version, schema } of versions) {
        const gvk = { group, version, kind: names.kind };
        const kinds = found.get(`${group}/${version}`) ?? {};
        kinds[names.kind] = { ...schema.openAPIV3Schema, "x-kubernetes-group-version-kind": [gvk] };
        found.set(`${group}/${version}`, kinds);
      }
    }
  }
  return new Map(
    [...found].map(([version, kinds]) => [
      version,
      new GroupVersionSchemas({ components: { schemas: kinds } }, version),
    ]),
  );
}
