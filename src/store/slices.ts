/**
 * How long at a time rows are worked on without giving way (ms): probes, leases and sockets are looked after in between. By the clock and not by the row, so that
 * it holds on a slow machine as well; a collection of garbage may fall into it, and shall fit into 20 ms with it.
 */
const SLICE_MS = 3;

/** `items` mapped in order; the event loop is let through every few milliseconds. */
export async function inSlices<Item, Result>(items: readonly Item[], work: (item: Item) => Result): Promise<Result[]> {
  const results: Result[] = [];
  let began = performance.now();
  for (const item of items) {
    if (performance.now() - began >= SLICE_MS) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      began = performance.now();
    }
    results.push(work(item));
  }
  return results;
}
