import { takeBroker } from "./kept-broker.ts";

/** Once a run, after the last worker. */
export default async function globalTeardown(): Promise<void> {
  await takeBroker()?.stop();
}
