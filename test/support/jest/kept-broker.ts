import type { Broker } from "../broker.ts";

// jest loads setup and teardown as separate modules of one process and hands nothing from the one to the other but globalThis.
const KEY = Symbol.for("fabric-sync.test-broker");
const kept = globalThis as { [KEY]?: Broker };

export function keepBroker(broker: Broker): void {
  kept[KEY] = broker;
}

export function takeBroker(): Broker | undefined {
  const broker = kept[KEY];
  delete kept[KEY];
  return broker;
}
