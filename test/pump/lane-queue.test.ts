import * as fc from "fast-check";
import { LaneQueue } from "../../src/pump/lane-queue.ts";
import { describe as name, seen } from "./recording-store.ts";
import type { ActualUpsert } from "../../src/core/observation.ts";

const cursor = (position: number | string) => ({
  source: "cluster" as const,
  scope: "vpc.example/v1/vpcs",
  position: String(position),
  completeAt: null,
});

describe("LaneQueue", () => {
  test("gives observations back in the order of their first offer, the newest of each key", () => {
    const queue = new LaneQueue();
    for (const [key, version] of [
      ["a", 1],
      ["b", 2],
      ["a", 3],
      ["c", 4],
    ] as const)
      queue.push(seen(key, version));
    expect(queue.take(9, Infinity, () => false).taken.map((o) => name(o as ActualUpsert))).toEqual([
      "a@3",
      "b@2",
      "c@4",
    ]);
    expect(queue.bytes).toBe(0);
  });

  test("keeps a mark until everything offered before it is taken", () => {
    const queue = new LaneQueue();
    queue.push(seen("a", 1));
    queue.push(seen("b", 2));
    queue.mark(cursor(2));
    queue.push(seen("c", 3));
    queue.mark(cursor(3));
    queue.take(1, Infinity, () => false);
    expect(queue.takeMarks()).toEqual([]);
    queue.take(1, Infinity, () => false);
    expect(queue.takeMarks()).toEqual([cursor(2)]);
    queue.take(1, Infinity, () => false);
    expect(queue.takeMarks()).toEqual([cursor(3)]);
  });

  test("stops at the byte bound, but always gives one", () => {
    const queue = new LaneQueue();
    queue.push(seen("a", 1, "x".repeat(10_000)));
    queue.push(seen("b", 2, "x".repeat(10_000)));
    expect(queue.take(9, 100, () => false).taken).toHaveLength(1);
    expect(queue.items).toBe(1);
  });

  test("never lets a mark go before the last word on every key that was offered before it", () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("push" as const), key: fc.constantFrom("a", "b", "c", "d") }),
      fc.record({ do: fc.constant("mark" as const) }),
      fc.record({ do: fc.constant("take" as const), count: fc.integer({ min: 1, max: 3 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new LaneQueue();
        const committed = new Map<string, number>();
        const offeredAt = new Map<number, Map<string, number>>();
        const offered = new Map<string, number>();
        let version = 0;
        for (const s of [...steps, { do: "take" as const, count: 99 }]) {
          if (s.do === "push") {
            queue.push(seen(s.key, ++version));
            offered.set(s.key, version);
          } else if (s.do === "mark") {
            queue.mark(cursor(version));
            offeredAt.set(version, new Map(offered));
          } else {
            for (const o of queue.take(s.count, Infinity, () => false).taken)
              committed.set(o.key.name, Number((o as ActualUpsert).resourceVersion));
            for (const mark of queue.takeMarks())
              for (const [key, needed] of offeredAt.get(Number(mark.position)) ?? [])
                expect(committed.get(key)).toBeGreaterThanOrEqual(needed);
          }
        }
        expect(committed).toEqual(offered);
        expect(queue.marks).toBe(0);
        expect(queue.bytes).toBe(0);
      }),
    );
  });
});
