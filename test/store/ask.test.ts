import { ask } from "../../src/store/ask.ts";
import { openStore } from "./fixture.ts";

test("what was sent and answered is held by nobody but its asker, who has all of it", async () => {
  await using at = await openStore();
  const values = ["x".repeat(100)];
  await expect(ask(at.pool, { text: "SELECT $1::text AS said", values })).resolves.toEqual({
    command: "SELECT",
    rows: [{ said: "x".repeat(100) }],
  });
  expect(values).toEqual([]);
});

test("nor is what was refused", async () => {
  await using at = await openStore();
  const values = ["no number"];
  await expect(ask(at.pool, { text: "SELECT $1::int", values })).rejects.toMatchObject({ code: "22P02" });
  expect(values).toEqual([]);
});

test("of several statements the last one's rows are the answer", async () => {
  await using at = await openStore();
  const answer = await ask(at.pool, { text: "SET LOCAL jit = off; SELECT 1 AS one; SELECT 2 AS two" });
  expect(answer).toEqual({ command: undefined, rows: [{ two: 2 }] });
});
