import { Pump } from "../../src/pump/pump.ts";
import { PUMP_LIMITS } from "../../src/pump/limits.ts";
import { pumpOptions, RecordingStore, seen } from "./recording-store.ts";

/** What a flood is: the list of a kind with so many objects. */
const OBJECTS = 100_000;

/**
 * A fake of Postgres for time alone: a write takes as long as its rows would (200 µs each, 2 ms for the transaction), counted and not
 * waited for, so that what is measured is the order of work and not this machine.
 */
class TimedStore extends RecordingStore {
  static #writeMs(rows: number): number {
    return 2 + rows * 0.2;
  }
  override async apply(batch: Parameters<RecordingStore["apply"]>[0]) {
    const result = await super.apply(batch);
    return { ...result, durationMs: TimedStore.#writeMs(batch.observations.length) };
  }
}

test("a kind of 100,000 objects that is listed does not delay another kind's update by more than two writes of bounded length", async () => {
  const store = new TimedStore();
  const pump = new Pump(pumpOptions(store));
  const flood = pump.lane("flood");
  const quiet = pump.lane("quiet");
  let listed = 0;
  const listing = (async () => {
    for (; listed < OBJECTS; listed++) await flood.offer(seen(`object-${listed}`, 1));
    await flood.drained();
  })();
  const waited: number[] = [];
  for (let version = 1; listed < OBJECTS; version++) {
    const before = store.committed.length;
    await quiet.offer(seen("quiet", version));
    await quiet.drained();
    waited.push(store.committed.length - before);
  }
  await listing;
  pump.stop();
  expect(waited.length).toBeGreaterThan(100);
  // The one that is in flight, one that was put together just before, and its own.
  expect(Math.max(...waited)).toBeLessThanOrEqual(3);
  // So with the length to which writes are kept an update waits less than 250 ms.
  const longest = Math.max(...store.committed.map(({ observations }) => 2 + observations.length * 0.2));
  expect(longest).toBeLessThanOrEqual(PUMP_LIMITS.targetWriteMs * 1.1);
  expect(2 * PUMP_LIMITS.targetWriteMs).toBeLessThan(250);
  expect(store.written).toHaveLength(OBJECTS + waited.length);
}, 60_000);
