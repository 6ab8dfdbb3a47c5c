import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { isJsonObject } from "../../src/core/json.ts";
import { GroupVersionSchemas } from "../../src/core/openapi.ts";
import type { DriftIgnoreRule, ReducePolicy } from "../../src/core/policy.ts";
import { reduce } from "../../src/core/reduce.ts";
import { actual, at, desired, POLICY } from "../core/observations.ts";

const item = { type: "object", properties: { id: { type: "integer" }, size: { type: "integer" } } };
const properties: JsonObject = {
  note: { type: "string" },
  limits: { type: "object", additionalProperties: { type: "integer" } },
  tags: { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "set" },
  ports: { type: "array", items: item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"] },
};
const gvk = [{ group: "example.com", version: "v1", kind: "Widget" }];
const widget = {
  type: "object",
  properties: { spec: { type: "object", properties } },
  "x-kubernetes-group-version-kind": gvk,
};
const kinds = new GroupVersionSchemas({ components: { schemas: { widget } } }, "hash");
const schemas = { of: (apiVersion: string, kind: string) => kinds.of(apiVersion, kind), toJSON: () => "set" };

const GIT = { limits: { cpu: 1 }, tags: ["a"], ports: [{ id: 1, size: 1 }] };
const LIVE = {
  note: "n",
  limits: { cpu: 1, disk: 2 },
  tags: ["b", "a"],
  ports: [
    { id: 9, size: 9 },
    { id: 1, size: 1 },
  ],
};
/** Who applied Git's side, and who added what. */
const APPLIER: JsonObject = {
  "f:spec": {
    "f:limits": { "f:cpu": {} },
    "f:tags": { 'v:"a"': {} },
    "f:ports": { 'k:{"id":1}': { "f:id": {}, "f:size": {} } },
  },
};
const HAND: JsonObject = {
  "f:spec": {
    "f:note": {},
    "f:limits": { "f:disk": {} },
    "f:tags": { 'v:"b"': {} },
    "f:ports": { 'k:{"id":9}': { ".": {}, "f:id": {}, "f:size": {} } },
  },
};
const entry = (manager: string, fieldsV1: JsonObject): JsonObject => ({
  ...{ manager, operation: "Update", time: "2026-01-01T00:00:00Z", fieldsType: "FieldsV1", fieldsV1 },
});

function told(managedFields: JsonValue, more: Partial<ReducePolicy> = {}) {
  const policy: ReducePolicy = { ...POLICY, schemas, reportExtra: true, ...more };
  const { row } = reduce(
    reduce(null, desired(GIT), policy, at(0)).row,
    actual(LIVE, { metadata: { managedFields } }),
    policy,
    at(1),
  );
  const paths = row?.driftDetails["paths"];
  const found = Array.isArray(paths) ? paths.filter(isJsonObject) : [];
  return {
    status: row?.driftStatus,
    paths: found.map(({ path, manager }) => `${String(path)} ${String(manager)}`),
    details: row?.driftDetails,
  };
}

const BY_HAND = [entry("kubectl", APPLIER), entry("kubectl-edit", HAND)];

it("tells what somebody added to maps, sets and keyed lists, where the Fabric asks for it", () => {
  const { status, paths } = told(BY_HAND);
  expect(status).toBe("drifted");
  expect(paths).toEqual([
    "/spec/limits/disk kubectl-edit",
    "/spec/tags/=b kubectl-edit",
    "/spec/ports/id=9 kubectl-edit",
  ]);
});

it("tells nothing of it where nobody asked, or where it came with Git's side, as a webhook's additions do", () => {
  expect(told(BY_HAND, { reportExtra: false }).status).toBe("in_sync");
  const both = {
    "f:spec": {
      "f:limits": { "f:cpu": {}, "f:disk": {} },
      "f:tags": { 'v:"a"': {}, 'v:"b"': {} },
      "f:ports": { 'k:{"id":1}': {}, 'k:{"id":9}': {} },
    },
  };
  expect(told([entry("kubectl", both)]).status).toBe("in_sync");
  expect(told([]).status).toBe("in_sync");
});

it("an ignore rule hides what its managers added, and it is listed", () => {
  const ignore: DriftIgnoreRule[] = [{ paths: ["/spec"], managers: ["kubectl-edit"] }];
  const { status, details } = told(BY_HAND, { ignore });
  expect([status, details]).toEqual([
    "in_sync",
    { ignored: ["/spec/limits/disk", "/spec/tags/=b", "/spec/ports/id=9"] },
  ]);
  expect(told(BY_HAND, { ignore: [{ paths: ["/spec"], managers: ["robot"] }] }).status).toBe("drifted");
});
