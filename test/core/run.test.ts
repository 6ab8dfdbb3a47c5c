import { runResult } from "../../src/core/run.ts";

const run = { documents: 3, changed: 2, unchanged: 1, rejected: 0, error: "" };

describe("a run", () => {
  it.each([
    ["succeeded", run],
    ["succeeded", { ...run, documents: 0, changed: 0, unchanged: 0 }],
    ["partial", { ...run, changed: 1, rejected: 1 }],
    ["failed", { ...run, changed: 0, unchanged: 0, rejected: 3 }],
    ["failed", { ...run, error: "connection lost" }],
    ["failed", { ...run, changed: 1 }],
    ["failed", { ...run, changed: 9 }],
  ] as const)("%s", (result, outcome) => {
    expect(runResult(outcome)).toBe(result);
  });
});
