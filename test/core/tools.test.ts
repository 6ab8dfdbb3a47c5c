import fc from "fast-check";
import { parseDuration } from "../../src/core/duration.ts";
import { generatedKinds, isGeneratedKind, isGeneratedObject } from "../../src/core/generated.ts";
import { covers, pointer, segmentsOf } from "../../src/core/pointer.ts";
import { sameQuantity } from "../../src/core/quantity.ts";
import { compareResourceVersions } from "../../src/core/resource-version.ts";
import { fullJitterDelay } from "../../src/core/retry.ts";

describe("parseDuration", () => {
  it.each([
    ["250ms", 250],
    ["30s", 30_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    ["90d", 7_776_000_000],
  ])("%s", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(["", "5", "m", "-5m", "5 m", "1y", "5m3"])("refuses %p", (text) => {
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: "InvalidDuration" }));
  });
});

describe("compareResourceVersions", () => {
  it("orders any integers as numbers", () => {
    const positive = fc.bigInt({ min: 1n, max: 10n ** 40n });
    fc.assert(
      fc.property(positive, positive, (a, b) => {
        const order = compareResourceVersions(String(a), String(b));
        expect(Math.sign(order ?? NaN)).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  it.each([
    ["", "5"],
    ["abc", "5"],
    ["05", "5"],
    ["0", "5"],
    ["-1", "5"],
  ])("does not guess about %p and %p", (a, b) => {
    expect(compareResourceVersions(a, b)).toBeUndefined();
  });

  it("knows that equal texts are the same version", () => {
    expect(compareResourceVersions("opaque", "opaque")).toBe(0);
  });
});

describe("fullJitterDelay", () => {
  const backoff = { baseMs: 100, capMs: 1_000 };
  it.each([
    [1, 100],
    [2, 200],
    [4, 800],
    [5, 1_000],
    [10_000, 1_000],
  ])("stays below the bound of attempt %d", (attempt, bound) => {
    expect(fullJitterDelay(attempt, backoff, () => 0)).toBe(0);
    expect(fullJitterDelay(attempt, backoff, () => 1 - Number.EPSILON)).toBe(bound - 1);
  });
});

describe("pointers", () => {
  it("come back as the segments they were made of", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (segments) => {
        expect(segmentsOf(pointer(segments))).toEqual(segments);
      }),
    );
  });

  it.each([
    ["/a/*/c", "/a/b/c", true],
    ["/a/*", "/a/b/c", true],
    ["/a/*/c", "/a/b", false],
    ["/a", "/ab", false],
  ])("%s covers %s: %s", (pattern, path, expected) => {
    expect(covers(segmentsOf(pattern), segmentsOf(path))).toBe(expected);
  });
});

describe("sameQuantity", () => {
  it.each([
    ["0.5", "500m"],
    ["1024Mi", "1Gi"],
    ["1e3", "1k"],
    ["1", "1000m"],
    ["-2", "-2000m"],
  ])("%s is %s", (a, b) => {
    expect(sameQuantity(a, b)).toBe(true);
  });

  it.each([
    ["1G", "1Gi"],
    ["1", "1m"],
    ["abc", "abc"],
    ["", "0"],
  ])("%p is not %p", (a, b) => {
    expect(sameQuantity(a, b)).toBe(false);
  });
});

describe("what the platform generates", () => {
  it("is known by kind, or by name where Git may declare it as well", () => {
    for (const name of generatedKinds()) {
      const dot = name.indexOf(".");
      expect(isGeneratedKind({ kind: name.slice(0, dot), apiGroup: name.slice(dot + 1) })).toBe(true);
    }
    expect(isGeneratedKind({ kind: "Agent", apiGroup: "example.com" })).toBe(false);
    const namespace = { kind: "VLANNamespace", apiGroup: "wiring.githedgehog.com" };
    expect(isGeneratedObject({ ...namespace, name: "default" })).toBe(true);
    expect(isGeneratedObject({ ...namespace, name: "other" })).toBe(false);
  });
});
