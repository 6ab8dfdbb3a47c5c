import fc from "fast-check";
import { isJsonObject } from "../../src/core/json.ts";
import type { JsonValue } from "../../src/core/json.ts";
import { compileVolatile } from "../../src/core/volatile.ts";
import { normaliseActual } from "../../src/core/normalise.ts";
import { actual, FABRIC, object } from "./observations.ts";

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonValue>;

function reversed(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(reversed);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  );
}

describe("the hash", () => {
  it("does not depend on the order of keys", () => {
    fc.assert(
      fc.property(json, json, (spec, status) => {
        expect(actual(reversed(spec), { status: reversed(status) }).content.hash).toBe(
          actual(spec, { status }).content.hash,
        );
      }),
    );
  });

  it("does not depend on volatile fields, whatever they hold, and on all others", () => {
    const volatile = compileVolatile({ "Widget.example.com": ["/status/beat", "/status/ports/*/count"] });
    const seen = { fabricId: FABRIC, writePath: "watch" as const, observedAt: 0, volatile };
    const hashOf = (status: JsonValue) => normaliseActual(object({ status }), seen).content.hash;
    fc.assert(
      fc.property(json, json, json, json, fc.string(), (beat, otherBeat, count, state, port) => {
        fc.pre(port !== "__proto__");
        const calm = hashOf({ beat, state, ports: { [port]: { up: true, count } } });
        expect(hashOf({ beat: otherBeat, state, ports: { [port]: { up: true } } })).toBe(calm);
        expect(hashOf({ beat, state, ports: { [port]: { up: false, count } } })).not.toBe(calm);
      }),
    );
  });
});
