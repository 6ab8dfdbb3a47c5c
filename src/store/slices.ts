/** How long at a time rows are worked on without giving way (ms): probes, leases and sockets are looked after in between. */
const SLICE_MS = 5;

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
