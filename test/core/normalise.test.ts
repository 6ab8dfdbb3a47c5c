import { readFileSync } from "node:fs";
import { exactNumber } from "../../src/core/json.ts";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { normaliseActual, normaliseDeleted, normaliseDesired } from "../../src/core/normalise.ts";
import { REDACTED } from "../../src/core/redact.ts";
import { DEFAULT_VOLATILE_FIELDS } from "../../src/core/volatile.ts";
import { actual, AGENT, COMMIT_1, FABRIC, object } from "./observations.ts";

const seen = { fabricId: FABRIC, writePath: "list" as const, observedAt: 5 };
const origin = { commit: COMMIT_1, author: "ada", filePath: "a.yaml", line: 3, fileHash: COMMIT_1 };

describe("an object", () => {
  it("with a spec gives its spec, key and provenance", () => {
    const result = normaliseActual(
      object({ metadata: { uid: "u", resourceVersion: "7", generation: 2 }, status: { phase: "Up" } }),
      seen,
    );
    expect(result).toMatchObject({
      side: "actual",
      type: "upsert",
      key: { fabricId: FABRIC, apiGroup: "example.com", kind: "Widget", namespace: "default", name: "one" },
      apiVersion: "example.com/v1",
      content: { spec: { size: 1 }, labels: {}, annotations: {}, hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      status: { phase: "Up" },
      uid: "u",
      generation: 2,
      resourceVersion: "7",
      deletionRequestedAt: null,
      manager: "",
    });
  });

  it("without one gives every top-level field but the four with columns of their own", () => {
    const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" }, data: { a: "1" }, immutable: true };
    expect(normaliseDesired(config, origin, seen).content.spec).toEqual({ data: { a: "1" }, immutable: true });
  });

  it("of kind Secret keeps its keys and loses its values", () => {
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s" },
      type: "Opaque",
      data: { user: "YQ==" },
    };
    expect(normaliseActual(secret, seen).content.spec).toEqual({ type: "Opaque", data: { user: REDACTED } });
  });

  it("whose spec is null still is there", () => {
    expect(actual(null).content.spec).toEqual({});
  });

  it("takes its namespace from whoever knows its scope", () => {
    expect(normaliseDesired(object(), origin, { ...seen, namespace: "" }).key.namespace).toBe("");
  });

  it("loses bookkeeping annotations and keeps the others", () => {
    const annotations = { "kubectl.kubernetes.io/last-applied-configuration": "{}", owner: "net" };
    expect(normaliseActual(object({ metadata: { annotations } }), seen).content.annotations).toEqual({ owner: "net" });
  });

  it("names who edited it last, and who wrote to it last", () => {
    const managedFields: JsonValue = [
      { manager: "kubectl-edit", operation: "Update", time: "2026-01-01T00:00:05Z" },
      { manager: "git-applier", operation: "Apply", time: "2026-01-01T00:00:01Z" },
      { manager: "agent", operation: "Update", time: "2026-01-01T00:00:09Z", subresource: "status" },
    ];
    const result = normaliseActual(object({ metadata: { managedFields } }), seen);
    expect(result.manager).toBe("agent");
    expect(result.lastEdit).toEqual({ manager: "kubectl-edit", operation: "Update", at: "2026-01-01T00:00:05Z" });
  });

  it("that was deleted is told with its last uid and the deletion's resourceVersion", () => {
    const gone = normaliseDeleted(object({ metadata: { uid: "u", resourceVersion: "9" } }), seen, "DELETED event");
    expect(gone).toMatchObject({ type: "delete", uid: "u", resourceVersion: "9", reason: "DELETED event" });
  });

  const broken: readonly (readonly [string, JsonObject])[] = [
    ["no kind", { apiVersion: "v1", metadata: { name: "a" } }],
    ["no apiVersion", { kind: "Widget", metadata: { name: "a" } }],
    ["no metadata", { apiVersion: "v1", kind: "Widget" }],
    ["no name", { apiVersion: "v1", kind: "Widget", metadata: { generateName: "a-" } }],
    ["a number for a name", { apiVersion: "v1", kind: "Widget", metadata: { name: 7 } }],
    ["a NUL in its name", { apiVersion: "v1", kind: "Widget", metadata: { name: "a\0b" } }],
    ["a label that is no text", { apiVersion: "v1", kind: "Widget", metadata: { name: "a", labels: { port: 8080 } } }],
    [
      "an annotation that is null",
      { apiVersion: "v1", kind: "Widget", metadata: { name: "a", annotations: { x: null } } },
    ],
    ["labels that are a list", { apiVersion: "v1", kind: "Widget", metadata: { name: "a", labels: ["x"] } }],
  ];
  it.each(broken)("with %s is refused by name", (_what, body) => {
    const refusal = expect.objectContaining({ code: "MalformedObject", policy: "dead-letter" });
    expect(() => normaliseDesired(body, origin, seen)).toThrow(refusal);
    expect(() => normaliseActual(body, seen)).toThrow(refusal);
  });
});

describe("the hash", () => {
  const agent = (status: JsonValue) => actual({ role: "leaf" }, { type: AGENT, status }).content.hash;
  const status = (parts: JsonObject): JsonObject => ({
    lastHeartbeat: "t0",
    lastAppliedGen: 3,
    state: { nos: { uptime: "1h", serialNumber: "s" }, interfaces: { "E1/1": { oper: "up", counters: { inb: 1 } } } },
    ...parts,
  });

  it("of an Agent stands still while it beats and counts", () => {
    const beaten = status({
      lastHeartbeat: "t1",
      lastAttemptTime: "t1",
      state: { nos: { uptime: "2h", serialNumber: "s" }, interfaces: { "E1/1": { oper: "up", counters: { inb: 9 } } } },
    });
    expect(agent(beaten)).toBe(agent(status({})));
  });

  it.each<[string, JsonObject]>([
    [
      "an interface that goes down",
      { state: { nos: { uptime: "1h", serialNumber: "s" }, interfaces: { "E1/1": { oper: "down" } } } },
    ],
    ["a generation that was applied", { lastAppliedGen: 4 }],
  ])("of an Agent tells %s", (_what, parts) => {
    expect(agent(status(parts))).not.toBe(agent(status({})));
  });

  it("does not know the resourceVersion, uid, generation and managers", () => {
    const other = { rv: "99", uid: "uid-z", metadata: { generation: 9, managedFields: [{ manager: "x" }] } };
    expect(actual({ size: 1 }, other).content.hash).toBe(actual().content.hash);
  });

  it("tells numbers apart that a double cannot", () => {
    const spec = (digits: string): JsonValue => ({ n: exactNumber(digits) });
    expect(actual(spec("9007199254740993")).content.hash).not.toBe(actual(spec("9007199254740992")).content.hash);
  });
});

test("docs/volatile.md lists exactly what makes no history", () => {
  const text = readFileSync(new URL("../../docs/volatile.md", import.meta.url), "utf8");
  const listed = [...text.matchAll(/^\| `([^`]+)` +\| (`[^|]+`) +\|$/gm)].map(([, kind = "", paths = ""]) => [
    kind,
    paths.split(", ").map((path) => path.replaceAll("`", "")),
  ]);
  expect(Object.fromEntries(listed)).toEqual(DEFAULT_VOLATILE_FIELDS);
});
