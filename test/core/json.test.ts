import fc from "fast-check";
import { canonicalJson, isJsonObject, parseJson, sameJson } from "../../src/core/json.ts";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { jsonText, packed, packedText } from "../../src/core/packed-json.ts";

describe("parseJson", () => {
  it.each([
    "9007199254740993",
    "-12345678901234567890",
    "1e400",
    "0.1000000000000000055511151231257827",
    "1.00000000000000001",
    "12345678.123456789",
    "-1e-400",
  ])("keeps %s digit by digit", (digits) => {
    expect(JSON.stringify(parseJson(`{"n":${digits}}`))).toBe(`{"n":${digits}}`);
  });

  it.each(["9007199254740992", "1.50", "1e3", "-0.0000001", "1000000000000000000000"])(
    "gives a plain number for %s",
    (digits) => {
      expect(parseJson(`[${digits}]`)).toEqual([Number(digits)]);
    },
  );

  it("leaves digits inside strings alone", () => {
    expect(parseJson('{"a":"12345678901234567890"}')).toEqual({ a: "12345678901234567890" });
  });
});

describe("canonicalJson", () => {
  it("does not depend on the order of keys, at any depth", () => {
    expect(canonicalJson({ b: [{ y: 1, x: null }], a: "é" })).toBe(canonicalJson({ a: "é", b: [{ x: null, y: 1 }] }));
  });

  it("gives the same text to values that come sorted and to values that do not", () => {
    const reversed = (value: JsonValue): JsonValue => {
      if (Array.isArray(value)) return value.map(reversed);
      if (!isJsonObject(value)) return value;
      const entries = Object.entries(value).reverse();
      return Object.fromEntries(entries.map(([key, item]) => [key, reversed(item)]));
    };
    fc.assert(
      fc.property(fc.jsonValue(), (given) => {
        const value = parseJson(JSON.stringify(given));
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
        expect(parseJson(canonicalJson(value))).toEqual(value);
      }),
    );
    expect(canonicalJson({ 10: 1, 9: 2, a: { "": 0 } })).toBe('{"10":1,"9":2,"a":{"":0}}');
  });
});

describe("packed", () => {
  const filler = "x".repeat(300);
  const large: JsonObject = { z: [1, { b: null, a: "é" }], n: parseJson("9007199254740993"), filler };

  it("keeps the canonical text of a large object alone, and is that object to whoever looks", () => {
    const value = packed(large) as JsonObject;
    expect(packedText(value)).toBe(canonicalJson(large));
    expect(jsonText(value)).toBe(canonicalJson(large));
    expect(isJsonObject(value)).toBe(true);
    expect(value).toEqual(large);
    expect({ ...value, more: 1 }).toEqual({ ...large, more: 1 });
    expect("z" in value && Object.hasOwn(value, "z") && !("y" in value)).toBe(true);
    expect(canonicalJson([value])).toBe(canonicalJson([large]));
    expect(packed(value)).toBe(value);
  });

  it("is the same JSON as what was packed", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const plain = { ...(object as JsonObject), filler };
        const value = packed(plain);
        expect(packedText(value)).toBeDefined();
        expect(sameJson(value, plain)).toBe(true);
        expect(JSON.parse(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(plain)));
      }),
    );
  });

  it("cannot be changed", () => {
    const value = packed(large) as JsonObject;
    expect(() => (value["z"] = 1)).toThrow(TypeError);
    expect(() => delete value["z"]).toThrow(TypeError);
    expect(() => Object.freeze(value)).toThrow(TypeError);
    expect(value).toEqual(large);
  });

  it.each([[null], [1], ["text"], [[1, 2]], [{ a: 1 }]])("leaves %j as it is", (value) => {
    expect(packed(value)).toBe(value);
    expect(packedText(value)).toBeUndefined();
    expect(jsonText(value)).toBe(JSON.stringify(value));
  });
});
