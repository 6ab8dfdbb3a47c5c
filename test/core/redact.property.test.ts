import fc from "fast-check";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { normaliseActual, normaliseDesired } from "../../src/core/normalise.ts";
import { reduce } from "../../src/core/reduce.ts";
import { at, COMMIT_1, FABRIC, POLICY } from "./observations.ts";

const CANARY = "canary-7f3a91";

/** Every way in which a secret is written down; each holds the canary once. */
const planted = fc.constantFrom<JsonObject>(
  { password: CANARY },
  { BEARER_TOKEN: CANARY },
  { sshKeys: ["ssh-ed25519", CANARY] },
  { credentials: { login: { whatever: CANARY } } },
  { env: [{ name: "API_KEY", value: CANARY }] },
  { kind: "Secret", data: { any: CANARY } },
  { kind: "Secret", stringData: { any: { deeper: CANARY } } },
  { url: `https://user:${CANARY}@example.com/` },
  { url: `https://example.com/?token=${CANARY}` },
  { command: `run --secret=${CANARY}` },
  { header: `Bearer ${CANARY}` },
  { file: `x\n-----BEGIN EC PRIVATE KEY-----\n${CANARY}\n-----END EC PRIVATE KEY-----` },
);
const innocent = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>;

/** A planted secret, wrapped into lists and objects. */
const wrapped = fc
  .tuple(planted, fc.array(fc.tuple(fc.constantFrom("list", "map"), innocent), { maxLength: 12 }))
  .map(([secret, layers]) =>
    layers.reduce<JsonValue>(
      (inner, [shape, beside]) => (shape === "list" ? [beside, inner] : { beside, inner }),
      secret,
    ),
  );

describe("redaction", () => {
  it("leaves no secret in an observation, row or event, at any depth and on either side", () => {
    fc.assert(
      fc.property(wrapped, wrapped, fc.boolean(), (a, b, hasSpec) => {
        const annotation = { "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify(a) };
        const body: JsonObject = {
          apiVersion: "v1",
          kind: hasSpec ? "Widget" : "ConfigMap",
          metadata: { name: "one", uid: "u", resourceVersion: "1", annotations: annotation, labels: { token: CANARY } },
          ...(hasSpec ? { spec: a } : { content: a }),
          status: b,
        };
        const origin = { commit: COMMIT_1, author: "ada", filePath: "a.yaml", line: 1, fileHash: COMMIT_1 };
        const seen = { fabricId: FABRIC, writePath: "cli" as const, observedAt: 0 };
        const git = normaliseDesired(body, origin, seen);
        const cluster = normaliseActual({ ...body, spec: [b] }, seen);
        const first = reduce(null, git, POLICY, at(0));
        const second = reduce(first.row, cluster, POLICY, at(1));
        expect(JSON.stringify([git, cluster, first, second])).not.toContain(CANARY);
      }),
      { numRuns: 300 },
    );
  });
});
