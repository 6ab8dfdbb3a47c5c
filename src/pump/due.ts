import type { PumpLane } from "./pump-lane.ts";

/**
 * Whether what a lane holds is to be written now. What a watch told is, at once. What a list brings gathers first: nobody has seen it before, and a
 * statement costs the database some 5 ms however few rows it has. Nothing gathers while somebody waits: for the commit, for room, or for the end
 * of the list, whose mark is there then. Marks alone wait for company, unless `marksToo`.
 */
export function isDue(
  lane: PumpLane,
  gather: { readonly items: number; readonly ms: number },
  marksToo: boolean,
): boolean {
  const { queue } = lane;
  if (queue.items === 0) return marksToo && queue.marks > 0;
  if (queue.isHurried || queue.marks > 0 || lane.isAwaited || lane.isHeld) return true;
  return queue.items >= gather.items || queue.waitsFor >= gather.ms;
}
