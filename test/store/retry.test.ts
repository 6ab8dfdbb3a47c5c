import { FabricSyncError } from "../../src/core/errors.ts";
import { pauseMs, retrying } from "../../src/store/retry.ts";
import { ruleOf, SQLSTATE_RULES } from "../../src/store/sqlstate.ts";
import { StoreError } from "../../src/store/store-error.ts";

describe("retrying", () => {
  const run = (error: Error, signal = new AbortController().signal) => {
    const seen: [string, number][] = [];
    const closure = () => Promise.reject(error);
    return { seen, done: retrying({ signal, onRetry: (...news) => seen.push(news) }, closure) };
  };

  test("repeats what may pass, six attempts in all, then tells the last failure", async () => {
    const conflict = new StoreError("StoreConflict", "retry", "again", { sqlstate: "40001", dropConnection: false });
    const { seen, done } = run(conflict);
    await expect(done).rejects.toBe(conflict);
    expect(seen).toEqual([1, 2, 3, 4, 5].map((attempt) => ["40001", attempt]));
  });

  test.each(["wait", "stall", "dead-letter", "fatal"] as const)("never repeats policy %s", async (policy) => {
    const { seen, done } = run(new FabricSyncError("Other", policy, "no"));
    await expect(done).rejects.toMatchObject({ policy });
    expect(seen).toEqual([]);
  });

  test("never repeats what is not known: a mistake of ours", async () => {
    const { seen, done } = run(new TypeError("ours"));
    await expect(done).rejects.toThrow(TypeError);
    expect(seen).toEqual([]);
  });

  test("pauses with full jitter: anything from nothing to the doubled step, below a second", () => {
    expect(pauseMs(1, () => 0)).toBe(0);
    expect(pauseMs(1, () => 1)).toBe(50);
    expect(pauseMs(2, () => 1)).toBe(100);
    expect(pauseMs(30, () => 1)).toBe(800);
  });
});

describe("the table of SQLSTATEs", () => {
  test.each([
    ["40001", "retry"],
    ["40P01", "retry"],
    ["55P03", "retry"],
    ["57P01", "retry"],
    ["57P02", "retry"],
    ["57P03", "retry"],
    ["08006", "retry"],
    ["08P01", "retry"],
    ["53300", "retry"],
    ["25006", "retry"],
    ["22P05", "dead-letter"],
    ["23514", "dead-letter"],
    ["21000", "dead-letter"],
    ["54000", "dead-letter"],
    ["28P01", "stall"],
    ["3D000", "stall"],
    ["42501", "stall"],
    ["42P01", "fatal"],
    ["53100", "wait"],
    ["53200", "wait"],
    ["F0000", "retry"],
  ])("%s has policy %s", (sqlstate, policy) => {
    expect(ruleOf(sqlstate).policy).toBe(policy);
  });

  test("names each class or code once, with a code fit for a condition", () => {
    const matches = SQLSTATE_RULES.map(({ match }) => match);
    expect(new Set(matches).size).toBe(matches.length);
    for (const { match, code } of SQLSTATE_RULES) {
      expect(match).toMatch(/^[0-9A-Z]{2}([0-9A-Z]{3})?$/);
      expect(code).toMatch(/^[A-Z][A-Za-z]+$/);
    }
  });
});
