import { reachableConflicts, reachableStates } from "./walk/reachable.ts";
import { CONFLICTS, TRANSITIONS } from "./walk/stories.ts";

// What is walked on real servers (`walk.test.ts`) is neither more nor less than what can happen.

test("the walk goes through every change of state that the reducer can make, and no other; each is told by an event", () => {
  const { states, silent } = reachableStates();
  expect([...TRANSITIONS].sort()).toEqual([...states].sort());
  expect(silent).toEqual([]);
}, 120_000);

test("the same of conflicts", () => {
  const { conflicts, silent } = reachableConflicts();
  expect([...CONFLICTS].sort()).toEqual([...conflicts].sort());
  expect(silent).toEqual([]);
}, 120_000);
