import { setImmediate } from "node:timers/promises";

/** Lets the event loop do what waits. */
export function turn(): Promise<void> {
  return setImmediate();
}

/** Runs work to its end; the event loop has its turn at each of its pauses. */
export async function inTurns<T>(work: Iterator<void, T>): Promise<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    await turn();
  }
}
