import type { JsonObject } from "../../src/core/json.ts";
import { canonicalJson, parseJson } from "../../src/core/json.ts";
import { actualVpc, clusterCursor, COMMIT_1, desiredVpc, openStore, POLICY, type StoreFixture } from "./fixture.ts";

describe("what the database refuses", () => {
  let at: StoreFixture;
  beforeEach(async () => {
    at = await openStore();
  });
  afterEach(async () => {
    await at[Symbol.asyncDispose]();
  });

  const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `vpc-${1000 + index}`);
  const stored = async (): Promise<string[]> => {
    const rows = await at.sql<{ name: string }>("SELECT name FROM fabric_sync.resource ORDER BY name");
    return rows.map(({ name }) => name);
  };

  test("is found by bisection: all others and the cursor commit, the refused ones are named", async () => {
    const bad = new Set(["vpc-1003", "vpc-1200", "vpc-1699"]);
    const observations = names(700).map((name) =>
      actualVpc(at, name, { rv: "10" }, bad.has(name) ? { spec: { note: "a\0b" } } : {}),
    );
    const result = await at.apply(observations, { cursors: [clusterCursor("10")] });
    expect(result).toMatchObject({ observations: 700, changed: 697 });
    expect(result.deadLettered.map(({ key, sqlstate }) => [key.name, sqlstate])).toEqual(
      [...bad].map((name) => [name, "22P05"]),
    );
    expect(await stored()).toEqual(names(700).filter((name) => !bad.has(name)));
    expect(await at.store.readCursors(at.fabricId)).toEqual([clusterCursor("10")]);
    const events = await at.sql("SELECT FROM fabric_sync.resource_event");
    expect(events).toHaveLength(697);
  });

  test("names constraint and column, and keeps the observation to the letter", async () => {
    const refused = { ...desiredVpc(at, "bad", "not-a-commit"), observedAt: 7 };
    await at.apply([refused, desiredVpc(at, "good", COMMIT_1)]);
    const [letter] = await at.store.listDeadLetters({ fabricId: at.fabricId });
    expect(letter).toMatchObject({
      key: refused.key,
      side: "desired",
      sqlstate: "23514",
      constraint: "resource_desired_commit_length",
      writePath: "git_poll",
      attempts: 1,
      schemaVersion: (await at.store.schemaState()).applied,
    });
    expect(letter?.payload).toEqual(refused);
    expect(await stored()).toEqual(["good"]);
  });

  test("costs its own side only", async () => {
    const result = await at.apply([
      desiredVpc(at, "vpc-1", COMMIT_1),
      actualVpc(at, "vpc-1", { rv: "10" }, { spec: { note: "\0" } }),
    ]);
    expect(result).toMatchObject({ changed: 1, observations: 2 });
    expect(result.deadLettered).toHaveLength(1);
    expect(await at.sql("SELECT resource_state FROM fabric_sync.resource")).toEqual([{ resource_state: "committed" }]);
  });

  test("is cleared when the source changes, also back to what the row says", async () => {
    await at.apply([actualVpc(at, "vpc-1", { rv: "10" })]);
    await at.apply([actualVpc(at, "vpc-1", { rv: "11" }, { spec: { note: "\0" } })]);
    expect(await at.store.listDeadLetters({ fabricId: at.fabricId })).toHaveLength(1);
    await at.apply([desiredVpc(at, "vpc-1", COMMIT_1)]);
    expect(await at.store.listDeadLetters({ fabricId: at.fabricId })).toHaveLength(1);
    const back = await at.apply([actualVpc(at, "vpc-1", { rv: "12" })]);
    expect(back.unchanged + back.refreshed).toBe(1);
    expect(await at.store.listDeadLetters({ fabricId: at.fabricId })).toEqual([]);
  });

  test("is retried on command, and after a migration; what is refused again counts", async () => {
    await at.sql("ALTER TABLE fabric_sync.resource ADD CONSTRAINT no_leaf CHECK (name <> 'leaf')");
    await at.apply([actualVpc(at, "leaf", { rv: "10" }), actualVpc(at, "nul", { rv: "11" }, { spec: { note: "\0" } })]);
    await at.sql("ALTER TABLE fabric_sync.resource DROP CONSTRAINT no_leaf");
    const none = await at.store.retryDeadLetters(at.fence, POLICY, { olderSchema: true });
    expect(none.observations).toBe(0);
    await at.sql("UPDATE fabric_sync.resource_dead_letter SET schema_version = schema_version - 1");
    const replayed = await at.store.retryDeadLetters(at.fence, POLICY, { olderSchema: true });
    expect(replayed).toMatchObject({ observations: 2, changed: 1 });
    const [left, ...others] = await at.store.listDeadLetters({ fabricId: at.fabricId });
    expect(others).toEqual([]);
    expect(left).toMatchObject({ attempts: 2, key: { name: "nul" } });
    expect(await at.store.dropDeadLetters({ fabricId: at.fabricId, ids: [left?.id ?? ""] })).toBe(1);
    expect(await at.store.listDeadLetters({ fabricId: at.fabricId })).toEqual([]);
  });

  test("a name too long for an index is told of under its beginning", async () => {
    const result = await at.apply([actualVpc(at, `long-${randomText(9_000)}`, { rv: "10" })]);
    expect(result.deadLettered).toMatchObject([{ sqlstate: "54000" }]);
    const [letter] = await at.store.listDeadLetters({ fabricId: at.fabricId });
    expect(letter?.key.name.startsWith("long-")).toBe(true);
    expect(letter?.payload.key.name).toHaveLength(9_005);
  });

  test.each<[string, JsonObject, string]>([
    ["a NUL in a value", { spec: { note: "a\0b" } }, "22P05"],
    ["a NUL in a key", { spec: { "a\0b": 1 } }, "22P05"],
    ["a lone surrogate", { spec: { note: "\ud800" } }, "22P02"],
    ["a lone surrogate in a label", { metadata: { labels: { note: "\udc00" } } }, "22P02"],
    ["a number beyond numeric", { spec: { size: parseJson("1e200000") } }, "22003"],
    ["a time that is none", { metadata: { deletionTimestamp: "soon" } }, "22007"],
  ])("%s is refused by name", async (_, object, sqlstate) => {
    const refused = actualVpc(at, "bad", { rv: "10" }, object);
    const result = await at.apply([refused, actualVpc(at, "good", { rv: "11" })]);
    expect(result.deadLettered).toMatchObject([{ key: refused.key, sqlstate }]);
    expect(await stored()).toEqual(["good"]);
    const [letter] = await at.store.listDeadLetters({ fabricId: at.fabricId });
    expect(JSON.stringify(letter?.payload)).toEqual(JSON.stringify(refused));
  });

  test.each<[string, JsonObject]>([
    ["integers beyond 2^53", { spec: { id: parseJson("9007199254740993"), big: parseJson("18446744073709551615") } }],
    ["long decimals", { spec: { ratio: parseJson("0.1234567890123456789012345"), huge: parseJson("1e400") } }],
    ["5,000 labels", { metadata: { labels: manyLabels(5_000) } }],
    ["490 levels", { spec: { deep: nested(490) } }],
    ["1.5 MB", { spec: { blob: "x".repeat(1_500_000) } }],
    ["text of every plane", { spec: { note: 'ä \u2028 \ufeff 🙂 \u{10ffff} \\u0041 " \\ \u0001 \x7f' } }],
    ["empty and nested values", { spec: { a: {}, b: [], c: "", d: [null, [{}]], e: false, f: -0.5 } }],
  ])("%s are stored exactly", async (_, object) => {
    const observation = actualVpc(at, "vpc-1", { rv: "10" }, object);
    const result = await at.apply([observation]);
    expect(result).toMatchObject({ changed: 1, deadLettered: [] });
    const [row] = await at.store.findResources({ fabricId: at.fabricId, kind: "VPC", name: "vpc-1" });
    // Postgres writes 1e400 out in digits: equal numbers, compared as such.
    const plain = (value: JsonObject): string => canonicalJson(parseJson(digits(JSON.stringify(value))));
    expect(plain({ spec: row?.actualSpec ?? null, labels: row?.labels ?? {} })).toBe(
      plain({ spec: observation.content.spec, labels: observation.content.labels }),
    );
    const again = await at.apply([observation]);
    expect(again.unchanged).toBe(1);
  });
});

function nested(depth: number): JsonObject {
  let value: JsonObject = {};
  for (let level = 0; level < depth; level += 1) value = { a: value };
  return value;
}

function manyLabels(count: number): JsonObject {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`label-${index}`, `value-${index}`]));
}

/** Text that does not compress, so that an index cannot hold it. Always the same. */
function randomText(length: number): string {
  let state = 1;
  return Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return String.fromCharCode(97 + (state % 26));
  }).join("");
}

function digits(text: string): string {
  return text.replace(/:(\d)e(\d+)/g, (_, digit: string, zeros: string) => `:${digit}${"0".repeat(Number(zeros))}`);
}
