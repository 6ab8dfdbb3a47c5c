import type { ControllerStore } from "../../src/controller/parts.ts";
import { FabricRows } from "../../src/controller/fabric-rows.ts";
import type { Fabric } from "../../src/api/fabric.ts";
import { FabricSyncError } from "../../src/core/errors.ts";

test("a count that failed slowly is asked again soon, so that StoreReady is true again soon after the trouble", async () => {
  let now = 1_000_000;
  let slow = true;
  // No real server takes just so long by the clock of the test.
  const failingStore = {
    registerFabric: () => Promise.resolve({ id: "f" }),
    acquireFence: () => Promise.resolve({ fabricId: "f", epoch: 1 }),
    readCursors: () => Promise.resolve([]),
    counts: () => {
      now += 5_000;
      return slow ? Promise.reject(new FabricSyncError("StoreSilent", "wait", "nothing came")) : Promise.resolve(null);
    },
  } as unknown as ControllerStore;
  const rows = new FabricRows(failingStore, "me", () => now, { info: () => undefined });
  const signal = new AbortController().signal;
  const fabric = { metadata: { namespace: "net", name: "lab", uid: "u" }, spec: {} } as unknown as Fabric;
  await rows.own(fabric, signal);
  await expect(rows.count(signal)).rejects.toMatchObject({ code: "StoreSilent" });
  expect(rows.facts.error?.code).toBe("StoreSilent");
  slow = false;
  expect((rows.countDueAt ?? Infinity) - now).toBeLessThanOrEqual(1_000);
  now += 1_000;
  await rows.count(signal);
  expect(rows.facts.error).toBeNull();
  // Counting that is slow is not done all the time.
  expect((rows.countDueAt ?? 0) - now).toBeGreaterThanOrEqual(50_000);
});
