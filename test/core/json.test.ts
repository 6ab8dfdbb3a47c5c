import fc from "fast-check";
import { canonicalJson, isJsonObject, parseJson } from "../../src/core/json.ts";
import type { JsonValue } from "../../src/core/json.ts";

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
