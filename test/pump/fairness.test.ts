import type { Batch } from "../../src/core/ports.ts";
import { Pump } from "../../src/pump/pump.ts";
import { waitFor } from "../support/wait.ts";
import { pumpOptions, RecordingStore, seen } from "./recording-store.ts";

/** What a flood is: the list of a kind with so many objects. */
const OBJECTS = 100_000;
const UPDATES = 200;

const isFlood = ({ observations }: Batch): boolean => observations.some(({ key }) => key.name.startsWith("object-"));

/** A database that answers nothing of the flood until it is told to. */
class SlowStore extends RecordingStore {
  readonly begun: Batch[] = [];
  readonly flood = Promise.withResolvers<void>();

  override async apply(batch: Batch) {
    this.begun.push(batch);
    if (isFlood(batch)) await this.flood.promise;
    return super.apply(batch);
  }
}

test("an update waits for no batch of another kind that is listed, however long that takes and however many objects it has", async () => {
  const store = new SlowStore();
  const pump = new Pump(pumpOptions(store));
  const flood = pump.lane("flood");
  const second = pump.lane("second flood");
  const quiet = pump.lane("quiet");
  let listed = 0;
  const listing = (async () => {
    for (; listed < OBJECTS; listed++) await (listed % 10 === 0 ? second : flood).offer(seen(`object-${listed}`, 1));
    await Promise.all([flood.drained(), second.drained()]);
  })();
  await waitFor("both floods to be under way", () => store.begun.length === 2 && store.inFlight === 0);

  // Not one of these could be written if it waited for what is under way.
  for (let version = 1; version <= UPDATES; version++) {
    await quiet.offer(seen("quiet", version));
    await quiet.drained();
  }
  expect(store.committed).toHaveLength(UPDATES);
  expect(listed).toBeLessThan(2_000);

  store.flood.resolve();
  for (let version = UPDATES + 1; listed < OBJECTS; version++) {
    await quiet.offer(seen("quiet", version));
    await quiet.drained();
  }
  await listing;
  pump.stop();
  // Nor did one go with a batch of the flood, and have to wait for all of that.
  const mixed = store.committed.filter(
    (batch) => isFlood(batch) && batch.observations.some(({ key }) => key.name === "quiet"),
  );
  expect(mixed).toEqual([]);
  expect(store.written.filter((one) => one.startsWith("object-"))).toHaveLength(OBJECTS);
}, 60_000);
