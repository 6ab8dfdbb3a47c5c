import { BROKER_VARIABLE, RUN_VARIABLE } from "../broker-client.ts";
import { startBroker } from "../broker.ts";
import { keepBroker } from "./kept-broker.ts";

/** Once a run, before any worker: starts the broker, and with it nothing else. */
export default async function globalSetup(): Promise<void> {
  process.env[RUN_VARIABLE] = String(process.pid);
  const broker = await startBroker({ testDatabaseUrl: process.env["TEST_DATABASE_URL"] });
  process.env[BROKER_VARIABLE] = broker.socketPath;
  keepBroker(broker);
}
