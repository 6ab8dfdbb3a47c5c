import { readFileSync } from "node:fs";
import { openStore, type StoreFixture } from "../store/fixture.ts";
import { actual, exampleObjects } from "./example.ts";

const DOCUMENT = readFileSync("docs/queries.md", "utf8");
const QUESTIONS = [...DOCUMENT.matchAll(/^## (.+)$[^]*?^```sql\n([^]*?)^```\n\n```text\n([^]*?)^```/gm)].map(
  ([, question = "", query = "", answer = ""]) => [question, query, answer] as const,
);

let at: StoreFixture;
beforeAll(async () => {
  at = await openStore();
  const objects = await exampleObjects();
  await at.apply(objects.map((object) => actual(object, at.fabricId)));
  await at.sql("ANALYZE");
});
afterAll(async () => {
  await at[Symbol.asyncDispose]();
});

/** Rows as text, columns apart by bars; `(none)` when there is no row. */
function answerOf(rows: readonly object[]): string {
  const [first] = rows;
  if (first === undefined) return "(none)\n";
  const cell = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
  return [Object.keys(first), ...rows.map((row) => Object.values(row).map(cell))]
    .map((cells) => `${cells.join(" | ")}\n`)
    .join("");
}

test("there are at least 20 questions, each once", () => {
  expect(QUESTIONS.length).toBeGreaterThanOrEqual(20);
  expect(new Set(QUESTIONS.map(([question]) => question)).size).toBe(QUESTIONS.length);
  expect(DOCUMENT.match(/^## /gm)?.length).toBe(QUESTIONS.length);
});

test.each(QUESTIONS)("%s", async (_question, query, answer) => {
  expect(answerOf(await at.sql(query))).toBe(answer);
});

test("the reader's role may ask all of them", async () => {
  const client = await at.pool.connect();
  try {
    await client.query("BEGIN; SET LOCAL ROLE fabric_sync_reader");
    for (const [, query] of QUESTIONS) expect(await client.query(query)).toMatchObject({ command: "SELECT" });
  } finally {
    await client.query("ROLLBACK");
    client.release();
  }
});
